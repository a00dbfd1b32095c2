// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy_info.c - the policy engine for those who ask: metrics, status, recheck.  Pure.
 */
#include "datapath/policy/policy_internal.h"

/**
 * policy_touched() - The addresses whose connections may be allowed no longer
 * @e:   Engine, settled
 * @all: Note every isolated local pod
 *
 * Return: those of local pods that got another program and of pods that left a set; to be emptied
 */
struct touched *policy_touched(struct policy_engine *e, bool all)
{
	if (all)
		endpoints_touch_all(&e->endpoints);
	return &e->touched;
}

/**
 * policy_pod_known() - Has the object of an attachment arrived?
 * @e:      Engine
 * @id:     Container
 * @ifname: Interface
 *
 * Return: true if so; false: unknown object, or no such attachment
 */
bool policy_pod_known(const struct policy_engine *e, const char *id, const char *ifname)
{
	const struct endpoint *ep = endpoints_find(&e->endpoints, id, ifname);

	return ep && ep->pod;
}

/**
 * policy_counts() - Numbers for metrics
 * @e:   Engine
 * @ret: Numbers
 */
void policy_counts(const struct policy_engine *e, struct policy_counts *ret)
{
	*ret = e->counts;
	ret->programs = programs_count(e->programs);
	ret->peer_sets = peers_sets(e->peers);
}

/**
 * policy_each_shared() - Walk the addresses that several pods claim, for status
 * @e:   Engine
 * @fn:  Called for each
 * @arg: Its first argument
 */
void policy_each_shared(const struct policy_engine *e, shared_addr_fn *fn, void *arg)
{
	peers_each_shared(e->peers, fn, arg);
}

static uint32_t count_selected(const struct policy_engine *e, const struct match *m)
{
	const struct endpoint *ep;
	uint32_t n = 0;

	for (ep = e->endpoints.all; ep; ep = ep->hh.next)
		if (match_selects(m, ep))
			n++;
	return n;
}

/**
 * policy_each() - Walk all policies, for status
 * @e:   Engine
 * @fn:  Called for each, in no particular order
 * @arg: Its first argument
 */
void policy_each(const struct policy_engine *e,
		 void (*fn)(void *arg, const struct policy_info *info), void *arg)
{
	ptr_table_foreach(at, &e->policies)
	{
		const struct policy_record *r = *at;
		const struct policy_info info = {r->object, count_selected(e, &r->match)};

		fn(arg, &info);
	}
}

/**
 * policy_pod_info() - What an attachment is under
 * @e:      Engine
 * @id:     Container
 * @ifname: Interface
 * @ret:    Information, borrowed until the next change; untouched on failure
 *
 * Return: true if it is attached
 */
bool policy_pod_info(const struct policy_engine *e, const char *id, const char *ifname,
		     struct policy_pod_info *ret)
{
	const struct endpoint *ep = endpoints_find(&e->endpoints, id, ifname);

	if (!ep)
		return false;
	*ret = (struct policy_pod_info){.id = ep->at->id, .ifname = ep->at->ifname};
	ret->known = ep->pod;
	for (int d = 0; d < _DIRECTION_MAX; d++)
		ret->program[d] = ep->row[d][0].chain;
	return true;
}
