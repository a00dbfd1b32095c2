/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kube_internal.h - the source's insides, shared by kube.c (what is always watched), kube_pods.c
 * (pods of other nodes), kube_fetch.c (single pods), kube_probe.c (has time gone back?) and
 * kube_step.c (in step or not).
 */
#pragma once

#include <uthash.h>

#include "watch/kube/feed.h"
#include "watch/kube/kube.h"
#include "watch/kube/kube_credentials.h"

/*
 * struct need - a namespace whose pods are needed, or were a moment ago
 * @feed:    NULL: not watched by itself
 * @syncing: Its feed has not been complete yet
 * @drop_at: When it is given up; of those that are not needed
 */
struct need {
	const char *ns;
	bool needed, syncing;
	struct feed *feed;
	uint64_t drop_at;
	struct need *prev, *next; /* of those that are not needed, the first to drop first */
	UT_hash_handle hh;
};

struct fetch;

/*
 * struct probe - the question whether the server's data went back in time
 * @armed: It will be asked
 * @bound: Of the wait, microseconds; 0: the last one was answered
 */
struct probe {
	struct loop_source *timer;
	bool armed;
	uint64_t bound;
	struct http_request *request;
	struct buf body;
};

/*
 * struct step - is the store in step with the server, in words for the log
 * @since: Out of it since then; 0: it is
 * @away:  The server was said to be away
 */
struct step {
	uint64_t since;
	bool away;
};

/*
 * struct kube
 * @own:      By kind: the collections of this node, of REACH_NODE, as far as they are watched
 * @all:      By kind: those of REACH_ALL, once @all_begun
 * @past:     Counts of feeds that have ended
 * @need_all: How often the pods of all namespaces are needed
 * @n_needed, @n_syncing: Of @needs
 * @wide:     The pods of all namespaces; @wide_wanted: it is to be there, or coming
 * @wide_syncing: It has not been complete since it was wanted; @wide_drop_at: when it may be given
 * up
 */
struct kube {
	struct feed_owner owner;
	kube_step_fn *on_step;
	void *step_arg;
	char *node;
	bool all_pods;
	uint64_t seed;
	uint16_t last_id;
	struct reflector_counts past;
	struct feed *own[_KIND_MAX], *all[_KIND_MAX];
	bool all_begun;

	struct kube_credentials *credentials;
	char *credentials_problem;
	struct loop_source *credentials_timer;

	char *elsewhere; /* selector of pods on other nodes */
	struct need *needs, *unneeded;
	size_t n_needed, n_syncing, need_all;
	struct feed *wide;
	bool wide_wanted, wide_syncing;
	uint64_t wide_drop_at;
	struct loop_source *drop_timer;

	struct step step;

	struct probe probe;
	struct fetch *fetches;
};

struct feed *kube_feed_new(struct kube *k, struct feed_spec *spec);
struct feed *kube_feed_free(struct kube *k, struct feed *f, bool forget);
void kube_each(const struct kube *k, void (*fn)(void *arg, struct feed *f), void *arg);
struct feed *kube_feed_replace(struct kube *k, struct feed *f, feed_heir_fn *heir, void *arg);
void kube_backwards(void *arg);

void kube_pods_init(struct kube *k);
void kube_pods_done(struct kube *k);
void kube_pods_synced(struct kube *k, struct feed *f);
void kube_pods_each(const struct kube *k, void (*fn)(void *arg, struct feed *f), void *arg);

void kube_probe_init(struct kube *k);
void kube_probe_done(struct kube *k);
void kube_probe(void *arg);

void kube_step(void *arg, struct feed *f);
void kube_step_reachable(struct kube *k);

void kube_fetches_done(struct kube *k);
