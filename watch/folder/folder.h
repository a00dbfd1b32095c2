/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder.h - a folder of manifests as the source of objects, watched with inotify.
 *
 *	folder_open(path, copies, store, &folder, &err);
 *	folder_scan(folder, now);
 *	... folder_fd() readable:     folder_dispatch(folder, now);
 *	... folder_deadline() passed: folder_timer(folder, now);
 *
 * Times are of the monotonic clock, in microseconds.
 */
#pragma once

#include "lib/err.h"
#include "watch/folder/manifests.h"

#define FOLDER_FILE_MAX	   (64 << 20)		 /* bytes of one file */
#define FOLDER_RESCAN_USEC (30 * USEC_PER_SEC)	 /* for what inotify does not tell */
#define FOLDER_RETRY_USEC  (1 * USEC_PER_SEC)	 /* while the folder is missing */
#define FOLDER_GRACE_USEC  (500 * USEC_PER_MSEC) /* from a file's going to its objects' */
#define FOLDER_SETTLE_USEC (1 * USEC_PER_SEC)	 /* see folder.c, half-written files */

/*
 * struct folder_stats
 * @manifests:   Files, objects, problems (those of the folder itself included)
 * @present:     The folder is there and watched
 * @last_scan:   When the whole folder was last compared; 0 never
 */
struct folder_stats {
	struct manifests_stats manifests;
	bool present;
	uint64_t last_scan;
};

struct folder;

int folder_open(const char *path, const char *copies, struct store *store, struct folder **ret,
		struct err *reterr);
struct folder *folder_free(struct folder *f);
static inline void folder_freep(struct folder **f)
{
	(void)folder_free(*f);
}
int folder_fd(const struct folder *f);
uint64_t folder_deadline(const struct folder *f);
void folder_scan(struct folder *f, uint64_t now);
void folder_dispatch(struct folder *f, uint64_t now);
void folder_timer(struct folder *f, uint64_t now);
void folder_each_problem(const struct folder *f, problem_fn *fn, void *arg);
void folder_each_warning(const struct folder *f, problem_fn *fn, void *arg);
bool folder_known(const struct folder *f);
char *folder_doubt(const struct folder *f);
void folder_stats(const struct folder *f, struct folder_stats *ret);
