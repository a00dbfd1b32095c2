// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cover.c - blocks sorted by their first address, of the same one the largest first.  Pure.
 */
#include "datapath/base/cover.h"

#include <assert.h>

#include "lib/vec.h"

struct block {
	struct prefix prefix;
	uint32_t count;
};

/* struct cover - @of_len: how many different blocks have a prefix of that length */
struct cover {
	VEC(struct block) blocks;
	uint32_t of_len[129];
	cover_fn *fn;
	void *arg;
};

/**
 * cover_new() - Create a cover of nothing
 * @fn:  Takes the differences
 * @arg: Its first argument
 *
 * Return: the cover, to be freed
 */
struct cover *cover_new(cover_fn *fn, void *arg)
{
	struct cover *c = xcalloc(1, sizeof(*c));

	c->fn = fn;
	c->arg = arg;
	return c;
}

/**
 * cover_free() - Free a cover; no difference is told
 * @c: Cover or NULL
 *
 * Return: NULL
 */
struct cover *cover_free(struct cover *c)
{
	if (!c)
		return NULL;
	vec_done(&c->blocks);
	free(c);
	return NULL;
}

static int compare(const struct prefix *a, const struct prefix *b)
{
	int order = addr_cmp(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}

/* Index of the first block that does not come before @p. */
static size_t find(const struct cover *c, const struct prefix *p)
{
	size_t low = 0, high = c->blocks.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&c->blocks.v[middle].prefix, p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct cover *c, size_t i, const struct prefix *p)
{
	return i < c->blocks.n && prefix_eq(&c->blocks.v[i].prefix, p);
}

static struct prefix shortened(const struct prefix *p, uint8_t len)
{
	struct prefix s = {.addr = p->addr, .len = len};

	for (size_t bit = len; bit < addr_len(&p->addr) * 8; bit++)
		s.addr.b[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return s;
}

/* Is @p inside a larger block? */
static bool is_inside(const struct cover *c, const struct prefix *p)
{
	for (uint8_t len = 0; len < p->len; len++) {
		struct prefix outer = shortened(p, len);

		if (c->of_len[len] && is_at(c, find(c, &outer), &outer))
			return true;
	}
	return false;
}

/* Tell of the largest blocks inside @p; those from index @i on are behind it. */
static void tell_inner(struct cover *c, const struct prefix *p, size_t i, bool holds)
{
	const struct prefix *last = NULL;

	for (; i < c->blocks.n && prefix_covers(p, &c->blocks.v[i].prefix); i++) {
		const struct prefix *inner = &c->blocks.v[i].prefix;

		if (last && prefix_covers(last, inner))
			continue;
		c->fn(c->arg, inner, holds);
		last = inner;
	}
}

/**
 * cover_add() - A block came, perhaps once more
 * @c: Cover
 * @p: Block, of the same family as all others
 */
void cover_add(struct cover *c, const struct prefix *p)
{
	size_t i = find(c, p);

	if (is_at(c, i, p)) {
		c->blocks.v[i].count++;
		return;
	}
	vec_reserve(&c->blocks, 1);
	memmove(&c->blocks.v[i + 1], &c->blocks.v[i], (c->blocks.n - i) * sizeof(*c->blocks.v));
	c->blocks.v[i] = (struct block){*p, 1};
	c->blocks.n++;
	c->of_len[p->len]++;
	if (is_inside(c, p))
		return;
	tell_inner(c, p, i + 1, false);
	c->fn(c->arg, p, true);
}

/**
 * cover_remove() - A block went
 * @c: Cover
 * @p: Block that was added
 */
void cover_remove(struct cover *c, const struct prefix *p)
{
	const struct prefix gone = *p;
	size_t i = find(c, p);

	assert(is_at(c, i, p));
	if (--c->blocks.v[i].count)
		return;
	c->of_len[p->len]--;
	c->blocks.n--;
	memmove(&c->blocks.v[i], &c->blocks.v[i + 1], (c->blocks.n - i) * sizeof(*c->blocks.v));
	if (is_inside(c, &gone))
		return;
	c->fn(c->arg, &gone, false);
	tell_inner(c, &gone, i, true);
}

/**
 * cover_each() - Report all outermost blocks
 * @c:     Cover
 * @holds: What the cover's function is told of each
 */
void cover_each(struct cover *c, bool holds)
{
	const struct block *last = NULL;

	vec_foreach (b, &c->blocks) {
		if (last && prefix_covers(&last->prefix, &b->prefix))
			continue;
		c->fn(c->arg, &b->prefix, holds);
		last = b;
	}
}
