// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode_elem.c - the elements of one set, or a single one.
 *
 * Sets of ranges over one field come as single keys, a start and a marked end each, in any order;
 * they are sorted and paired.  All others are told one by one as they stand.  Pure.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>

#include "datapath/netlink/nlattr.h"
#include "datapath/nft/decode.h"
#include "datapath/nft/fields.h"
#include "datapath/nft/kernel.h"
#include "lib/intern.h"

/* struct bound - a key of a one-field interval set; @e.comment and the chain are interned */
struct bound {
	struct nft_elem e;
	bool end;
};

typedef VEC(struct bound) bounds;

static void drop_strings(const struct nft_elem *e)
{
	intern_put(e->verdict.chain);
	intern_put(e->comment);
}

static void bounds_done(bounds *b)
{
	vec_foreach (x, b) {
		drop_strings(&x->e);
	}
	vec_done(b);
}

/* --- one element ----------------------------------------------------------------------------- */

static bool decode_value(const struct nlattr *outer, size_t len, uint8_t *ret)
{
	const struct nlattr *value = nl_find_nested(outer, NFTA_DATA_VALUE);

	if (!value || mnl_attr_get_payload_len(value) != len)
		return false;
	memcpy(ret, mnl_attr_get_payload(value), len);
	return true;
}

static bool decode_verdict(const struct nlattr *outer, struct nft_verdict *ret)
{
	const struct nlattr *verdict = nl_find_nested(outer, NFTA_DATA_VERDICT);
	const struct nlattr *code = nl_find_nested(verdict, NFTA_VERDICT_CODE);
	const char *chain = nl_string(nl_find_nested(verdict, NFTA_VERDICT_CHAIN));

	if (!code || mnl_attr_validate(code, MNL_TYPE_U32) < 0)
		return false;
	switch ((int32_t)ntohl(mnl_attr_get_u32(code))) {
	case NF_ACCEPT:
		ret->code = NFT_V_ACCEPT;
		return true;
	case NF_DROP:
		ret->code = NFT_V_DROP;
		return true;
	case NFT_RETURN:
		ret->code = NFT_V_RETURN;
		return true;
	case NFT_JUMP:
	case NFT_GOTO:
		if (!chain)
			return false;
		ret->code = (int32_t)ntohl(mnl_attr_get_u32(code)) == NFT_JUMP ? NFT_V_JUMP
									       : NFT_V_GOTO;
		ret->chain = intern(chain);
		return true;
	default:
		return false;
	}
}

struct elem_attrs {
	const struct nlattr *key, *key_end, *data, *flags, *udata;
	bool foreign; /* has something that we never write */
};

static struct elem_attrs split(const struct nlattr *elem)
{
	struct elem_attrs ret = {0};
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, elem)
	{
		switch (mnl_attr_get_type(a)) {
		case NFTA_SET_ELEM_KEY:
			ret.key = a;
			break;
		case NFTA_SET_ELEM_KEY_END:
			ret.key_end = a;
			break;
		case NFTA_SET_ELEM_DATA:
			ret.data = a;
			break;
		case NFTA_SET_ELEM_FLAGS:
			ret.flags = a;
			break;
		case NFTA_SET_ELEM_USERDATA:
			ret.udata = a;
			break;
		case NFTA_SET_ELEM_PAD:
			break;
		default:
			ret.foreign = true;
		}
	}
	return ret;
}

static bool decode_data(const struct nft_set_def *def, const struct elem_attrs *a,
			struct nft_elem *ret)
{
	if (def->data[0] == NFT_TYPE_NONE)
		return !a->data;
	if (!a->data)
		return false;
	if (def->data[0] == NFT_TYPE_VERDICT)
		return decode_verdict(a->data, &ret->verdict);
	return decode_value(a->data, types_wire_len(def->data), ret->data);
}

/* Strings in @ret are interned, also when the element turns out to be foreign. */
static bool decode_elem(const struct nft_set_def *def, const struct nlattr *elem, struct bound *ret)
{
	struct elem_attrs a = split(elem);
	uint32_t flags = nl_be32(a.flags);
	size_t len = types_wire_len(def->key);
	const char *comment = udata_text(a.udata, NFTNL_UDATA_SET_ELEM_COMMENT);

	*ret = (struct bound){0};
	ret->end = flags & NFT_SET_ELEM_INTERVAL_END;
	if (a.foreign || flags & ~(uint32_t)NFT_SET_ELEM_INTERVAL_END || !a.key ||
	    !decode_value(a.key, len, ret->e.key))
		return false;
	memcpy(ret->e.end, ret->e.key, sizeof(ret->e.end));
	if (a.key_end && !decode_value(a.key_end, len, ret->e.end))
		return false;
	ret->e.comment = comment ? intern(comment) : NULL;
	return ret->end || decode_data(def, &a, &ret->e);
}

/* --- all elements of a set ------------------------------------------------------------------- */

struct walk {
	struct nft_table *t;
	const struct nft_set_def *def;
	bool tell, pair;
	bounds bounds;
};

static bool walk_list(struct walk *w, const struct nlattr *list)
{
	const struct nlattr *elem;

	mnl_attr_for_each_nested(elem, list)
	{
		struct bound b;
		bool known = decode_elem(w->def, elem, &b) && (w->pair || !b.end);

		if (known && w->pair) {
			vec_push(&w->bounds, b);
			continue;
		}
		if (known && w->tell)
			table_installed_elem(w->t, w->def->name, &b.e);
		drop_strings(&b.e);
		if (!known)
			return false;
	}
	return true;
}

static bool walk_message(struct walk *w, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_SET_ELEM_LIST_ELEMENTS)
			return walk_list(w, attr);
	}
	return true;
}

/* An end sorts before the start at the same key. */
static int by_key(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;
	int cmp = memcmp(x->e.key, y->e.key, sizeof(x->e.key));

	return cmp ? cmp : (int)y->end - (int)x->end;
}

static void set_last(struct nft_elem *e, const struct bound *end, size_t len)
{
	memset(e->end, 0, sizeof(e->end));
	if (!end) {
		memset(e->end, 0xff, len);
		return;
	}
	memcpy(e->end, end->e.key, len);
	for (size_t i = len; i > 0 && e->end[i - 1]-- == 0; i--)
		;
}

/* False if a range has no end of its own.  nft puts an end at key zero, which means nothing. */
static bool pair_bounds(struct walk *w)
{
	static const uint8_t zero[NFT_KEY_MAX];
	size_t len = types_wire_len(w->def->key);

	vec_sort(&w->bounds, by_key);
	for (size_t i = 0; i < w->bounds.n; i++) {
		struct bound *b = &w->bounds.v[i], *next = NULL;

		if (b->end && i == 0 && memcmp(b->e.key, zero, len) == 0)
			continue;
		if (i + 1 < w->bounds.n)
			next = b + 1;
		if (b->end || (next && !next->end))
			return false;
		set_last(&b->e, next, len);
		if (w->tell)
			table_installed_elem(w->t, w->def->name, &b->e);
		i++;
	}
	return true;
}

/**
 * decode_set_elems() - Look through the elements of a set
 * @t:    Table, told each element if @tell
 * @def:  The set, its shape known
 * @msgs: Messages with its elements
 * @tell: Tell them; else only look
 *
 * Return: true if all are of a kind that we write
 */
bool decode_set_elems(struct nft_table *t, const struct nft_set_def *def, const struct buf *msgs,
		      bool tell)
{
	struct walk w = {.t = t, .def = def, .tell = tell};
	const struct nlmsghdr *nlh = (const void *)msgs->data;
	int left = (int)msgs->len;
	bool known = true;

	w.pair = def->interval && types_count(def->key) == 1;
	for (; known && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		known = walk_message(&w, nlh);
	known = known && pair_bounds(&w);
	bounds_done(&w.bounds);
	return known;
}

static const struct nlattr *first_elem(const struct buf *msgs)
{
	const struct nlmsghdr *nlh = (const void *)msgs->data;

	if (!mnl_nlmsg_ok(nlh, (int)msgs->len))
		return NULL;
	return nl_find_nested(nl_find(nlh, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS),
			      NFTA_LIST_ELEM);
}

/**
 * nft_decode_elem() - Tell a table what one element is now
 * @msgs:  Message that has it; empty if it is gone
 * @touch: The element
 * @t:     Table
 *
 * Elements of a dynamic set are the kernel's own.
 *
 * Return: true; false, and nothing told, if only its whole set says what the kernel has
 */
bool nft_decode_elem(const struct buf *msgs, const struct nft_touch *touch, struct nft_table *t)
{
	const struct nft_set_def *def = table_set_def(t, touch->name);
	const struct nlattr *found = first_elem(msgs);
	struct nft_elem key = {0};
	struct bound b = {0};
	bool known;

	if (def && def->dynamic)
		return true;
	if (!def || def->interval || types_wire_len(def->key) != touch->key_len ||
	    (msgs->len && !found))
		return false;
	memcpy(key.key, touch->key, touch->key_len);
	known = !found ||
		(decode_elem(def, found, &b) && memcmp(b.e.key, key.key, sizeof(key.key)) == 0);
	known = known && table_reread_elem(t, touch->name, &key, found ? &b.e : NULL);
	drop_strings(&b.e);
	return known;
}
