// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * touched.c - see touched.h.
 */
#include "datapath/nft/touched.h"

/**
 * nft_touched_done() - Free a list
 * @t: List; empty and usable afterwards
 */
void nft_touched_done(struct nft_touched *t)
{
	vec_foreach (touch, &t->touch) {
		free(touch->name);
	}
	vec_done(&t->touch);
	t->all = false;
}

/**
 * nft_touched_all() - Everything may have changed
 * @t: List
 */
void nft_touched_all(struct nft_touched *t)
{
	nft_touched_done(t);
	t->all = true;
}

static void add(struct nft_touched *t, enum nft_touch_kind kind, const char *name, const void *key,
		size_t len)
{
	struct nft_touch *new;

	if (t->all)
		return;
	vec_foreach (touch, &t->touch) {
		if (touch->kind == kind && streq(touch->name, name) && touch->key_len == len &&
		    (!len || memcmp(touch->key, key, len) == 0))
			return;
	}
	if (t->touch.n == NFT_TOUCHED_MAX) {
		nft_touched_all(t);
		return;
	}
	new = vec_add(&t->touch);
	new->kind = kind;
	new->name = xstrdup(name);
	new->key_len = len;
	if (len)
		memcpy(new->key, key, len);
}

/**
 * nft_touched_add() - A set or a chain may have changed
 * @t:    List
 * @kind: NFT_TOUCH_SET or NFT_TOUCH_CHAIN
 * @name: Its name
 */
void nft_touched_add(struct nft_touched *t, enum nft_touch_kind kind, const char *name)
{
	add(t, kind, name, NULL, 0);
}

static bool has_set(const struct nft_touched *t, const char *set)
{
	vec_foreach (touch, &t->touch)
		if (touch->kind == NFT_TOUCH_SET && streq(touch->name, set))
			return true;
	return false;
}

/* The set instead of its elements, which makes room. */
static void join_elems(struct nft_touched *t, const char *set)
{
	size_t kept = 0;

	vec_foreach (touch, &t->touch) {
		if (touch->kind == NFT_TOUCH_ELEM && streq(touch->name, set))
			free(touch->name);
		else
			t->touch.v[kept++] = *touch;
	}
	t->touch.n = kept;
	add(t, NFT_TOUCH_SET, set, NULL, 0);
}

/**
 * nft_touched_add_elem() - An element may have changed
 * @t:   List
 * @set: Name of its set
 * @key: Its key as the kernel has it, or NULL: the whole set
 * @len: Bytes of @key; more than NFT_KEY_MAX: the whole set
 */
void nft_touched_add_elem(struct nft_touched *t, const char *set, const void *key, size_t len)
{
	if (has_set(t, set))
		return;
	if (!key || !len || len > NFT_KEY_MAX || t->touch.n == NFT_TOUCHED_MAX)
		join_elems(t, set);
	else
		add(t, NFT_TOUCH_ELEM, set, key, len);
}
