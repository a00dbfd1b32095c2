// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fences.c - which interfaces with a name of ours exist, as the kernel tells, and their MTU.
 */
#include "agent/fences.h"

#include <stdio.h>
#include <uthash.h>

#include "agent/agent.h"
#include "ipam/attachment.h"

struct fence {
	char ifname[IFNAME_MAX + 1];
	uint32_t mtu; /* 0: not known */
	UT_hash_handle hh;
};

static struct fence *find(const struct agent *a, const char *ifname)
{
	struct fence *f;

	HASH_FIND_STR(a->fences, ifname, f);
	return f;
}

static void take_down(struct agent *a, struct fence *f)
{
	localpods_hold_link(&a->datapath->pods, f->ifname, false);
	HASH_DEL(a->fences, f);
	free(f);
}

/**
 * fences_seen() - An interface with a name of ours exists
 * @a:      Agent
 * @ifname: Its name
 */
void fences_seen(struct agent *a, const char *ifname)
{
	struct fence *f = find(a, ifname);

	if (f)
		return;
	f = xcalloc(1, sizeof(*f));
	(void)snprintf(f->ifname, sizeof(f->ifname), "%s", ifname);
	HASH_ADD_STR(a->fences, ifname, f);
	localpods_hold_link(&a->datapath->pods, ifname, true);
}

/**
 * fences_mtu() - The MTU that an interface has by us
 * @a:      Agent
 * @ifname: Its name
 *
 * Return: bytes; 0 if that is not known
 */
uint32_t fences_mtu(const struct agent *a, const char *ifname)
{
	const struct fence *f = find(a, ifname);

	return f ? f->mtu : 0;
}

/**
 * fences_set_mtu() - We gave an interface an MTU, or found it with one
 * @a:      Agent
 * @ifname: Its name
 * @mtu:    Bytes; 0 if it is not known
 */
void fences_set_mtu(struct agent *a, const char *ifname, uint32_t mtu)
{
	struct fence *f = find(a, ifname);

	if (f)
		f->mtu = mtu;
}

/**
 * fences_gone() - It does not exist any more
 * @a:      Agent
 * @ifname: Its name
 */
void fences_gone(struct agent *a, const char *ifname)
{
	struct fence *f = find(a, ifname);

	if (f)
		take_down(a, f);
}

/**
 * fences_compare() - At the start, and after lost notifications: these exist, and no others
 * @a:     Agent
 * @links: Sorted
 */
void fences_compare(struct agent *a, const struct link_names *links)
{
	struct fence *f, *next;

	vec_foreach (name, &links->v)
		fences_seen(a, *name);
	HASH_ITER (hh, a->fences, f, next) {
		if (!link_names_have(links, f->ifname))
			take_down(a, f);
	}
}
