// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * out_write.c - what a neighbour is told of our prefixes, as UPDATEs.  Pure.
 */
#include <endian.h>

#include "datapath/bgp/out.h"
#include "lib/vec.h"

#define BATCH_MAX 2048 /* prefixes that are sorted by their attributes and packed together */

static bool has_community(const struct bgp_attrs *a, uint32_t community)
{
	const struct bgp_span *l = &a->list[BGP_LIST_COMMUNITIES];

	community = htobe32(community);
	for (size_t i = 0; i + 4 <= l->n; i += 4)
		if (memcmp(l->p + i, &community, 4) == 0)
			return true;
	return false;
}

/**
 * bgp_out_export() - What a neighbour is told of a prefix
 * @r:    Neighbour
 * @a:    Prefix
 * @ret:  Attributes, borrowed from @a and @path
 * @path: For the path
 *
 * To another AS our own is put into the path (RFC 4271 5.1.2), within ours LOCAL_PREF is always
 * there (5.1.5); the next hop is ours.
 *
 * Return: false if it is told nothing
 */
bool bgp_out_export(const struct bgp_reader *r, const struct bgp_advert *a, struct bgp_attrs *ret,
		    struct buf *path)
{
	enum bgp_family f = a->p.addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;

	if (!a->attrs || !(r->session->families >> f & 1) || !r->hop[f].family)
		return false;
	if (r->wants && !r->wants(r->wants_arg, &a->p, a->attrs))
		return false;
	*ret = bgp_kept_view(a->attrs);
	if (has_community(ret, BGP_COMMUNITY_NO_ADVERTISE) ||
	    (r->session->external && has_community(ret, BGP_COMMUNITY_NO_EXPORT)))
		return false;
	ret->next_hop = r->hop[f];
	ret->link_local = f == BGP_IPV6 ? r->link_local : (struct addr){0};
	if (!r->session->external) {
		ret->local_pref = bgp_attrs_has(ret, BGP_ATTR_LOCAL_PREF) ? ret->local_pref : 100;
		ret->has |= 1u << BGP_ATTR_LOCAL_PREF;
		return true;
	}
	buf_reset(path);
	bgp_path_prepend(&ret->list[BGP_LIST_AS_PATH], r->asn, 1, path);
	ret->list[BGP_LIST_AS_PATH] =
		(struct bgp_span){(const uint8_t *)path->data, (uint16_t)path->len};
	return true;
}

/* struct batch - prefixes that are next: those to be announced, and those to be withdrawn */
struct batch {
	VEC(struct bgp_advert *) announced;
	VEC(struct prefix) withdrawn, same;
	struct buf path;
};

static void batch_done(struct batch *b)
{
	vec_done(&b->announced);
	vec_done(&b->withdrawn);
	vec_done(&b->same);
	buf_done(&b->path);
}

static void withdraw(struct bgp_out *o, struct bgp_reader *r, struct bgp_advert *a, struct batch *b)
{
	if (!bgp_out_has(a, r))
		return;
	vec_push(&b->withdrawn, a->p);
	bgp_out_note(o, a, r, false);
}

static void collect(struct bgp_out *o, struct bgp_reader *r, enum bgp_family f, struct batch *b)
{
	struct bgp_attrs ignored;

	for (int i = 0; i < BATCH_MAX && r->cursor[f]; i++) {
		struct bgp_advert *a = r->cursor[f];

		r->cursor[f] = a->after;
		if (bgp_out_export(r, a, &ignored, &b->path))
			vec_push(&b->announced, a);
		else
			withdraw(o, r, a, b);
	}
}

static int by_attrs(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)(*(struct bgp_advert *const *)a)->attrs;
	uintptr_t y = (uintptr_t)(*(struct bgp_advert *const *)b)->attrs;

	return x < y ? -1 : x > y;
}

/* Those from @from on that have its attributes, as few UPDATEs as hold them; returns how many. */
static size_t put_equal(struct bgp_out *o, struct bgp_reader *r, struct batch *b, size_t from,
			struct buf *out)
{
	struct bgp_advert *first = b->announced.v[from];
	struct bgp_attrs attrs;
	size_t done = 0, put = 1;

	(void)bgp_out_export(r, first, &attrs, &b->path);
	b->same.n = 0;
	for (size_t i = from; i < b->announced.n && b->announced.v[i]->attrs == first->attrs; i++)
		vec_push(&b->same, b->announced.v[i]->p);
	for (; done < b->same.n && put; done += put) {
		put = bgp_update_put(out, r->session, &attrs, b->same.v + done, b->same.n - done);
		for (size_t j = done; j < done + put; j++)
			bgp_out_note(o, b->announced.v[from + j], r, true);
	}
	return done;
}

/* What no message can hold is not announced, and not as it was before either. */
static void give_up(struct bgp_out *o, struct bgp_reader *r, struct batch *b, size_t from,
		    size_t to)
{
	for (size_t i = from; i < to; i++)
		withdraw(o, r, b->announced.v[i], b);
	r->too_long += (uint32_t)(to - from);
}

static void put_announced(struct bgp_out *o, struct bgp_reader *r, struct batch *b, struct buf *out)
{
	vec_sort(&b->announced, by_attrs);
	for (size_t i = 0; i < b->announced.n; i += b->same.n) {
		size_t done = put_equal(o, r, b, i, out);

		give_up(o, r, b, i + done, i + b->same.n);
	}
}

static void put_withdrawn(struct batch *b, struct buf *out)
{
	for (size_t i = 0; i < b->withdrawn.n;)
		i += bgp_withdraw_put(out, b->withdrawn.v + i, b->withdrawn.n - i);
}

/* The end of the first table (RFC 4724 2), which every neighbour gets. */
static void put_end(struct bgp_reader *r, enum bgp_family f, struct buf *out)
{
	if (r->cursor[f] || r->ended[f] || !(r->session->families >> f & 1))
		return;
	bgp_end_of_rib_put(out, f);
	r->ended[f] = true;
}

/**
 * bgp_out_write() - Write what a neighbour does not know yet
 * @o:     List
 * @r:     Neighbour
 * @out:   Appended to
 * @limit: No more UPDATEs are begun when @out has that many bytes; it may become longer by the
 *         2,048 prefixes that are packed together
 *
 * Return: true if there is more
 */
bool bgp_out_write(struct bgp_out *o, struct bgp_reader *r, struct buf *out, size_t limit)
{
	for (int i = 0; i < _BGP_FAMILY_MAX; i++) {
		enum bgp_family f = (enum bgp_family)i;

		while (r->cursor[f] && out->len < limit) {
			_cleanup_(batch_done) struct batch b = {0};

			collect(o, r, f, &b);
			put_announced(o, r, &b, out);
			put_withdrawn(&b, out);
		}
		put_end(r, f, out);
	}
	return r->cursor[BGP_IPV4] || r->cursor[BGP_IPV6];
}
