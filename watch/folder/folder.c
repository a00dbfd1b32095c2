// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder.c - keep the memory of manifests.h in step with a folder of files.
 *
 * Takes: inotify events, deadlines and the files themselves.  Gives: changes of objects through
 * the callback, problems, figures.  Only files that changed are read again.
 *
 * When a file is read:
 * - after an event that says it is complete (closed after writing, renamed to its name);
 * - when the link "..data" of a mounted ConfigMap is swapped: all files that became others;
 * - by the regular rescan (FOLDER_RESCAN_USEC, also after lost events), for what inotify does
 *   not tell: targets of links elsewhere, network file systems.  A file touched within the last
 *   FOLDER_SETTLE_USEC is left for later then, because somebody may be in the middle of writing.
 *
 * A file that goes missing keeps its objects for FOLDER_GRACE_USEC: editors that rename the old
 * version away before they write the new one must not open a gap in the policies, and an object
 * that moves to another file must not go and come.
 *
 * A folder that goes missing leaves all objects in force and is looked for every
 * FOLDER_RETRY_USEC; when it is back, files that are gone take their objects with them.
 *
 * Limits: MANIFEST_FILES_MAX files of FOLDER_FILE_MAX bytes; no folders below.  Reading and
 * parsing hold the loop: about 55 ms for each MiB of YAML, 11 of JSON.
 */
#include "watch/folder/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <uthash.h>

#include "lib/file.h"
#include "lib/log.h"
#include "watch/folder/folder_events.h"
#include "watch/folder/folder_file.h"

#define WATCH_EVENTS                                                                        \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* How sure are we that the writer has finished? */
enum trust {
	TRUST_EVENT,   /* an event about this very file says so: read it in any case */
	TRUST_CHANGED, /* complete, but only worth reading if it is another version */
	TRUST_SETTLED, /* only if left alone for a while */
};

/*
 * struct known - a file that the folder has
 * @mark:    Version read last, all zero if it could not be read
 * @gone_at: When it was first found missing; 0 while it is there
 * @tried:   It was read, or failed to be, at least once
 * @failed:  The last attempt failed
 */
struct known {
	UT_hash_handle hh;
	struct file_mark mark;
	uint64_t gone_at;
	bool tried, failed;
	char name[];
};

/* struct folder - @watch is -1 while the folder is missing; @dev and @ino are those watched */
struct folder {
	char *path;
	int inotify;
	int watch;
	dev_t dev;
	ino_t ino;
	char *problem; /* why the folder is missing */
	bool too_many; /* files beyond MANIFEST_FILES_MAX */
	struct known *known;
	struct manifests *manifests;
	object_change_fn *fn;
	void *arg;
	uint64_t now, deadline;
	uint64_t last_scan, last_change;
};

static void on_change(void *arg, const struct object_key *key, struct object *o)
{
	struct folder *f = arg;

	f->last_change = f->now;
	f->fn(f->arg, key, o);
}

static void wake_by(struct folder *f, uint64_t delay)
{
	f->deadline = MIN(f->deadline, f->now + delay);
}

/* --- one file ----------------------------------------------------------------------------------
 */

static struct known *need_known(struct folder *f, const char *name)
{
	struct known *k;
	size_t size = strlen(name) + 1;

	HASH_FIND_STR(f->known, name, k);
	if (k)
		return k;
	if (HASH_COUNT(f->known) >= MANIFEST_FILES_MAX) {
		f->too_many = true;
		return NULL;
	}
	k = xcalloc(1, sizeof(*k) + size);
	memcpy(k->name, name, size);
	HASH_ADD_STR(f->known, name, k);
	return k;
}

/* A file is missing: forget it, unless it has been missing for a moment only. */
static void miss(struct folder *f, const char *name)
{
	struct known *k;

	HASH_FIND_STR(f->known, name, k);
	if (!k)
		return;
	if (!k->gone_at)
		k->gone_at = f->now;
	if (f->now - k->gone_at < FOLDER_GRACE_USEC) {
		f->deadline = MIN(f->deadline, k->gone_at + FOLDER_GRACE_USEC);
		return;
	}
	log_info("folder", "file is gone", "file=\"%s\"", name);
	manifests_drop(f->manifests, name);
	HASH_DEL(f->known, k);
	free(k);
}

static void fail(struct folder *f, struct known *k, const char *problem)
{
	if (!k->failed)
		log_warn("folder", "file not taken, its last good objects stay", "problem=\"%s\"",
			 problem);
	k->failed = true;
	manifests_fail(f->manifests, k->name, problem);
}

static void log_set_aside(const struct known *k, const struct manifest *content)
{
	for (size_t i = 0; i < content->problems.n; i++)
		log_warn("folder", "document left out, nothing of its file is removed",
			 "problem=\"%s\"", content->problems.v[i]);
	for (size_t i = 0; i < content->entries.n; i++) {
		const struct object *o = content->entries.v[i].o;

		if (o->problem)
			log_warn("folder", "object set aside",
				 "file=\"%s\" object=\"%s %s%s%s\" problem=\"%s\"", k->name,
				 kind_str(o->kind), o->ns ?: "", o->ns ? "/" : "", o->name,
				 o->problem);
	}
}

/* A version that could not be read is tried again by the next scan, one that could not be parsed
 * when it changes. */
static void load(struct folder *f, int dir, struct known *k, const struct stat *st)
{
	_cleanup_(manifest_done) struct manifest content = {0};
	_cleanup_(buf_done) struct buf text = {0};
	struct err err = {0};

	k->tried = true;
	k->mark = (struct file_mark){0};
	if (file_read(dir, k->name, FOLDER_FILE_MAX, &text, &err) < 0) {
		fail(f, k, err.msg);
		return;
	}
	k->mark = file_mark(st);
	if (manifest_parse(k->name, text.data, text.len, &content, &err) < 0) {
		fail(f, k, err.msg);
		return;
	}
	k->failed = false;
	log_set_aside(k, &content);
	log_info("folder", "file read", "file=\"%s\" objects=%zu unknown=%u", k->name,
		 content.entries.n, content.unknown);
	manifests_load(f->manifests, k->name, &content);
}

/* Bring the memory of one file in step with it. */
static void examine(struct folder *f, int dir, const char *name, enum trust trust)
{
	struct stat st = {0};
	struct file_mark mark;
	struct known *k;

	if (!file_stat(dir, name, &st)) {
		miss(f, name);
		return;
	}
	k = need_known(f, name);
	if (!k)
		return;
	k->gone_at = 0;
	mark = file_mark(&st);
	if (trust != TRUST_EVENT && k->tried && file_mark_equal(&k->mark, &mark))
		return;
	if (trust == TRUST_SETTLED && !file_settled(&st, FOLDER_SETTLE_USEC)) {
		wake_by(f, FOLDER_SETTLE_USEC);
		return;
	}
	load(f, dir, k, &st);
}

/* --- the folder --------------------------------------------------------------------------------
 */

static void set_missing(struct folder *f, const char *why)
{
	char *problem = xasprintf("%s: %s, the objects read before stay in force", f->path, why);

	if (!f->problem)
		log_warn("folder", "folder is missing, looking for it again",
			 "path=\"%s\" problem=\"%s\"", f->path, why);
	free(f->problem);
	f->problem = problem;
}

static void detach(struct folder *f)
{
	if (f->watch >= 0)
		(void)inotify_rm_watch(f->inotify, f->watch);
	f->watch = -1;
}

/* Watch what now stands at the path.  Only then may it be scanned, so that nothing is missed. */
static int attach(struct folder *f, const struct stat *st)
{
	int watch = inotify_add_watch(f->inotify, f->path, WATCH_EVENTS);

	if (watch < 0)
		return -errno;
	f->watch = watch;
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	return 0;
}

/*
 * The folder, opened for one piece of work and watched; -1 while it is missing.  It is not kept
 * open, because the kernel would not tell of its removal then.  *@ret_fresh: newly watched.
 */
static int enter(struct folder *f, bool *ret_fresh)
{
	_cleanup_(closep) int dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st = {0};
	int r = 0;

	*ret_fresh = false;
	if (dir < 0 || fstat(dir, &st) < 0)
		r = -errno;
	if (f->watch >= 0 && (r < 0 || st.st_dev != f->dev || st.st_ino != f->ino))
		detach(f);
	if (r == 0 && f->watch < 0) {
		*ret_fresh = true;
		r = attach(f, &st);
	}
	if (r < 0) {
		set_missing(f, strerror(-r));
		wake_by(f, FOLDER_RETRY_USEC);
		return -1;
	}
	free(f->problem);
	f->problem = NULL;
	return TAKE(dir, -1);
}

/* Compare the whole folder with what is known of it. */
static void scan(struct folder *f, int dir, enum trust trust)
{
	_cleanup_(names_done) struct names names = {0};
	struct known *k, *next;
	int r = names_of_folder(dir, &names);

	if (r < 0) {
		set_missing(f, strerror(-r));
		wake_by(f, FOLDER_RETRY_USEC);
		return;
	}
	/* First those that are gone: they make room below MANIFEST_FILES_MAX. */
	HASH_ITER (hh, f->known, k, next)
		if (!names_have(&names, k->name))
			miss(f, k->name);
	f->too_many = false;
	for (size_t i = 0; i < names.n; i++)
		examine(f, dir, names.v[i], trust);
	f->last_scan = f->now;
}

/* --- events ------------------------------------------------------------------------------------
 */

static void examine_each(struct folder *f, int dir, struct names *names, bool complete)
{
	names_sort(names);
	for (size_t i = 0; i < names->n; i++) {
		enum trust trust = TRUST_EVENT;

		if (i && streq(names->v[i - 1], names->v[i]))
			continue;
		if (!complete)
			trust = file_complete_at_birth(dir, names->v[i]) ? TRUST_CHANGED
									 : TRUST_SETTLED;
		examine(f, dir, names->v[i], trust);
	}
}

/* --- the interface ------------------------------------------------------------------------------
 */

/**
 * folder_open() - Prepare a folder as a source
 * @path:   Path of the folder; it may be missing for now
 * @store:  Where @fn puts what is in force, and nobody else puts anything; borrowed
 * @fn:     Takes the changes, from within the functions below; must not call them
 * @arg:    For @fn
 * @ret:    The folder, nothing read yet; free with folder_free()
 * @reterr: Message, or NULL
 *
 * Return: 0; -errno if there can be no inotify descriptor
 */
int folder_open(const char *path, struct store *store, object_change_fn *fn, void *arg,
		struct folder **ret, struct err *reterr)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct folder *f;

	if (fd < 0)
		return err_set(reterr, -errno, "%s: cannot be watched: %s", path, strerror(errno));
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->inotify = fd;
	f->watch = -1;
	f->fn = fn;
	f->arg = arg;
	f->manifests = manifests_new(store, on_change, f);
	*ret = f;
	return 0;
}

/**
 * folder_free() - Stop watching and forget everything, without telling changes
 * @f: Folder or NULL
 *
 * Return: NULL
 */
struct folder *folder_free(struct folder *f)
{
	struct known *k, *next;

	if (!f)
		return NULL;
	HASH_ITER (hh, f->known, k, next) {
		HASH_DEL(f->known, k);
		free(k);
	}
	(void)manifests_free(f->manifests);
	closep(&f->inotify);
	free(f->problem);
	free(f->path);
	free(f);
	return NULL;
}

/**
 * folder_fd() - Descriptor to wait on for reading
 * @f: Folder
 *
 * Return: the descriptor, the same for all its life
 */
int folder_fd(const struct folder *f)
{
	return f->inotify;
}

/**
 * folder_deadline() - When folder_timer() is due
 * @f: Folder
 *
 * Return: time in microseconds; ask again after every call of scan, dispatch and timer
 */
uint64_t folder_deadline(const struct folder *f)
{
	return f->deadline;
}

/* One piece of work: rescan with @trust, or if the folder is newly watched. */
static void rescan(struct folder *f, uint64_t now, enum trust trust)
{
	_cleanup_(closep) int dir = -1;
	bool fresh;

	f->now = now;
	f->deadline = now + FOLDER_RESCAN_USEC;
	dir = enter(f, &fresh);
	if (dir >= 0)
		scan(f, dir, fresh ? TRUST_CHANGED : trust);
}

/**
 * folder_scan() - Read the whole folder: at the start
 * @f:   Folder
 * @now: Monotonic time, microseconds
 */
void folder_scan(struct folder *f, uint64_t now)
{
	rescan(f, now, TRUST_CHANGED);
}

/**
 * folder_timer() - Compare the whole folder with what is known of it
 * @f:   Folder
 * @now: Monotonic time, microseconds; nothing happens before folder_deadline()
 *
 * Costs one stat() for each file that did not change.
 */
void folder_timer(struct folder *f, uint64_t now)
{
	if (now >= f->deadline)
		rescan(f, now, TRUST_SETTLED);
}

/**
 * folder_dispatch() - Handle what inotify tells
 * @f:   Folder whose descriptor is readable
 * @now: Monotonic time, microseconds
 *
 * Each file is read once, however many events there are for it.
 */
void folder_dispatch(struct folder *f, uint64_t now)
{
	_cleanup_(batch_done) struct batch b = {0};
	_cleanup_(closep) int dir = -1;
	bool fresh;

	f->now = now;
	batch_read(&b, f->inotify, f->watch);
	if (b.gone)
		detach(f);
	dir = enter(f, &fresh);
	if (dir < 0)
		return;
	if (fresh || b.swapped)
		scan(f, dir, TRUST_CHANGED);
	/* Looked at before read: of a rename, the old name goes before the new one comes. */
	examine_each(f, dir, &b.touched, false);
	examine_each(f, dir, &b.complete, true);
	if (b.lost)
		scan(f, dir, TRUST_SETTLED);
}

/**
 * folder_each_problem() - Go through all that is wrong: with the folder, then with its files
 * @f:   Folder
 * @fn:  Takes each problem
 * @arg: For @fn
 */
void folder_each_problem(const struct folder *f, problem_fn *fn, void *arg)
{
	_cleanup_(freep) char *many = NULL;

	if (f->problem)
		fn(arg, f->problem);
	if (f->too_many) {
		many = xasprintf("%s: more than %d files, the rest is not read", f->path,
				 MANIFEST_FILES_MAX);
		fn(arg, many);
	}
	manifests_each_problem(f->manifests, fn, arg);
}

/**
 * folder_stats() - Figures for status and metrics
 * @f:   Folder
 * @ret: The figures
 *
 * Time: O(files and problems).
 */
void folder_stats(const struct folder *f, struct folder_stats *ret)
{
	struct folder_stats s = {
		.present = f->watch >= 0 && !f->problem,
		.last_scan = f->last_scan,
		.last_change = f->last_change,
	};

	manifests_stats(f->manifests, &s.manifests);
	s.manifests.problems += (f->problem != NULL) + f->too_many;
	*ret = s;
}
