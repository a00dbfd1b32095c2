// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fences.c - which interfaces with a name of ours exist, as the kernel tells, and their MTU.
 */
#include "agent/fences.h"

#include <stdio.h>
#include <uthash.h>

#include "agent/link_names.h"
#include "datapath/base/localpods.h"
#include "ipam/attachment.h"

struct fence {
	char ifname[IFNAME_MAX + 1];
	uint32_t mtu; /* 0: not known */
	UT_hash_handle hh;
};

static struct fence *find(const struct fences *s, const char *ifname)
{
	struct fence *f;

	HASH_FIND_STR(s->all, ifname, f);
	return f;
}

static void take_down(struct fences *s, struct fence *f)
{
	localpods_hold_link(s->pods, f->ifname, false);
	HASH_DEL(s->all, f);
	free(f);
}

/**
 * fences_seen() - An interface with a name of ours exists
 * @s:      Fences
 * @ifname: Its name
 */
void fences_seen(struct fences *s, const char *ifname)
{
	struct fence *f = find(s, ifname);

	if (f)
		return;
	f = xcalloc(1, sizeof(*f));
	(void)snprintf(f->ifname, sizeof(f->ifname), "%s", ifname);
	HASH_ADD_STR(s->all, ifname, f);
	localpods_hold_link(s->pods, ifname, true);
}

/**
 * fences_mtu() - The MTU that an interface has by us
 * @s:      Fences
 * @ifname: Its name
 *
 * Return: bytes; 0 if that is not known
 */
uint32_t fences_mtu(const struct fences *s, const char *ifname)
{
	const struct fence *f = find(s, ifname);

	return f ? f->mtu : 0;
}

/**
 * fences_set_mtu() - We gave an interface an MTU, or found it with one
 * @s:      Fences
 * @ifname: Its name
 * @mtu:    Bytes; 0 if it is not known
 */
void fences_set_mtu(struct fences *s, const char *ifname, uint32_t mtu)
{
	struct fence *f = find(s, ifname);

	if (f)
		f->mtu = mtu;
}

/**
 * fences_gone() - It does not exist any more
 * @s:      Fences
 * @ifname: Its name
 */
void fences_gone(struct fences *s, const char *ifname)
{
	struct fence *f = find(s, ifname);

	if (f)
		take_down(s, f);
}

/**
 * fences_compare() - At the start, and after lost notifications: these exist, and no others
 * @s:     Fences
 * @links: Sorted
 */
void fences_compare(struct fences *s, const struct link_names *links)
{
	struct fence *f, *next;

	vec_foreach (name, &links->v)
		fences_seen(s, *name);
	HASH_ITER (hh, s->all, f, next) {
		if (!link_names_have(links, f->ifname))
			take_down(s, f);
	}
}
