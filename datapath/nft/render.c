// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render.c - the wanted table in the syntax of `nft list table` (nftables 1.0.6).
 *
 * Differs from what nft prints in the order only: sets, maps and chains are sorted by name (nft:
 * age), elements by key (nft: by the host's byte order for concatenations).  Pure.
 */
#include "datapath/nft/render.h"

#include <assert.h>
#include <sys/socket.h>

#include "datapath/nft/fields.h"
#include "datapath/nft/table_priv.h"

/* --- values ---------------------------------------------------------------------------------- */

/**
 * render_protocol() - An IP protocol
 * @protocol: Number (IANA); those of Debian's /etc/protocols that a cluster meets have names
 * @out:      Text appended
 */
static void render_protocol(uint8_t protocol, struct buf *out)
{
	static const char *const names[256] = {
		[0] = "ip",	[1] = "icmp",	   [2] = "igmp",       [6] = "tcp",
		[17] = "udp",	[33] = "dccp",	   [47] = "gre",       [50] = "esp",
		[51] = "ah",	[89] = "ospf",	   [58] = "ipv6-icmp", [112] = "vrrp",
		[132] = "sctp", [136] = "udplite",
	};

	if (names[protocol])
		buf_puts(out, names[protocol]);
	else
		buf_printf(out, "%u", protocol);
}

static void render_addr(uint8_t family, const uint8_t *value, struct buf *out)
{
	struct addr a = {.family = family};
	char text[ADDR_STR_MAX];

	memcpy(a.b, value, addr_len(&a));
	buf_puts(out, addr_str(&a, text));
}

/* Length of the prefix that spans @first to @last; -1 if none does. */
static int prefix_of(const uint8_t *first, const uint8_t *last, size_t len)
{
	size_t bit = 0, bits = 8 * len;

	while (bit < bits && !(((first[bit / 8] ^ last[bit / 8]) >> (7 - bit % 8)) & 1))
		bit++;
	for (size_t i = bit; i < bits; i++)
		if ((first[i / 8] >> (7 - i % 8) & 1) || !(last[i / 8] >> (7 - i % 8) & 1))
			return -1;
	return (int)bit;
}

static void render_one(enum nft_type t, const uint8_t *v, struct buf *out)
{
	uint32_t mark;

	switch (t) {
	case NFT_TYPE_IPV4:
		render_addr(AF_INET, v, out);
		break;
	case NFT_TYPE_IPV6:
		render_addr(AF_INET6, v, out);
		break;
	case NFT_TYPE_ETHER:
		buf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", v[0], v[1], v[2], v[3], v[4],
			   v[5]);
		break;
	case NFT_TYPE_IFNAME:
		buf_printf(out, "\"%.16s\"", (const char *)v);
		break;
	case NFT_TYPE_PROTO:
		render_protocol(v[0], out);
		break;
	case NFT_TYPE_SERVICE:
		buf_printf(out, "%u", v[0] << 8 | v[1]);
		break;
	case NFT_TYPE_MARK:
		memcpy(&mark, v, sizeof(mark));
		buf_printf(out, "0x%08x", mark);
		break;
	case NFT_TYPE_NONE:
	case NFT_TYPE_VERDICT:
	case _NFT_TYPE_MAX:
		assert(false);
	}
}

/**
 * render_range() - One field of a key: a value, a prefix or a range
 * @t:     Type; not NFT_TYPE_NONE, not NFT_TYPE_VERDICT
 * @first: First value
 * @last:  Last value
 * @out:   Text appended
 */
void render_range(enum nft_type t, const uint8_t *first, const uint8_t *last, struct buf *out)
{
	size_t len = type_size(t);
	int prefix = -1;

	render_one(t, first, out);
	if (memcmp(first, last, len) == 0)
		return;
	if (t == NFT_TYPE_IPV4 || t == NFT_TYPE_IPV6)
		prefix = prefix_of(first, last, len);
	if (prefix >= 0) {
		buf_printf(out, "/%d", prefix);
		return;
	}
	buf_putc(out, '-');
	render_one(t, last, out);
}

static void render_key(const enum nft_type types[NFT_FIELDS_MAX], const uint8_t *first,
		       const uint8_t *last, struct buf *out)
{
	size_t at = 0;

	for (size_t i = 0; i < types_count(types); i++) {
		if (i)
			buf_puts(out, " . ");
		render_range(types[i], first + at, last + at, out);
		at += nft_type_len(types[i]);
	}
}

/**
 * render_elem() - An element
 * @def: Its set
 * @e:   Element
 * @out: Text appended
 */
void render_elem(const struct nft_set_def *def, const struct nft_elem *e, struct buf *out)
{
	render_key(def->key, e->key, def->interval ? e->end : e->key, out);
	if (def->elem_comments && e->comment)
		buf_printf(out, " comment \"%s\"", e->comment);
	if (def->data[0] == NFT_TYPE_NONE)
		return;
	buf_puts(out, " : ");
	if (def->data[0] == NFT_TYPE_VERDICT)
		render_verdict(&e->verdict, out);
	else
		render_key(def->data, e->data, e->data, out);
}

/* --- sets ------------------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
	const struct nft_elem *x = a, *y = b;
	int cmp = memcmp(x->key, y->key, sizeof(x->key));

	return cmp ? cmp : memcmp(x->end, y->end, sizeof(x->end));
}

/* Elements that nft puts on one line (src/expression.c: calculate_delim()). */
static size_t elems_per_line(const struct nft_set_def *def)
{
	if (types_count(def->key) > 1)
		return 1;
	switch (def->key[0]) {
	case NFT_TYPE_IPV4:
		return 2;
	case NFT_TYPE_PROTO:
	case NFT_TYPE_SERVICE:
	case NFT_TYPE_MARK:
		return 5;
	default:
		return 1;
	}
}

static void render_elems(const struct nft_set *s, struct buf *out)
{
	VEC(struct nft_elem) list = {0};
	size_t per_line = elems_per_line(&s->def);

	for (uint8_t *e = elems_next(&s->elems, NULL); e; e = elems_next(&s->elems, e))
		if (elem_uses(e))
			elems_get(&s->elems, e, vec_add(&list));
	vec_sort(&list, by_key);
	for (size_t i = 0; i < list.n; i++) {
		if (!i)
			buf_puts(out, "\t\telements = { ");
		else
			buf_puts(out, i % per_line ? ", " : ",\n\t\t\t     ");
		render_elem(&s->def, &list.v[i], out);
	}
	if (list.n)
		buf_puts(out, " }\n");
	vec_done(&list);
}

static void render_types(const enum nft_type types[NFT_FIELDS_MAX], struct buf *out)
{
	for (size_t i = 0; i < types_count(types); i++)
		buf_printf(out, "%s%s", i ? " . " : "", nft_type_name(types[i]));
}

static void render_comment(const char *comment, struct buf *out)
{
	if (comment)
		buf_printf(out, "\t\tcomment \"%s\"\n", comment);
}

static void render_set(const struct nft_set *s, struct buf *out)
{
	buf_printf(out, "\t%s %s {\n\t\ttype ", set_is_plain(s) ? "set" : "map", s->def.name);
	render_types(s->def.key, out);
	if (!set_is_plain(s)) {
		buf_puts(out, " : ");
		render_types(s->def.data, out);
	}
	buf_printf(out, "\n%s%s", s->def.interval ? "\t\tflags interval\n" : "",
		   s->def.dynamic ? "\t\tflags dynamic,timeout\n" : "");
	render_comment(s->def.comment, out);
	render_elems(s, out);
	buf_puts(out, "\t}\n");
}

/* --- chains ---------------------------------------------------------------------------------- */

/* nft prints priorities within 10 of a named one by that name. */
static void render_priority(const struct nft_chain_def *d, struct buf *out)
{
	static const struct {
		const char *name;
		int32_t priority;
		enum nft_hook hook; /* the only one, or NFT_HOOK_NONE: all */
	} names[] = {
		{"raw", -300, NFT_HOOK_NONE},	       {"mangle", -150, NFT_HOOK_NONE},
		{"dstnat", -100, NFT_HOOK_PREROUTING}, {"filter", 0, NFT_HOOK_NONE},
		{"security", 50, NFT_HOOK_NONE},       {"srcnat", 100, NFT_HOOK_POSTROUTING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int64_t offset = (int64_t)d->priority - names[i].priority;

		if ((names[i].hook && names[i].hook != d->hook) || offset < -10 || offset > 10)
			continue;
		buf_puts(out, names[i].name);
		if (offset)
			buf_printf(out, " %c %d", offset < 0 ? '-' : '+',
				   (int)(offset < 0 ? -offset : offset));
		return;
	}
	buf_printf(out, "%d", d->priority);
}

static void render_chain(const struct nft_chain_def *d, struct buf *out)
{
	static const char *const hooks[] = {
		[NFT_HOOK_NONE] = "",	      [NFT_HOOK_PREROUTING] = "prerouting",
		[NFT_HOOK_INPUT] = "input",   [NFT_HOOK_FORWARD] = "forward",
		[NFT_HOOK_OUTPUT] = "output", [NFT_HOOK_POSTROUTING] = "postrouting",
	};
	static_assert(ARRAY_SIZE(hooks) == _NFT_HOOK_MAX, "every hook has a name");

	buf_printf(out, "\tchain %s {\n", d->name);
	render_comment(d->comment, out);
	if (d->hook) {
		buf_printf(out, "\t\ttype %s hook %s priority ", d->nat ? "nat" : "filter",
			   hooks[d->hook]);
		render_priority(d, out);
		buf_puts(out, "; policy accept;\n");
	}
	for (size_t i = 0; i < d->n_rules; i++) {
		buf_puts(out, "\t\t");
		nft_rule_render(&d->rules[i], out);
		buf_putc(out, '\n');
	}
	buf_puts(out, "\t}\n");
}

/* --- the table ------------------------------------------------------------------------------- */

static int by_set_name(const void *a, const void *b)
{
	return strcmp((*(struct nft_set *const *)a)->def.name,
		      (*(struct nft_set *const *)b)->def.name);
}

static int by_chain_name(const void *a, const void *b)
{
	return strcmp((*(struct nft_chain *const *)a)->def.name,
		      (*(struct nft_chain *const *)b)->def.name);
}

/**
 * table_render() - The wanted table as text
 * @t:   Table
 * @out: Text appended
 *
 * Counters show zero.  Time: O(n log n) of everything
 */
void table_render(const struct nft_table *t, struct buf *out)
{
	VEC(const struct nft_set *) sets = {0};
	VEC(const struct nft_chain *) chains = {0};
	const char *gap = "";

	for (const struct nft_set *s = t->sets; s; s = s->hh.next)
		if (s->wanted)
			vec_push(&sets, s);
	for (const struct nft_chain *c = t->chains; c; c = c->hh.next)
		if (c->wanted)
			vec_push(&chains, c);
	vec_sort(&sets, by_set_name);
	vec_sort(&chains, by_chain_name);
	buf_printf(out, "table inet %s {\n", t->name);
	for (size_t i = 0; i < sets.n; i++, gap = "\n") {
		buf_puts(out, gap);
		render_set(sets.v[i], out);
	}
	for (size_t i = 0; i < chains.n; i++, gap = "\n") {
		buf_puts(out, gap);
		render_chain(&chains.v[i]->def, out);
	}
	buf_puts(out, "}\n");
	vec_done(&sets);
	vec_done(&chains);
}
