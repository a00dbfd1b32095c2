// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podrows.c - elements of one attachment.  Pure.
 */
#include "datapath/base/podrows.h"

#include <arpa/inet.h>

/* @arg: of whoever walks the rows */
typedef void elem_fn(void *arg, struct nft_table *t, struct nft_set *s, const struct nft_elem *e);

static enum nft_type addr_type(const struct addr *a)
{
	return a->family == AF_INET ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6;
}

static void put_addr(uint8_t *key, size_t *len, const struct addr *a)
{
	nft_key_put(key, len, addr_type(a), a->b, addr_len(a));
}

/**
 * addr_elem() - An element whose key is one address
 * @a:   Address
 * @ret: Element
 */
void addr_elem(const struct addr *a, struct nft_elem *ret)
{
	size_t len = 0;

	*ret = (struct nft_elem){0};
	put_addr(ret->key, &len, a);
}

static void source_elem(const struct attachment *at, const struct addr *a, struct nft_elem *ret)
{
	size_t len = 0;

	*ret = (struct nft_elem){0};
	nft_key_put(ret->key, &len, NFT_TYPE_IFNAME, at->host_ifname, strlen(at->host_ifname));
	nft_key_put(ret->key, &len, NFT_TYPE_ETHER, at->mac.b, MAC_LEN);
	put_addr(ret->key, &len, a);
}

/* RFC 4291, appendix A: what the kernel makes of a MAC by itself. */
static struct addr link_local(const struct mac *m)
{
	struct addr a = {.family = AF_INET6, .b = {0xfe, 0x80}};

	memcpy(&a.b[8], m->b, 3);
	a.b[8] ^= 2;
	a.b[11] = 0xff;
	a.b[12] = 0xfe;
	memcpy(&a.b[13], &m->b[3], 3);
	return a;
}

/**
 * link_elem() - An element whose key is the name of an interface
 * @ifname: Name
 * @ret:    Element
 */
void link_elem(const char *ifname, struct nft_elem *ret)
{
	size_t len = 0;

	*ret = (struct nft_elem){0};
	nft_key_put(ret->key, &len, NFT_TYPE_IFNAME, ifname, strlen(ifname));
}

static void self_elem(const struct addr *a, struct nft_elem *ret)
{
	size_t len = 0;

	*ret = (struct nft_elem){0};
	put_addr(ret->key, &len, a);
	put_addr(ret->key, &len, a);
}

static void port_elem(const struct host_port *p, const struct addr *a, struct nft_elem *ret)
{
	uint16_t outer = htons(p->host_port), inner = htons(p->container_port);
	size_t key = 0, data = 0;

	*ret = (struct nft_elem){0};
	if (p->has_ip)
		put_addr(ret->key, &key, &p->host_ip);
	nft_key_put(ret->key, &key, NFT_TYPE_PROTO, &p->protocol, 1);
	nft_key_put(ret->key, &key, NFT_TYPE_SERVICE, &outer, sizeof(outer));
	put_addr(ret->data, &data, a);
	nft_key_put(ret->data, &data, NFT_TYPE_SERVICE, &inner, sizeof(inner));
}

static void each_row(struct nft_table *t, const struct base *b, const struct attachment *at,
		     elem_fn *fn, void *arg)
{
	struct nft_elem e;

	link_elem(at->host_ifname, &e);
	fn(arg, t, b->links, &e);
	for (uint32_t i = 0; i < at->n_addrs; i++) {
		const struct addr *a = &at->addrs[i];
		int six = a->family == AF_INET6;

		source_elem(at, a, &e);
		fn(arg, t, b->sources[six], &e);
		if (six) {
			const struct addr own = link_local(&at->mac);

			source_elem(at, &own, &e);
			fn(arg, t, b->link_local, &e);
		}
		self_elem(a, &e);
		fn(arg, t, b->self[six], &e);
		for (uint32_t p = 0; p < at->n_ports; p++) {
			const struct host_port *port = &at->ports[p];

			if (port->has_ip && port->host_ip.family != a->family)
				continue;
			port_elem(port, a, &e);
			fn(arg, t, port->has_ip ? b->hostports_at[six] : b->hostports[six], &e);
		}
	}
}

static void want_row(void *arg _unused_, struct nft_table *t, struct nft_set *s,
		     const struct nft_elem *e)
{
	table_want_elem(t, s, e);
}

static void drop_row(void *arg _unused_, struct nft_table *t, struct nft_set *s,
		     const struct nft_elem *e)
{
	table_drop_elem(t, s, e);
}

/**
 * podrows_want() - Want the rows of an attachment
 * @t: Table
 * @b: Sets of the fixed program
 * @a: Attachment
 */
void podrows_want(struct nft_table *t, const struct base *b, const struct attachment *a)
{
	each_row(t, b, a, want_row, NULL);
}

/**
 * podrows_drop() - Drop the rows of an attachment
 * @t: Table
 * @b: Sets of the fixed program
 * @a: The attachment that was given to podrows_want()
 */
void podrows_drop(struct nft_table *t, const struct base *b, const struct attachment *a)
{
	each_row(t, b, a, drop_row, NULL);
}

struct rows_state {
	enum nft_settled state;
	const char *problem;
};

static void look_at_row(void *arg, struct nft_table *t, struct nft_set *s, const struct nft_elem *e)
{
	struct rows_state *r = arg;

	r->state = MAX(r->state, table_settled(t, s, e, &r->problem));
}

/**
 * podrows_settled() - Are the rows of an attachment in force?
 * @t:           Table
 * @b:           Sets of the fixed program
 * @a:           The attachment that was given to podrows_want()
 * @ret_problem: As of table_settled()
 *
 * Return: of all rows the worst; NFT_KEY_REFUSED is worse than NFT_IN_PROGRESS
 */
enum nft_settled podrows_settled(struct nft_table *t, const struct base *b,
				 const struct attachment *a, const char **ret_problem)
{
	struct rows_state r = {0};

	each_row(t, b, a, look_at_row, &r);
	if (r.state == NFT_KEY_REFUSED)
		*ret_problem = r.problem;
	return r.state;
}
