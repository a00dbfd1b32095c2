/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h - the slot for the source of objects: a folder of manifests, or a cluster's API server.
 *
 * Either writes its objects into the store, and the store reports every change to the queue of
 * changes. A cluster is told in steps: first the lists (source_lists_complete()); what follows from
 * those says which pods of other nodes are needed (source_need()), and when these are known too
 * everything is (source_complete()).  Of a folder all is known at once, unless it is missing at the
 * start and no copies tell what it held.
 */
#pragma once

#include "lib/buf.h"
#include "lib/jsonw.h"
#include "watch/folder/folder.h"
#include "watch/kube/kube.h"
#include "watch/kube/kube_events.h"

struct agent;

/*
 * struct source - embedded in the agent
 * @store:  What is in force, to read: only the source writes it
 * @folder, @kube: One of them is not NULL
 * @events: Of @kube
 */
struct source {
	const struct store *store;
	struct folder *folder;
	struct loop_source *folder_timer;
	struct kube *kube;
	struct kube_events *events;
};

int source_open(struct agent *a, struct err *reterr);
void source_start(struct agent *a);
void source_close(struct agent *a);
bool source_lists_complete(const struct agent *a);
bool source_complete(const struct agent *a);
void source_need(void *agent, const char *ns, bool needed);
void source_fetch_pod(struct agent *a, const char *ns, const char *name);
char *source_doubt(const struct agent *a);
size_t source_set_aside(const struct agent *a);
void source_each_problem(const struct agent *a, problem_fn *fn, void *arg);
void source_each_warning(const struct agent *a, problem_fn *fn, void *arg);
void source_put_status(const struct agent *a, struct jsonw *json, struct buf *out);
void source_put_metrics(const struct agent *a, struct buf *out);
