// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rib.c - the table of rib.h; filters: import.c, the decision: decide.c.  Pure.
 */
#include "datapath/bgp/rib.h"

#include <errno.h>

/**
 * bgp_fate_str() - What becomes of a path, in words
 * @f: Fate
 *
 * Return: static text
 */
const char *bgp_fate_str(enum bgp_fate f)
{
	static const char *const texts[] = {
		[BGP_USED] = "best",
		[BGP_REFUSED_IMPORT] = "import filter",
		[BGP_REFUSED_OWN] = "inside our own ranges",
		[BGP_REFUSED_MARTIAN] = "martian",
		[BGP_REFUSED_DEFAULT] = "default route",
		[BGP_REFUSED_LOOP] = "our AS in the path",
		[BGP_REFUSED_ORIGINATOR] = "our router id is the originator",
		[BGP_REFUSED_CLUSTER] = "our cluster id in the cluster list",
		[BGP_REFUSED_HOP] = "next hop is an address of this node",
		[BGP_REFUSED_UNREACHABLE] = "next hop unreachable",
		[BGP_LOST_LOCAL_PREF] = "local preference",
		[BGP_LOST_PATH_LENGTH] = "AS path length",
		[BGP_LOST_ORIGIN] = "origin",
		[BGP_LOST_MED] = "MED",
		[BGP_LOST_INTERNAL] = "external before internal",
		[BGP_LOST_METRIC] = "metric of the next hop",
		[BGP_LOST_ID] = "router id",
		[BGP_LOST_CLUSTERS] = "cluster list length",
		[BGP_LOST_ADDRESS] = "neighbour address",
	};

	return f < _BGP_FATE_MAX ? texts[f] : "?";
}

/* --- prefixes ----------------------------------------------------------------------------------
 */

/**
 * bgp_net_prefix() - The prefix of an entry
 * @n: Entry
 *
 * Return: its prefix
 */
struct prefix bgp_net_prefix(const struct bgp_net *n)
{
	struct prefix p = {.addr.family = n->family == BGP_IPV4 ? AF_INET : AF_INET6,
			   .len = n->len};

	memcpy(p.addr.b, n->addr, addr_len(&p.addr));
	return p;
}

static bool is_same(const void *item, const void *key)
{
	const struct prefix p = bgp_net_prefix(item);

	return prefix_eq(&p, key);
}

static struct bgp_net *find(const struct bgp_rib *r, const struct prefix *p)
{
	return ptr_table_get(&r->nets, bgp_prefix_hash(p), is_same, p);
}

/**
 * bgp_rib_find() - Look a prefix up
 * @r: Table
 * @p: Prefix
 *
 * Return: its entry; NULL: nobody announces it
 */
const struct bgp_net *bgp_rib_find(const struct bgp_rib *r, const struct prefix *p)
{
	return find(r, p);
}

static enum bgp_family family_of(const struct prefix *p)
{
	return p->addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
}

static struct bgp_net *add_net(struct bgp_rib *r, const struct prefix *p)
{
	size_t n = addr_len(&p->addr);
	struct bgp_net *net = xcalloc(1, offsetof(struct bgp_net, addr) + n);

	net->family = (uint8_t)family_of(p);
	net->len = p->len;
	memcpy(net->addr, p->addr.b, n);
	ptr_table_add(&r->nets, bgp_prefix_hash(p), net);
	return net;
}

static void free_net(struct bgp_rib *r, struct bgp_net *net)
{
	const struct prefix p = bgp_net_prefix(net);

	ptr_table_remove(&r->nets, ptr_table_find(&r->nets, bgp_prefix_hash(&p), is_same, &p));
	free(net);
}

static void mark(struct bgp_rib *r, struct bgp_net *net)
{
	if (net->dirty)
		return;
	net->dirty = true;
	net->next_dirty = NULL;
	if (!r->dirty)
		r->dirty_end = &r->dirty;
	*r->dirty_end = net;
	r->dirty_end = &net->next_dirty;
}

/* --- paths -------------------------------------------------------------------------------------
 */

static struct bgp_peer_paths *list_of(const struct bgp_path *p)
{
	return &p->peer->of[p->net->family];
}

static void unlink_path(struct bgp_path *p)
{
	struct bgp_peer_paths *l = list_of(p);

	if (l->cursor == p)
		l->cursor = p->after;
	*(p->before ? &p->before->after : &l->first) = p->after;
	*(p->after ? &p->after->before : &l->last) = p->before;
}

/* To the end, as what came last. */
static void link_path(struct bgp_path *p)
{
	struct bgp_peer_paths *l = list_of(p);

	p->epoch = l->epoch;
	p->before = l->last;
	p->after = NULL;
	*(l->last ? &l->last->after : &l->first) = p;
	l->last = p;
}

static void judge(struct bgp_rib *r, struct bgp_path *p)
{
	struct bgp_peer_paths *l = list_of(p);
	const struct prefix prefix = bgp_net_prefix(p->net);

	l->accepted -= p->refused == BGP_USED;
	p->refused = (uint8_t)bgp_import(r, p->peer, &prefix, p->attrs);
	l->accepted += p->refused == BGP_USED;
}

static struct bgp_path **slot_of(struct bgp_net *net, const struct bgp_peer *peer)
{
	struct bgp_path **slot = &net->paths;

	while (*slot && (*slot)->peer != peer)
		slot = &(*slot)->next;
	return slot;
}

/* @slot: Where it stands among those of its prefix. */
static void remove_path(struct bgp_rib *r, struct bgp_path **slot)
{
	struct bgp_path *p = *slot;
	struct bgp_peer_paths *l = list_of(p);

	*slot = p->next;
	unlink_path(p);
	l->received--;
	l->accepted -= p->refused == BGP_USED;
	mark(r, p->net);
	bgp_kept_put(&r->pool, p->attrs);
	free(p);
}

static void announce(struct bgp_rib *r, struct bgp_path *p, const struct bgp_attrs *attrs)
{
	struct bgp_kept *fresh = bgp_keep(&r->pool, attrs), *old = p->attrs;

	link_path(p);
	p->attrs = fresh;
	if (fresh != old ||
	    p->peer->working) { /* a filter may be new, and this one not looked at */
		judge(r, p);
		mark(r, p->net);
	}
	bgp_kept_put(&r->pool, old);
}

static int add_path(struct bgp_rib *r, struct bgp_peer *peer, const struct prefix *p,
		    const struct bgp_attrs *attrs, struct bgp_net *net)
{
	struct bgp_peer_paths *l = &peer->of[family_of(p)];
	struct bgp_path *path;

	if (l->limit && l->received >= l->limit)
		return -E2BIG;
	path = xcalloc(1, sizeof(*path));
	*path = (struct bgp_path){.net = net ?: add_net(r, p),
				  .peer = peer,
				  .refused = BGP_REFUSED_IMPORT,
				  .fate = BGP_REFUSED_IMPORT};
	path->next = path->net->paths;
	path->net->paths = path;
	l->received++;
	announce(r, path, attrs);
	return 0;
}

/**
 * bgp_rib_take() - A neighbour announces or withdraws a prefix
 * @r:     Table
 * @peer:  Neighbour
 * @p:     Prefix
 * @attrs: What it says of it; NULL: it is withdrawn
 *
 * Return: 0; -E2BIG: it is one more than the neighbour may announce, and is not taken
 */
int bgp_rib_take(struct bgp_rib *r, struct bgp_peer *peer, const struct prefix *p,
		 const struct bgp_attrs *attrs)
{
	struct bgp_net *net = find(r, p);
	struct bgp_path **slot = net ? slot_of(net, peer) : NULL;

	if (slot && *slot && !attrs) {
		remove_path(r, slot);
		return 0;
	}
	if (slot && *slot) {
		unlink_path(*slot);
		announce(r, *slot, attrs);
		return 0;
	}
	return attrs ? add_path(r, peer, p, attrs, net) : 0;
}

/* --- neighbours --------------------------------------------------------------------------------
 */

static void want_work(struct bgp_rib *r, struct bgp_peer *peer)
{
	if (peer->working)
		return;
	peer->working = true;
	peer->next_work = NULL;
	if (!r->work)
		r->work_end = &r->work;
	*r->work_end = peer;
	r->work_end = &peer->next_work;
}

/**
 * bgp_rib_stale() - A session has ended: what was announced in it counts until it is swept
 * @peer: Neighbour
 * @f:    Family
 */
void bgp_rib_stale(struct bgp_peer *peer, enum bgp_family f)
{
	peer->of[f].epoch++;
}

/**
 * bgp_rib_sweep() - Remove what is left of sessions before; it goes as bgp_rib_settle() is called
 * @r:    Table
 * @peer: Neighbour
 * @f:    Family
 */
void bgp_rib_sweep(struct bgp_rib *r, struct bgp_peer *peer, enum bgp_family f)
{
	peer->of[f].sweeping = true;
	want_work(r, peer);
}

/**
 * bgp_rib_again() - Judge all of a neighbour again: its filter, or the way to it, is another one
 * @r:    Table
 * @peer: Neighbour; it must stay until bgp_rib_settle() has nothing left to do
 */
void bgp_rib_again(struct bgp_rib *r, struct bgp_peer *peer)
{
	for (int f = 0; f < _BGP_FAMILY_MAX; f++)
		peer->of[f].cursor = peer->of[f].first;
	want_work(r, peer);
}

/* One path of a neighbour; false: there is nothing to do in this family. */
static bool work_on(struct bgp_rib *r, struct bgp_peer_paths *l)
{
	struct bgp_path *p = l->first;

	if (l->sweeping && p && p->epoch != l->epoch) {
		remove_path(r, slot_of(p->net, p->peer));
		return true;
	}
	l->sweeping = false;
	p = l->cursor;
	if (!p)
		return false;
	l->cursor = p->after;
	judge(r, p);
	mark(r, p->net);
	return true;
}

static bool work(struct bgp_rib *r)
{
	struct bgp_peer *peer = r->work;

	if (!peer)
		return false;
	for (int f = 0; f < _BGP_FAMILY_MAX; f++)
		if (work_on(r, &peer->of[f]))
			return true;
	peer->working = false;
	r->work = peer->next_work;
	return true;
}

static bool decide_next(struct bgp_rib *r, bgp_net_fn *fn, void *arg)
{
	struct bgp_net *net = r->dirty;

	if (!net)
		return false;
	r->dirty = net->next_dirty;
	net->dirty = false;
	bgp_decide(r, net);
	fn(arg, net);
	if (!net->paths)
		free_net(r, net);
	return true;
}

/**
 * bgp_rib_settle() - Decide what has changed, the prefixes that have waited longest first
 * @r:      Table
 * @budget: Prefixes and paths to look at
 * @fn:     Called for each prefix that was decided
 * @arg:    For @fn
 *
 * Return: true if more is to be done
 */
bool bgp_rib_settle(struct bgp_rib *r, size_t budget, bgp_net_fn *fn, void *arg)
{
	for (; budget && (r->dirty || r->work); budget--)
		if (!decide_next(r, fn, arg))
			(void)work(r);
	return r->dirty || r->work;
}

/**
 * bgp_rib_done() - Free the table
 * @r: Table; its neighbours may not be used with it any more
 */
void bgp_rib_done(struct bgp_rib *r)
{
	ptr_table_foreach(slot, &r->nets)
	{
		struct bgp_net *net = *slot;

		for (struct bgp_path *p = net->paths, *next; p; p = next) {
			next = p->next;
			bgp_kept_put(&r->pool, p->attrs);
			free(p);
		}
		free(net);
	}
	ptr_table_done(&r->nets);
	bgp_pool_done(&r->pool);
	bgp_ranges_done(&r->own);
	bgp_ranges_done(&r->own_hops);
}
