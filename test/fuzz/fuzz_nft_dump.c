// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_nft_dump.c - any netlink messages as what the kernel holds of our table.
 *
 * Input: a byte that says whether something is wanted, then messages as they stand in a dump.  What
 * comes out of them must be removable or equal what is wanted: the operations of the difference,
 * once committed, leave nothing pending, and the same dump read again gives as many.  Objects of
 * the same messages read by their names change nothing, and where they are read as gone, what is
 * wanted is written again.
 */
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>

#include "datapath/netlink/nlattr.h"
#include "datapath/nft/decode.h"
#include "datapath/nft/encode.h"
#include "datapath/nft/kernel.h"
#include "lib/intern.h"
#include "test/fuzz/must.h"

#define TABLE "manx"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- what is wanted ----------------------------------------------------------------------------
 */

static const struct nft_set_def sets[] = {
	{.name = "addrs", .key = {NFT_TYPE_IPV4}},
	{.name = "blocks", .key = {NFT_TYPE_IPV6}, .interval = true, .comment = "blocks"},
	{.name = "both", .key = {NFT_TYPE_IPV4, NFT_TYPE_SERVICE}, .interval = true},
	{.name = "marks", .key = {NFT_TYPE_IFNAME, NFT_TYPE_ETHER}, .data = {NFT_TYPE_MARK}},
	{.name = "programs",
	 .key = {NFT_TYPE_IPV4},
	 .data = {NFT_TYPE_VERDICT},
	 .elem_comments = true},
};

static void want(struct nft_table *t)
{
	static const struct nft_rule rule = {
		.n = 1, .stmt = {{.kind = NFT_VERDICT, .verdict = {NFT_V_DROP, NULL}}}};
	const struct nft_chain_def chains[] = {
		{.name = "program", .n_rules = 1, .rules = &rule},
		{.name = "forward", .hook = NFT_HOOK_FORWARD, .n_rules = 1, .rules = &rule},
	};
	struct nft_elem e = {.key = {10, 1}, .end = {10, 2}, .data = {1}};

	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		(void)table_want_chain(t, &chains[i]);
	e.verdict = (struct nft_verdict){NFT_V_GOTO, intern("program")};
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		table_want_elem(t, table_want_set(t, &sets[i]), &e);
	intern_put(e.verdict.chain);
}

/* --- a dump ------------------------------------------------------------------------------------
 */

static bool is_of_set(const struct nlmsghdr *h, const char *name)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_SET)
			return nl_string(a) && streq(nl_string(a), name);
	}
	return false;
}

/*
 * The messages of one type, in order; @set: only those about its elements.  What the kernel sends
 * in one piece is whole messages: libmnl takes a length above INT_MAX for a small one.
 */
static struct buf pick(const void *data, size_t size, uint8_t type, const char *set)
{
	const struct nlmsghdr *h = data;
	struct buf b = {0};
	int left = (int)size;

	for (; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= size; h = mnl_nlmsg_next(h, &left))
		if ((h->nlmsg_type & 0xff) == type && (!set || is_of_set(h, set)))
			buf_put(&b, h, MNL_ALIGN(h->nlmsg_len));
	if (b.len)
		b.data = xrealloc(b.data, b.cap = b.len, 1); /* not a byte more */
	return b;
}

/* As datapath/nft/apply.c puts it together. */
static bool put_together(const void *data, size_t size, struct nft_dump *ret)
{
	_cleanup_(nft_names_done) nft_names names = {0};
	struct err e = {0};

	ret->tables = pick(data, size, NFT_MSG_NEWTABLE, NULL);
	ret->sets = pick(data, size, NFT_MSG_NEWSET, NULL);
	ret->chains = pick(data, size, NFT_MSG_NEWCHAIN, NULL);
	ret->rules = pick(data, size, NFT_MSG_NEWRULE, NULL);
	if (nft_decode_set_names(ret, TABLE, &names, &e) < 0) {
		must(*e.msg);
		return false;
	}
	vec_foreach (name, &names) {
		vec_push(&ret->elems, pick(data, size, NFT_MSG_NEWSETELEM, *name));
	}
	return true;
}

/* Operations until the kernel agrees; they must be encodable, too. */
static size_t bring_about(struct nft_table *t)
{
	_cleanup_(nft_batch_done) struct nft_batch batch = {0};
	_cleanup_(nft_ops_done) struct nft_ops ops = {0};
	size_t n;

	must(table_ops(t, 0, &ops));
	n = ops.op.n;
	if (n)
		nft_encode(TABLE, &ops, 1, false, &batch);
	table_committed(t, &ops);
	return n;
}

/* @d: what every object of ours is now; none of them is known in another shape */
static void read_by_name(const struct nft_dump *d, struct nft_table *t)
{
	static const char *const chains[] = {"program", "forward", "theirs"};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		must(nft_decode_set(d, sets[i].name, t, NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		must(nft_decode_chain(d, chains[i], t, NULL) == 0);
}

/* An element of each set looked up: what is found there is the first of them, or nothing. */
static void look_up(const struct nft_dump *d, struct nft_table *t, bool gone)
{
	const struct buf nothing = {0};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct nft_touch touch = {.kind = NFT_TOUCH_ELEM,
					  .name = (char *)sets[i].name,
					  .key = {10, 1},
					  .key_len = nft_key_len(sets[i].key)};

		(void)nft_decode_elem(gone || i >= d->elems.n ? &nothing : &d->elems.v[i], &touch,
				      t);
	}
}

static void read_dump(const struct nft_dump *d, bool wanted)
{
	const struct nft_dump nothing = {0};
	_cleanup_(table_freep) struct nft_table *t = table_new(TABLE);
	size_t pending;

	if (wanted)
		want(t);
	if (nft_decode(d, t, NULL) < 0)
		return;
	pending = table_pending(t);
	must(nft_decode(d, t, NULL) == 0 && table_pending(t) == pending);
	read_by_name(d, t);
	must(table_pending(t) == pending);
	look_up(d, t, false);
	(void)bring_about(t);
	must(table_pending(t) == 0);
	look_up(d, t, true);
	read_by_name(&nothing, t);
	must(nft_decode(d, t, NULL) == 0 && table_pending(t) == pending);
	must((bring_about(t) > 0) == (pending > 0));
	must(table_pending(t) == 0 && bring_about(t) == 0);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(nft_dump_done) struct nft_dump d = {0};
	_cleanup_(freep) uint8_t *messages = NULL;

	if (size < 1)
		return 0;
	size--;
	messages = xcalloc(1, size + MNL_ALIGNTO); /* aligned, as netlink's are */
	memcpy(messages, data + 1, size);
	if (put_together(messages, size, &d))
		read_dump(&d, data[0] & 1);
	nft_dump_done(&d);
	must(intern_count() == 0);
	return 0;
}
