// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder_load.c - one file of the folder: is it complete, is it as it should be, and if not, what
 * is in force in its place?
 *
 * What is not known must not open.  A file is not taken that cannot be read or parsed, that is
 * empty and was not, that is only the beginning of its last good version (cut off), or that
 * somebody has open for writing.  Then stays in force what it held before: the memory of this
 * process has it, or the copy that an earlier one left (folder_copies.h).  With neither, stand-ins
 * isolate whom its policies may be for (manifest_suspect.c).
 */
#include <errno.h>

#include "lib/log.h"
#include "watch/folder/folder_events.h"
#include "watch/folder/folder_file.h"
#include "watch/folder/folder_internal.h"
#include "watch/object/netpol.h"

/**
 * folder_wake_by() - Come back in time
 * @f:     Folder
 * @delay: At most so many microseconds from now
 */
void folder_wake_by(struct folder *f, uint64_t delay)
{
	f->deadline = MIN(f->deadline, f->now + delay);
}

static struct known *find_known(const struct folder *f, const char *name)
{
	struct known *k;

	HASH_FIND_STR(f->known, name, k);
	return k;
}

/* Files beyond the limit may hold policies as others do: all pods are isolated. */
static void refuse_more(struct folder *f)
{
	_cleanup_(manifest_done) struct manifest all = {0};

	if (!f->too_many)
		log_warn("folder", "too many files, all pods are isolated", "path=\"%s\" max=%d",
			 f->path, MANIFEST_FILES_MAX);
	f->too_many = true;
	manifest_suspect(f->path, NULL, 0, &all);
	manifests_load(f->manifests, f->path, &all);
}

static struct known *need_known(struct folder *f, const char *name)
{
	struct known *k = find_known(f, name);
	size_t size = strlen(name) + 1;

	if (k)
		return k;
	if (HASH_COUNT(f->known) >= MANIFEST_FILES_MAX) {
		refuse_more(f);
		return NULL;
	}
	k = xcalloc(1, sizeof(*k) + size);
	memcpy(k->name, name, size);
	HASH_ADD_STR(f->known, name, k);
	return k;
}

/**
 * folder_miss() - A file is missing: forget it, unless it has been missing for a moment only
 * @f:    Folder
 * @name: Name of the file
 */
void folder_miss(struct folder *f, const char *name)
{
	struct known *k = find_known(f, name);

	if (!k)
		return;
	if (!k->gone_at)
		k->gone_at = f->now;
	if (f->now - k->gone_at < FOLDER_GRACE_USEC) {
		f->deadline = MIN(f->deadline, k->gone_at + FOLDER_GRACE_USEC);
		return;
	}
	log_info("folder", "file is gone", "file=\"%s\"", name);
	if (f->copies)
		copies_remove(f->copies, name);
	manifests_drop(f->manifests, name);
	HASH_DEL(f->known, k);
	free(k);
}

/* --- what was in force before ------------------------------------------------------------------
 */

static void load_copy(struct folder *f, struct known *k, const struct copy *copy)
{
	vec_foreach (t, &copy->texts) {
		_cleanup_(manifest_done) struct manifest content = {0};

		if (manifest_parse(k->name, t->s, t->len, &content, NULL) < 0)
			k->lost = true;
		else
			manifests_load(f->manifests, k->name, &content);
	}
	k->by_copy = manifests_held(f->manifests, k->name) > 0;
}

/* At most once: later the memory knows better. */
static void restore(struct folder *f, struct known *k)
{
	_cleanup_(copy_done) struct copy copy = {0};
	_cleanup_(buf_done) struct buf data = {0};

	if (k->restored || !f->copies)
		return;
	k->restored = true;
	switch (copies_read(f->copies, k->name, &data, &copy)) {
	case COPY_NONE:
		break;
	case COPY_DAMAGED:
		k->lost = true;
		log_warn("folder", "the copy of a manifest is damaged", "file=\"%s\"", k->name);
		break;
	case COPY_READ:
		load_copy(f, k, &copy);
		break;
	}
}

static bool held_before(struct folder *f, struct known *k)
{
	restore(f, k);
	return k->lost || manifests_held(f->manifests, k->name) > 0;
}

/* --- what is not taken -------------------------------------------------------------------------
 */

/*
 * @text: NULL: it is not known what the file holds.  @harmless: it holds no manifest, and if it did
 * never, nobody is isolated for it.
 */
static void refuse(struct folder *f, struct known *k, const char *problem, const struct buf *text,
		   bool harmless)
{
	_cleanup_(manifest_done) struct manifest suspects = {0};
	_cleanup_(freep) char *who = NULL, *whole = NULL;
	bool held;

	restore(f, k);
	held = manifests_held(f->manifests, k->name) > 0;
	if (!held && (k->lost || !harmless)) {
		bool known = text && !k->lost;

		manifest_suspect(k->name, known ? text->data : NULL, known ? text->len : 0,
				 &suspects);
		who = manifest_isolated(&suspects);
	}
	if (!held)
		manifests_load(f->manifests, k->name, &suspects);
	whole = xasprintf("%s%s", problem,
			  k->by_copy ? "; its last good copy is in force"
			  : who	     ? who
				     : "");
	if (!k->failed)
		log_warn("folder",
			 held ? "file not taken, its last good objects stay" : "file not taken",
			 "problem=\"%s\"", whole);
	k->failed = true;
	manifests_fail(f->manifests, k->name, whole);
}

static bool is_beginning(const struct buf *text, const struct copy_text *of)
{
	return text->len < of->len && memcmp(text->data, of->s, text->len) == 0;
}

/*
 * YAML that was cut may be YAML still, and allow more than it did.  Who removes documents or lines
 * at the end leaves whole lines.
 */
static bool is_cut_off(struct folder *f, const struct known *k, const struct buf *text)
{
	_cleanup_(copy_done) struct copy copy = {0};
	_cleanup_(buf_done) struct buf data = {0};

	if (!f->copies || !text->len || text->data[text->len - 1] == '\n' ||
	    copies_read(f->copies, k->name, &data, &copy) != COPY_READ)
		return false;
	vec_foreach (t, &copy.texts)
		if (is_beginning(text, t))
			return true;
	return false;
}

/* --- what is taken -----------------------------------------------------------------------------
 */

static void log_set_aside(const struct known *k, const struct manifest *content)
{
	vec_foreach (p, &content->problems)
		log_warn("folder", "document left out, nothing of its file is removed",
			 "problem=\"%s\"", *p);
	vec_foreach (w, &content->warnings)
		log_warn("folder", "perhaps misspelled", "warning=\"%s\"", *w);
	vec_foreach (e, &content->entries) {
		const struct object *o = e->o;

		if (o->problem && !is_stand_in(o))
			log_warn("folder", "object set aside",
				 "file=\"%s\" object=\"%s %s%s%s\" problem=\"%s\"", k->name,
				 kind_str(o->kind), o->ns ?: "", o->ns ? "/" : "", o->name,
				 o->problem);
	}
}

static bool is_clean(const struct manifest *content)
{
	if (content->problems.n)
		return false;
	vec_foreach (e, &content->entries)
		if (e->o->problem)
			return false;
	return true;
}

static void take(struct folder *f, struct known *k, struct manifest *content,
		 const struct buf *text)
{
	bool clean = is_clean(content);

	if (!clean)
		restore(f, k); /* the versions before of what is wrong now */
	k->uncopied = f->copies && !copies_put(f->copies, k->name, text->data, text->len, !clean);
	f->copying_fails |= k->uncopied;
	k->restored = true;
	k->failed = k->by_copy = k->lost = false;
	log_set_aside(k, content);
	log_info("folder", "file read", "file=\"%s\" objects=%zu unknown=%u", k->name,
		 content->entries.n, content->unknown);
	manifests_load(f->manifests, k->name, content);
}

/* A version that could not be read is tried again by the next scan, one that could not be parsed
 * when it changes. */
static void load(struct folder *f, int dir, struct known *k, const struct stat *st)
{
	_cleanup_(manifest_done) struct manifest content = {0};
	_cleanup_(buf_done) struct buf text = {0};
	_cleanup_(freep) char *problem = NULL;
	struct err err = {0};
	int r;

	k->tried = true;
	k->mark = (struct file_mark){0};
	r = file_read(dir, k->name, FOLDER_FILE_MAX, &text, &err);
	if (r < 0) {
		refuse(f, k, err.msg, NULL, r == -EINVAL);
		return;
	}
	k->mark = file_mark(st);
	if (manifest_parse(k->name, text.data, text.len, &content, &err) < 0) {
		refuse(f, k, err.msg, &text, false);
	} else if (manifest_empty(&content) && held_before(f, k)) {
		problem = xasprintf("%s: holds nothing any more; if that is meant, remove the file",
				    k->name);
		refuse(f, k, problem, NULL, false);
	} else if (is_cut_off(f, k, &text)) {
		problem = xasprintf("%s: is cut off in the middle of a line of its last good "
				    "version; if that is meant, end it with a line end",
				    k->name);
		refuse(f, k, problem, NULL, false);
	} else {
		take(f, k, &content, &text);
	}
}

/* Somebody is in the middle of writing: wait.  At the start nothing is known of such a file. */
static void postpone(struct folder *f, struct known *k)
{
	_cleanup_(freep) char *problem =
		xasprintf("%s: a program has it open for writing", k->name);

	folder_wake_by(f, FOLDER_SETTLE_USEC);
	if (!k->tried && !f->last_scan)
		refuse(f, k, problem, NULL, false);
}

/**
 * folder_examine() - Bring the memory of one file in step with it
 * @f:     Folder
 * @dir:   Its descriptor
 * @name:  Name of the file
 * @trust: How sure it is that the writer has finished
 */
void folder_examine(struct folder *f, int dir, const char *name, enum trust trust)
{
	struct stat st = {0};
	struct file_mark mark;
	struct known *k;

	if (!file_stat(dir, name, &st)) {
		folder_miss(f, name);
		return;
	}
	k = need_known(f, name);
	if (!k)
		return;
	k->gone_at = 0;
	mark = file_mark(&st);
	if (trust != TRUST_EVENT && k->tried && file_mark_equal(&k->mark, &mark) &&
	    (!k->uncopied || f->copying_fails))
		return;
	if (trust == TRUST_SETTLED && !file_settled(&st, FOLDER_SETTLE_USEC)) {
		folder_wake_by(f, FOLDER_SETTLE_USEC);
		return;
	}
	if (trust != TRUST_EVENT && file_being_written(dir, name)) {
		postpone(f, k);
		return;
	}
	load(f, dir, k, &st);
}

/**
 * folder_restore() - The folder cannot be read at the start: all copies come in force
 * @f: Folder
 */
void folder_restore(struct folder *f)
{
	_cleanup_(names_done) struct names names = {0};

	if (f->last_scan || f->restored || !f->copies || !f->copies->known)
		return;
	f->restored = true;
	copies_names(f->copies, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct known *k = need_known(f, names.v[i]);
		_cleanup_(freep) char *problem = xasprintf("%s: its copy is damaged", names.v[i]);

		if (!k)
			continue;
		restore(f, k);
		if (k->lost)
			refuse(f, k, problem, NULL, false);
	}
	log_warn("folder", "last good copies are in force", "path=\"%s\" files=%zu", f->path,
		 names.n);
}
