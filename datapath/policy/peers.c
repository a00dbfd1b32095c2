// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peers.c - peer sets, and the namespaces that their terms select.  Pure.
 *
 * Two indexes work against each other: when a pod changes, matchindex names the terms that match
 * it now, and the difference to what it was member of becomes element operations; when a set
 * appears, podindex names the pods that its terms match (peer_members.c).  A term enters both
 * directions at once, so that pods may change while a set is filled.
 */
#include "datapath/policy/peers_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <utlist.h>

#include "lib/hash.h"
#include "lib/intern.h"

/**
 * peers_new() - Create the module
 * @t:   Table in which the sets are wanted
 * @fn:  Told of which namespaces pods are needed; NULL: all pods are there anyway
 * @arg: Its first argument
 * @to:  Gets the addresses that leave a set; emptied by who reads it
 *
 * Return: the module, to be freed
 */
struct peers *peers_new(struct nft_table *t, need_fn *fn, void *arg, struct touched *to)
{
	struct peers *p = xcalloc(1, sizeof(*p));

	p->table = t;
	p->touched = to;
	p->terms = matchindex_new();
	p->pods = podindex_new(peers_ns_labels, p);
	p->interest = interest_new(fn, arg);
	return p;
}

/**
 * peers_free() - Free the module; every pod, namespace and set must have been removed
 * @p: Module or NULL
 *
 * Return: NULL
 */
struct peers *peers_free(struct peers *p)
{
	if (!p)
		return NULL;
	assert(!p->sets && !p->namespaces && !p->claims.n);
	(void)matchindex_free(p->terms);
	(void)podindex_free(p->pods);
	(void)interest_free(p->interest);
	free(p);
	return NULL;
}

static struct ns_entry *find_ns(const struct peers *p, const char *ns)
{
	struct ns_entry *e;

	HASH_FIND_PTR(p->namespaces, &ns, e);
	return e;
}

/**
 * peers_ns_labels() - Labels of a namespace; an ns_labels_fn
 * @p:  struct peers
 * @ns: Namespace, interned
 *
 * Return: the labels, borrowed; NULL when the namespace is not known
 */
const struct labels *peers_ns_labels(void *p, const char *ns)
{
	const struct ns_entry *e = find_ns(p, ns);

	return e ? &e->labels : NULL;
}

static void refresh_indexed(void *arg, struct indexed_pod *ip)
{
	members_refresh(arg, container_of(ip, struct peer_pod, index));
}

/**
 * peers_namespace() - A namespace appeared, changed its labels or vanished
 * @p:      Module
 * @ns:     Name, interned
 * @labels: Labels, borrowed until the next call for @ns; NULL when it vanished
 *
 * Costs the pods of that namespace.
 */
void peers_namespace(struct peers *p, const char *ns, const struct labels *labels)
{
	struct ns_entry *e = find_ns(p, ns);

	if (labels || e)
		interest_namespace(p->interest, ns, labels);
	if (labels && !e) {
		e = xcalloc(1, sizeof(*e));
		e->ns = intern_ref(ns);
		HASH_ADD_PTR(p->namespaces, ns, e);
	}
	if (labels) {
		e->labels = *labels;
	} else if (e) {
		HASH_DEL(p->namespaces, e);
	}
	podindex_each_in(p->pods, ns, refresh_indexed, p);
	if (!labels && e) {
		intern_put(e->ns);
		free(e);
	}
}

/* --- sets --------------------------------------------------------------------------------------
 */

static char *definition_text(const struct term *terms, size_t n)
{
	struct buf b = {0};

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? "; " : "", terms[i].text);
	return buf_take(&b);
}

/* A name from the hash of the definition, and another one if a stranger holds it already. */
static void choose_name(const struct peers *p, const char *prefix, const char *text,
			char ret[static NFT_NAME_MAX])
{
	uint64_t h = hash_stable(text, strlen(text));

	do
		(void)snprintf(ret, NFT_NAME_MAX, "%s_%016" PRIx64, prefix, h++);
	while (table_find_set(p->table, ret));
}

static struct nft_set *want_set(struct peers *p, const struct peer_set *s, uint8_t family)
{
	bool named = s->terms[0].term.protocol, v4 = family == AF_INET;
	static const char *const prefix[2][2] = {{"pods6", "pods4"}, {"ports6", "ports4"}};
	char name[NFT_NAME_MAX], comment[NFT_COMMENT_MAX];
	struct nft_set_def def = {.name = name, .owner = NFT_OWNER_POLICY, .comment = comment};

	choose_name(p, prefix[named][v4], s->text, name);
	(void)snprintf(comment, sizeof(comment), "pods %s", s->text);
	if (strlen(s->text) + sizeof("pods ") > sizeof(comment))
		memcpy(comment + sizeof(comment) - 4, "...", 4);
	def.key[0] = v4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6;
	if (named) {
		def.key[1] = NFT_TYPE_PROTO;
		def.key[2] = NFT_TYPE_SERVICE;
	}
	return table_want_set(p->table, &def);
}

/* What a new element costs, in steps of peers_fill(). */
#define STEPS_MEMBER 16

struct fill {
	struct peers *p;
	const struct peer_term *term;
};

static bool is_member(const struct peer_pod *pp, const struct peer_set *s)
{
	for (uint32_t i = 0; i < pp->n_member; i++)
		if (pp->member[i].set == s)
			return true;
	return false;
}

static void add_member(void *arg, struct indexed_pod *ip)
{
	const struct fill *f = arg;
	struct peer_pod *pp = container_of(ip, struct peer_pod, index);
	struct membership_list l = {0};

	if (!f->term->term.protocol && is_member(pp, f->term->set))
		return;
	vec_reserve(&l.m, pp->n_member + 1);
	if (pp->n_member)
		memcpy(l.m.v, pp->member, pp->n_member * sizeof(*pp->member));
	l.m.n = pp->n_member;
	membership_add(pp, f->term, &l);
	members_change(f->p, pp, &l);
}

/* Every pod that is known is in it: further terms, of whatever labels, add nothing. */
static bool is_full(const struct peers *p, const struct peer_set *s)
{
	return !s->terms[0].term.protocol && s->members == podindex_count(p->pods);
}

static void drop_member(void *arg, struct indexed_pod *ip)
{
	const struct fill *f = arg;
	struct peer_pod *pp = container_of(ip, struct peer_pod, index);
	uint32_t n = 0;

	for (uint32_t i = 0; i < pp->n_member; i++)
		if (pp->member[i].set != f->term->set)
			pp->member[n++] = pp->member[i];
	f->term->set->members -= pp->n_member - n;
	pp->n_member = n;
}

/**
 * peers_set_get() - Use the set with a definition, made if nobody uses it yet
 * @p:     Module
 * @terms: Terms sorted by term_compare(), none twice, at least one; all with a named port or none
 * @n:     Number of terms
 *
 * Costs the length of the definition.  A new set is empty until peers_fill() is done.
 *
 * Return: the set; give it back with peers_set_put()
 */
struct peer_set *peers_set_get(struct peers *p, const struct term *terms, size_t n)
{
	char *text = definition_text(terms, n);
	struct peer_set *s;

	HASH_FIND_STR(p->sets, text, s);
	if (s) {
		free(text);
		s->uses++;
		return s;
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct peer_set){.text = text, .uses = 1, .n_terms = n};
	s->terms = xcalloc(n, sizeof(*s->terms));
	for (size_t i = 0; i < n; i++) {
		s->terms[i].set = s;
		term_copy(&s->terms[i].term, &terms[i]);
		interest_add(p->interest, &s->terms[i].term.match);
	}
	HASH_ADD_KEYPTR(hh, p->sets, s->text, strlen(s->text), s);
	s->set4 = want_set(p, s, AF_INET);
	s->set6 = want_set(p, s, AF_INET6);
	DL_APPEND(p->filling, s);
	return s;
}

/* The next term of a set; gives the steps that it took. */
static size_t fill_term(struct peers *p, struct peer_set *s)
{
	struct peer_term *t = &s->terms[s->filled++];
	struct fill f = {p, t};
	size_t steps = 1, before = s->members;

	matchindex_add(p->terms, &t->term.match);
	if (!is_full(p, s))
		steps += podindex_find(p->pods, &t->term.match, add_member, &f) *
			 (t->term.pods.n + 1);
	return steps + (s->members - before) * STEPS_MEMBER;
}

/**
 * peers_fill() - Go on filling new sets, the oldest first
 * @p:     Module
 * @steps: How much to do: a step is a pod that one requirement of a selector is compared with. The
 *         term in which they are used up is finished.
 *
 * Return: true if there is more to do: what is not complete should not be sent to the kernel yet
 */
bool peers_fill(struct peers *p, size_t steps)
{
	struct peer_set *s;

	while (steps && (s = p->filling)) {
		size_t took = s->filled < s->n_terms ? fill_term(p, s) : 0;

		if (s->filled == s->n_terms)
			DL_DELETE(p->filling, s);
		steps -= MIN(steps, took);
	}
	return p->filling;
}

/* Walks all pods once rather than most of them for term after term. */
static void drop_members(struct peers *p, struct peer_set *s)
{
	static const struct selector every;
	const struct match all = {.pods = &every};
	struct fill f = {p, s->terms};
	size_t looked = 0;

	for (size_t i = 0; i < s->filled && s->members; i++)
		looked += podindex_find(
			p->pods, looked < podindex_count(p->pods) ? &s->terms[i].term.match : &all,
			drop_member, &f);
}

/**
 * peers_set_put() - Give one use of a set back; the last one drops it
 * @p: Module
 * @s: Set or NULL
 */
void peers_set_put(struct peers *p, struct peer_set *s)
{
	if (!s || --s->uses)
		return;
	if (s->filled < s->n_terms)
		DL_DELETE(p->filling, s);
	drop_members(p, s);
	for (size_t i = 0; i < s->n_terms; i++) {
		if (i < s->filled)
			matchindex_remove(p->terms, &s->terms[i].term.match);
		interest_remove(p->interest, &s->terms[i].term.match);
		term_done(&s->terms[i].term);
	}
	table_drop_set(p->table, s->set4);
	table_drop_set(p->table, s->set6);
	HASH_DEL(p->sets, s);
	free(s->terms);
	free(s->text);
	free(s);
}

/**
 * peer_set_name() - Name of the kernel's set
 * @s:      Set
 * @family: AF_INET or AF_INET6
 *
 * Return: the name, borrowed
 */
const char *peer_set_name(const struct peer_set *s, uint8_t family)
{
	return set_name(family == AF_INET ? s->set4 : s->set6);
}

/**
 * peers_sets() - Number of definitions in use
 * @p: Module
 *
 * Return: the number
 */
size_t peers_sets(const struct peers *p)
{
	return HASH_COUNT(p->sets);
}
