// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check.c - manifests from files into a store, with file and line for every problem.
 *
 * Of a folder, the files are read that the agent's source reads (watch/folder/manifests.h), not
 * those of folders inside.  A file that is named on the command line is read whatever its name.
 */
#include "agent/command/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/hash.h"
#include "watch/document/place.h"
#include "watch/folder/folder.h"
#include "watch/folder/manifests.h"
#include "watch/object/netpol.h"

#undef HASH_FUNCTION
#define HASH_FUNCTION(key, len, value) (value) = (unsigned int)hash_stable(key, len)
#include <uthash.h>

/* struct check_seen - where an object stood first */
struct check_seen {
	UT_hash_handle hh;
	char *file;
	uint32_t line;
	char key[];
};

/**
 * check_init() - Begin
 * @c: Empty afterwards
 */
void check_init(struct check *c)
{
	*c = (struct check){.store = store_new(NULL, NULL)};
}

static void problem_done(struct check_problem *p)
{
	free(p->file);
	free(p->object);
	free(p->message);
}

/**
 * check_done() - Free everything, the objects too
 * @c: Check
 */
void check_done(struct check *c)
{
	struct check_seen *s, *next;

	HASH_ITER (hh, c->seen, s, next) {
		HASH_DEL(c->seen, s);
		free(s->file);
		free(s);
	}
	vec_foreach (p, &c->problem)
		problem_done(p);
	vec_foreach (w, &c->warning)
		problem_done(w);
	vec_foreach (f, &c->file)
		free(*f);
	vec_done(&c->file);
	vec_done(&c->problem);
	vec_done(&c->warning);
	(void)store_free(c->store);
	*c = (struct check){0};
}

/**
 * check_add_problem() - Record a problem
 * @c:       Check
 * @file:    File, copied
 * @line:    Line, 0 for none
 * @object:  "Kind ns/name" or NULL, copied
 * @message: Message, copied; a line that it names wins over @line
 */
void check_add_problem(struct check *c, const char *file, uint32_t line, const char *object,
		       const char *message)
{
	char *text = xstrdup(message);
	uint32_t named = place_take_line(text);

	vec_push(&c->problem, (struct check_problem){.file = xstrdup(file),
						     .line = named ? named : line,
						     .object = object ? xstrdup(object) : NULL,
						     .message = text});
}

/* "FILE:12: text" or "FILE: text": the text, and the line or 0 */
static const char *split_place(const char *file, const char *msg, uint32_t *ret_line)
{
	const char *rest = str_starts(msg, file) ? msg + strlen(file) : msg;
	char *end = NULL;

	*ret_line = 0;
	if (rest > msg && rest[0] == ':' && rest[1] >= '0' && rest[1] <= '9') {
		*ret_line = (uint32_t)strtoul(rest + 1, &end, 10);
		rest = end;
	}
	return str_starts(rest, ": ") ? rest + 2 : rest;
}

/**
 * check_add_error() - Record a problem whose message names file and line itself
 * @c:    Check
 * @file: File, copied
 * @msg:  "FILE:12: text" or "FILE: text"
 */
void check_add_error(struct check *c, const char *file, const char *msg)
{
	uint32_t line;
	const char *text = split_place(file, msg, &line);

	check_add_problem(c, file, line, NULL, text);
}

static void add_warning(struct check *c, const char *file, const char *msg)
{
	uint32_t line;
	const char *text = split_place(file, msg, &line);

	vec_push(&c->warning, (struct check_problem){.file = xstrdup(file),
						     .line = line,
						     .message = xstrdup(text)});
}

/* The API server could not be given the same object twice; the agent takes the first. */
static bool check_first(struct check *c, const char *path, const char *key, uint32_t line)
{
	_cleanup_(freep) char *message = NULL;
	struct check_seen *s;

	HASH_FIND_STR(c->seen, key, s);
	if (s) {
		message = xasprintf("defined a second time, not used; first in %s:%u", s->file,
				    s->line);
		check_add_problem(c, path, line, key, message);
		return false;
	}
	s = xcalloc(1, sizeof(*s) + strlen(key) + 1);
	memcpy(s->key, key, strlen(key));
	s->file = xstrdup(path);
	s->line = line;
	HASH_ADD_STR(c->seen, key, s);
	return true;
}

static void check_object(struct check *c, const char *path, struct object *o, uint32_t line)
{
	const struct object_key of = key_of(o);
	_cleanup_(freep) char *key = object_title(&of);

	if (is_stand_in(o)) { /* its problem is told already */
		(void)store_put(c->store, o);
		return;
	}
	c->objects++;
	if (o->problem)
		check_add_problem(c, path, line, key, o->problem);
	if (check_first(c, path, key, line))
		(void)store_put(c->store, o);
	else
		(void)object_free(o);
}

static void check_file(struct check *c, const char *path)
{
	struct manifest m = {0};
	struct buf text = {0};
	struct err e = {0};
	int r = file_load(path, FOLDER_FILE_MAX, &text, &e);

	c->files++;
	vec_push(&c->file, xstrdup(path));
	if (r == 0)
		r = manifest_parse(path, text.data, text.len, &m, &e);
	if (r < 0) {
		check_add_error(c, path, e.msg);
		manifest_suspect(path, text.data, text.len, &m);
	}
	vec_foreach (entry, &m.entries)
		check_object(c, path, TAKE(entry->o, NULL), entry->line);
	vec_foreach (problem, &m.problems)
		check_add_error(c, path, *problem);
	vec_foreach (warning, &m.warnings)
		add_warning(c, path, *warning);
	c->ignored += m.unknown;
	manifest_done(&m);
	buf_done(&text);
}

static int is_manifest(const struct dirent *e)
{
	return manifest_name_ok(e->d_name);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_folder(struct check *c, const char *path)
{
	struct dirent **list = NULL;
	int n = scandir(path, &list, is_manifest, by_bytes);

	if (n < 0)
		check_add_problem(c, path, 0, NULL, strerror(errno));
	for (int i = 0; i < n; i++) {
		_cleanup_(freep) char *file = xasprintf("%s/%s", path, list[i]->d_name);

		if (!is_folder(file))
			check_file(c, file);
		free(list[i]);
	}
	free(list);
}

/**
 * check_path() - Read a file, or the manifests of a folder in the order of their names
 * @c:    Check
 * @path: File or folder; what cannot be read is a problem
 */
void check_path(struct check *c, const char *path)
{
	if (is_folder(path))
		check_folder(c, path);
	else
		check_file(c, path);
}
