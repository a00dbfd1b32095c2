/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stale.h - what decides who may talk is not known, or has not been for too long.
 *
 * Pods that run keep the last state.  A new pod would start under policies that may have changed
 * long ago, or never came: beyond `stale-limit` it has to wait (CNI code 11), /readyz, STATUS and
 * status say why.  Of a folder everything is known at once.
 */
#pragma once

#include "agent/config/config.h"
#include "lib/loop.h"
#include "watch/kube/kube.h"

/* struct stale_uses - @source_known: was it read completely once? */
struct stale_uses {
	struct loop *loop;
	const struct config *config;
	const bool *source_known;
};

/*
 * struct stale
 * @kube:  The source; NULL: it is a folder
 * @timer: When the limit is reached, for the log
 * @said:  The log says that pods have to wait
 * @why:   For whoever asks
 */
struct stale {
	struct stale_uses use;
	struct kube *kube;
	struct loop_source *timer;
	bool said;
	char why[640];
};

void stale_open(struct stale *s, const struct stale_uses *u);
void stale_watch(struct stale *s, struct kube *k);
void stale_close(struct stale *s);
void stale_follow(void *stale);
bool stale_now(struct stale *s, const char **ret_why);
double stale_seconds(const struct stale *s);
