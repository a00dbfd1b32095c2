// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_metrics.c - /metrics, /livez and /readyz.
 */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/cni/cni.h"
#include "agent/health.h"
#include "agent/leaks.h"
#include "agent/report/process.h"
#include "agent/report/report.h"
#include "lib/log.h"
#include "lib/version.h"

static double seconds(uint64_t usec)
{
	return (double)usec / USEC_PER_SEC;
}

static void one_count(struct buf *out, const char *name, enum metric_type type, const char *help,
		      uint64_t value)
{
	metric_head(out, name, type, help);
	metric_count(out, name, NULL, value);
}

static void one_value(struct buf *out, const char *name, enum metric_type type, const char *help,
		      double value)
{
	metric_head(out, name, type, help);
	metric_value(out, name, NULL, value);
}

static void put_objects(const struct agent *a, struct buf *out)
{
	metric_head(out, "manx_objects", METRIC_GAUGE, "Objects known, by kind.");
	for (int k = 0; k < _KIND_MAX; k++)
		metric_count(out, "manx_objects", METRIC_LABELS({"kind", kind_str((enum kind)k)}),
			     store_count(a->source.store, (enum kind)k));
	metric_head(out, "manx_objects_set_aside", METRIC_GAUGE,
		    "Objects and files not in force as written, by who refused them.");
	metric_count(out, "manx_objects_set_aside", METRIC_LABELS({"by", "source"}),
		     source_set_aside(a));
	metric_count(out, "manx_objects_set_aside", METRIC_LABELS({"by", "kernel"}),
		     aside_count(a->aside));
	source_put_metrics(a, out);
}

static void put_kernel(const struct agent *a, struct buf *out)
{
	const struct nft_stats *n = nft_stats(a->nft);
	struct policy_counts p;

	policy_counts(a->policy, &p);
	one_count(out, "manx_programs", METRIC_GAUGE, "Policy programs (chains) in force.",
		  p.programs);
	one_count(out, "manx_peer_sets", METRIC_GAUGE, "Peer set definitions in force.",
		  p.peer_sets);
	one_count(out, "manx_attachments", METRIC_GAUGE, "Pod interfaces in force.", p.attachments);
	one_count(out, "manx_routes", METRIC_GAUGE, "Routes wanted.", routes_count(a->routes));
	one_count(out, "manx_pending_operations", METRIC_GAUGE,
		  "Operations that the kernel has not acknowledged.", effects_pending(&a->effects));
	one_count(out, "manx_nft_transactions_total", METRIC_COUNTER, "nftables transactions.",
		  n->transactions);
	one_count(out, "manx_nft_operations_total", METRIC_COUNTER,
		  "Operations in nftables transactions.", n->operations);
	one_count(out, "manx_nft_errors_total", METRIC_COUNTER, "nftables transactions refused.",
		  n->errors);
	one_count(out, "manx_nft_refused_elements", METRIC_GAUGE,
		  "Elements wanted that the kernel refuses, tried again with back-off.",
		  table_refused(a->table));
	one_count(out, "manx_nft_resyncs_total", METRIC_COUNTER,
		  "Times the kernel's table was read to find the difference.", n->resyncs);
	guard_put_metrics(&a->guard, out);
	links_put_metrics(a, out);
	recheck_put_metrics(&a->recheck, out);
	leaks_put_metrics(a, out);
	one_count(out, "manx_nft_last_transaction_operations", METRIC_GAUGE,
		  "Operations in the last transaction.", n->last_operations);
	one_value(out, "manx_nft_last_transaction_seconds", METRIC_GAUGE,
		  "Duration of the last transaction.", seconds(n->last_usec));
	one_value(out, "manx_nft_longest_transaction_seconds", METRIC_GAUGE,
		  "Longest time that the kernel took for a transaction, its commit lock held.",
		  seconds(n->longest_usec));
	metric_head(out, "manx_event_to_kernel_seconds", METRIC_HISTOGRAM,
		    "From the arrival of a change to the kernel's acknowledgement.");
	histogram_print(out, "manx_event_to_kernel_seconds", NULL, &a->count.event_to_kernel);
}

static void put_cni(const struct agent *a, struct buf *out)
{
	static const char *const results[] = {"ok", "error"};

	metric_head(out, "manx_cni_request_seconds", METRIC_HISTOGRAM,
		    "CNI requests, by verb and result.");
	for (int v = 0; v < CNI_VERSION; v++) /* which the plugin answers by itself */
		for (size_t r = 0; r < ARRAY_SIZE(results); r++)
			histogram_print(out, "manx_cni_request_seconds",
					METRIC_LABELS({"verb", cni_verb_str((enum cni_verb)v)},
						      {"result", results[r]}),
					&a->count.cni[v][r]);
}

static void put_ipam(const struct agent *a, struct buf *out)
{
	static const char *const names[] = {"manx_ipam_addresses", "manx_ipam_addresses_used",
					    "manx_ipam_addresses_cooling"};
	static const char *const helps[] = {"Addresses of a range.", "Addresses in use.",
					    "Freed addresses not given out again yet."};
	struct ipam_use use[IPAM_RANGES_MAX];
	size_t n;

	ipam_advance(a->ipam, monotonic_usec());
	n = ipam_uses(a->ipam, use, IPAM_RANGES_MAX);

	for (size_t m = 0; m < ARRAY_SIZE(names); m++) {
		metric_head(out, names[m], METRIC_GAUGE, helps[m]);
		for (size_t i = 0; i < n; i++) {
			uint64_t values[] = {use[i].size, use[i].used, use[i].cooling};
			char range[PREFIX_STR_MAX];

			metric_count(out, names[m],
				     METRIC_LABELS({"range", prefix_str(&use[i].range, range)}),
				     values[m]);
		}
	}
}

static void put_journal(const struct agent *a, struct buf *out)
{
	one_count(out, "manx_journal_writable", METRIC_GAUGE,
		  "1: the disk takes what is written to the journal; 0: not, and ADD fails.",
		  a->durable.sync.ok);
	one_count(out, "manx_journal_failures_total", METRIC_COUNTER,
		  "Times that the disk did not, tries again included.", a->durable.failures);
}

static void put_holds(const struct loop_stats *l, struct buf *out)
{
	struct histogram h;
	double bounds[LOOP_HOLDS];

	for (size_t i = 0; i < LOOP_HOLDS; i++)
		bounds[i] = seconds(loop_hold_usec[i]);
	histogram_init(&h, bounds, LOOP_HOLDS);
	for (size_t i = 0; i <= LOOP_HOLDS; i++) {
		h.counts[i] = l->holds[i];
		h.n += l->holds[i];
	}
	h.sum = seconds(l->held);
	metric_head(out, "manx_loop_hold_seconds", METRIC_HISTOGRAM,
		    "How long callbacks held the loop.");
	histogram_print(out, "manx_loop_hold_seconds", NULL, &h);
}

static void put_process(const struct agent *a, struct buf *out)
{
	const struct loop_stats *l = loop_stats(a->loop);
	struct process_stats p = {0};

	metric_head(out, "manx_build_info", METRIC_GAUGE, "The version, as a label.");
	metric_count(out, "manx_build_info", METRIC_LABELS({"version", MANX_VERSION}), 1);
	one_count(out, "manx_loop_turns_total", METRIC_COUNTER, "Wake-ups of the loop.", l->turns);
	one_count(out, "manx_loop_stalls_total", METRIC_COUNTER,
		  "Callbacks that held the loop longer than 5 ms.", l->stalls);
	one_value(out, "manx_loop_longest_hold_seconds", METRIC_GAUGE,
		  "Longest time that a callback held the loop.", seconds(l->longest));
	put_holds(l, out);
	one_count(out, "manx_log_lines_lost_total", METRIC_COUNTER,
		  "Lines of the log that are lost, because standard error was not read.",
		  log_lost());
	one_count(out, "manx_config_reloads_total", METRIC_COUNTER,
		  "Configurations applied while running.", a->count.reloads);
	one_count(out, "manx_config_reload_errors_total", METRIC_COUNTER,
		  "Configurations refused while running.", a->count.reload_errors);
	if (process_read(&p) == 0)
		process_metrics(&p, out);
}

/**
 * report_metrics() - /metrics in Prometheus text; a pages_fn
 * @agent:    struct agent
 * @out:      Appended to
 * @ret_type: Content type
 *
 * Return: 200
 */
unsigned int report_metrics(void *agent, struct buf *out, const char **ret_type)
{
	const struct agent *a = agent;

	*ret_type = METRICS_CONTENT_TYPE;
	put_objects(a, out);
	put_kernel(a, out);
	put_cni(a, out);
	cniconf_put_metrics(&a->cniconf, out);
	put_ipam(a, out);
	put_journal(a, out);
	put_process(a, out);
	return 200;
}

/**
 * report_live() - /livez: the loop turns, or this page would not be answered; a pages_fn
 * @agent:    struct agent
 * @out:      Appended to
 * @ret_type: Content type, left alone
 *
 * Return: 200
 */
unsigned int report_live(void *agent _unused_, struct buf *out, const char **ret_type _unused_)
{
	buf_puts(out, "ok\n");
	return 200;
}

/**
 * report_ready() - /readyz: in sync, the kernel agrees, and all that decides was read; an
 *                  pages_fn
 * @agent:    struct agent
 * @out:      Appended to: "ok", or why not
 * @ret_type: Content type, left alone
 *
 * Return: 200, 503
 */
unsigned int report_ready(void *agent, struct buf *out, const char **ret_type _unused_)
{
	_cleanup_(freep) char *doubt = source_doubt(agent);
	struct agent *a = agent;
	const char *why;

	if (agent_ready(a, &why) || (!a->source_synced && doubt))
		why = doubt;
	if (!why && !a->installed) /* the turn that follows does it */
		why = "the plugin and its configuration are not installed yet";
	buf_printf(out, "%s\n", why ?: "ok");
	return why ? 503 : 200;
}
