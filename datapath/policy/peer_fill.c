// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peer_fill.c - what concerns many pods, a piece at a time: new sets are filled, sets that nobody
 * uses any more are forgotten, pods of a namespace with other labels are looked at again.  Pure.
 *
 * Pods, namespaces and sets may change between two pieces.  A term enters both indexes before the
 * walk for it begins: a pod that changes meanwhile finds its sets by itself.
 */
#include <utlist.h>

#include "datapath/policy/peers_internal.h"
#include "lib/intern.h"

#define PODS_PIECE    256 /* looked at before the steps are counted again */
#define STEPS_MEMBER  16  /* what a new element costs, in steps */
#define STEPS_REFRESH 32  /* and a pod whose sets are found again */

struct context {
	struct peers *p;
	struct peer_set *set;
	const struct peer_term *term;
};

/* --- new sets ----------------------------------------------------------------------------------
 */

static bool is_member(const struct peer_pod *pp, const struct peer_set *s)
{
	for (uint32_t i = 0; i < pp->n_member; i++)
		if (pp->member[i].set == s)
			return true;
	return false;
}

static void add_member(void *arg, struct indexed_pod *ip)
{
	const struct context *x = arg;
	struct peer_pod *pp = container_of(ip, struct peer_pod, index);
	struct membership_list l = {0};

	if (!x->term->term.protocol && is_member(pp, x->set))
		return;
	vec_reserve(&l.m, pp->n_member + 1);
	if (pp->n_member)
		memcpy(l.m.v, pp->member, pp->n_member * sizeof(*pp->member));
	l.m.n = pp->n_member;
	membership_add(pp, x->term, &l);
	members_change(x->p, pp, &l);
}

/* Every pod that is known is in it: further terms, of whatever labels, add nothing. */
static bool is_full(const struct peers *p, const struct peer_set *s)
{
	return !s->terms[0].term.protocol && s->members == podindex_count(p->pods);
}

static void enter(struct peers *p, struct peer_set *s)
{
	struct peer_term *t = &s->terms[s->entered++];

	matchindex_add(p->terms, &t->term.match);
	interest_add(p->interest, &t->term.match);
	podindex_walk_begin(p->pods, &s->walk, &t->term.match);
	s->walking = true;
}

/* A piece of a new set; gives the steps that it took. */
static size_t fill(struct peers *p, struct peer_set *s)
{
	struct context x = {p, s, &s->terms[s->filled]};
	size_t before = s->members, looked = 0;
	bool more = false;

	if (!s->walking)
		enter(p, s);
	if (!is_full(p, s))
		more = podindex_walk_on(p->pods, &s->walk, PODS_PIECE, add_member, &x, &looked);
	if (!more) {
		podindex_walk_end(p->pods, &s->walk);
		s->walking = false;
		s->filled++;
	}
	DL_DELETE(p->filling, s);
	if (!peers_set_complete(s))
		DL_APPEND(p->filling,
			  s); /* the next one's turn: a large one delays nobody's small one */
	return 1 + looked * (x.term->term.pods.n + 1) + (s->members - before) * STEPS_MEMBER;
}

/* --- sets that leave ---------------------------------------------------------------------------
 */

static void drop_member(void *arg, struct indexed_pod *ip)
{
	const struct context *x = arg;
	struct peer_pod *pp = container_of(ip, struct peer_pod, index);
	uint32_t n = 0;

	for (uint32_t i = 0; i < pp->n_member; i++)
		if (pp->member[i].set != x->set)
			pp->member[n++] = pp->member[i];
	x->set->members -= pp->n_member - n;
	pp->n_member = n;
}

static void begin_drain(struct peers *p, struct peer_set *s)
{
	static const struct selector every;
	static const struct match all = {.pods = &every};

	/* Of its terms first, which are few pods perhaps; then whoever has changed since. */
	bool by_term = s->entered && s->looked < podindex_count(p->pods);

	podindex_walk_begin(p->pods, &s->walk, by_term ? &s->terms[--s->entered].term.match : &all);
	s->walking = true;
}

/* A piece of a set that is on its way out; gives the steps that it took. */
static size_t drain(struct peers *p, struct peer_set *s)
{
	struct context x = {p, s, NULL};
	size_t looked = 0;

	if (!s->walking && s->members)
		begin_drain(p, s);
	if (s->walking && (!s->members || !podindex_walk_on(p->pods, &s->walk, PODS_PIECE,
							    drop_member, &x, &looked))) {
		podindex_walk_end(p->pods, &s->walk);
		s->walking = false;
	}
	s->looked += looked;
	if (!s->members && !s->walking) {
		DL_DELETE(p->leaving, s);
		peer_set_free(s);
	}
	return 1 + looked;
}

/**
 * peers_drain() - Forget sets that nobody uses any more, at once
 * @p: Module
 */
void peers_drain(struct peers *p)
{
	while (p->leaving)
		(void)drain(p, p->leaving);
}

/* --- namespaces --------------------------------------------------------------------------------
 */

static void relabelled_end(struct peers *p, struct relabelled *r)
{
	if (r->walking)
		podindex_walk_end(p->pods, &r->walk);
	DL_DELETE(p->relabelled, r);
	intern_put(r->match.ns);
	free(r);
}

/**
 * peers_relabel() - Have all pods of a namespace looked at again
 * @p:  Module
 * @ns: Namespace, interned
 */
void peers_relabel(struct peers *p, const char *ns)
{
	static const struct selector every;
	struct relabelled *r, *next;

	if (!podindex_knows(p->pods, ns))
		return;
	DL_FOREACH_SAFE (p->relabelled, r, next)
		if (r->match.ns == ns)
			relabelled_end(p, r);
	r = xcalloc(1, sizeof(*r));
	r->match = (struct match){.ns = intern_ref(ns), .pods = &every};
	DL_APPEND(p->relabelled, r);
}

static void refresh(void *arg, struct indexed_pod *ip)
{
	const struct context *x = arg;

	members_refresh(x->p, container_of(ip, struct peer_pod, index));
}

/* A piece of the namespace whose labels changed first; gives the steps that it took. */
static size_t relabel(struct peers *p, struct relabelled *r)
{
	struct context x = {.p = p};
	size_t looked;

	if (!r->walking)
		podindex_walk_begin(p->pods, &r->walk, &r->match);
	r->walking = true;
	if (!podindex_walk_on(p->pods, &r->walk, PODS_PIECE, refresh, &x, &looked))
		relabelled_end(p, r);
	return 1 + looked * STEPS_REFRESH;
}

/**
 * peers_fill() - Go on with what concerns many pods, new sets in turn
 * @p:     Module
 * @steps: How much to do: a step is a pod that one requirement of a selector is compared with.  The
 *         piece of some hundred pods in which they are used up is finished.
 *
 * Namespaces come first: sets in force wait for them, while a new one is not in force yet.
 *
 * Return: true if there is more to do: sets may be incomplete, see peers_set_complete()
 */
bool peers_fill(struct peers *p, size_t steps)
{
	while (steps && (p->relabelled || p->filling || p->leaving)) {
		size_t took = p->relabelled ? relabel(p, p->relabelled)
			      : p->filling  ? fill(p, p->filling)
					    : drain(p, p->leaving);

		steps -= MIN(steps, took);
	}
	return p->relabelled || p->filling || p->leaving;
}
