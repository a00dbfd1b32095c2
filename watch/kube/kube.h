/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kube.h - a cluster as the source of objects: its API server, asked for as little as will do.
 *
 * First this node's own Node and pods, since CNI waits for them; then Namespaces (metadata only),
 * NetworkPolicies and Nodes; then pods of other nodes, but only of the namespaces that somebody
 * needs (kube_need()).  Nothing is ever written, but for events (kube_events.h).
 */
#pragma once

#include "lib/loop.h"
#include "watch/kube/http.h"
#include "watch/kube/reflector.h"
#include "watch/object/problem.h"
#include "watch/object/store.h"

/* Namespaces that are watched one by one; above, the pods of all namespaces are one collection. */
#define KUBE_NARROW_MAX 64

/*
 * struct kube_config - borrowed for kube_open()
 * @kubeconfig:  File; NULL: we are a pod of the cluster
 * @node:        Name of this node
 * @all_pods:    Watch the pods of all nodes, whoever needs them
 */
struct kube_config {
	const char *kubeconfig, *node;
	bool all_pods;
};

/*
 * struct kube_stats
 * @feeds, @synced: Collections that are watched, and those that were complete once
 * @needed:     Namespaces whose pods are needed
 * @wide:       The pods of all namespaces are watched as one
 * @last_heard: When the server last told anything, monotonic; 0: never
 * @count:      Of all collections, those included that are not watched any more
 */
struct kube_stats {
	size_t feeds, synced, needed;
	bool wide;
	uint64_t last_heard;
	struct reflector_counts count;
	struct http_stats http;
};

struct kube;

/**
 * typedef kube_step_fn - A collection got out of step with the server, or is in step again
 * @arg: Context
 */
typedef void kube_step_fn(void *arg);

int kube_open(struct loop *l, const struct kube_config *c, struct store *store, struct kube **ret,
	      struct err *reterr);
struct kube *kube_close(struct kube *k);
void kube_start(struct kube *k);
bool kube_lists_complete(const struct kube *k);
bool kube_pods_complete(const struct kube *k);
void kube_need(struct kube *k, const char *ns, bool needed);
void kube_fetch(struct kube *k, const struct object_key *key);
struct http *kube_http(const struct kube *k);
void kube_each_problem(const struct kube *k, problem_fn *fn, void *arg);
void kube_stats(const struct kube *k, struct kube_stats *ret);
void kube_on_step(struct kube *k, kube_step_fn *fn, void *arg);
uint64_t kube_stale_since(const struct kube *k, struct err *ret_what);

/**
 * typedef kube_feed_fn - Takes how one collection stands
 * @arg:  Context
 * @name: What it is, for people
 * @r:    Its reflector
 */
typedef void kube_feed_fn(void *arg, const char *name, const struct reflector *r);

void kube_each_feed(const struct kube *k, kube_feed_fn *fn, void *arg);
