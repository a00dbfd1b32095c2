/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode.h - operations as one netlink batch, and from a place in the batch back to the operation.
 *
 * The bytes are those that sendmsg() takes: batch begin, one message for each operation (elements
 * of one set share a message, a chain's rules are one message each), batch end.  The last message
 * before the end asks for an acknowledgement, which the kernel sends behind the commit.  Pure.
 */
#pragma once

#include "datapath/nft/table.h"

struct nftnl_rule;

/* TLV types of a rule's user data: nft prints 0 and ignores those it does not know. */
#define NFT_UDATA_RULE_DIGEST 77

/*
 * struct nft_part - one message of a batch
 * @seq:    Its sequence number
 * @offset: Where it begins in the bytes
 * @op:     Its first operation
 * @n_ops:  How many operations it carries
 */
struct nft_part {
	uint32_t seq;
	size_t offset, op, n_ops;
};

/* struct nft_batch - @alone: a message for each element, so that an error names it */
struct nft_batch {
	bool alone;
	struct buf bytes;
	VEC(struct nft_part) part;
	char *scratch;
	uint32_t first_seq, next_seq;
	uint32_t next_set_id;
};

void nft_batch_done(struct nft_batch *b);
void nft_encode(const char *table, const struct nft_ops *ops, uint32_t seq, bool alone,
		struct nft_batch *ret);
bool nft_batch_is_alone(const struct nft_batch *b, uint32_t seq);
size_t nft_batch_find(const struct nft_batch *b, uint32_t seq, size_t error_offset);

/* Inside the encoder */
struct nlmsghdr;
struct nlmsghdr *batch_begin(struct nft_batch *b, uint16_t type, uint16_t flags);
void batch_end(struct nft_batch *b, const struct nlmsghdr *nlh, size_t op, size_t n_ops);
void encode_set(struct nft_batch *b, const char *table, const struct nft_op *op, size_t i);
size_t encode_elems(struct nft_batch *b, const char *table, const struct nft_ops *ops,
		    size_t first);
int verdict_number(enum nft_verdict_code code);
void encode_rule(struct nftnl_rule *to, const struct nft_rule *r);
void *must(void *allocated);
