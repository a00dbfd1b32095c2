// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leaks.c - free what a restart would free: the addresses of a sandbox that is gone while its DEL
 * does not come.
 *
 * containerd forgets a sandbox whose network could not be set up wholly, as without the plugin
 * `loopback`, and sends neither DEL nor GC.  The interface goes with the namespace, which the
 * kernel tells (links.c); after a grace the connections are forgotten and the addresses freed, as
 * by DEL. An interface that somebody deleted while the namespace is there leaves a pod that may
 * run: its addresses stay for as long as there is its object.
 */
#include "agent/leaks.h"

#include <stdio.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/cni/calls.h"
#include "agent/health.h"
#include "datapath/route/podlink.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "watch/object/kind.h"
#include "watch/object/pod.h"

#define AGAIN_USEC (10 * USEC_PER_SEC)

/**
 * leak_judge() - What becomes of the addresses of a pod whose interface is gone?
 * @gone:         Since when it is, monotonic, microseconds
 * @now:          Monotonic, microseconds
 * @netns_exists: Is its namespace there?
 * @pod_exists:   Is its object there, as far as is known?
 *
 * Return: the answer
 */
enum leak leak_judge(uint64_t gone, uint64_t now, bool netns_exists, bool pod_exists)
{
	if (netns_exists && pod_exists)
		return LEAK_STAYS;
	return now < gone + LEAK_GRACE_USEC ? LEAK_WAITS : LEAK_FREE;
}

/* The store finds interned names alone. */
static bool has_object(const struct agent *a, const struct attachment *at)
{
	const char *ns = intern(at->ns), *pod = intern(at->pod);
	const struct object_key key = {kind_pod.kind, ns, pod};
	bool has = store_get(a->source.store, &key);

	intern_put(ns);
	intern_put(pod);
	return has;
}

static enum leak judge(const struct agent *a, const struct gone_link *g,
		       const struct attachment *at)
{
	bool exists = !a->source_synced || has_object(a, at);

	return leak_judge(g->since, loop_now(a->loop), podlink_netns_exists(at->netns), exists);
}

/* struct leak_job - the connections of one are being forgotten */
struct leak_job {
	struct agent *agent;
	struct attachment *at;
};

/* Unless the runtime has come back to it meanwhile. */
static void on_flushed(void *arg)
{
	struct leak_job *j = arg;
	struct agent *a = j->agent;

	if (!calls_under_way(a->calls, j->at) &&
	    journal_find_link(a->journal, j->at->host_ifname)) {
		log_warn("ipam", "no DEL came for a sandbox that is gone, its addresses are freed",
			 "pod=\"%s/%s\" container=%.13s ifname=%s", j->at->ns, j->at->pod,
			 j->at->id, j->at->host_ifname);
		attach_release(a, j->at);
		a->links.freed++;
		loop_wake(a->loop);
	}
	(void)attachment_free(j->at);
	free(j);
}

static void release(struct agent *a, const struct attachment *at)
{
	struct leak_job *j = xcalloc(1, sizeof(*j));

	*j = (struct leak_job){a, attachment_copy(at)};
	attach_forget(a, j->at); /* it is in the list no more, either */
	routing_flush(&a->routing, j->at->addrs, j->at->n_addrs, on_flushed, j);
}

/* From the end: what is released leaves the list, and the last takes its place. */
static void on_timer(void *arg)
{
	struct agent *a = arg;
	struct links *l = &a->links;

	for (size_t i = l->gone.n; i > 0; i--) {
		const struct gone_link *g = &l->gone.v[i - 1];
		const struct attachment *at = journal_find_link(a->journal, g->ifname);

		if (at && !calls_under_way(a->calls, at) && judge(a, g, at) == LEAK_FREE)
			release(a, at);
	}
	if (l->gone.n)
		leaks_begin(a);
}

/**
 * leaks_watch() - Begin
 * @a: Agent
 */
void leaks_watch(struct agent *a)
{
	a->links.leaks = loop_timer(a->loop, "leaks", on_timer, a);
	agent_add_source(a, a->links.leaks);
}

/**
 * leaks_begin() - An interface is gone: come back when its grace is over
 * @a: Agent
 *
 * One timer for all; those that stay are looked at again every AGAIN_USEC: their object may be
 * gone.
 */
void leaks_begin(struct agent *a)
{
	uint64_t now = loop_now(a->loop), next = USEC_INFINITY;

	vec_foreach (g, &a->links.gone) {
		uint64_t due = g->since + LEAK_GRACE_USEC;

		next = MIN(next, due > now ? due : now + AGAIN_USEC);
	}
	loop_timer_at(a->links.leaks, next);
}

/* --- report ------------------------------------------------------------------------------------
 */

static const char *what_to_do(enum leak l)
{
	static const char *const texts[_LEAK_MAX] = {
		"its sandbox is gone and no DEL came yet; its addresses are freed without it soon",
		"its interface was deleted, and only a new pod gets one: delete the pod",
		"its sandbox is gone and no DEL came; its addresses are being freed",
	};

	return texts[l];
}

/**
 * leaks_each() - Pods whose interface is gone, and what to do
 * @a:   Agent
 * @fn:  Called for each
 * @arg: Its first argument
 */
void leaks_each(const struct agent *a, void (*fn)(void *arg, const char *text), void *arg)
{
	vec_foreach (g, &a->links.gone) {
		const struct attachment *at = journal_find_link(a->journal, g->ifname);
		_cleanup_(freep) char *text = at ? xasprintf("pod %s/%s (container %.13s): %s",
							     at->ns, at->pod, at->id,
							     what_to_do(judge(a, g, at)))
						 : NULL;

		if (text)
			fn(arg, text);
	}
}

/**
 * leaks_put_metrics() - How many sandboxes went without a DEL
 * @a:   Agent
 * @out: Appended to
 */
void leaks_put_metrics(const struct agent *a, struct buf *out)
{
	metric_head(out, "manx_sandboxes_without_del_total", METRIC_COUNTER,
		    "Sandboxes that were gone and whose addresses were freed without a DEL.");
	metric_count(out, "manx_sandboxes_without_del_total", NULL, a->links.freed);
}
