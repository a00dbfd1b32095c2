// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode.c - see decode.h: tables, sets, chains and rules.  Pure.
 */
#include "datapath/nft/decode.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "datapath/nft/encode.h"
#include "datapath/nft/fields.h"
#include "datapath/nft/kernel.h"

/**
 * nft_dump_done() - Free a dump
 * @d: Dump; empty and usable afterwards
 */
void nft_dump_done(struct nft_dump *d)
{
	buf_done(&d->tables);
	buf_done(&d->sets);
	vec_foreach (b, &d->elems) {
		buf_done(b);
	}
	vec_done(&d->elems);
	buf_done(&d->chains);
	buf_done(&d->rules);
}

/**
 * nft_names_done() - Free a list of names
 * @names: List; empty and usable afterwards
 */
void nft_names_done(nft_names *names)
{
	vec_foreach (name, names) {
		free(*name);
	}
	vec_done(names);
}

/**
 * attr_text() - Text of a netlink attribute
 * @attr: struct nlattr or NULL
 *
 * Return: the text, inside the attribute; NULL if it does not end with NUL
 */
const char *attr_text(const void *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(attr);
}

/* Value of one TLV of nft's user data. */
static const uint8_t *udata_find(const void *data, size_t len, uint8_t type, size_t *ret_len)
{
	const uint8_t *p = data, *end = p + len;

	while (end - p >= 2 && end - p - 2 >= p[1]) {
		if (p[0] == type) {
			*ret_len = p[1];
			return p + 2;
		}
		p += 2 + p[1];
	}
	return NULL;
}

/**
 * udata_text() - A comment inside user data
 * @data: User data, or NULL
 * @len:  Their length
 * @type: NFTNL_UDATA_x_COMMENT
 *
 * Return: the text, inside @data; NULL if there is none
 */
const char *udata_text(const void *data, size_t len, uint8_t type)
{
	size_t text_len;
	const uint8_t *text = data ? udata_find(data, len, type, &text_len) : NULL;

	return text && text_len && !text[text_len - 1] ? (const char *)text : NULL;
}

/* --- tables and sets ------------------------------------------------------------------------- */

typedef int (*message_fn)(void *arg, const struct nlmsghdr *nlh);

static int each_message(const struct buf *msgs, message_fn fn, void *arg)
{
	const struct nlmsghdr *nlh = (const void *)msgs->data;
	int left = (int)msgs->len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		int r = fn(arg, nlh);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A dormant table is asleep: not told, so that it is written again, which wakes it. */
static int decode_table(void *arg, const struct nlmsghdr *nlh)
{
	struct nftnl_table *nt = must(nftnl_table_alloc());
	struct nft_table *t = arg;
	int r = nftnl_table_nlmsg_parse(nlh, nt);

	if (r >= 0 && streq(nftnl_table_get_str(nt, NFTNL_TABLE_NAME), table_name(t)) &&
	    !(nftnl_table_get_u32(nt, NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT))
		table_installed_table(t);
	nftnl_table_free(nt);
	return r < 0 ? -EBADMSG : 0;
}

/* False if the numbers name a type that we never write. */
static bool decode_types(uint32_t id, uint32_t len, enum nft_type ret[NFT_FIELDS_MAX])
{
	enum nft_type types[2 * NFT_FIELDS_MAX] = {NFT_TYPE_NONE};
	size_t n = 0;

	for (uint32_t rest = id; rest && n < ARRAY_SIZE(types); rest >>= 6, n++)
		;
	if (!n || n > NFT_FIELDS_MAX)
		return false;
	for (size_t i = n; i-- > 0; id >>= 6) {
		types[i] = type_of_id(id & 0x3f);
		if (types[i] == NFT_TYPE_NONE)
			return false;
	}
	if (types_wire_len(types) != len)
		return false;
	memcpy(ret, types, NFT_FIELDS_MAX * sizeof(*ret));
	return true;
}

static bool decode_data_types(const struct nftnl_set *s, enum nft_type ret[NFT_FIELDS_MAX])
{
	uint32_t id;

	if (!nftnl_set_is_set(s, NFTNL_SET_DATA_TYPE))
		return true;
	id = nftnl_set_get_u32(s, NFTNL_SET_DATA_TYPE);
	if (id == NFT_DATA_VERDICT) {
		ret[0] = NFT_TYPE_VERDICT;
		return true;
	}
	return decode_types(id, nftnl_set_get_u32(s, NFTNL_SET_DATA_LEN), ret);
}

/* The definition borrows from @s.  Shape unknown: the first key type stays NFT_TYPE_NONE. */
static void decode_set_def(const struct nftnl_set *s, struct nft_set_def *ret)
{
	uint32_t flags = nftnl_set_get_u32(s, NFTNL_SET_FLAGS), len = 0;
	const void *udata = nftnl_set_get_data(s, NFTNL_SET_USERDATA, &len);
	enum nft_type key[NFT_FIELDS_MAX], data[NFT_FIELDS_MAX] = {NFT_TYPE_NONE};

	*ret = (struct nft_set_def){.name = nftnl_set_get_str(s, NFTNL_SET_NAME)};
	ret->comment = udata_text(udata, len, NFTNL_UDATA_SET_COMMENT);
	if (flags & ~(uint32_t)(NFT_SET_INTERVAL | NFT_SET_MAP | NFT_SET_CONCAT) ||
	    nftnl_set_is_set(s, NFTNL_SET_EXPR) || nftnl_set_is_set(s, NFTNL_SET_EXPRESSIONS) ||
	    !decode_types(nftnl_set_get_u32(s, NFTNL_SET_KEY_TYPE),
			  nftnl_set_get_u32(s, NFTNL_SET_KEY_LEN), key) ||
	    !decode_data_types(s, data))
		return;
	ret->interval = flags & NFT_SET_INTERVAL;
	memcpy(ret->key, key, sizeof(key));
	memcpy(ret->data, data, sizeof(data));
}

static bool is_ours(const struct nftnl_set *s, const char *table)
{
	return streq(nftnl_set_get_str(s, NFTNL_SET_TABLE), table) &&
	       nftnl_set_get_str(s, NFTNL_SET_NAME) &&
	       !(nftnl_set_get_u32(s, NFTNL_SET_FLAGS) & NFT_SET_ANONYMOUS);
}

struct set_names {
	const char *table;
	nft_names *names;
};

static int decode_set_name(void *arg, const struct nlmsghdr *nlh)
{
	const struct set_names *n = arg;
	struct nftnl_set *s = must(nftnl_set_alloc());
	int r = nftnl_set_nlmsg_parse(nlh, s);

	if (r >= 0 && is_ours(s, n->table))
		vec_push(n->names, xstrdup(nftnl_set_get_str(s, NFTNL_SET_NAME)));
	nftnl_set_free(s);
	return r < 0 ? -EBADMSG : 0;
}

/**
 * nft_decode_set_names() - Names of the sets whose elements belong to a dump
 * @d:      Dump; @sets is filled
 * @table:  Table
 * @ret:    Names, to be freed with nft_names_done()
 * @reterr: Message
 *
 * Return: 0; -EBADMSG
 */
int nft_decode_set_names(const struct nft_dump *d, const char *table, nft_names *ret,
			 struct err *reterr)
{
	_cleanup_(nft_names_done) nft_names names = {0};
	int r = each_message(&d->sets, decode_set_name,
			     &(struct set_names){.table = table, .names = &names});

	if (r < 0)
		return err_set(reterr, r, "nft: a set of the kernel is not understood");
	*ret = TAKE(names, (nft_names){0});
	return 0;
}

struct decode {
	struct nft_table *t;
	const struct nft_dump *dump;
	size_t n_sets; /* told so far */
};

/* Two passes: a set is told before its elements, and which shape it has depends on them. */
static int decode_set(void *arg, const struct nlmsghdr *nlh)
{
	struct decode *d = arg;
	struct nftnl_set *s = must(nftnl_set_alloc());
	int r = nftnl_set_nlmsg_parse(nlh, s);
	struct nft_set_def def;

	if (r >= 0 && is_ours(s, table_name(d->t))) {
		const struct buf *elems = &d->dump->elems.v[d->n_sets++];

		decode_set_def(s, &def);
		if (def.key[0] && !decode_set_elems(d->t, &def, elems, false))
			def.key[0] = NFT_TYPE_NONE;
		table_installed_set(d->t, &def);
		if (def.key[0])
			(void)decode_set_elems(d->t, &def, elems, true);
	}
	nftnl_set_free(s);
	return r < 0 ? -EBADMSG : 0;
}

/* --- chains and rules ------------------------------------------------------------------------ */

static enum nft_hook decode_hook(const struct nftnl_chain *c)
{
	static const enum nft_hook hooks[] = {
		[NF_INET_PRE_ROUTING] = NFT_HOOK_PREROUTING,
		[NF_INET_LOCAL_IN] = NFT_HOOK_INPUT,
		[NF_INET_FORWARD] = NFT_HOOK_FORWARD,
		[NF_INET_LOCAL_OUT] = NFT_HOOK_OUTPUT,
		[NF_INET_POST_ROUTING] = NFT_HOOK_POSTROUTING,
	};
	const char *type = nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE);
	uint32_t hook;

	if (!nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM))
		return NFT_HOOK_NONE;
	hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
	if (hook >= ARRAY_SIZE(hooks) || !(streq(type, "filter") || streq(type, "nat")) ||
	    nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) != NF_ACCEPT)
		return _NFT_HOOK_MAX;
	return hooks[hook];
}

static void tell_chain(struct nft_table *t, const struct nftnl_chain *c)
{
	uint32_t flags = 0, len = 0;
	const void *udata = nftnl_chain_get_data(c, NFTNL_CHAIN_USERDATA, &len);
	struct nft_chain_def def = {.name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)};

	if (nftnl_chain_is_set(c, NFTNL_CHAIN_FLAGS))
		flags = nftnl_chain_get_u32(c, NFTNL_CHAIN_FLAGS);
	if (!streq(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE), table_name(t)) || !def.name ||
	    flags & NFT_CHAIN_BINDING)
		return;
	def.hook = decode_hook(c);
	def.nat = streq(nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE), "nat");
	if (def.hook)
		def.priority = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO);
	def.comment = udata_text(udata, len, NFTNL_UDATA_CHAIN_COMMENT);
	table_installed_chain(t, &def);
}

static int decode_chain(void *arg, const struct nlmsghdr *nlh)
{
	struct nftnl_chain *c = must(nftnl_chain_alloc());
	int r = nftnl_chain_nlmsg_parse(nlh, c);

	if (r >= 0)
		tell_chain(arg, c);
	nftnl_chain_free(c);
	return r < 0 ? -EBADMSG : 0;
}

static uint64_t rule_digest(const struct nlattr *udata)
{
	uint64_t digest = 0;
	const uint8_t *value;
	size_t len = 0;

	if (!udata)
		return 0;
	value = udata_find(mnl_attr_get_payload(udata), mnl_attr_get_payload_len(udata),
			   NFT_UDATA_RULE_DIGEST, &len);
	if (value && len == sizeof(digest))
		memcpy(&digest, value, sizeof(digest));
	return digest;
}

static int decode_rule(void *arg, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *table = NULL, *chain = NULL, *udata = NULL;
	struct nft_table *t = arg;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_RULE_TABLE:
			table = attr;
			break;
		case NFTA_RULE_CHAIN:
			chain = attr;
			break;
		case NFTA_RULE_USERDATA:
			udata = attr;
			break;
		default:
			break;
		}
	}
	if (!attr_text(table) || !attr_text(chain))
		return -EBADMSG;
	if (streq(attr_text(table), table_name(t)))
		table_installed_rule(t, attr_text(chain), rule_digest(udata));
	return 0;
}

/**
 * nft_decode() - Tell a table what a dump found
 * @d:      Dump, complete and consistent
 * @t:      Table; what is installed is replaced by what the dump says.  After an error nothing is
 *          known to be installed that is, and the dump must be repeated.
 * @reterr: Message
 *
 * Return: 0; -EBADMSG if a message lacks what the kernel always sends
 */
int nft_decode(const struct nft_dump *d, struct nft_table *t, struct err *reterr)
{
	int r;

	table_installed_begin(t);
	r = each_message(&d->tables, decode_table, t);
	if (!r)
		r = each_message(&d->sets, decode_set, &(struct decode){.t = t, .dump = d});
	if (!r)
		r = each_message(&d->chains, decode_chain, t);
	if (!r)
		r = each_message(&d->rules, decode_rule, t);
	table_installed_end(t);
	if (r < 0)
		return err_set(reterr, r, "nft: a message of the kernel is not understood");
	return 0;
}
