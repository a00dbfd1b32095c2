// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peer_members.c - pods, their addresses and the sets that these are in.  Pure.
 *
 * A pod's own list of memberships is the only record of what is in a set, so a set needs no list of
 * members.  Elements stand for addresses that are a pod's without doubt (see peers.h).
 */
#include <arpa/inet.h>

#include "datapath/policy/peers_internal.h"

/* --- elements ----------------------------------------------------------------------------------
 */

/* An address leaves a set. */
static void touch(struct peers *p, const struct addr *a)
{
	struct touched *t = p->touched;

	if (!t->v.n || !addr_eq(&t->v.v[t->v.n - 1].addr, a) || t->v.v[t->v.n - 1].gone != p->going)
		vec_push(&t->v, (struct touched_addr){*a, p->going});
}

typedef void elem_fn(struct nft_table *t, struct nft_set *set, const struct nft_elem *e);

static void one_elem(struct peers *p, const struct addr *a, const struct membership *m, elem_fn *fn)
{
	bool v4 = a->family == AF_INET;
	uint16_t port = htons(m->port);
	struct nft_elem e = {0};
	size_t len = 0;

	if (peer_set_left(m->set))
		return;
	nft_key_put(e.key, &len, v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, a->b, addr_len(a));
	if (m->protocol) {
		nft_key_put(e.key, &len, NFT_TYPE_PROTO, &m->protocol, 1);
		nft_key_put(e.key, &len, NFT_TYPE_SERVICE, &port, sizeof(port));
	}
	fn(p->table, v4 ? m->set->set4 : m->set->set6, &e);
	if (fn == table_drop_elem)
		touch(p, a);
}

static void each_elem(struct peers *p, const struct peer_pod *pp, const struct membership *m,
		      elem_fn *fn)
{
	for (uint32_t i = 0; i < pp->n_addrs; i++)
		if (pp->counts[i])
			one_elem(p, &pp->addrs[i], m, fn);
}

/* --- whose address ----------------------------------------------------------------------------
 */

static void set_counts(struct peers *p, struct peer_pod *pp, uint32_t i, bool counts)
{
	if (pp->counts[i] == counts)
		return;
	pp->counts[i] = counts;
	for (uint32_t m = 0; m < pp->n_member; m++)
		one_elem(p, &pp->addrs[i], &pp->member[m],
			 counts ? table_want_elem : table_drop_elem);
}

/* Who claims an address has changed. */
static void judge_address(struct peers *p, const struct addr *a)
{
	struct claim_pos c = {0};
	uint32_t claims = 0;
	bool local = false;

	for (; peeraddr_next(&p->claims, a, &c); claims++)
		local = local || c.pod->local;
	c = (struct claim_pos){0};
	while (peeraddr_next(&p->claims, a, &c))
		set_counts(p, c.pod, c.i, local ? c.pod->local : claims == 1);
}

static void claim(struct peers *p, struct peer_pod *pp)
{
	for (uint32_t i = 0; i < pp->n_addrs; i++) {
		pp->counts[i] = false;
		peeraddr_add(&p->claims, pp, i);
		judge_address(p, &pp->addrs[i]);
	}
}

/* The pod is member of nothing any more. */
static void unclaim(struct peers *p, struct peer_pod *pp)
{
	for (uint32_t i = 0; i < pp->n_addrs; i++) {
		peeraddr_remove(&p->claims, pp, i);
		judge_address(p, &pp->addrs[i]);
	}
}

/**
 * peers_each_shared() - Walk the addresses that several pods claim
 * @p:   Module
 * @fn:  Called for each claim but one
 * @arg: Its first argument
 *
 * Time: O(pods).
 */
void peers_each_shared(const struct peers *p, shared_addr_fn *fn, void *arg)
{
	for (size_t i = 0; i < p->claims.n_slots; i++) {
		struct claim_pos first = {0}, c;
		const struct addr *a = peeraddr_at(&p->claims, i);

		if (!a || !peeraddr_next(&p->claims, a, &first) || first.slot != i)
			continue;
		for (c = first; peeraddr_next(&p->claims, a, &c);)
			fn(arg, a, first.pod->pod, c.pod->pod);
	}
}

/* --- membership --------------------------------------------------------------------------------
 */

static int membership_compare(const void *a, const void *b)
{
	const struct membership *x = a, *y = b;

	if (x->set != y->set)
		return (uintptr_t)x->set < (uintptr_t)y->set ? -1 : 1;
	if (x->protocol != y->protocol)
		return x->protocol - y->protocol;
	return x->port - y->port;
}

static void sort_unique(struct membership_list *l)
{
	size_t n = 0;

	vec_sort(&l->m, membership_compare);
	vec_foreach (m, &l->m) {
		if (!n || membership_compare(&l->m.v[n - 1], m) != 0)
			l->m.v[n++] = *m;
	}
	l->m.n = n;
}

/**
 * membership_add() - Add what a matching term makes a pod member of
 * @pp: Pod
 * @t:  Term: nothing, if it has a named port that the pod lacks
 * @l:  List
 */
void membership_add(const struct peer_pod *pp, const struct peer_term *t, struct membership_list *l)
{
	const struct term *term = &t->term;
	struct membership m = {.set = t->set, .protocol = term->protocol};

	if (term->protocol) {
		m.port = pod_named_port(pp->pod, term->protocol, term->port_name);
		if (!m.port)
			return;
	}
	vec_push(&l->m, m);
}

static void find_memberships(const struct peers *p, const struct peer_pod *pp,
			     struct membership_list *ret)
{
	const struct match_subject s = {
		.ns = pp->pod->o.ns,
		.labels = &pp->pod->labels,
		.ns_labels = peers_ns_labels((void *)p, pp->pod->o.ns),
	};
	struct match_list found = {0};

	matchindex_find(p->terms, &s, &found);
	vec_foreach (m, &found.m)
		membership_add(pp, container_of(*m, struct peer_term, term.match), ret);
	vec_done(&found.m);
}

static void set_members(struct peer_pod *pp, struct membership_list *l)
{
	free(pp->member);
	pp->n_member = (uint32_t)l->m.n;
	pp->member = l->m.n ? xmemdup(l->m.v, l->m.n * sizeof(*l->m.v)) : NULL;
	vec_done(&l->m);
}

/**
 * members_change() - Make a pod member of what a list says
 * @p:  Module
 * @pp: Pod
 * @l:  List in any order; taken
 *
 * Merges the old and the new list, both sorted: what stands in one of them only is a change.
 */
void members_change(struct peers *p, struct peer_pod *pp, struct membership_list *l)
{
	size_t old = 0, new = 0;

	sort_unique(l);
	while (old < pp->n_member || new < l->m.n) {
		int c = old == pp->n_member ? 1
			: new == l->m.n	    ? -1
					    : membership_compare(&pp->member[old], &l->m.v[new]);

		if (c < 0) {
			pp->member[old].set->members--;
			each_elem(p, pp, &pp->member[old], table_drop_elem);
		} else if (c > 0) {
			l->m.v[new].set->members++;
			each_elem(p, pp, &l->m.v[new], table_want_elem);
		}
		old += c <= 0;
		new += c >= 0;
	}
	set_members(pp, l);
}

/**
 * members_refresh() - Make a pod member of what matches it now
 * @p:  Module
 * @pp: Pod
 */
void members_refresh(struct peers *p, struct peer_pod *pp)
{
	struct membership_list l = {0};

	find_memberships(p, pp, &l);
	members_change(p, pp, &l);
}

static void withdraw(struct peers *p, struct peer_pod *pp)
{
	struct membership_list none = {0};

	p->going = true;
	members_change(p, pp, &none);
	p->going = false;
}

static bool same_addrs(const struct peer_pod *pp, uint32_t n, const struct addr *addrs)
{
	if (pp->n_addrs != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!addr_eq(&pp->addrs[i], &addrs[i]))
			return false;
	return true;
}

/**
 * peers_pod_update() - A pod appeared, changed or is no peer any more
 * @p:       Module
 * @pp:      Its record; zeroed before the first call, and to be freed after one with @pod NULL
 * @pod:     Object in force, borrowed until the next call for @pp; NULL to remove the pod
 * @n_addrs: Number of addresses
 * @addrs:   Addresses in force; without one the pod is nobody's peer
 *
 * The object that @pp held before must still be readable.  Costs the labels of the pod plus one
 * element operation for each set entered or left.
 */
void peers_pod_update(struct peers *p, struct peer_pod *pp, const struct pod *pod, uint32_t n_addrs,
		      const struct addr *addrs)
{
	bool moves = !pod || !pp->pod || !same_addrs(pp, n_addrs, addrs);

	if (pp->pod) {
		podindex_remove(p->pods, &pp->index);
		if (moves) {
			withdraw(p, pp);
			unclaim(p, pp);
		}
	}
	pp->pod = pod;
	pp->n_addrs = pod ? n_addrs : 0;
	if (pp->n_addrs && moves)
		memcpy(pp->addrs, addrs, n_addrs * sizeof(*addrs));
	if (!pod)
		return;
	if (moves)
		claim(p, pp);
	pp->index.ns = pod->o.ns;
	pp->index.labels = &pod->labels;
	podindex_add(p->pods, &pp->index);
	members_refresh(p, pp);
}
