// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report.c - `manx status`, and the calls of the command line.
 *
 * Status is built once, as rows of a table for people or as JSON with the same content.
 */
#include "agent/report/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/health.h"
#include "agent/leaks.h"
#include "lib/jsonw.h"

/* struct sheet - where a report goes: @json, or lines of text in @out */
struct sheet {
	struct agent *agent;
	struct buf *out;
	struct jsonw *json; /* NULL: text */
};

static void begin_list(struct sheet *s, const char *key, const char *title)
{
	if (s->json)
		jsonw_begin(s->json, key, '[');
	else
		buf_printf(s->out, "\n%s\n", title);
}

static void end_list(struct sheet *s)
{
	if (s->json)
		jsonw_end(s->json, ']');
}

/* --- source, kernel ------------------------------------------------------------------------------
 */

static void put_source(struct sheet *s)
{
	const struct agent *a = s->agent;

	if (!s->json) {
		source_put_status(a, NULL, s->out);
		return;
	}
	jsonw_begin(s->json, "source", '{');
	source_put_status(a, s->json, NULL);
	jsonw_bool(s->json, "synced", a->source_synced);
	jsonw_begin(s->json, "objects", '{');
	for (int k = 0; k < _KIND_MAX; k++)
		jsonw_uint(s->json, kind_str((enum kind)k),
			   store_count(a->source.store, (enum kind)k));
	jsonw_end(s->json, '}');
	jsonw_end(s->json, '}');
}

static void put_kernel(struct sheet *s)
{
	const struct agent *a = s->agent;
	const struct nft_stats *n = nft_stats(a->nft);
	const struct loop_stats *l = loop_stats(a->loop);
	struct policy_counts p;
	const char *problem;
	bool in_sync;

	policy_counts(a->policy, &p);
	in_sync = effects_in_sync(&a->effects, &problem);
	if (!s->json) {
		buf_printf(s->out,
			   "Kernel    %s: table inet %s, %zu programs, %zu peer sets, %zu routes\n"
			   "          %" PRIu64 " transactions, %" PRIu64 " operations, %" PRIu64
			   " refused; the last: %" PRIu64 " operations in %" PRIu64 " us\n"
			   "Loop      %" PRIu64 " turns, %" PRIu64
			   " stalls above 5 ms, longest %.1f ms%s%s\n",
			   in_sync ? "in sync" : problem, TABLE_NAME, p.programs, p.peer_sets,
			   routes_count(a->routes), n->transactions, n->operations, n->errors,
			   n->last_operations, n->last_usec, l->turns, l->stalls,
			   (double)l->longest / USEC_PER_MSEC, l->stall_by ? ", last by " : "",
			   l->stall_by ? l->stall_by : "");
		return;
	}
	jsonw_begin(s->json, "kernel", '{');
	jsonw_bool(s->json, "in_sync", in_sync);
	jsonw_str(s->json, "problem", in_sync ? NULL : problem);
	jsonw_uint(s->json, "programs", p.programs);
	jsonw_uint(s->json, "peer_sets", p.peer_sets);
	jsonw_uint(s->json, "routes", routes_count(a->routes));
	jsonw_uint(s->json, "pending", effects_pending(&a->effects));
	jsonw_uint(s->json, "transactions", n->transactions);
	jsonw_uint(s->json, "operations", n->operations);
	jsonw_uint(s->json, "errors", n->errors);
	jsonw_uint(s->json, "last_operations", n->last_operations);
	jsonw_uint(s->json, "last_microseconds", n->last_usec);
	jsonw_end(s->json, '}');
	jsonw_begin(s->json, "loop", '{');
	jsonw_uint(s->json, "turns", l->turns);
	jsonw_uint(s->json, "stalls", l->stalls);
	jsonw_uint(s->json, "longest_microseconds", l->longest);
	jsonw_str(s->json, "stall_by", l->stall_by);
	jsonw_end(s->json, '}');
}

/* --- pods, policies, ranges
 * ------------------------------------------------------------------------ */

static void put_pod(struct sheet *s, const struct attachment *at)
{
	struct policy_pod_info info = {0};
	char text[2][ADDR_STR_MAX] = {"", ""};

	(void)policy_pod_info(s->agent->policy, at->id, at->ifname, &info);
	for (uint32_t i = 0; i < at->n_addrs; i++)
		(void)addr_str(&at->addrs[i], text[i]);
	if (!s->json) {
		_cleanup_(freep) char *name = xasprintf("%s/%s", at->ns, at->pod);

		buf_printf(s->out, "  %-32s %s%s%s %s in=%s out=%s%s\n", name, text[0],
			   *text[1] ? "," : "", text[1], at->host_ifname,
			   info.program[INGRESS] ? info.program[INGRESS] : "open",
			   info.program[EGRESS] ? info.program[EGRESS] : "open",
			   links_are_gone(s->agent, at)	   ? " (its interface was deleted)"
			   : attachment_is_unexplained(at) ? " (its record was lost)"
			   : info.known			   ? ""
							   : " (object not known)");
		return;
	}
	jsonw_begin(s->json, NULL, '{');
	jsonw_str(s->json, "namespace", at->ns);
	jsonw_str(s->json, "name", at->pod);
	jsonw_str(s->json, "container", at->id);
	jsonw_str(s->json, "network", at->network);
	jsonw_str(s->json, "interface", at->host_ifname);
	jsonw_begin(s->json, "addresses", '[');
	for (uint32_t i = 0; i < at->n_addrs; i++)
		jsonw_str(s->json, NULL, text[i]);
	jsonw_end(s->json, ']');
	jsonw_bool(s->json, "known", info.known);
	jsonw_bool(s->json, "interface_gone", links_are_gone(s->agent, at));
	jsonw_str(s->json, "ingress", info.program[INGRESS]);
	jsonw_str(s->json, "egress", info.program[EGRESS]);
	jsonw_end(s->json, '}');
}

static void put_policy(void *arg, const struct policy_info *info)
{
	const struct object *o = &info->policy->o;
	struct sheet *s = arg;

	if (!s->json) {
		_cleanup_(freep) char *name = xasprintf("%s/%s", o->ns, o->name);

		buf_printf(s->out, "  %-32s selects %u pods here%s\n", name, info->local_pods,
			   o->problem ? " (set aside: they are isolated)" : "");
		return;
	}
	jsonw_begin(s->json, NULL, '{');
	jsonw_str(s->json, "namespace", o->ns);
	jsonw_str(s->json, "name", o->name);
	jsonw_uint(s->json, "local_pods", info->local_pods);
	jsonw_bool(s->json, "ingress", info->policy->isolates[INGRESS]);
	jsonw_bool(s->json, "egress", info->policy->isolates[EGRESS]);
	jsonw_str(s->json, "problem", o->problem);
	jsonw_end(s->json, '}');
}

static void put_range(struct sheet *s, const struct ipam_use *u)
{
	char range[PREFIX_STR_MAX];

	(void)prefix_str(&u->range, range);
	if (!s->json) {
		buf_printf(s->out,
			   "  %-32s %" PRIu64 " of %" PRIu64 " in use, %" PRIu64
			   " cooling down%s\n",
			   range, u->used, u->size, u->cooling,
			   u->retired ? ", not configured any more" : "");
		return;
	}
	jsonw_begin(s->json, NULL, '{');
	jsonw_str(s->json, "range", range);
	jsonw_uint(s->json, "size", u->size);
	jsonw_uint(s->json, "used", u->used);
	jsonw_uint(s->json, "cooling", u->cooling);
	jsonw_bool(s->json, "retired", u->retired);
	jsonw_end(s->json, '}');
}

static void put_ranges(struct sheet *s)
{
	struct ipam_use use[IPAM_RANGES_MAX];
	size_t n;

	ipam_advance(s->agent->ipam, monotonic_usec());
	n = ipam_uses(s->agent->ipam, use, IPAM_RANGES_MAX);
	begin_list(s, "ranges", "Addresses");
	for (size_t i = 0; i < n; i++)
		put_range(s, &use[i]);
	end_list(s);
}

static void put_attachments(struct sheet *s)
{
	const struct attachment *at = NULL;

	begin_list(s, "pods", "Pods");
	while ((at = journal_next(s->agent->journal, at)))
		put_pod(s, at);
	end_list(s);
}

/* --- problems ----------------------------------------------------------------------------------
 */

static void put_problem(void *arg, const char *text)
{
	struct sheet *s = arg;

	if (s->json)
		jsonw_str(s->json, NULL, text);
	else
		buf_printf(s->out, "  %s\n", text);
}

static void put_refused(void *arg, const struct object *policy, const char *problem)
{
	_cleanup_(freep) char *text = xasprintf("%s %s/%s: %s", kind_str(policy->kind), policy->ns,
						policy->name, problem ? problem : "refused");

	put_problem(arg, text);
}

static void put_node(void *arg, const struct node *node, const char *problem)
{
	_cleanup_(freep) char *text = xasprintf("Node %s: %s", node->o.name, problem);

	put_problem(arg, text);
}

static void put_shared(void *arg, const struct addr *a, const struct pod *pod,
		       const struct pod *more)
{
	char address[ADDR_STR_MAX];
	_cleanup_(freep) char *text = xasprintf(
		"pods %s/%s and %s/%s both have the address %s: selectors of policies mean "
		"it only where it is a pod's of this node; delete the one that is gone",
		pod->o.ns, pod->o.name, more->o.ns, more->o.name, addr_str(a, address));

	put_problem(arg, text);
}

/* After damage of the journal. */
static void put_unexplained(struct sheet *s)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(s->agent->journal, at))) {
		_cleanup_(freep) char *text = NULL;
		char address[ADDR_STR_MAX] = "";

		if (!attachment_is_unexplained(at))
			continue;
		if (at->n_addrs)
			(void)addr_str(&at->addrs[0], address);
		text = xasprintf(
			"ipam: the journal lost the record of interface %s: isolated; delete "
			"the pod with address %s",
			at->host_ifname, *address ? address : "(not known)");
		put_problem(s, text);
	}
}

static void put_problems(struct sheet *s)
{
	begin_list(s, "problems", "Problems");
	effects_each_problem(&s->agent->effects, put_problem, s);
	if (forwarding_problem(&s->agent->forwarding))
		put_problem(s, forwarding_problem(&s->agent->forwarding));
	if (s->agent->forwarding.uplink_off)
		put_problem(s, "packets for pods are not forwarded from the node's interface: its "
			       "sysctl forwarding is 0");
	if (cniconf_problem(&s->agent->cniconf))
		put_problem(s, cniconf_problem(&s->agent->cniconf));
	vec_foreach (text, &s->agent->firewall.problems)
		put_problem(s, *text);
	leaks_each(s->agent, put_problem, s);
	put_unexplained(s);
	source_each_problem(s->agent, put_problem, s);
	aside_each(s->agent->aside, put_refused, s);
	nodes_each_problem(s->agent->nodes, put_node, s);
	nodes_each_unreached(s->agent->nodes, put_node, s);
	policy_each_shared(s->agent->policy, put_shared, s);
	end_list(s);
}

static void put_warnings(struct sheet *s)
{
	begin_list(s, "warnings", "Warnings");
	source_each_warning(s->agent, put_problem, s);
	end_list(s);
}

/**
 * report_status() - Everything about the running agent
 * @a:    Agent
 * @json: As JSON
 * @out:  Appended to
 */
static void report_status(struct agent *a, bool json, struct buf *out)
{
	struct jsonw w = {.out = out};
	struct sheet s = {.agent = a, .out = out, .json = json ? &w : NULL};
	const char *why;

	if (json) {
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "node", a->config->node);
		jsonw_bool(&w, "ready", agent_ready(a, &why));
		jsonw_uint(&w, "mtu", a->uplink.mtu);
	} else {
		buf_printf(out, "Node      %s, %s, MTU of pods %u\n", a->config->node,
			   agent_ready(a, &why) ? "ready" : why, a->uplink.mtu);
	}
	put_source(&s);
	put_kernel(&s);
	put_ranges(&s);
	put_attachments(&s);
	begin_list(&s, "policies", "Policies");
	policy_each(a->policy, put_policy, &s);
	end_list(&s);
	put_problems(&s);
	put_warnings(&s);
	if (json)
		jsonw_end(&w, '}');
	buf_putc(out, '\n');
}

/* --- ipam --------------------------------------------------------------------------------------
 */

static bool has_argument(const struct value *args, const char *what)
{
	for (uint32_t i = 0; args && i < args->n; i++)
		if (args->items[i]->type == VALUE_STRING && streq(args->items[i]->text, what))
			return true;
	return false;
}

/**
 * report_call() - Answer a call of the command line
 * @a:    Agent
 * @c:    Call; finished, now or later
 * @what: "status", "ipam"; NULL or anything else is an error
 * @m:    The message (wire.h)
 */
void report_call(struct agent *a, struct call *c, const char *what, const struct value *m)
{
	_cleanup_(buf_done) struct buf out = {0};
	const struct value *args = NULL;
	int code = 0;

	(void)value_get_seq(m, "", "args", &args, NULL);
	if (streq(what, "status")) {
		report_status(a, has_argument(args, "--json"), &out);
	} else if (streq(what, "ipam")) {
		report_ipam(a, c, args);
		return;
	} else {
		buf_puts(&out, "the agent does not know this call\n");
		code = 1;
	}
	call_finish(c, out.data, code);
}
