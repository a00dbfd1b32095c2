// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder.c - keep the memory of manifests.h in step with a folder of files.
 *
 * Takes: inotify events, deadlines and the files themselves.  Gives: the objects in force, in
 * the store; problems, figures.  Only files that changed are read again.
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
 * FOLDER_RETRY_USEC; when it is back, files that are gone take their objects with them.  Missing is
 * also an empty folder that is not the one (device and inode) whose files were read: a file system
 * that is not mounted.  At the start copies of the files take their place (folder_load.c).
 *
 * Limits: MANIFEST_FILES_MAX files of FOLDER_FILE_MAX bytes; no folders below.  Reading and
 * parsing hold the loop: about 55 ms for each MiB of YAML, 11 of JSON.
 */
#include "watch/folder/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/log.h"
#include "watch/folder/folder_events.h"
#include "watch/folder/folder_file.h"
#include "watch/folder/folder_internal.h"

#define WATCH_EVENTS                                                                        \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* --- the folder --------------------------------------------------------------------------------
 */

static void set_missing(struct folder *f, const char *why)
{
	char *problem;

	folder_restore(f);
	problem = xasprintf("%s: %s, %s", f->path, why,
			    f->last_scan || f->restored
				    ? "the objects read before stay in force"
				    : "and it was never read: nothing is known of the policies");
	if (!f->problem)
		log_warn("folder", "folder is missing, looking for it again",
			 "path=\"%s\" problem=\"%s\"", f->path, why);
	free(f->problem);
	f->problem = problem;
	folder_wake_by(f, FOLDER_RETRY_USEC);
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
		return -1;
	}
	return TAKE(dir, -1);
}

/*
 * Nothing is there, and it is not the folder that was read before: most likely that one is not
 * mounted.  Unknown is not empty.
 */
static bool is_unmounted(const struct folder *f, const struct names *names, const struct stat *st)
{
	_cleanup_(names_done) struct names copies = {0};

	if (names->n || !f->copies || !f->copies->known ||
	    (f->copies->dev == st->st_dev && f->copies->ino == st->st_ino))
		return false;
	copies_names(f->copies, &copies);
	return copies.n > 0;
}

/* Copies of files that were removed while no agent ran. */
static void remove_left_copies(struct folder *f, const struct names *names)
{
	_cleanup_(names_done) struct names copies = {0};

	copies_names(f->copies, &copies);
	for (size_t i = 0; i < copies.n; i++)
		if (!names_have(names, copies.v[i]))
			copies_remove(f->copies, copies.v[i]);
}

static void scanned(struct folder *f, const struct names *names, const struct stat *st)
{
	if (f->copies && !f->last_scan && !f->restored)
		remove_left_copies(f, names);
	if (f->copies)
		copies_note_folder(f->copies, st->st_dev, st->st_ino);
	if (!f->too_many)
		manifests_drop(f->manifests, f->path);
	free(f->problem);
	f->problem = NULL;
	f->last_scan = f->now;
}

/* Compare the whole folder with what is known of it. */
static void scan(struct folder *f, int dir, enum trust trust)
{
	_cleanup_(names_done) struct names names = {0};
	struct known *k, *next;
	struct stat st = {0};
	int r = fstat(dir, &st) < 0 ? -errno : names_of_folder(dir, &names);

	if (r < 0) {
		set_missing(f, strerror(-r));
		return;
	}
	if (is_unmounted(f, &names, &st)) {
		set_missing(f, "is empty and not the folder that was read before; mount it, or "
			       "put any manifest there");
		return;
	}
	/* First those that are gone: they make room below MANIFEST_FILES_MAX. */
	HASH_ITER (hh, f->known, k, next)
		if (!names_have(&names, k->name))
			folder_miss(f, k->name);
	f->too_many = f->copying_fails = false;
	for (size_t i = 0; i < names.n; i++)
		folder_examine(f, dir, names.v[i], trust);
	scanned(f, &names, &st);
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
		folder_examine(f, dir, names->v[i], trust);
	}
}

/* --- the interface ------------------------------------------------------------------------------
 */

/**
 * folder_open() - Prepare a folder as a source
 * @path:   Path of the folder; it may be missing for now
 * @copies: Where the last good versions of its files are kept, a folder; NULL: nowhere
 * @store:  Takes what is in force, and from nobody else; borrowed
 * @ret:    The folder, nothing read yet; free with folder_free()
 * @reterr: Message, or NULL
 *
 * Return: 0; -errno if there can be no inotify descriptor
 */
int folder_open(const char *path, const char *copies, struct store *store, struct folder **ret,
		struct err *reterr)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct folder *f;

	if (fd < 0)
		return err_set(reterr, -errno, "%s: cannot be watched: %s", path, strerror(errno));
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->inotify = fd;
	f->watch = -1;
	f->manifests = manifests_new(store);
	f->copies = copies ? copies_open(copies, path) : NULL;
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
	(void)copies_close(f->copies);
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
	if (fresh || b.swapped || f->problem)
		scan(f, dir, TRUST_CHANGED);
	if (f->problem)
		return;
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
		many = xasprintf("%s: more than %d files, the rest is not read; pods of every "
				 "namespace are isolated until this is mended",
				 f->path, MANIFEST_FILES_MAX);
		fn(arg, many);
	}
	if (f->copies && f->copies->problem)
		fn(arg, f->copies->problem);
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
	};

	manifests_stats(f->manifests, &s.manifests);
	s.manifests.files -= f->too_many; /* the one that stands for those */
	s.manifests.problems +=
		(f->problem != NULL) + f->too_many + (f->copies && f->copies->problem);
	*ret = s;
}

/**
 * folder_known() - Is it known what the folder holds?
 * @f: Folder
 *
 * Return: true if it was read, or when it is missing and there are copies of when it was; false:
 * its objects are not known, which is not the same as that there are none
 */
bool folder_known(const struct folder *f)
{
	return f->last_scan || f->restored;
}

static void take_first(void *arg, const char *text)
{
	char **first = arg;

	if (!*first)
		*first = xstrdup(text);
}

/**
 * folder_doubt() - Why is it not certain that what is in force is what is wanted?
 * @f: Folder
 *
 * Return: the first problem of the folder, or of a file that was not taken, to be freed; NULL if
 * all was read
 */
char *folder_doubt(const struct folder *f)
{
	char *first = NULL;

	if (f->problem)
		return xstrdup(f->problem);
	if (f->too_many)
		folder_each_problem(f, take_first, &first);
	else
		manifests_each_failure(f->manifests, take_first, &first);
	return first;
}

/**
 * folder_each_warning() - Go through what is right and looks misspelled
 * @f:   Folder
 * @fn:  Takes each warning
 * @arg: For @fn
 */
void folder_each_warning(const struct folder *f, problem_fn *fn, void *arg)
{
	manifests_each_warning(f->manifests, fn, arg);
}
