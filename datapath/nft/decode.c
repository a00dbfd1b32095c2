// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode.c - see decode.h: tables, sets, chains and rules.  Pure.
 *
 * Not with the parsers of libnftnl: they make an object of everything that a message holds, and
 * crash at what they do not expect in it; of ours, a dozen attributes matter.
 */
#include "datapath/nft/decode.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>

#include "datapath/netlink/nlattr.h"
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

#define ATTRS_MAX 32

/* struct attrs - the attributes of one message, by their type; NULL where there is none */
struct attrs {
	const struct nlattr *of[ATTRS_MAX];
};

static struct attrs attrs_of(const struct nlmsghdr *nlh)
{
	struct attrs ret = {0};
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) < ATTRS_MAX)
			ret.of[mnl_attr_get_type(a)] = a;
	}
	return ret;
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
 * @udata: Attribute with user data, or NULL
 * @type:  NFTNL_UDATA_x_COMMENT
 *
 * Return: the text, inside @udata; NULL if there is none
 */
const char *udata_text(const struct nlattr *udata, uint8_t type)
{
	size_t text_len;
	const uint8_t *text = udata ? udata_find(mnl_attr_get_payload(udata),
						 mnl_attr_get_payload_len(udata), type, &text_len)
				    : NULL;

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
	const struct attrs a = attrs_of(nlh);
	const char *name = nl_string(a.of[NFTA_TABLE_NAME]);
	struct nft_table *t = arg;

	if (!name)
		return -EBADMSG;
	if (streq(name, table_name(t)) && !(nl_be32(a.of[NFTA_TABLE_FLAGS]) & NFT_TABLE_F_DORMANT))
		table_installed_table(t);
	return 0;
}

/* False if the numbers name a type that we never write, or more bytes than @room. */
static bool decode_types(uint32_t id, uint32_t len, size_t room, enum nft_type ret[NFT_FIELDS_MAX])
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
	if (types_wire_len(types) != len || len > room)
		return false;
	memcpy(ret, types, NFT_FIELDS_MAX * sizeof(*ret));
	return true;
}

static bool decode_data_types(const struct attrs *a, enum nft_type ret[NFT_FIELDS_MAX])
{
	uint32_t id = nl_be32(a->of[NFTA_SET_DATA_TYPE]);

	if (!a->of[NFTA_SET_DATA_TYPE])
		return true;
	if (id == NFT_DATA_VERDICT) {
		ret[0] = NFT_TYPE_VERDICT;
		return true;
	}
	return decode_types(id, nl_be32(a->of[NFTA_SET_DATA_LEN]), NFT_DATA_MAX, ret);
}

/* The definition borrows from the message.  Shape unknown: the first key type stays NFT_TYPE_NONE.
 */
static void decode_set_def(const struct attrs *a, struct nft_set_def *ret)
{
	enum nft_type key[NFT_FIELDS_MAX], data[NFT_FIELDS_MAX] = {NFT_TYPE_NONE};
	uint32_t flags = nl_be32(a->of[NFTA_SET_FLAGS]);

	bool dynamic = (flags & NFT_SET_DYNAMIC) == NFT_SET_DYNAMIC;

	*ret = (struct nft_set_def){.name = nl_string(a->of[NFTA_SET_NAME])};
	ret->comment = udata_text(a->of[NFTA_SET_USERDATA], NFTNL_UDATA_SET_COMMENT);
	if (flags & ~(uint32_t)(NFT_SET_INTERVAL | NFT_SET_MAP | NFT_SET_CONCAT |
				(dynamic ? NFT_SET_DYNAMIC : 0)) ||
	    a->of[NFTA_SET_EXPR] || a->of[NFTA_SET_EXPRESSIONS] ||
	    !decode_types(nl_be32(a->of[NFTA_SET_KEY_TYPE]), nl_be32(a->of[NFTA_SET_KEY_LEN]),
			  NFT_KEY_MAX, key) ||
	    !decode_data_types(a, data))
		return;
	ret->interval = flags & NFT_SET_INTERVAL;
	ret->dynamic = dynamic;
	memcpy(ret->key, key, sizeof(key));
	memcpy(ret->data, data, sizeof(data));
}

/* Our set with a name: 1; another one: 0; -EBADMSG */
static int is_ours(const struct attrs *a, const char *table)
{
	const char *of_table = nl_string(a->of[NFTA_SET_TABLE]);

	if (!of_table || !nl_string(a->of[NFTA_SET_NAME]))
		return -EBADMSG;
	return streq(of_table, table) && !(nl_be32(a->of[NFTA_SET_FLAGS]) & NFT_SET_ANONYMOUS);
}

struct set_names {
	const char *table;
	nft_names *names;
};

static int decode_set_name(void *arg, const struct nlmsghdr *nlh)
{
	const struct set_names *n = arg;
	const struct attrs a = attrs_of(nlh);
	int r = is_ours(&a, n->table);

	if (r > 0)
		vec_push(n->names, xstrdup(nl_string(a.of[NFTA_SET_NAME])));
	return MIN(r, 0);
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

/*
 * struct decode
 * @only:   Tell the objects of this name; NULL: all
 * @n_sets: Seen so far
 */
struct decode {
	struct nft_table *t;
	const struct nft_dump *dump;
	const char *only;
	size_t n_sets;
};

static bool is_asked_for(const struct decode *d, const char *name)
{
	return !d->only || streq(d->only, name);
}

/* Two passes: a set is told before its elements, and which shape it has depends on them. */
static int decode_set(void *arg, const struct nlmsghdr *nlh)
{
	struct decode *d = arg;
	const struct attrs a = attrs_of(nlh);
	int r = is_ours(&a, table_name(d->t));
	const struct buf *elems;
	struct nft_set_def def;

	if (r <= 0)
		return r;
	elems = &d->dump->elems.v[d->n_sets++];
	decode_set_def(&a, &def);
	if (!is_asked_for(d, def.name))
		return 0;
	if (def.key[0] && !def.dynamic && !decode_set_elems(d->t, &def, elems, false))
		def.key[0] = NFT_TYPE_NONE;
	table_installed_set(d->t, &def);
	if (def.key[0] && !def.dynamic)
		(void)decode_set_elems(d->t, &def, elems, true);
	return 0;
}

/* --- chains and rules ------------------------------------------------------------------------ */

static enum nft_hook decode_hook(const struct attrs *a)
{
	static const enum nft_hook hooks[] = {
		[NF_INET_PRE_ROUTING] = NFT_HOOK_PREROUTING,
		[NF_INET_LOCAL_IN] = NFT_HOOK_INPUT,
		[NF_INET_FORWARD] = NFT_HOOK_FORWARD,
		[NF_INET_LOCAL_OUT] = NFT_HOOK_OUTPUT,
		[NF_INET_POST_ROUTING] = NFT_HOOK_POSTROUTING,
	};
	const char *type = nl_string(a->of[NFTA_CHAIN_TYPE]);
	uint32_t hook = nl_be32(nl_find_nested(a->of[NFTA_CHAIN_HOOK], NFTA_HOOK_HOOKNUM));

	if (!a->of[NFTA_CHAIN_HOOK])
		return NFT_HOOK_NONE;
	if (hook >= ARRAY_SIZE(hooks) || !(streq(type, "filter") || streq(type, "nat")) ||
	    nl_be32(a->of[NFTA_CHAIN_POLICY]) != NF_ACCEPT)
		return _NFT_HOOK_MAX;
	return hooks[hook];
}

static int decode_chain(void *arg, const struct nlmsghdr *nlh)
{
	const struct attrs a = attrs_of(nlh);
	const char *table = nl_string(a.of[NFTA_CHAIN_TABLE]);
	struct nft_chain_def def = {.name = nl_string(a.of[NFTA_CHAIN_NAME])};
	const struct decode *d = arg;

	if (!table || !def.name)
		return -EBADMSG;
	if (!streq(table, table_name(d->t)) || !is_asked_for(d, def.name) ||
	    nl_be32(a.of[NFTA_CHAIN_FLAGS]) & NFT_CHAIN_BINDING)
		return 0;
	def.hook = decode_hook(&a);
	def.nat = streq(nl_string(a.of[NFTA_CHAIN_TYPE]), "nat");
	if (def.hook)
		def.priority =
			(int32_t)nl_be32(nl_find_nested(a.of[NFTA_CHAIN_HOOK], NFTA_HOOK_PRIORITY));
	def.comment = udata_text(a.of[NFTA_CHAIN_USERDATA], NFTNL_UDATA_CHAIN_COMMENT);
	table_installed_chain(d->t, &def);
	return 0;
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
	const struct attrs a = attrs_of(nlh);
	const char *table = nl_string(a.of[NFTA_RULE_TABLE]);
	const char *chain = nl_string(a.of[NFTA_RULE_CHAIN]);
	const struct decode *d = arg;

	if (!table || !chain)
		return -EBADMSG;
	if (streq(table, table_name(d->t)) && is_asked_for(d, chain))
		table_installed_rule(d->t, chain, rule_digest(a.of[NFTA_RULE_USERDATA]));
	return 0;
}

static int say(int r, struct err *reterr)
{
	if (r < 0)
		return err_set(reterr, r, "nft: a message of the kernel is not understood");
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
	struct decode all = {.t = t, .dump = d};
	int r;

	table_installed_begin(t);
	r = each_message(&d->tables, decode_table, t);
	if (!r)
		r = each_message(&d->sets, decode_set, &all);
	if (!r)
		r = each_message(&d->chains, decode_chain, &all);
	if (!r)
		r = each_message(&d->rules, decode_rule, &all);
	table_installed_end(t);
	return say(r, reterr);
}

/**
 * nft_decode_set() - Tell a table what one of its sets is now
 * @d:      Dump; @sets and @elems are filled, empty if the set is gone
 * @name:   The set
 * @t:      Table
 * @reterr: Message
 *
 * Return: as nft_decode()
 */
int nft_decode_set(const struct nft_dump *d, const char *name, struct nft_table *t,
		   struct err *reterr)
{
	int r;

	table_reread_set_begin(t, name);
	r = each_message(&d->sets, decode_set, &(struct decode){.t = t, .dump = d, .only = name});
	table_reread_set_end(t, name);
	return say(r, reterr);
}

/**
 * nft_decode_chain() - Tell a table what one of its chains is now
 * @d:      Dump; @chains and @rules are filled, empty if the chain is gone
 * @name:   The chain
 * @t:      Table
 * @reterr: Message
 *
 * Return: as nft_decode()
 */
int nft_decode_chain(const struct nft_dump *d, const char *name, struct nft_table *t,
		     struct err *reterr)
{
	struct decode one = {.t = t, .dump = d, .only = name};
	int r;

	table_reread_chain_begin(t, name);
	r = each_message(&d->chains, decode_chain, &one);
	if (!r)
		r = each_message(&d->rules, decode_rule, &one);
	table_reread_chain_end(t, name);
	return say(r, reterr);
}
