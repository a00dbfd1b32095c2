// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * encode.c - see encode.h: the batch, the table, chains with their rules.  Pure.
 */
#include "datapath/nft/encode.h"

#include <assert.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "datapath/nft/kernel.h"

#define SCRATCH_SIZE (128 * 1024)
#define UDATA_MAX    256

/**
 * nft_batch_done() - Free a batch
 * @b: Batch; empty afterwards
 */
void nft_batch_done(struct nft_batch *b)
{
	buf_done(&b->bytes);
	vec_done(&b->part);
	free(b->scratch);
	*b = (struct nft_batch){0};
}

/* --- messages -------------------------------------------------------------------------------- */

/**
 * batch_begin() - Begin a message in the scratch area
 * @b:     Batch
 * @type:  NFT_MSG_x
 * @flags: NLM_F_x beside NLM_F_REQUEST
 *
 * Return: its header; to be followed by batch_end()
 */
struct nlmsghdr *batch_begin(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(b->scratch, type, NFPROTO_INET, flags, b->next_seq);
}

/**
 * batch_end() - Take the finished message into the batch
 * @b:     Batch
 * @nlh:   From batch_begin()
 * @op:    Its first operation
 * @n_ops: How many operations it carries
 */
void batch_end(struct nft_batch *b, const struct nlmsghdr *nlh, size_t op, size_t n_ops)
{
	vec_push(&b->part,
		 (struct nft_part){
			 .seq = nlh->nlmsg_seq, .offset = b->bytes.len, .op = op, .n_ops = n_ops});
	buf_put(&b->bytes, nlh, nlh->nlmsg_len);
	b->next_seq++;
}

/* Flags zero wakes a table that someone has made dormant. */
static void encode_table(struct nft_batch *b, const char *table, enum nft_verb verb, size_t op)
{
	bool add = verb == NFT_ADD;
	struct nlmsghdr *nlh =
		batch_begin(b, add ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE, add ? NLM_F_CREATE : 0);
	struct nftnl_table *t = must(nftnl_table_alloc());

	nftnl_table_set_str(t, NFTNL_TABLE_NAME, table);
	if (add)
		nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, 0);
	nftnl_table_nlmsg_build_payload(nlh, t);
	nftnl_table_free(t);
	batch_end(b, nlh, op, 1);
}

/* --- chains and rules ------------------------------------------------------------------------ */

static void put_hook(struct nftnl_chain *c, const struct nft_chain_def *def)
{
	static const uint32_t hooks[] = {
		[NFT_HOOK_PREROUTING] = NF_INET_PRE_ROUTING,
		[NFT_HOOK_INPUT] = NF_INET_LOCAL_IN,
		[NFT_HOOK_FORWARD] = NF_INET_FORWARD,
		[NFT_HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
		[NFT_HOOK_POSTROUTING] = NF_INET_POST_ROUTING,
	};

	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, def->nat ? "nat" : "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hooks[def->hook]);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, def->priority);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
}

static void put_chain_comment(struct nftnl_chain *c, const char *comment)
{
	struct nftnl_udata_buf *u = must(nftnl_udata_buf_alloc(UDATA_MAX));

	(void)nftnl_udata_put_strz(u, NFTNL_UDATA_CHAIN_COMMENT, comment);
	nftnl_chain_set_data(c, NFTNL_CHAIN_USERDATA, nftnl_udata_buf_data(u),
			     nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

static void encode_chain(struct nft_batch *b, const char *table, const struct nft_op *op, size_t i)
{
	bool add = op->verb == NFT_ADD;
	struct nlmsghdr *nlh = add ? batch_begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE)
				   : batch_begin(b, NFT_MSG_DELCHAIN, 0);
	struct nftnl_chain *c = must(nftnl_chain_alloc());

	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, op->chain->name);
	if (add && op->chain->hook)
		put_hook(c, op->chain);
	if (add && op->chain->comment)
		put_chain_comment(c, op->chain->comment);
	nftnl_chain_nlmsg_build_payload(nlh, c);
	nftnl_chain_free(c);
	batch_end(b, nlh, i, 1);
}

/* @r NULL: all rules of the chain */
static void encode_one_rule(struct nft_batch *b, const char *table, const struct nft_op *op,
			    const struct nft_rule *r, size_t i)
{
	struct nlmsghdr *nlh = r ? batch_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)
				 : batch_begin(b, NFT_MSG_DELRULE, 0);
	struct nftnl_rule *to = must(nftnl_rule_alloc());

	nftnl_rule_set_str(to, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(to, NFTNL_RULE_CHAIN, op->chain->name);
	if (r)
		encode_rule(to, r);
	nftnl_rule_nlmsg_build_payload(nlh, to);
	nftnl_rule_free(to);
	batch_end(b, nlh, i, 1);
}

static void encode_rules(struct nft_batch *b, const char *table, const struct nft_op *op, size_t i)
{
	if (op->verb == NFT_DEL) {
		encode_one_rule(b, table, op, NULL, i);
		return;
	}
	for (size_t k = 0; k < op->chain->n_rules; k++)
		encode_one_rule(b, table, op, &op->chain->rules[k], i);
}

/* --- the batch ------------------------------------------------------------------------------- */

/* Gives how many operations were encoded. */
static size_t encode_ops(struct nft_batch *b, const char *table, const struct nft_ops *ops,
			 size_t i)
{
	const struct nft_op *op = &ops->op.v[i];

	switch (op->what) {
	case NFT_OP_TABLE:
		encode_table(b, table, op->verb, i);
		break;
	case NFT_OP_SET:
		encode_set(b, table, op, i);
		break;
	case NFT_OP_CHAIN:
		encode_chain(b, table, op, i);
		break;
	case NFT_OP_RULES:
		encode_rules(b, table, op, i);
		break;
	case NFT_OP_ELEM:
		return encode_elems(b, table, ops, i);
	case _NFT_OP_MAX:
		assert(false);
	}
	return 1;
}

static void ask_for_ack(struct nft_batch *b)
{
	uint16_t *flags;

	assert(b->part.n);
	flags = (uint16_t *)(b->bytes.data + b->part.v[b->part.n - 1].offset +
			     offsetof(struct nlmsghdr, nlmsg_flags));
	*flags |= NLM_F_ACK;
}

/**
 * nft_encode() - Operations as one netlink batch
 * @table: Name of the table, family inet
 * @ops:   Operations, at least one, in the order of table_ops()
 * @seq:   First sequence number
 * @alone: A message for each operation, so that an error names it; else elements share messages
 * @ret:   Batch, to be freed with nft_batch_done(); next_seq is the first number not used
 *
 * Time: O(operations)
 */
void nft_encode(const char *table, const struct nft_ops *ops, uint32_t seq, bool alone,
		struct nft_batch *ret)
{
	struct nft_batch b = {.alone = alone, .first_seq = seq, .next_seq = seq};
	struct nlmsghdr *nlh;

	b.scratch = xmalloc(SCRATCH_SIZE);
	nlh = nftnl_batch_begin(b.scratch, b.next_seq++);
	buf_put(&b.bytes, nlh, nlh->nlmsg_len);
	for (size_t i = 0; i < ops->op.n;)
		i += encode_ops(&b, table, ops, i);
	ask_for_ack(&b);
	nlh = nftnl_batch_end(b.scratch, b.next_seq++);
	buf_put(&b.bytes, nlh, nlh->nlmsg_len);
	free(TAKE(b.scratch, NULL));
	*ret = b;
}

static const struct nft_part *find_part(const struct nft_batch *b, uint32_t seq)
{
	vec_foreach (p, &b->part) {
		if (p->seq == seq)
			return p;
	}
	return NULL;
}

/**
 * nft_batch_is_alone() - Does an error name its operation by the message alone?
 * @b:   Batch
 * @seq: Sequence number of the message at fault
 *
 * Return: false if the message carries several
 */
bool nft_batch_is_alone(const struct nft_batch *b, uint32_t seq)
{
	const struct nft_part *p = find_part(b, seq);

	return !p || p->n_ops == 1;
}

static bool is_interval_end(const struct nlattr *elem)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, elem)
	{
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_FLAGS)
			return true;
	}
	return false;
}

/**
 * nft_batch_find() - The operation that an error of the kernel is about
 * @b:            Batch
 * @seq:          Sequence number of the message at fault
 * @error_offset: Offset of the attribute at fault inside the message
 *                (NLMSGERR_ATTR_OFFS), 0: not told
 *
 * Return: index of the operation; the first of the message if the kernel did not tell which;
 * SIZE_MAX if the error is about the batch as a whole
 */
size_t nft_batch_find(const struct nft_batch *b, uint32_t seq, size_t error_offset)
{
	const struct nft_part *p = find_part(b, seq);
	const char *start;
	const struct nlattr *list, *elem;
	size_t op;

	if (!p)
		return SIZE_MAX;
	if (p->n_ops == 1 || !error_offset)
		return p->op;
	op = p->op;
	start = b->bytes.data + p->offset;
	mnl_attr_for_each(list, (const struct nlmsghdr *)start, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(elem, list)
		{
			/* An end belongs to the element before it. */
			if ((size_t)((const char *)elem - start) > error_offset)
				return op - 1;
			if (!is_interval_end(elem))
				op++;
		}
	}
	return op > p->op ? op - 1 : p->op;
}
