// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_effects.c - each of cni_ops.h by the parts of the agent; decides nothing.
 */
#include "agent/cni/cni_effects.h"

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/cni/calls.h"
#include "agent/cni/cni_verbs.h"
#include "agent/health.h"

/* --- asked -------------------------------------------------------------------------------------
 */

static uint64_t now(void *arg)
{
	return loop_now(((struct agent *)arg)->loop);
}

static bool source_known(void *arg)
{
	return ((struct agent *)arg)->source_synced;
}

static bool changes_wait(void *arg)
{
	return changes_length(((struct agent *)arg)->changes) > 0;
}

static bool pod_known(void *arg, const struct attachment *at)
{
	return policy_pod_known(((struct agent *)arg)->policy, at->id, at->ifname);
}

static const char *blocked(void *arg)
{
	const char *why = NULL;

	return stale_now(&((struct agent *)arg)->stale, &why) ? why : NULL;
}

static const char *not_ready(void *arg)
{
	const char *why = NULL;

	return agent_ready(arg, &why) || ready_in_grace(&((struct agent *)arg)->ready) ? NULL : why;
}

static const char *overridden(void *arg)
{
	return cniconf_problem(&((struct agent *)arg)->cniconf);
}

static uint64_t pod_wait(void *arg)
{
	return ((struct agent *)arg)->config->pod_wait_usec;
}

static uint32_t mtu(void *arg, const char *host_ifname)
{
	const struct agent *a = arg;

	return host_ifname ? fences_mtu(&a->fences, host_ifname) : a->uplink.mtu;
}

static const struct attachment *find(void *arg, const char *id, const char *ifname)
{
	return journal_find(((struct agent *)arg)->journal, id, ifname);
}

static const struct attachment *find_link(void *arg, const char *host_ifname)
{
	return journal_find_link(((struct agent *)arg)->journal, host_ifname);
}

static const struct attachment *next(void *arg, const struct attachment *at)
{
	return journal_next(((struct agent *)arg)->journal, at);
}

static bool link_lost(void *arg, const struct attachment *at)
{
	return links_are_gone(arg, at);
}

/* Policies too large to be compiled in one go: until they are complete the pod would be isolated.
 */
static enum cni_settled rules(void *arg, const struct attachment *at, const char **ret_problem)
{
	const struct agent *a = arg;

	switch (datapath_settled(a->datapath, at, ret_problem)) {
	case NFT_IN_FORCE:
		return CNI_IN_FORCE;
	case NFT_KEY_REFUSED:
		return CNI_REFUSED;
	case NFT_IN_PROGRESS:
		break;
	}
	if (!sync_is_stuck(&a->table_sync))
		return CNI_IN_PROGRESS;
	*ret_problem = a->table_sync.problem;
	return CNI_REFUSED;
}

static enum cni_settled routes(void *arg, const struct attachment *at, const char **ret_problem)
{
	const struct agent *a = arg;

	if (attach_under_way(a, at))
		return CNI_IN_PROGRESS;
	*ret_problem = *a->routes_sync.problem ? a->routes_sync.problem
					       : "the kernel refused the pod's route";
	return attach_routed(a, at) ? CNI_IN_FORCE : CNI_REFUSED;
}

static enum cni_settled record(void *arg, uint64_t seq, const char **ret_problem)
{
	const struct agent *a = arg;

	*ret_problem = a->durable.sync.problem;
	if (journal_synced(a->journal, seq))
		return CNI_IN_FORCE;
	return journal_trouble(a->journal) ? CNI_REFUSED : CNI_IN_PROGRESS;
}

/* --- done --------------------------------------------------------------------------------------
 */

static void wake(void *arg)
{
	loop_wake(((struct agent *)arg)->loop);
}

static void on_alarm(void *arg)
{
	calls_alarm(arg);
}

static void alarm_at(void *arg, struct cni_call *c, uint64_t at)
{
	const struct agent *a = arg;

	if (at == USEC_INFINITY) {
		c->alarm = loop_source_free(c->alarm);
		return;
	}
	if (!c->alarm)
		c->alarm = loop_timer(a->loop, "call", on_alarm, c);
	loop_timer_at(c->alarm, at);
}

static int make(void *arg, const struct cni_request *q, struct attachment **ret, uint64_t *ret_seq,
		struct err *reterr)
{
	return attach_make(arg, q, ret, ret_seq, reterr);
}

static int moved(void *arg, const struct attachment *at, uint64_t *ret_seq, struct err *reterr)
{
	return journal_put(((struct agent *)arg)->journal, at, ret_seq, reterr);
}

static void want_rules(void *arg, const struct attachment *at)
{
	attach_rules(arg, at);
}

static void want_routes(void *arg, const struct attachment *at)
{
	attach_want_routes(arg, at);
}

static void unroute(void *arg, const struct attachment *at)
{
	attach_unroute(arg, at);
}

static void forget_rules(void *arg, const struct attachment *at)
{
	attach_forget(arg, at);
}

static void release(void *arg, const struct attachment *at)
{
	attach_release(arg, at);
}

static void forget_ports(void *arg, const struct attachment *at)
{
	hostaddrs_forget(&((struct agent *)arg)->hostaddrs, at);
}

static void on_flushed(void *arg)
{
	calls_flushed(arg);
}

static void flush(void *arg, struct cni_call *c, const struct addr *addrs, size_t n)
{
	routing_flush(&((struct agent *)arg)->routing, addrs, n, on_flushed, c);
}

static void fetch_pod(void *arg, const char *ns, const char *pod)
{
	source_fetch_pod(arg, ns, pod);
}

static void observe(void *arg, enum cni_verb verb, bool ok, uint64_t usec)
{
	struct agent *a = arg;

	histogram_observe(&a->count.cni[verb][ok ? CNI_RESULT_OK : CNI_RESULT_ERROR],
			  (double)usec / USEC_PER_SEC);
}

static void listen_to(void *arg _unused_, struct call *call, struct call_work *work)
{
	call_set_work(call, work);
}

static void send_message(void *arg _unused_, struct call *call, const char *json)
{
	call_send(call, json);
}

static void finish(void *arg _unused_, struct call *call, const char *text, int exit_code)
{
	call_set_work(call, NULL);
	call_finish(call, text, exit_code);
}

const struct cni_ops cni_effects = {
	.now = now,
	.source_known = source_known,
	.changes_wait = changes_wait,
	.pod_known = pod_known,
	.blocked = blocked,
	.not_ready = not_ready,
	.overridden = overridden,
	.pod_wait = pod_wait,
	.mtu = mtu,
	.find = find,
	.find_link = find_link,
	.next = next,
	.link_lost = link_lost,
	.rules = rules,
	.routes = routes,
	.record = record,
	.wake = wake,
	.alarm = alarm_at,
	.make = make,
	.moved = moved,
	.want_rules = want_rules,
	.want_routes = want_routes,
	.unroute = unroute,
	.forget_rules = forget_rules,
	.release = release,
	.forget_ports = forget_ports,
	.flush = flush,
	.fetch_pod = fetch_pod,
	.observe = observe,
	.listen = listen_to,
	.send = send_message,
	.finish = finish,
};
