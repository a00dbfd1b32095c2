// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * encode_set.c - sets and their elements as netlink messages.
 *
 * Elements are written attribute by attribute (libnftnl would allocate each).  The user data of a
 * set tell nft the byte order in which it prints, and the comment.  Limit: a message stays below
 * 64 KiB, the most that a netlink attribute can say.  Sources: linux/netfilter/nf_tables.h; what
 * nft 1.0.6 itself sends (nft --debug=netlink).  Pure.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include <libmnl/libmnl.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>

#include "datapath/nft/encode.h"
#include "datapath/nft/fields.h"
#include "datapath/nft/kernel.h"

#define ELEMS_MAX	    60000 /* bytes of elements in one message; one element is below 1,000 */
#define UDATA_MAX	    256
#define UDATA_HOST_ORDER    1 /* enum byteorder of nft */
#define UDATA_NETWORK_ORDER 2

/* --- sets ------------------------------------------------------------------------------------ */

static uint32_t byte_order(const enum nft_type types[NFT_FIELDS_MAX])
{
	return types_count(types) == 1 && type_is_host_order(types[0]) ? UDATA_HOST_ORDER
								       : UDATA_NETWORK_ORDER;
}

static void put_set_udata(struct nftnl_set *s, const struct nft_set_def *def)
{
	struct nftnl_udata_buf *u = must(nftnl_udata_buf_alloc(UDATA_MAX));

	(void)nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER, byte_order(def->key));
	/* For verdicts nft has none, and stumbles over one. */
	if (def->data[0] != NFT_TYPE_NONE && def->data[0] != NFT_TYPE_VERDICT)
		(void)nftnl_udata_put_u32(u, NFTNL_UDATA_SET_DATABYTEORDER, byte_order(def->data));
	if (def->comment)
		(void)nftnl_udata_put_strz(u, NFTNL_UDATA_SET_COMMENT, def->comment);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

static bool is_concat_interval(const struct nft_set_def *def)
{
	return def->interval && types_count(def->key) > 1;
}

static void put_set_kind(struct nftnl_set *s, const struct nft_set_def *def)
{
	uint32_t flags = 0;
	uint8_t field_len[NFT_FIELDS_MAX];
	size_t n = types_count(def->key);

	if (def->interval)
		flags |= NFT_SET_INTERVAL;
	if (def->dynamic)
		flags |= NFT_SET_DYNAMIC;
	if (def->data[0] != NFT_TYPE_NONE)
		flags |= NFT_SET_MAP;
	if (is_concat_interval(def)) {
		flags |= NFT_SET_CONCAT;
		for (size_t i = 0; i < n; i++)
			field_len[i] = (uint8_t)type_size(def->key[i]);
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, field_len, (uint32_t)n);
	}
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, types_id(def->key));
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, (uint32_t)types_wire_len(def->key));
	if (def->data[0] == NFT_TYPE_NONE)
		return;
	nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, types_id(def->data));
	nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN,
			  def->data[0] == NFT_TYPE_VERDICT ? sizeof(uint32_t)
							   : (uint32_t)types_wire_len(def->data));
}

/**
 * encode_set() - Add or remove a set
 * @b:     Batch
 * @table: Table
 * @op:    Operation
 * @i:     Its index
 */
void encode_set(struct nft_batch *b, const char *table, const struct nft_op *op, size_t i)
{
	bool add = op->verb == NFT_ADD;
	struct nlmsghdr *nlh = add ? batch_begin(b, NFT_MSG_NEWSET, NLM_F_CREATE)
				   : batch_begin(b, NFT_MSG_DELSET, 0);
	struct nftnl_set *s = must(nftnl_set_alloc());

	nftnl_set_set_str(s, NFTNL_SET_TABLE, table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, op->set->name);
	if (add) {
		nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
		nftnl_set_set_u32(s, NFTNL_SET_ID, ++b->next_set_id);
		put_set_kind(s, op->set);
		put_set_udata(s, op->set);
	}
	nftnl_set_nlmsg_build_payload(nlh, s);
	nftnl_set_free(s);
	batch_end(b, nlh, i, 1);
}

/* --- elements -------------------------------------------------------------------------------- */

static void put_value(struct nlmsghdr *nlh, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(nlh, nest);
}

static void put_verdict(struct nlmsghdr *nlh, const struct nft_verdict *v)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl((uint32_t)verdict_number(v->code)));
	if (v->chain)
		mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, v->chain);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
}

static void put_elem_comment(struct nlmsghdr *nlh, const char *comment)
{
	uint8_t udata[2 + NFT_COMMENT_MAX];
	size_t len = strlen(comment) + 1;

	assert(len <= NFT_COMMENT_MAX);
	udata[0] = NFTNL_UDATA_SET_ELEM_COMMENT;
	udata[1] = (uint8_t)len;
	memcpy(udata + 2, comment, len);
	mnl_attr_put(nlh, NFTA_SET_ELEM_USERDATA, 2 + len, udata);
}

static void put_elem(struct nlmsghdr *nlh, const struct nft_op *op)
{
	const struct nft_set_def *def = op->set;
	size_t len = types_wire_len(def->key);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);

	put_value(nlh, NFTA_SET_ELEM_KEY, op->elem.key, len);
	if (is_concat_interval(def))
		put_value(nlh, NFTA_SET_ELEM_KEY_END, op->elem.end, len);
	if (op->verb == NFT_ADD && def->data[0] == NFT_TYPE_VERDICT)
		put_verdict(nlh, &op->elem.verdict);
	else if (op->verb == NFT_ADD && def->data[0] != NFT_TYPE_NONE)
		put_value(nlh, NFTA_SET_ELEM_DATA, op->elem.data, types_wire_len(def->data));
	if (op->verb == NFT_ADD && op->elem.comment)
		put_elem_comment(nlh, op->elem.comment);
	mnl_attr_nest_end(nlh, nest);
}

/* The kernel marks the first key behind a range; a range up to the highest key has none. */
static void put_interval_end(struct nlmsghdr *nlh, const struct nft_op *op)
{
	size_t len = types_wire_len(op->set->key), i = len;
	uint8_t next[NFT_KEY_MAX];
	struct nlattr *nest;

	memcpy(next, op->elem.end, len);
	while (i && ++next[i - 1] == 0)
		i--;
	if (!i)
		return;
	nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	put_value(nlh, NFTA_SET_ELEM_KEY, next, len);
	mnl_attr_put_u32(nlh, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	mnl_attr_nest_end(nlh, nest);
}

static bool same_group(const struct nft_op *a, const struct nft_op *b)
{
	return b->what == NFT_OP_ELEM && a->verb == b->verb && a->set == b->set;
}

/**
 * encode_elems() - Add or remove elements of one set, as many as one message holds
 * @b:     Batch
 * @table: Table
 * @ops:   All operations
 * @first: Index of the first one; those behind it join as long as set and verb are the same
 *
 * Return: how many operations went into the message, at least 1
 */
size_t encode_elems(struct nft_batch *b, const char *table, const struct nft_ops *ops, size_t first)
{
	const struct nft_op *op = &ops->op.v[first];
	struct nlmsghdr *nlh = op->verb == NFT_ADD
				       ? batch_begin(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE)
				       : batch_begin(b, NFT_MSG_DELSETELEM, 0);
	struct nlattr *nest;
	size_t i = first;

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, op->set->name);
	nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (; i < ops->op.n && (i == first || (!b->alone && nlh->nlmsg_len < ELEMS_MAX)) &&
	       same_group(op, &ops->op.v[i]);
	     i++) {
		put_elem(nlh, &ops->op.v[i]);
		if (op->set->interval && !is_concat_interval(op->set))
			put_interval_end(nlh, &ops->op.v[i]);
	}
	mnl_attr_nest_end(nlh, nest);
	batch_end(b, nlh, first, i - first);
	return i - first;
}
