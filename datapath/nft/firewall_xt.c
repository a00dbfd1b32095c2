// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * firewall_xt.c - matches and targets of iptables, as far as every firewall has them.  Pure.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_state.h>

#include "datapath/nft/firewall.h"
#include "lib/util.h"

static enum firewall_truth of(bool b)
{
	return b ? FIREWALL_YES : FIREWALL_NO;
}

/* -m conntrack --ctstate and -m state, the ones that every firewall of iptables has. */
static enum firewall_truth match_states(const char *name, const void *info, uint32_t len)
{
	const uint32_t new = XT_CONNTRACK_STATE_BIT(IP_CT_NEW);

	if (streq(name, "state") && len >= sizeof(struct xt_state_info))
		return of(((const struct xt_state_info *)info)->statemask &
			  XT_STATE_BIT(IP_CT_NEW));
	if (streq(name, "conntrack") && len >= sizeof(struct xt_conntrack_mtinfo3)) {
		const struct xt_conntrack_mtinfo3 *m = info;

		if (m->match_flags != XT_CONNTRACK_STATE)
			return FIREWALL_MAYBE;
		return of(!(m->state_mask & new) == !!(m->invert_flags & XT_CONNTRACK_STATE));
	}
	return FIREWALL_MAYBE;
}

/**
 * firewall_match() - Does a match of iptables (-m) match the packet?
 * @name: Its name
 * @info: Its data
 * @len:  Bytes of it
 *
 * Return: FIREWALL_MAYBE for all but a few
 */
enum firewall_truth firewall_match(const char *name, const void *info, uint32_t len)
{
	return streq(name, "comment") ? FIREWALL_YES : match_states(name, info, len);
}

/**
 * firewall_target() - What does a target of iptables (-j) do with the packet?
 * @name: Its name; not a verdict
 *
 * Return: FIREWALL_NEXT: it goes on to the next rule
 */
enum firewall_verdict firewall_target(const char *name)
{
	static const char *const harmless[] = {"LOG",  "NFLOG", "MARK",	  "CONNMARK",
					       "DSCP", "TRACE", "TCPMSS", "CT"};

	if (streq(name, "REJECT"))
		return FIREWALL_DROP;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (streq(name, harmless[i]))
			return FIREWALL_NEXT;
	return FIREWALL_UNSURE;
}
