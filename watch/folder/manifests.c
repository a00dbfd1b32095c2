// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * manifests.c - what the files of a folder define, and which of it is in force.
 *
 * Takes: the content of one file at a time, or that it failed or is gone.  Gives: one change for
 * each object whose version in force became another one, and the problems as they stand.
 *
 * A file that fails keeps all its objects, and so does one in which a document is no object with a
 * name: it may be any of them.  A pod, namespace or node that is set aside keeps the
 * version before; a policy that is set aside replaces it, because it fails closed.  To compare and
 * to hand over later, a copy of every object is kept.
 *
 * Limits: MANIFEST_FILES_MAX files (kept by the caller); memory grows with the objects.  Work for
 * one file grows with its own objects only.  Pure.
 */
#include "watch/folder/manifests.h"

#include <inttypes.h>

#include <uthash.h>

#include "lib/intern.h"
#include "watch/object/object_copy.h"

struct file;

/*
 * struct record - one object as one file defines it
 * @o:    The version of this file that is good; never NULL
 * @line: Where it begins
 * @load: Number of the load that saw it last
 */
struct record {
	struct file *file;
	struct entry *entry;
	struct object *o;
	uint32_t line;
	uint64_t load;
};

/* struct entry - one object; @records is sorted by file name, the first is in force */
struct entry {
	UT_hash_handle hh;
	struct object_key key;
	VEC(struct record *) records;
};

/* struct file - @failure: why the last content was not taken, or NULL */
struct file {
	char *name;
	char *failure;
	uint32_t unknown;
	VEC(char *) problems;
	VEC(struct record *) records;
};

struct manifests {
	object_change_fn *fn;
	void *arg;
	VEC(struct file *) files; /* sorted by name */
	struct entry *entries;
	size_t objects[_KIND_MAX];
	uint64_t loads;
};

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

static struct file *need_file(struct manifests *m, const char *name)
{
	struct file *f = find_file(m, name);
	size_t i = file_index(m, name);

	if (f)
		return f;
	f = xcalloc(1, sizeof(*f));
	f->name = xstrdup(name);
	vec_push(&m->files, f);
	memmove(&m->files.v[i + 1], &m->files.v[i], (m->files.n - 1 - i) * sizeof(f));
	m->files.v[i] = f;
	return f;
}

static void clear_problems(struct file *f)
{
	vec_foreach (p, &f->problems)
		free(*p);
	vec_done(&f->problems);
	free(f->failure);
	f->failure = NULL;
}

static void free_file(struct file *f)
{
	clear_problems(f);
	vec_done(&f->records);
	free(f->name);
	free(f);
}

/* --- entries -----------------------------------------------------------------------------------
 */

/* The key as it is hashed: padding must be zero. */
static struct object_key key_of(const struct object *o)
{
	struct object_key key;

	memset(&key, 0, sizeof(key));
	key.kind = o->kind;
	key.ns = o->ns;
	key.name = o->name;
	return key;
}

static struct entry *find_entry(const struct manifests *m, const struct object *o)
{
	struct object_key key = key_of(o);
	struct entry *e;

	HASH_FIND(hh, m->entries, &key, sizeof(key), e);
	return e;
}

static struct entry *need_entry(struct manifests *m, const struct object *o)
{
	struct entry *e = find_entry(m, o);

	if (e)
		return e;
	e = xcalloc(1, sizeof(*e));
	e->key = key_of(o);
	(void)intern_ref(e->key.ns);
	(void)intern_ref(e->key.name);
	HASH_ADD(hh, m->entries, key, sizeof(e->key), e);
	m->objects[e->key.kind]++;
	return e;
}

static void free_entry(struct manifests *m, struct entry *e)
{
	HASH_DEL(m->entries, e);
	m->objects[e->key.kind]--;
	vec_done(&e->records);
	intern_put(e->key.ns);
	intern_put(e->key.name);
	free(e);
}

static const struct object *in_force(const struct entry *e)
{
	return e->records.n ? e->records.v[0]->o : NULL;
}

/* Tell what is in force now unless it means the same as @before. */
static void tell(struct manifests *m, const struct entry *e, const struct object *before)
{
	const struct object *now = in_force(e);

	if (before && now && (before == now || object_equal(before, now)))
		return;
	m->fn(m->arg, &e->key, now ? object_copy(now) : NULL);
}

/* --- records -----------------------------------------------------------------------------------
 */

static struct record *record_of(const struct entry *e, const struct file *f)
{
	for (size_t i = 0; e && i < e->records.n; i++)
		if (e->records.v[i]->file == f)
			return e->records.v[i];
	return NULL;
}

static struct record *add_record(struct file *f, struct entry *e)
{
	struct record *r = xcalloc(1, sizeof(*r));
	size_t i = 0;

	*r = (struct record){.file = f, .entry = e};
	vec_push(&f->records, r);
	while (i < e->records.n && strcmp(e->records.v[i]->file->name, f->name) < 0)
		i++;
	vec_push(&e->records, r);
	memmove(&e->records.v[i + 1], &e->records.v[i], (e->records.n - 1 - i) * sizeof(r));
	e->records.v[i] = r;
	return r;
}

/* Takes the record out of its entry, but not out of its file. */
static void remove_record(struct manifests *m, struct record *r)
{
	struct entry *e = r->entry;
	const struct object *before = in_force(e);
	size_t i = 0;

	while (e->records.v[i] != r)
		i++;
	e->records.n--;
	memmove(&e->records.v[i], &e->records.v[i + 1], (e->records.n - i) * sizeof(r));
	tell(m, e, before);
	(void)object_free(r->o);
	free(r);
	if (!e->records.n)
		free_entry(m, e);
}

/* The file's version of an object becomes @o. */
static void put_record(struct manifests *m, struct file *f, struct object *o, uint32_t line)
{
	struct entry *e = need_entry(m, o);
	const struct object *before = in_force(e);
	struct record *r = record_of(e, f) ?: add_record(f, e);
	struct object *old = r->o;

	r->o = o;
	r->line = line;
	r->load = m->loads;
	tell(m, e, before);
	(void)object_free(old);
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
	vec_done(&m->entries);
	vec_done(&m->problems);
	m->unknown = 0;
}

static char *title(const struct object_key *key)
{
	return object_title(key->kind, key->ns, key->name);
}

static void take_entry(struct manifests *m, struct file *f, struct object *o, uint32_t line)
{
	struct object_key key = key_of(o);
	_cleanup_(freep) char *what = title(&key);
	struct record *r = record_of(find_entry(m, o), f);
	bool kept = o->problem && o->kind != KIND_POLICY;

	if (r && r->load == m->loads) {
		vec_push(&f->problems, xasprintf("%s:%" PRIu32 ": %s stands in line %" PRIu32
						 " already, which wins",
						 f->name, line, what, r->line));
		(void)object_free(o);
		return;
	}
	if (o->problem)
		vec_push(&f->problems,
			 xasprintf("%s:%" PRIu32 ": %s: %s%s", f->name, line, what, o->problem,
				   kept && r ? " (the version before stays)" : ""));
	if (!kept) {
		put_record(m, f, o, line);
		return;
	}
	if (r)
		r->load = m->loads;
	(void)object_free(o);
}

/* Remove the records that the last load did not see. */
static void remove_unseen(struct manifests *m, struct file *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->records.n; i++) {
		struct record *r = f->records.v[i];

		if (r->load == m->loads)
			f->records.v[kept++] = r;
		else
			remove_record(m, r);
	}
	f->records.n = kept;
}

/**
 * manifests_load() - A file has new content
 * @m:       Manifests
 * @name:    Name of the file; a new one is added
 * @content: Its objects, with names; taken over and left empty
 *
 * Tells every change of what is in force: objects added or changed first, in the order of the
 * file, then those that it no longer has, in the order in which it got them.  If the content has
 * problems, nothing is removed.  Time: O(objects of this file, before and after).
 */
void manifests_load(struct manifests *m, const char *name, struct manifest *content)
{
	struct file *f = need_file(m, name);

	m->loads++;
	clear_problems(f);
	f->unknown = content->unknown;
	vec_foreach (p, &content->problems)
		vec_push(&f->problems, TAKE(*p, NULL));
	vec_foreach (e, &content->entries)
		take_entry(m, f, TAKE(e->o, NULL), e->line);
	if (!content->problems.n)
		remove_unseen(m, f);
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
	m->loads++;
	remove_unseen(m, f);
	m->files.n--;
	memmove(&m->files.v[i], &m->files.v[i + 1], (m->files.n - i) * sizeof(f));
	free_file(f);
}

/* --- life and looking in -------------------------------------------------------------------------
 */

/**
 * manifests_new() - Make an empty memory
 * @fn:  Takes the changes; must not call back into the manifests
 * @arg: For @fn
 *
 * Return: the manifests; free with manifests_free()
 */
struct manifests *manifests_new(object_change_fn *fn, void *arg)
{
	struct manifests *m = xcalloc(1, sizeof(*m));

	m->fn = fn;
	m->arg = arg;
	return m;
}

static void ignore_change(void *arg _unused_, const struct object_key *key _unused_,
			  struct object *o)
{
	(void)object_free(o);
}

/**
 * manifests_free() - Forget everything without telling a change
 * @m: Manifests or NULL
 *
 * Return: NULL
 */
struct manifests *manifests_free(struct manifests *m)
{
	if (!m)
		return NULL;
	m->fn = ignore_change;
	while (m->files.n)
		manifests_drop(m, m->files.v[m->files.n - 1]->name);
	vec_done(&m->files);
	free(m);
	return NULL;
}

/* An object that an earlier file defines too. */
static void shadow_problem(const struct record *r, problem_fn *fn, void *arg)
{
	const struct record *first = r->entry->records.v[0];
	_cleanup_(freep) char *what = NULL, *text = NULL;

	if (first == r)
		return;
	what = title(&r->entry->key);
	text = xasprintf("%s:%" PRIu32 ": %s is in %s:%" PRIu32 " too, which wins", r->file->name,
			 r->line, what, first->file->name, first->line);
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

		if (f->failure)
			fn(arg, f->failure);
		for (size_t j = 0; j < f->problems.n; j++)
			fn(arg, f->problems.v[j]);
		for (size_t j = 0; j < f->records.n; j++)
			shadow_problem(f->records.v[j], fn, arg);
	}
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
 * Time: O(all objects).
 */
void manifests_stats(const struct manifests *m, struct manifests_stats *ret)
{
	struct manifests_stats s = {.files = m->files.n};

	for (int k = 0; k < _KIND_MAX; k++)
		s.objects[k] = m->objects[k];
	for (size_t i = 0; i < m->files.n; i++)
		s.unknown += m->files.v[i]->unknown;
	manifests_each_problem(m, count_problem, &s.problems);
	*ret = s;
}
