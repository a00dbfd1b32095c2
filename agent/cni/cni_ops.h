/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni_ops.h - what CNI calls ask of the rest of the agent, and have it do.
 *
 * calls.c, cni_verbs.c and cni_again.c decide by a call, what came and these answers alone: nothing
 * else of the system reaches them.  The agent's side is cni_effects.c; a recorder takes its place
 * in test_cni_scenarios.c.
 */
#pragma once

#include "agent/cni/cni.h"
#include "agent/socket/server.h"
#include "ipam/attachment.h"

struct cni_call;

/* How far the kernel, or the disk, is with something: an error is for good */
enum cni_settled { CNI_IN_PROGRESS, CNI_IN_FORCE, CNI_REFUSED };

/*
 * struct cni_ops - @arg is the first argument of all
 *
 * Asked:
 * @now:        Monotonic, microseconds
 * @source_known: Was the source read completely?
 * @changes_wait: Has it told of something that is not worked in?
 * @pod_known:  Is the pod's object here?
 * @blocked:    Why no pod may be added now, as no policies are known; NULL: it may
 * @not_ready:  What STATUS has to say; NULL: we are, or take the place of an agent that was
 * @overridden: Which configuration sorts before ours; NULL: none
 * @pod_wait:   How long an ADD waits for its pod's object, microseconds
 * @mtu:        Of a pod's interface: @host_ifname's as it was made; NULL: of a new one
 * @find, @find_link, @next: Attachments of the journal, borrowed
 * @link_lost:  Was the interface taken away?
 * @rules, @routes, @record: Is it in force?  Else *ret_problem says why not
 *
 * Done:
 * @wake:       One more turn, at whose end calls_progress() is called
 * @alarm:      calls_alarm() at a time; USEC_INFINITY: not
 * @make:       Addresses, journal record, rules: 0; the negative of an enum cni_code
 * @moved:      The record is written again, with another namespace: 0, -errno
 * @want_rules, @want_routes, @unroute, @forget_rules: Wanted, or no longer
 * @release:    Addresses are free
 * @forget_ports: Forget what was tracked on host ports
 * @flush:      Forget connections, then calls_flushed()
 * @fetch_pod:  Ask the source for a pod
 * @observe:    A call has ended
 * @listen, @send, @finish: The caller
 */
struct cni_ops {
	uint64_t (*now)(void *arg);
	bool (*source_known)(void *arg);
	bool (*changes_wait)(void *arg);
	bool (*pod_known)(void *arg, const struct attachment *at);
	const char *(*blocked)(void *arg);
	const char *(*not_ready)(void *arg);
	const char *(*overridden)(void *arg);
	uint64_t (*pod_wait)(void *arg);
	uint32_t (*mtu)(void *arg, const char *host_ifname);
	const struct attachment *(*find)(void *arg, const char *id, const char *ifname);
	const struct attachment *(*find_link)(void *arg, const char *host_ifname);
	const struct attachment *(*next)(void *arg, const struct attachment *at);
	bool (*link_lost)(void *arg, const struct attachment *at);
	enum cni_settled (*rules)(void *arg, const struct attachment *at, const char **ret_problem);
	enum cni_settled (*routes)(void *arg, const struct attachment *at,
				   const char **ret_problem);
	enum cni_settled (*record)(void *arg, uint64_t seq, const char **ret_problem);

	void (*wake)(void *arg);
	void (*alarm)(void *arg, struct cni_call *c, uint64_t at);
	int (*make)(void *arg, const struct cni_request *q, struct attachment **ret,
		    uint64_t *ret_seq, struct err *reterr);
	int (*moved)(void *arg, const struct attachment *at, uint64_t *ret_seq, struct err *reterr);
	void (*want_rules)(void *arg, const struct attachment *at);
	void (*want_routes)(void *arg, const struct attachment *at);
	void (*unroute)(void *arg, const struct attachment *at);
	void (*forget_rules)(void *arg, const struct attachment *at);
	void (*release)(void *arg, const struct attachment *at);
	void (*forget_ports)(void *arg, const struct attachment *at);
	void (*flush)(void *arg, struct cni_call *c, const struct addr *addrs, size_t n);
	void (*fetch_pod)(void *arg, const char *ns, const char *pod);
	void (*observe)(void *arg, enum cni_verb verb, bool ok, uint64_t usec);
	void (*listen)(void *arg, struct call *call, struct call_work *work);
	void (*send)(void *arg, struct call *call, const char *json);
	void (*finish)(void *arg, struct call *call, const char *text, int exit_code);
};
