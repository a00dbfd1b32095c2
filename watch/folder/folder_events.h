/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder_events.h - what a run of inotify events asks the folder source to do.
 */
#pragma once

#include "lib/vec.h"

#define BATCH_NAMES_MAX 1024 /* names of one batch; above, a rescan is cheaper */

/* struct names - file names, owned; starts zeroed */
struct names {
	char **v;
	size_t n, cap;
};

/*
 * struct batch - what is to be done; starts zeroed
 * @complete: Files whose writer has finished, to be read
 * @touched:  Files to look at
 * @swapped:  The files of a mounted ConfigMap became others
 * @lost:     Events were lost, or are too many: rescan
 * @gone:     The folder itself went away
 */
struct batch {
	struct names complete, touched;
	bool swapped, lost, gone;
};

void names_sort(struct names *n);
bool names_have(const struct names *sorted, const char *name);
int names_of_folder(int dir, struct names *ret);
void names_done(struct names *n);

void batch_read(struct batch *b, int inotify, int watch);
void batch_done(struct batch *b);
