// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * passage.c - which settings of the host keep packets of pods from passing, and what mends them.
 *
 * Takes values, gives text.  Of rp_filter only the node's interface is judged: on a pod's interface
 * the route back is the pod's own (/32), so that strict is right there.
 */
#include "datapath/route/passage.h"

#define STRICT 1 /* 2, loose, only wants that there is a route back */

static unsigned int greater(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/**
 * passage_strict() - Does the kernel check the sources of what comes in through the uplink
 * strictly?
 * @p: @rp_filter is used
 *
 * The greater of the two values holds (Documentation/networking/ip-sysctl.rst).
 *
 * Return: true if so
 */
bool passage_strict(const struct passage *p)
{
	return greater(p->rp_filter[0], p->rp_filter[1]) == STRICT;
}

static void judge_source(const struct passage *p, struct passage_findings *ret)
{
	char peer[PREFIX_STR_MAX];

	if (!passage_strict(p) || !*p->way_back || streq(p->way_back, p->uplink))
		return;
	vec_push(
		&ret->v,
		xasprintf("rp_filter of interface %s is strict (1): packets of another node's pods "
			  "(%s) that come in there are dropped, since the route back to them "
			  "leaves through %s; change that route, or: "
			  "sysctl -w net/ipv4/conf/%s/rp_filter=2",
			  p->uplink, prefix_str(&p->peer, peer), p->way_back, p->uplink));
}

/* The switch for all bridges and that of the one are each enough. */
static void judge_bridge(const struct passage *p, int family, struct passage_findings *ret)
{
	const char *program = family ? "ip6tables" : "iptables";
	_cleanup_(buf_done) struct buf mend = {0};

	if (!*p->bridge || p->ports < 2 || !p->pods[family] ||
	    !(p->nf_global[family] || p->nf_own[family]))
		return;
	if (p->nf_global[family])
		buf_printf(&mend, "sysctl -w net.bridge.bridge-nf-call-%s=0", program);
	if (p->nf_own[family])
		buf_printf(&mend, "%sip link set %s type bridge nf_call_%s 0",
			   mend.len ? " && " : "", p->bridge, program);
	vec_push(&ret->v,
		 xasprintf("the node's interface is on bridge %s, and bridge-nf-call-%s is on: "
			   "what the "
			   "bridge passes from port to port goes through rules and connection "
			   "tracking for routed packets, too, where packets of pods may be dropped "
			   "or translated twice; what ends it: %s",
			   p->bridge, program, mend.data));
}

/**
 * passage_judge() - List what keeps packets of pods from passing
 * @p:   Values
 * @ret: Findings are appended, the caller's to free; each names setting, effect and command
 */
void passage_judge(const struct passage *p, struct passage_findings *ret)
{
	judge_source(p, ret);
	for (int i = 0; i < 2; i++)
		judge_bridge(p, i, ret);
}
