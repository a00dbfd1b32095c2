// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peers.c - peer sets, and the namespaces that their terms select.  Pure.
 *
 * Two indexes work against each other: when a pod changes, matchindex names the terms that match
 * it now, and the difference to what it was member of becomes element operations; when a set
 * appears, podindex names the pods that its terms match (peer_fill.c).
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
	peers_drain(p);
	assert(!p->sets && !p->claims.n && !p->leaving && !p->relabelled);
	(void)matchindex_free(p->terms);
	(void)podindex_free(p->pods);
	(void)interest_free(p->interest);
	free(p);
	return NULL;
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
	return interest_labels(((const struct peers *)p)->interest, ns);
}

/**
 * peers_namespace() - A namespace appeared, changed its labels or vanished
 * @p:      Module
 * @ns:     Name, interned
 * @labels: Labels, borrowed until the next call for @ns; NULL when it vanished
 *
 * What that means for the pods of the namespace is for peers_fill() to find out.
 */
void peers_namespace(struct peers *p, const char *ns, const struct labels *labels)
{
	interest_namespace(p->interest, ns, labels);
	peers_relabel(p, ns);
}

/* --- sets --------------------------------------------------------------------------------------
 */

/**
 * peer_set_free() - Free a set that is in no list and nobody's
 * @s: Set
 */
void peer_set_free(struct peer_set *s)
{
	for (size_t i = 0; i < s->n_terms; i++)
		term_done(&s->terms[i].term);
	free(s->terms);
	free(s->text);
	free(s);
}

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
	}
	HASH_ADD_KEYPTR(hh, p->sets, s->text, strlen(s->text), s);
	s->set4 = want_set(p, s, AF_INET);
	s->set6 = want_set(p, s, AF_INET6);
	DL_APPEND(p->filling, s);
	return s;
}

/**
 * peers_set_put() - Give one use of a set back; the last one drops it
 * @p: Module
 * @s: Set or NULL
 *
 * The kernel's sets go at once.  That its members do not know it any more is seen to by
 * peers_fill().
 */
void peers_set_put(struct peers *p, struct peer_set *s)
{
	if (!s || --s->uses)
		return;
	if (s->filled < s->n_terms)
		DL_DELETE(p->filling, s);
	if (s->walking)
		podindex_walk_end(p->pods, &s->walk);
	s->walking = false;
	for (size_t i = 0; i < s->entered; i++) {
		matchindex_remove(p->terms, &s->terms[i].term.match);
		interest_remove(p->interest, &s->terms[i].term.match);
	}
	table_drop_set(p->table, s->set4);
	table_drop_set(p->table, s->set6);
	s->set4 = s->set6 = NULL;
	HASH_DEL(p->sets, s);
	if (s->members)
		DL_APPEND(p->leaving, s);
	else
		peer_set_free(s);
}

/**
 * peers_set_complete() - Is every pod that a set's terms match in it?
 * @s: Set
 *
 * Return: true if so; it stays so
 */
bool peers_set_complete(const struct peer_set *s)
{
	return s->filled == s->n_terms;
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
