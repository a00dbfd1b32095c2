/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cniconf.h - the folder of CNI configurations, watched for as long as the agent runs: our list in
 * it, and lists of others that runtimes use instead.
 */
#pragma once

#include "agent/config/config.h"
#include "agent/repair.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/loop.h"

/*
 * struct cniconf - starts zeroed
 * @folder, @name, @run_dir: As configured
 * @begun:    Our list was put there; it is watched
 * @watch:    inotify; 0 while the folder is not watched
 * @broken:   Since when our list is none, monotonic; 0 when it is one
 * @file, @network: What sorts before ours, and its network; NULL for none
 * @problem:  The same in words; NULL for none
 * @error:    Why our list could not be read or written; empty for none
 * @repairs:  Times that it was put back
 */
struct cniconf {
	struct loop *loop;
	char *folder, *name, *run_dir;
	bool begun;
	uint64_t broken;
	int watch;
	struct loop_source *io, *timer;
	struct repair pace;
	char *file, *network, *problem;
	struct err error;
	uint64_t repairs;
};

void cniconf_begin(struct cniconf *c, struct loop *l, const struct config *k);
void cniconf_end(struct cniconf *c);
void cniconf_put_metrics(const struct cniconf *c, struct buf *out);
const char *cniconf_problem(const struct cniconf *c);
