// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * blocksets.c - one interval set for each list of ranges in use.  Pure.
 *
 * The elements follow from the definition, so a set never changes after it was made.
 */
#include "datapath/base/blocksets.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <uthash.h>

#include "lib/hash.h"

struct blockset {
	char *text;
	uint32_t uses;
	struct nft_set *set;
	UT_hash_handle hh;
};

struct blocksets {
	struct nft_table *table;
	enum nft_owner owner;
	struct blockset *sets;
};

/**
 * blocksets_new() - Create the module
 * @t:     Table in which the sets are wanted
 * @owner: The part whose they are
 *
 * Return: the module, to be freed
 */
struct blocksets *blocksets_new(struct nft_table *t, enum nft_owner owner)
{
	struct blocksets *b = xcalloc(1, sizeof(*b));

	b->table = t;
	b->owner = owner;
	return b;
}

/**
 * blocksets_free() - Free the module; every set must have been given back
 * @b: Module or NULL
 *
 * Return: NULL
 */
struct blocksets *blocksets_free(struct blocksets *b)
{
	assert(!b || !b->sets);
	free(b);
	return NULL;
}

/**
 * range_elem() - A range as an element of an interval set
 * @r:   Range
 * @ret: Element
 */
void range_elem(const struct addr_range *r, struct nft_elem *ret)
{
	enum nft_type type = r->first.family == AF_INET ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6;
	size_t key = 0, end = 0;

	*ret = (struct nft_elem){0};
	nft_key_put(ret->key, &key, type, r->first.b, addr_len(&r->first));
	nft_key_put(ret->end, &end, type, r->last.b, addr_len(&r->last));
}

static char *ranges_text(const struct ranges *r, uint8_t family)
{
	char first[ADDR_STR_MAX], last[ADDR_STR_MAX];
	struct buf b = {0};

	vec_foreach (x, &r->r) {
		if (x->first.family == family)
			buf_printf(&b, "%s%s-%s", b.len ? ", " : "", addr_str(&x->first, first),
				   addr_str(&x->last, last));
	}
	return buf_take(&b);
}

static struct nft_set *want_set(struct blocksets *b, const char *text, uint8_t family)
{
	uint64_t h = hash_stable(text, strlen(text));
	char name[NFT_NAME_MAX];

	do
		(void)snprintf(name, sizeof(name), "blocks%c_%016" PRIx64,
			       family == AF_INET ? '4' : '6', h++);
	while (table_find_set(b->table, name));
	return table_want_set(b->table,
			      &(struct nft_set_def){
				      .name = name,
				      .key = {family == AF_INET ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6},
				      .interval = true,
				      .owner = (uint8_t)b->owner,
				      .comment = "ipBlock peers, exceptions taken out",
			      });
}

/**
 * blockset_get() - Use the interval set of a list of ranges
 * @b:      Module
 * @r:      Normalised ranges
 * @family: AF_INET or AF_INET6; ranges of the other family are left out
 *
 * Return: the set, to be given back; NULL if no range is of @family
 */
struct blockset *blockset_get(struct blocksets *b, const struct ranges *r, uint8_t family)
{
	_cleanup_(freep) char *text = ranges_text(r, family);
	struct blockset *s;

	if (!*text)
		return NULL;
	HASH_FIND_STR(b->sets, text, s);
	if (s) {
		s->uses++;
		return s;
	}
	s = xcalloc(1, sizeof(*s));
	s->uses = 1;
	s->set = want_set(b, text, family);
	s->text = TAKE(text, NULL);
	HASH_ADD_KEYPTR(hh, b->sets, s->text, strlen(s->text), s);
	vec_foreach (x, &r->r) {
		struct nft_elem e;

		if (x->first.family != family)
			continue;
		range_elem(x, &e);
		table_want_elem(b->table, s->set, &e);
	}
	return s;
}

/**
 * blockset_put() - Give one use back; the last one drops the set
 * @b: Module
 * @s: Set or NULL
 */
void blockset_put(struct blocksets *b, struct blockset *s)
{
	if (!s || --s->uses)
		return;
	HASH_DEL(b->sets, s);
	table_drop_set(b->table, s->set);
	free(s->text);
	free(s);
}

/**
 * blockset_name() - Name of the kernel's set
 * @s: Set
 *
 * Return: the name, borrowed
 */
const char *blockset_name(const struct blockset *s)
{
	return set_name(s->set);
}
