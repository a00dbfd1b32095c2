/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder_world.h - a real folder in a temporary place, for the tests of the folder source; time is
 * ours, except for the age of files.  Include after <cmocka.h>.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "watch/folder/folder.h"
#include "watch/object/namespace.h"

struct world {
	char root[64]; /* holds the folder and what is moved in and out */
	char *path;    /* the folder */
	char *copies;  /* of last good versions; NULL: none are kept */
	struct store *store;
	struct folder *folder;
	uint64_t now;
	struct buf log;
};

/* --- making and changing files ------------------------------------------------------------------
 */

static inline char *place(struct world *w, const char *name)
{
	return name[0] == '/' ? xasprintf("%s%s", w->root, name)
			      : xasprintf("%s/%s", w->path, name);
}

static inline void put_text(struct world *w, const char *name, const char *text)
{
	_cleanup_(freep) char *path = place(w, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* "a=x b=y": namespaces with a label */
static inline char *manifest_text(const char *script)
{
	_cleanup_(freep) char *copy = xstrdup(script);
	struct buf b = {0};
	char *rest = copy, *item;

	buf_puts(&b, "");
	while ((item = strsep(&rest, " "))) {
		char *value = strchr(item, '=');

		if (!value)
			continue;
		*value++ = '\0';
		buf_printf(&b,
			   "---\napiVersion: v1\nkind: Namespace\n"
			   "metadata: {name: %s, labels: {v: %s}}\n",
			   item, value);
	}
	return buf_take(&b);
}

static inline void put(struct world *w, const char *name, const char *script)
{
	_cleanup_(freep) char *text = manifest_text(script);

	put_text(w, name, text);
}

static inline void move(struct world *w, const char *from, const char *to)
{
	_cleanup_(freep) char *a = place(w, from), *b = place(w, to);

	assert_int_equal(rename(a, b), 0);
}

static inline void delete (struct world *w, const char *name)
{
	_cleanup_(freep) char *path = place(w, name);

	assert_int_equal(unlink(path), 0);
}

static inline void link_to(struct world *w, const char *target, const char *name)
{
	_cleanup_(freep) char *path = place(w, name);

	assert_int_equal(symlink(target, path), 0);
}

static inline void make_folder(struct world *w, const char *name)
{
	_cleanup_(freep) char *path = place(w, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

/* --- watching ------------------------------------------------------------------------------------
 */

static inline void on_change(void *arg, const struct object_key *key, struct object *old)
{
	struct world *w = arg;
	const struct object *o = store_get(w->store, key);
	const char *v = o && o->kind == KIND_NAMESPACE ? labels_get(&as_namespace(o)->labels, "v")
						       : NULL;

	buf_printf(&w->log, "%s%s%s%s", w->log.len ? " " : "",
		   strchr(key->name, ':') ? key->ns : "", strchr(key->name, ':') ? "/" : "",
		   key->name);
	buf_printf(&w->log, "%s", !o ? "-" : o->problem ? "!" : v ? "=" : "+");
	if (v)
		buf_puts(&w->log, v);
	(void)object_free(old);
}

static inline void told(struct world *w, const char *expected)
{
	assert_string_equal(w->log.len ? w->log.data : "", expected);
	buf_reset(&w->log);
}

/* The events so far lead to exactly these changes. */
static inline void dispatched(struct world *w, const char *expected)
{
	w->now += USEC_PER_MSEC;
	folder_dispatch(w->folder, w->now);
	told(w, expected);
}

/* Time passes until the next deadline. */
static inline void waited(struct world *w, const char *expected)
{
	w->now = MAX(w->now, folder_deadline(w->folder));
	folder_timer(w->folder, w->now);
	told(w, expected);
}

static inline void add_problem(void *arg, const char *text)
{
	struct buf *b = arg;

	buf_printf(b, "%s%s", b->len ? "\n" : "", text);
}

static inline void problems(struct world *w, const char *expected)
{
	struct buf b = {0};

	folder_each_problem(w->folder, add_problem, &b);
	assert_string_equal(b.len ? b.data : "", expected);
	buf_done(&b);
}

static inline struct folder_stats stats(struct world *w)
{
	struct folder_stats s;

	folder_stats(w->folder, &s);
	return s;
}

static inline int remove_one(const char *path, const struct stat *st _unused_, int type _unused_,
			     struct FTW *ftw _unused_)
{
	return remove(path);
}

static inline int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	strcpy(w->root, "/tmp/manx-test-folder-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	w->path = xasprintf("%s/manifests", w->root);
	assert_int_equal(mkdir(w->path, 0755), 0);
	w->now = 100 * USEC_PER_SEC;
	log_set_level(LOG_LEVEL_ERR);
	w->store = store_new(on_change, w);
	assert_int_equal(folder_open(w->path, w->copies, w->store, &w->folder, NULL), 0);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	w->folder = folder_free(w->folder);
	w->store = store_free(w->store);
	(void)nftw(w->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	buf_done(&w->log);
	free(w->path);
	free(w->copies);
	free(w);
	assert_int_equal(intern_count(), 0);
	return 0;
}
