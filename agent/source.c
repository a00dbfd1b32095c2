// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * source.c - the folder or the cluster on the loop, and what is told of it.
 */
#include "agent/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "agent/agent.h"
#include "agent/command/instance.h"
#include "agent/health.h"
#include "watch/kube/libcurl.h"
#include "watch/object/kind.h"
#include "watch/object/pod.h"

static void on_changed(void *arg, const struct object_key *key, struct object *old)
{
	struct agent *a = arg;

	changes_add(a->changes, key, old, monotonic_usec());
}

/* --- folder ------------------------------------------------------------------------------------
 */

static void arm_folder(struct agent *a)
{
	loop_timer_at(a->source.folder_timer, folder_deadline(a->source.folder));
}

static void on_folder(void *arg, uint32_t events _unused_)
{
	struct agent *a = arg;

	folder_dispatch(a->source.folder, loop_now(a->loop));
	arm_folder(a);
}

static void on_folder_timer(void *arg)
{
	struct agent *a = arg;

	folder_timer(a->source.folder, loop_now(a->loop));
	arm_folder(a);
}

static void start_folder(struct agent *a)
{
	struct source *s = &a->source;

	agent_add_source(a,
			 loop_io(a->loop, "folder", folder_fd(s->folder), EPOLLIN, on_folder, a));
	s->folder_timer = loop_timer(a->loop, "folder timer", on_folder_timer, a);
	agent_add_source(a, s->folder_timer);
	folder_scan(s->folder, monotonic_usec());
	arm_folder(a);
}

/* --- either ------------------------------------------------------------------------------------
 */

/**
 * source_open() - Prepare the source that the configuration names
 * @a:      Agent
 * @reterr: What is wrong
 *
 * Return: 0, -errno
 */
int source_open(struct agent *a, struct err *reterr)
{
	const struct config *c = a->config;
	const struct kube_config kube = {
		.kubeconfig = c->kubeconfig, .node = c->node, .all_pods = c->all_pods};
	struct store *store = store_new(on_changed, a);
	int r;

	a->source.store = store;
	if (c->manifests) {
		_cleanup_(freep) char *copies = instance_copies_path(c->state_dir);

		return folder_open(c->manifests, copies, store, &a->source.folder, reterr);
	}
	r = libcurl_load(reterr);
	if (r == 0)
		r = kube_open(a->loop, &kube, store, &a->source.kube, reterr);
	if (r == 0)
		a->source.events = kube_events_new(a->source.kube);
	return r;
}

/**
 * source_start() - Begin to read; a folder is read at once
 * @a: Agent
 */
void source_start(struct agent *a)
{
	if (a->source.folder) {
		start_folder(a);
		return;
	}
	stale_watch(&a->stale, a->source.kube);
	kube_start(a->source.kube);
}

/**
 * source_close() - End; what is in force stays
 * @a: Agent
 */
void source_close(struct agent *a)
{
	a->source.folder = folder_free(a->source.folder);
	a->source.events = kube_events_free(a->source.events);
	a->source.kube = kube_close(a->source.kube);
}

/**
 * source_lists_complete() - Is everything known but for what source_need() asks for?
 * @a: Agent
 *
 * Return: true if so
 */
bool source_lists_complete(const struct agent *a)
{
	return a->source.folder ? folder_known(a->source.folder)
				: kube_lists_complete(a->source.kube);
}

/**
 * source_complete() - Is everything known?
 * @a: Agent; the parts have told what they need
 *
 * Return: true if so
 */
bool source_complete(const struct agent *a)
{
	return source_lists_complete(a) && (a->source.folder || kube_pods_complete(a->source.kube));
}

/**
 * source_need() - Pods of a namespace, on other nodes, are needed or no longer
 * @agent:  struct agent
 * @ns:     Namespace, interned; NULL: all
 * @needed: They are
 */
void source_need(void *agent, const char *ns, bool needed)
{
	struct agent *a = agent;

	if (a->source.kube)
		kube_need(a->source.kube, ns, needed);
}

/**
 * source_fetch_pod() - A pod of this node is asked for that the source has not told of
 * @a:    Agent
 * @ns:   Namespace
 * @name: Name
 */
void source_fetch_pod(struct agent *a, const char *ns, const char *name)
{
	if (a->source.kube)
		kube_fetch(a->source.kube, &(struct object_key){kind_pod.kind, ns, name});
}

/* --- what is told of it ------------------------------------------------------------------------
 */

struct telling {
	problem_fn *fn;
	void *arg;
};

static void tell_set_aside(void *arg, const struct object *o)
{
	const struct object_key key = key_of(o);
	const struct telling *t = arg;
	_cleanup_(freep) char *title = NULL, *text = NULL;

	if (!o->problem)
		return;
	title = object_title(&key);
	text = xasprintf("%s: %s", title, o->problem);
	t->fn(t->arg, text);
}

/**
 * source_each_problem() - Go through all that is wrong with the source and its objects
 * @a:   Agent
 * @fn:  Takes each problem
 * @arg: Its first argument
 *
 * Time: O(all objects).
 */
void source_each_problem(const struct agent *a, problem_fn *fn, void *arg)
{
	struct telling t = {fn, arg};

	if (a->source.folder) {
		folder_each_problem(a->source.folder, fn, arg);
		return;
	}
	kube_each_problem(a->source.kube, fn, arg);
	for (int k = 0; k < _KIND_MAX; k++)
		store_each(a->source.store, (enum kind)k, tell_set_aside, &t);
}

/**
 * source_each_warning() - Go through what is right and looks misspelled
 * @a:   Agent
 * @fn:  Takes each warning
 * @arg: Its first argument
 */
void source_each_warning(const struct agent *a, problem_fn *fn, void *arg)
{
	if (a->source.folder)
		folder_each_warning(a->source.folder, fn, arg);
}

/**
 * source_doubt() - Why is it not certain that what is in force is what is wanted?
 * @a: Agent
 *
 * Return: the first reason, to be freed; NULL: all that the source has was read
 */
char *source_doubt(const struct agent *a)
{
	return a->source.folder ? folder_doubt(a->source.folder) : NULL;
}

/**
 * source_set_aside() - Objects, and files, that are not in force as they were written
 * @a: Agent
 *
 * Return: their number
 */
size_t source_set_aside(const struct agent *a)
{
	struct folder_stats f;

	if (!a->source.folder)
		return a->set_aside;
	folder_stats(a->source.folder, &f);
	return f.manifests.problems;
}

static double age(uint64_t since)
{
	return since ? (double)(monotonic_usec() - since) / USEC_PER_SEC : -1;
}

static void put_folder(const struct agent *a, struct jsonw *json, struct buf *out)
{
	struct folder_stats f;

	folder_stats(a->source.folder, &f);
	if (!json) {
		buf_printf(out,
			   "Source    folder %s%s: %zu files, %zu objects ignored, %zu problems, "
			   "compared %.1f s ago\n",
			   a->config->manifests, f.present ? "" : " (missing)", f.manifests.files,
			   f.manifests.unknown, f.manifests.problems, age(f.last_scan));
		return;
	}
	jsonw_str(json, "kind", "folder");
	jsonw_str(json, "path", a->config->manifests);
	jsonw_bool(json, "present", f.present);
	jsonw_uint(json, "files", f.manifests.files);
	jsonw_uint(json, "ignored", f.manifests.unknown);
	jsonw_double(json, "age_seconds", age(f.last_scan));
}

static void put_collection(void *arg, const char *name, const struct reflector *r)
{
	struct jsonw *json = arg;

	jsonw_begin(json, NULL, '{');
	jsonw_str(json, "of", name);
	jsonw_str(json, "state", reflector_state_str(r->state));
	jsonw_bool(json, "complete", r->synced);
	if (r->optional)
		jsonw_bool(json, "absent", r->absent);
	jsonw_uint(json, "version", r->version);
	if (*r->problem) {
		jsonw_str(json, "problem", r->problem);
		jsonw_double(json, "stale_seconds",
			     (double)reflector_stale(r, monotonic_usec()) / USEC_PER_SEC);
	}
	jsonw_end(json, '}');
}

static void put_kube_text(const struct kube_stats *k, struct buf *out)
{
	buf_printf(out,
		   "Source    API server: %zu of %zu collections complete, heard %.1f s ago; "
		   "%zu namespaces needed from other nodes%s\n",
		   k->synced, k->feeds, age(k->last_heard), k->needed,
		   k->wide ? ", all are watched" : "");
	buf_printf(out,
		   "          %" PRIu64 " requests, %" PRIu64 " connections, %" PRIu64
		   " bytes; %" PRIu64 " lists, %" PRIu64 " watches, %" PRIu64 " failures\n",
		   k->http.requests, k->http.connections, k->http.bytes, k->count.lists,
		   k->count.watches, k->count.failures);
}

static void put_kube(const struct agent *a, struct jsonw *json, struct buf *out)
{
	struct kube_stats k;

	kube_stats(a->source.kube, &k);
	if (!json) {
		put_kube_text(&k, out);
		return;
	}
	jsonw_str(json, "kind", "api");
	jsonw_begin(json, "collections", '[');
	kube_each_feed(a->source.kube, put_collection, json);
	jsonw_end(json, ']');
	jsonw_uint(json, "namespaces_needed", k.needed);
	jsonw_bool(json, "all_pods", k.wide);
	jsonw_uint(json, "requests", k.http.requests);
	jsonw_uint(json, "connections", k.http.connections);
	jsonw_uint(json, "bytes", k.http.bytes);
	jsonw_uint(json, "lists", k.count.lists);
	jsonw_uint(json, "watches", k.count.watches);
	jsonw_uint(json, "failures", k.count.failures);
	jsonw_uint(json, "expired", k.count.expired);
	jsonw_uint(json, "unknown", k.count.unknown);
	jsonw_double(json, "age_seconds", age(k.last_heard));
}

/**
 * source_put_status() - The source's part of `manx status`
 * @a:    Agent
 * @json: Inside an open map; NULL: as text
 * @out:  Where text goes
 */
void source_put_status(const struct agent *a, struct jsonw *json, struct buf *out)
{
	if (a->source.folder)
		put_folder(a, json, out);
	else
		put_kube(a, json, out);
}

static void count(struct buf *out, const char *name, enum metric_type type, const char *help,
		  uint64_t value)
{
	metric_head(out, name, type, help);
	metric_count(out, name, NULL, value);
}

static void folder_metrics(const struct agent *a, struct buf *out, uint64_t *ret_last)
{
	struct folder_stats f;

	folder_stats(a->source.folder, &f);
	count(out, "manx_source_files", METRIC_GAUGE, "Files of the manifest folder.",
	      f.manifests.files);
	count(out, "manx_objects_ignored", METRIC_GAUGE, "Objects of kinds that Manx does not use.",
	      f.manifests.unknown);
	*ret_last = f.last_scan;
}

static void event_metrics(const uint64_t *counts, struct buf *out)
{
	static const char name[] = "manx_api_events_total";

	metric_head(out, name, METRIC_COUNTER, "Attempts to write an event, by how they ended.");
	for (int r = 0; r < _EVENT_RESULT_MAX; r++)
		metric_count(out, name,
			     METRIC_LABELS({"result", event_result_str((enum event_result)r)}),
			     counts[r]);
}

static void kube_metrics(const struct agent *a, struct buf *out, uint64_t *ret_last)
{
	struct kube_stats k;

	kube_stats(a->source.kube, &k);
	count(out, "manx_api_collections", METRIC_GAUGE, "Collections that are watched.", k.feeds);
	count(out, "manx_api_namespaces_needed", METRIC_GAUGE,
	      "Namespaces of which pods of other nodes are needed.", k.needed);
	count(out, "manx_api_requests_total", METRIC_COUNTER, "Requests to the API server.",
	      k.http.requests);
	count(out, "manx_api_connections_total", METRIC_COUNTER, "Connections to the API server.",
	      k.http.connections);
	count(out, "manx_api_received_bytes_total", METRIC_COUNTER,
	      "Bytes of answers of the API server, uncompressed.", k.http.bytes);
	count(out, "manx_api_lists_total", METRIC_COUNTER, "Lists begun.", k.count.lists);
	count(out, "manx_api_watches_total", METRIC_COUNTER,
	      "Watches begun, but for those of lists.", k.count.watches);
	count(out, "manx_api_failures_total", METRIC_COUNTER,
	      "Requests that failed and were tried again.", k.count.failures);
	count(out, "manx_api_expired_total", METRIC_COUNTER,
	      "Lists made because a version was gone or went backwards.", k.count.expired);
	count(out, "manx_api_unknown_total", METRIC_COUNTER,
	      "Events of unknown types and objects without a name, left out.", k.count.unknown);
	event_metrics(kube_events_counts(a->source.events), out);
	*ret_last = k.last_heard;
}

/**
 * source_put_metrics() - The source's part of /metrics
 * @a:   Agent
 * @out: Appended to
 */
void source_put_metrics(const struct agent *a, struct buf *out)
{
	uint64_t last = 0;

	if (a->source.folder)
		folder_metrics(a, out, &last);
	else
		kube_metrics(a, out, &last);
	metric_head(
		out, "manx_source_stale_seconds", METRIC_GAUGE,
		"Time for which pods, namespaces or policies could not be read; 0: all is known.");
	metric_value(out, "manx_source_stale_seconds", NULL, stale_seconds(&a->stale));
	count(out, "manx_source_synced", METRIC_GAUGE, "1 when the source was read completely.",
	      a->source_synced);
	metric_head(out, "manx_source_age_seconds", METRIC_GAUGE,
		    "Time since the source last told anything, of a folder since it was compared.");
	metric_value(out, "manx_source_age_seconds", NULL, age(last));
}
