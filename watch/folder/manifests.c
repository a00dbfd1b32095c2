// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * manifests.c - what the files of a folder define, and which of it is in force.
 *
 * Takes: the content of one file at a time, or that it failed or is gone.  Gives: one change for
 * each object whose version in force became another one, and the problems as they stand.
 *
 * A file that fails keeps all its objects, and so does one in which a document is no object with a
 * name: it may be any of them.  A pod, namespace or node that is set aside keeps the
 * version before; a policy that is set aside replaces it, because it fails closed.
 *
 * What is in force stands in the store and nowhere else.  The marks in its head tell where it is
 * from: @feed is the number of the file, @version the line, @generation the load of the file that
 * saw it last.  After a load all objects of a file bear its number, so it may wrap.  Only the
 * versions that an earlier file shadows are kept apart (manifests_shadow.c), marked alike.
 *
 * Limits: MANIFEST_FILES_MAX files (kept by the caller).  Work for one file grows with its own
 * objects only.  Pure.
 */
#include <assert.h>
#include <inttypes.h>

#include <utlist.h>

#include "watch/folder/manifests_internal.h"
#include "watch/object/kind.h"
#include "watch/object/netpol.h"

/* --- files -------------------------------------------------------------------------------------
 */

/* Index of the file, or where it would stand. */
static size_t file_index(const struct manifests *m, const char *name)
{
	size_t low = 0, high = m->files.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(m->files.v[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct file *find_file(const struct manifests *m, const char *name)
{
	size_t i = file_index(m, name);

	return i < m->files.n && streq(m->files.v[i]->name, name) ? m->files.v[i] : NULL;
}

static uint16_t number_file(struct manifests *m, struct file *f)
{
	size_t i = 0;

	while (i < m->numbered.n && m->numbered.v[i])
		i++;
	if (i == m->numbered.n)
		vec_push(&m->numbered, NULL);
	m->numbered.v[i] = f;
	assert(i < UINT16_MAX);
	return (uint16_t)(i + 1);
}

static struct file *need_file(struct manifests *m, const char *name)
{
	struct file *f = find_file(m, name);
	size_t i = file_index(m, name);

	if (f)
		return f;
	f = xcalloc(1, sizeof(*f));
	f->name = xstrdup(name);
	f->number = number_file(m, f);
	vec_push(&m->files, f);
	memmove(&m->files.v[i + 1], &m->files.v[i], (m->files.n - 1 - i) * sizeof(f));
	m->files.v[i] = f;
	return f;
}

static void clear_problems(struct file *f)
{
	vec_foreach (p, &f->problems)
		free(*p);
	vec_foreach (w, &f->warnings)
		free(*w);
	vec_done(&f->problems);
	vec_done(&f->warnings);
	free(f->failure);
	f->failure = NULL;
}

static void free_file(struct manifests *m, struct file *f)
{
	m->numbered.v[f->number - 1] = NULL;
	clear_problems(f);
	free(f->name);
	free(f);
}

/* --- what is in force --------------------------------------------------------------------------
 */

static const struct object *in_force(const struct manifests *m, const struct object *o)
{
	const struct object_key key = key_of(o);

	return store_get(m->store, &key);
}

/* @o is in force no longer: the next file's version is, or none. */
static void withdraw(struct manifests *m, const struct object *o)
{
	const struct object_key key = key_of(o);
	struct shadow *heir = shadow_first(m, &key);

	if (heir)
		(void)store_put(m->store, shadow_remove(m, heir));
	else
		(void)store_remove(m->store, &key);
}

/* The file's version of an object becomes @o, marked. */
static void put(struct manifests *m, const struct file *f, struct object *o)
{
	const struct object *now = in_force(m, o);
	const struct file *first = now ? file_of(m, now) : f;
	const struct object_key key = key_of(o);
	int order = strcmp(f->name, first->name);
	struct shadow *s;

	if (order <= 0) {
		if (order < 0)
			shadow_add(m, object_copy(now));
		(void)store_put(m->store, o);
		return;
	}
	s = shadow_of_file(m, f, &key);
	if (!s) {
		shadow_add(m, o);
		return;
	}
	(void)object_free(s->o);
	s->o = o;
}

/* --- loading -----------------------------------------------------------------------------------
 */

/**
 * manifest_done() - Free what a manifest holds
 * @m: Manifest; empty and usable again afterwards
 */
void manifest_done(struct manifest *m)
{
	vec_foreach (e, &m->entries)
		(void)object_free(e->o);
	vec_foreach (p, &m->problems)
		free(*p);
	vec_foreach (w, &m->warnings)
		free(*w);
	vec_done(&m->entries);
	vec_done(&m->problems);
	vec_done(&m->warnings);
	m->unknown = 0;
}

static char *title(const struct object *o)
{
	const struct object_key key = key_of(o);

	return object_title(&key);
}

static void twice(struct file *f, const struct object *o, uint32_t line, uint32_t first)
{
	_cleanup_(freep) char *what = title(o);

	vec_push(&f->problems,
		 xasprintf("%s:%" PRIu32 ": %s stands in line %" PRIu32 " already, which wins",
			   f->name, line, what, first));
}

static void set_aside(struct file *f, const struct object *o, uint32_t line, bool stays)
{
	_cleanup_(freep) char *what = title(o);

	vec_push(&f->problems, xasprintf("%s:%" PRIu32 ": %s: %s%s", f->name, line, what,
					 o->problem, stays ? " (the version before stays)" : ""));
}

/* What is wrong with it allows less, not more: the version before must not stay. */
static bool takes_effect(const struct object *o)
{
	bool (*closed)(const struct object *) = kinds[o->kind]->closed;

	return closed && closed(o);
}

static void take_entry(struct manifests *m, struct file *f, struct object *o, uint32_t line)
{
	const struct object *now = in_force(m, o), *mine;
	const struct object_key key = key_of(o);
	struct shadow *s = shadow_of_file(m, f, &key);
	bool kept = o->problem && !takes_effect(o);

	mine = s ? s->o : now && now->feed == f->number ? now : NULL;
	if (mine && mine->generation == f->load) {
		twice(f, o, line, (uint32_t)mine->version);
		(void)object_free(o);
		return;
	}
	if (o->problem && !is_stand_in(o)) /* whose problem is the file's, or the document's */
		set_aside(f, o, line, kept && mine);
	if (!kept) {
		o->feed = f->number;
		o->generation = f->load;
		o->version = line;
		put(m, f, o);
		return;
	}
	if (s)
		s->o->generation = f->load;
	else if (mine)
		store_mark(m->store, mine, f->number, f->load, mine->version);
	(void)object_free(o);
}

/* struct unseen - objects in force of a file that its last load did not see */
struct unseen {
	const struct file *file;
	VEC(const struct object *) o;
};

static void collect_unseen(void *arg, const struct object *o)
{
	struct unseen *u = arg;

	if (o->generation != u->file->load)
		vec_push(&u->o, o);
}

/* What the last load of a file did not see is kept, or goes; stand-ins are of one load only. */
static void settle_unseen(struct manifests *m, struct file *f, bool keep)
{
	struct unseen u = {.file = f};
	struct shadow *s, *next;

	store_each_of(m->store, f->number, collect_unseen, &u);
	vec_foreach (o, &u.o)
		if (keep && !is_stand_in(*o))
			store_mark(m->store, *o, f->number, f->load, (*o)->version);
		else
			withdraw(m, *o);
	vec_done(&u.o);
	DL_FOREACH_SAFE (f->shadows, s, next) {
		if (keep && !is_stand_in(s->o))
			s->o->generation = f->load;
		else if (s->o->generation != f->load)
			(void)object_free(shadow_remove(m, s));
	}
}

/**
 * manifests_load() - A file has new content
 * @m:       Manifests
 * @name:    Name of the file; a new one is added
 * @content: Its objects, with names; taken over and left empty
 *
 * Puts every change of what is in force into the store: objects added or changed first, in the
 * order of the file, then those that it no longer has, in the order in which they came in force. If
 * the content has problems, nothing is removed.  Time: O(objects of this file, before and after).
 */
void manifests_load(struct manifests *m, const char *name, struct manifest *content)
{
	struct file *f = need_file(m, name);

	f->load++;
	clear_problems(f);
	f->unknown = content->unknown;
	f->left_out = content->problems.n > 0;
	vec_foreach (p, &content->problems)
		vec_push(&f->problems, TAKE(*p, NULL));
	vec_foreach (w, &content->warnings)
		vec_push(&f->warnings, TAKE(*w, NULL));
	vec_foreach (e, &content->entries)
		take_entry(m, f, TAKE(e->o, NULL), e->line);
	settle_unseen(m, f, content->problems.n);
	manifest_done(content);
}

/**
 * manifests_fail() - A file could not be read or parsed
 * @m:       Manifests
 * @name:    Name of the file; a new one is added, without objects
 * @problem: Why, beginning with the name of the file; copied
 *
 * Its objects stay as they were.
 */
void manifests_fail(struct manifests *m, const char *name, const char *problem)
{
	struct file *f = need_file(m, name);
	char *copy = xstrdup(problem);

	free(f->failure);
	f->failure = copy;
}

static void count_object(void *arg, const struct object *o)
{
	*(size_t *)arg += !is_stand_in(o);
}

/**
 * manifests_held() - Objects of a file, in force or not
 * @m:    Manifests
 * @name: Name of the file, known or not
 *
 * Return: their number, stand-ins not counted
 */
size_t manifests_held(const struct manifests *m, const char *name)
{
	const struct file *f = find_file(m, name);
	const struct shadow *s;
	size_t n = 0;

	if (!f)
		return 0;
	store_each_of(m->store, f->number, count_object, &n);
	DL_FOREACH (f->shadows, s)
		count_object(&n, s->o);
	return n;
}

/**
 * manifests_drop() - A file is gone, and with it what it defined
 * @m:    Manifests
 * @name: Name of the file; nothing happens if it is not known
 */
void manifests_drop(struct manifests *m, const char *name)
{
	struct file *f = find_file(m, name);
	size_t i = file_index(m, name);

	if (!f)
		return;
	f->load++;
	settle_unseen(m, f, false);
	m->files.n--;
	memmove(&m->files.v[i], &m->files.v[i + 1], (m->files.n - i) * sizeof(f));
	free_file(m, f);
}

/* --- life and looking in -------------------------------------------------------------------------
 */

/**
 * manifests_new() - Make an empty memory
 * @store: Takes what is in force, and from nobody else; borrowed
 *
 * Return: the manifests; free with manifests_free()
 */
struct manifests *manifests_new(struct store *store)
{
	struct manifests *m = xcalloc(1, sizeof(*m));

	m->store = store;
	return m;
}

/**
 * manifests_free() - Forget everything without telling a change
 * @m: Manifests or NULL
 *
 * What is in force stays in the store, which is not looked at.
 *
 * Return: NULL
 */
struct manifests *manifests_free(struct manifests *m)
{
	if (!m)
		return NULL;
	vec_foreach (f, &m->files) {
		while ((*f)->shadows)
			(void)object_free(shadow_remove(m, (*f)->shadows));
		free_file(m, *f);
	}
	vec_done(&m->files);
	vec_done(&m->numbered);
	ptr_table_done(&m->shadowed);
	free(m);
	return NULL;
}

/* An object that an earlier file defines too. */
static void shadow_problem(const struct manifests *m, const struct object *o, problem_fn *fn,
			   void *arg)
{
	const struct object *first = in_force(m, o);
	_cleanup_(freep) char *what = title(o), *text = NULL;

	text = xasprintf("%s:%" PRIu64 ": %s is in %s:%" PRIu64 " too, which wins",
			 file_of(m, o)->name, o->version, what, file_of(m, first)->name,
			 first->version);
	fn(arg, text);
}

/**
 * manifests_each_problem() - Go through all that is wrong, file by file in the order of names
 * @m:   Manifests
 * @fn:  Takes each problem
 * @arg: For @fn
 */
void manifests_each_problem(const struct manifests *m, problem_fn *fn, void *arg)
{
	for (size_t i = 0; i < m->files.n; i++) {
		const struct file *f = m->files.v[i];
		const struct shadow *s;

		if (f->failure)
			fn(arg, f->failure);
		for (size_t j = 0; j < f->problems.n; j++)
			fn(arg, f->problems.v[j]);
		DL_FOREACH (f->shadows, s)
			shadow_problem(m, s->o, fn, arg);
	}
}

/**
 * manifests_each_failure() - Go through files, and documents in them, that were not taken
 * @m:   Manifests
 * @fn:  Takes the problem of each file
 * @arg: For @fn
 */
void manifests_each_failure(const struct manifests *m, problem_fn *fn, void *arg)
{
	vec_foreach (f, &m->files) {
		if ((*f)->failure)
			fn(arg, (*f)->failure);
		else if ((*f)->left_out)
			fn(arg, (*f)->problems.v[0]);
	}
}

/**
 * manifests_each_warning() - Go through what is right and looks wrong, in the order of names
 * @m:   Manifests
 * @fn:  Takes each warning
 * @arg: For @fn
 */
void manifests_each_warning(const struct manifests *m, problem_fn *fn, void *arg)
{
	vec_foreach (f, &m->files)
		vec_foreach (w, &(*f)->warnings)
			fn(arg, *w);
}

static void count_problem(void *arg, const char *text _unused_)
{
	(*(size_t *)arg)++;
}

/**
 * manifests_stats() - Count what there is
 * @m:   Manifests
 * @ret: The counts
 *
 * Time: O(files and problems).
 */
void manifests_stats(const struct manifests *m, struct manifests_stats *ret)
{
	struct manifests_stats s = {.files = m->files.n};

	for (int k = 0; k < _KIND_MAX; k++)
		s.objects[k] = store_count(m->store, (enum kind)k);
	vec_foreach (f, &m->files)
		s.unknown += (*f)->unknown;
	manifests_each_problem(m, count_problem, &s.problems);
	*ret = s;
}
