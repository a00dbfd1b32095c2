// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * folder_events.c - which files of the manifest folder to look at: all of them, or those that the
 * inotify events name, sorted by what they ask for.
 *
 * Takes: an inotify descriptor, or the folder.  Gives: sets of names; no file is touched here.
 * Limits: BATCH_NAMES_MAX names, above them the batch asks for a rescan.
 */
#include "watch/folder/folder_events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "watch/folder/manifests.h"

#define EVENT_MAX (sizeof(struct inotify_event) + NAME_MAX + 1)

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/**
 * names_add() - Add a name
 * @n:    Names
 * @name: Name, copied
 */
static void names_add(struct names *n, const char *name)
{
	vec_push(n, xstrdup(name));
}

/**
 * names_sort() - Sort by strcmp
 * @n: Names
 */
void names_sort(struct names *n)
{
	vec_sort(n, compare_names);
}

/**
 * names_have() - Test whether a name is among them
 * @sorted: Names, sorted
 * @name:   Name
 *
 * Return: true if it is
 */
bool names_have(const struct names *sorted, const char *name)
{
	return sorted->n && bsearch(&name, sorted->v, sorted->n, sizeof(*sorted->v), compare_names);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/**
 * names_of_folder() - Names of the manifest files in a folder
 * @dir: Descriptor of the folder
 * @ret: Names, appended to and sorted
 *
 * Return: 0, -errno
 */
int names_of_folder(int dir, struct names *ret)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	if (!d) {
		int r = -errno;

		closep(&copy);
		return r;
	}
	errno = 0;
	while ((e = readdir(d)))
		if (manifest_name_ok(e->d_name))
			names_add(ret, e->d_name);
	if (errno)
		return -errno;
	names_sort(ret);
	return 0;
}

/**
 * names_done() - Free the names
 * @n: Names; empty and usable again afterwards
 */
void names_done(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i]);
	vec_done(n);
}

static void sort_event(struct batch *b, const struct inotify_event *e, int watch)
{
	const char *name = e->len ? e->name : "";

	if (e->mask & IN_Q_OVERFLOW)
		b->lost = true;
	if (e->wd != watch)
		return;
	if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
		b->gone = true;
	else if (str_starts(name, ".."))
		b->swapped |= (e->mask & IN_MOVED_TO) != 0;
	else if (!manifest_name_ok(name))
		return;
	else if (b->complete.n + b->touched.n >= BATCH_NAMES_MAX)
		b->lost = true;
	else if (e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO))
		names_add(&b->complete, name);
	else
		names_add(&b->touched, name);
}

/**
 * batch_read() - Read and sort all events that wait
 * @b:       Batch to add to
 * @inotify: Descriptor, non-blocking
 * @watch:   The folder's watch descriptor; events of others are dropped
 *
 * A name may come several times.
 */
void batch_read(struct batch *b, int inotify, int watch)
{
	_Alignas(struct inotify_event) char data[16 * EVENT_MAX];
	ssize_t n;

	while ((n = read(inotify, data, sizeof(data))) > 0) {
		const char *p = data;

		while (p < data + n) {
			const struct inotify_event *e = (const struct inotify_event *)(void *)p;

			sort_event(b, e, watch);
			p += sizeof(*e) + e->len;
		}
	}
}

/**
 * batch_done() - Free what a batch holds
 * @b: Batch
 */
void batch_done(struct batch *b)
{
	names_done(&b->complete);
	names_done(&b->touched);
}
