// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_rule.c - a rule as nft 1.0.6 prints it.
 *
 * nft leaves out what a later field implies (`meta nfproto ipv4` before `ip saddr`) and joins
 * `meta l4proto tcp` with the port behind it; so does this.  Pure.
 */
#include <assert.h>
#include <netinet/in.h>

#include "datapath/nft/render.h"
#include "datapath/nft/stmt.h"
#include "datapath/nft/table_priv.h"

struct bit_name {
	uint32_t bit;
	const char *name;
};

/* Names: nftables 1.0.6, src/ct.c; values: nf_conntrack_common.h. */
static const struct bit_name state_names[] = {
	{1, "invalid"}, {2, "established"}, {4, "related"}, {8, "new"}, {64, "untracked"},
};
static const struct bit_name status_names[] = {
	{1, "expected"}, {2, "seen-reply"}, {4, "assured"}, {8, "confirmed"},
	{16, "snat"},	 {32, "dnat"},	    {512, "dying"},
};

/* Names: nftables 1.0.6, src/proto.c; values: RFC 4861, section 4. */
static const char *const icmp6_types[] = {
	[133] = "nd-router-solicit",  [134] = "nd-router-advert", [135] = "nd-neighbor-solicit",
	[136] = "nd-neighbor-advert", [137] = "nd-redirect",
};

/* In the order in which nft prints them */
static const struct bit_name tcp_flag_names[] = {
	{NFT_TCP_FIN, "fin"},
	{NFT_TCP_SYN, "syn"},
	{NFT_TCP_RST, "rst"},
	{NFT_TCP_ACK, "ack"},
};

/**
 * render_fields() - A concatenation of fields
 * @fields: Fields
 * @out:    Text appended
 */
void render_fields(const enum nft_field fields[NFT_FIELDS_MAX], struct buf *out)
{
	for (size_t i = 0; i < fields_count(fields); i++)
		buf_printf(out, "%s%s", i ? " . " : "", field_info(fields[i])->name);
}

static uint32_t host_u32(const struct nft_stmt *s)
{
	uint32_t v = 0;

	memcpy(&v, s->value, MIN(s->value_len, sizeof(v)));
	return v;
}

static void render_bits(const struct nft_stmt *s, struct buf *out)
{
	const struct bit_name *names = status_names;
	size_t n = ARRAY_SIZE(status_names);
	uint32_t bits = host_u32(s);
	const char *comma = "";

	if (s->field[0] == NFT_CT_STATE) {
		names = state_names;
		n = ARRAY_SIZE(state_names);
	} else if (s->field[0] == NFT_TCP_FLAGS) {
		names = tcp_flag_names;
		n = ARRAY_SIZE(tcp_flag_names);
	}
	buf_puts(out, s->negate ? " ! " : " ");
	for (size_t i = 0; i < n; i++) {
		if (!(bits & names[i].bit))
			continue;
		buf_printf(out, "%s%s", comma, names[i].name);
		bits &= ~names[i].bit;
		comma = ",";
	}
	if (bits)
		buf_printf(out, "%s0x%x", comma, bits);
}

static void render_value(const struct nft_stmt *s, struct buf *out)
{
	const struct field_info *f = field_info(s->field[0]);
	uint32_t v = host_u32(s);

	if (s->field[0] == NFT_NFPROTO)
		buf_puts(out, s->value[0] == 2 ? "ipv4" : "ipv6");
	else if (s->field[0] == NFT_ICMP6_TYPE && v < ARRAY_SIZE(icmp6_types) && icmp6_types[v])
		buf_puts(out, icmp6_types[v]);
	else if (s->field[0] == NFT_ICMP6_TYPE)
		buf_printf(out, "%u", v);
	else
		render_range(f->type, s->value, s->value, out);
}

/**
 * render_match() - A field and its value
 * @s:   Statement with one field and a value
 * @out: Text appended
 */
void render_match(const struct nft_stmt *s, struct buf *out)
{
	buf_puts(out, field_info(s->field[0])->name);
	if (field_info(s->field[0])->bitmask) {
		render_bits(s, out);
		return;
	}
	buf_puts(out, s->negate ? " != " : " ");
	render_value(s, out);
}

static bool reads(const struct nft_stmt *s, enum nft_field field)
{
	return fields_count(s->field) == 1 && s->field[0] == field;
}

/* The protocol names whose header nft knows to have a port. */
static const char *port_header(const struct nft_stmt *s)
{
	if (!stmt_row(s->kind)->has_value || s->negate || s->field[0] != NFT_L4PROTO)
		return NULL;
	return s->value[0] == 6	    ? "tcp"
	       : s->value[0] == 17  ? "udp"
	       : s->value[0] == 132 ? "sctp"
				    : NULL;
}

/* Whether nft leaves @s out because @next implies it. */
static bool implied(const struct nft_stmt *s, const struct nft_stmt *next)
{
	if (!stmt_row(s->kind)->has_value || s->negate || stmt_row(next->kind)->shows_family)
		return false;
	if (port_header(s))
		return reads(next, NFT_TH_DPORT) || reads(next, NFT_TCP_FLAGS);
	if (s->field[0] == NFT_L4PROTO && s->value[0] == IPPROTO_ICMPV6)
		return reads(next, NFT_ICMP6_TYPE);
	if (s->field[0] != NFT_NFPROTO)
		return false;
	for (size_t i = 0; i < fields_count(next->field); i++)
		if (field_info(next->field[i])->nfproto == s->value[0])
			return true;
	return false;
}

/* As it prints by itself, with the name of the header in the place of "th". */
static void render_port_stmt(const char *header, const struct nft_rule *r, const struct nft_stmt *s,
			     struct buf *out)
{
	_cleanup_(buf_done) struct buf text = {0};

	stmt_row(s->kind)->render(r, s, &text);
	buf_printf(out, "%s%s", header, text.data + strlen("th"));
}

/**
 * render_verdict() - A verdict
 * @v:   Verdict
 * @out: Text appended
 */
void render_verdict(const struct nft_verdict *v, struct buf *out)
{
	static const char *const names[] = {
		[NFT_V_ACCEPT] = "accept", [NFT_V_DROP] = "drop", [NFT_V_RETURN] = "return",
		[NFT_V_JUMP] = "jump",	   [NFT_V_GOTO] = "goto",
	};
	static_assert(ARRAY_SIZE(names) == _NFT_V_MAX, "every verdict has a name");

	buf_puts(out, names[v->code]);
	if (v->chain)
		buf_printf(out, " %s", v->chain);
}

/**
 * nft_rule_render() - A rule as nft prints it, counters at zero
 * @r:   Rule
 * @out: Text appended, without line end
 */
void nft_rule_render(const struct nft_rule *r, struct buf *out)
{
	size_t start = out->len;

	for (uint8_t i = 0; i < r->n; i++) {
		const struct nft_stmt *s = &r->stmt[i];
		const char *header = NULL;

		if (i + 1 < r->n && implied(s, s + 1))
			continue;
		if (out->len > start)
			buf_putc(out, ' ');
		if (i && implied(s - 1, s) && s->field[0] != NFT_TCP_FLAGS)
			header = port_header(s - 1);
		if (header)
			render_port_stmt(header, r, s, out);
		else
			stmt_row(s->kind)->render(r, s, out);
	}
	if (r->comment)
		buf_printf(out, "%scomment \"%s\"", out->len > start ? " " : "", r->comment);
}
