// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostaddr.c - from the host's addresses to the elements of two sets.  Pure.
 *
 * Few and seldom changed, so a change looks at all of them.
 */
#include "datapath/base/hostaddr.h"

#include <sys/socket.h>

#include "datapath/base/podrows.h"

/*
 * struct hostaddr
 * @known: What the interfaces carry was read
 * @node:  What the Node object names
 * @own:   What follows from both, sorted
 */
struct hostaddr {
	struct nft_table *table;
	struct nft_set *sets[2];
	bool known;
	struct local_addr_list local;
	VEC(struct addr) node, own;
};

/**
 * hostaddr_new() - Create the module
 * @t:    Table
 * @sets: For IPv4 and IPv6: what it fills
 *
 * Return: the module, to be freed
 */
struct hostaddr *hostaddr_new(struct nft_table *t, struct nft_set *const sets[2])
{
	struct hostaddr *h = xcalloc(1, sizeof(*h));

	h->table = t;
	memcpy(h->sets, sets, sizeof(h->sets));
	return h;
}

/**
 * hostaddr_free() - Free the module; what it wanted stays wanted
 * @h: Module or NULL
 *
 * Return: NULL
 */
struct hostaddr *hostaddr_free(struct hostaddr *h)
{
	if (!h)
		return NULL;
	vec_done(&h->local.v);
	vec_done(&h->node);
	vec_done(&h->own);
	free(h);
	return NULL;
}

static bool is_loopback(const struct addr *a)
{
	static const struct addr one = {.family = AF_INET6, .b = {[15] = 1}};

	return a->family == AF_INET ? a->b[0] == 127 : addr_eq(a, &one);
}

/* Link-local by its number: IPv4 gives these a wide scope. */
static bool is_link_local(const struct addr *a)
{
	return a->family == AF_INET ? a->b[0] == 169 && a->b[1] == 254
				    : a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static bool is_own(const struct hostaddr *h, const struct local_addr *l)
{
	if (is_loopback(&l->addr))
		return false;
	vec_foreach (a, &h->node) {
		if (addr_eq(a, &l->addr))
			return true;
	}
	return !l->inner && !l->near && !is_link_local(&l->addr);
}

static int compare(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static void change(struct hostaddr *h, const struct addr *a, bool holds)
{
	struct nft_set *set = h->sets[a->family != AF_INET];
	struct nft_elem e;

	addr_elem(a, &e);
	if (holds)
		table_want_elem(h->table, set, &e);
	else
		table_drop_elem(h->table, set, &e);
}

static bool judge(struct hostaddr *h)
{
	VEC(struct addr) old = {0};
	size_t n = 0;
	bool changed;

	vec_foreach (a, &h->own)
		vec_push(&old, *a);
	h->own.n = 0;
	vec_foreach (l, &h->local.v)
		if (is_own(h, l))
			vec_push(&h->own, l->addr);
	vec_sort(&h->own, compare);
	vec_foreach (a, &h->own)
		if (!n || !addr_eq(&h->own.v[n - 1], a))
			h->own.v[n++] = *a;
	h->own.n = n;
	vec_foreach (a, &h->own)
		change(h, a, true);
	vec_foreach (a, &old)
		change(h, a, false);
	changed = old.n != n || (n && memcmp(old.v, h->own.v, n * sizeof(*old.v)) != 0);
	vec_done(&old);
	return changed;
}

/**
 * hostaddr_local() - Take what the host's interfaces carry
 * @h: Module
 * @l: All of it; copied
 *
 * Return: true if the node's own addresses changed
 */
bool hostaddr_local(struct hostaddr *h, const struct local_addr_list *l)
{
	h->known = true;
	h->local.v.n = 0;
	vec_foreach (a, &l->v)
		vec_push(&h->local.v, *a);
	return judge(h);
}

/**
 * hostaddr_node() - Take what the Node object names
 * @h:   Module
 * @ips: Addresses; copied
 * @n:   Their number
 *
 * Return: true if the node's own addresses changed
 */
bool hostaddr_node(struct hostaddr *h, const struct addr *ips, size_t n)
{
	if (n == h->node.n && (!n || memcmp(ips, h->node.v, n * sizeof(*ips)) == 0))
		return false;
	h->node.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push(&h->node, ips[i]);
	return judge(h);
}

/**
 * hostaddr_known() - Was the host asked for its addresses?
 * @h: Module
 *
 * Return: true if so; until then hostaddr_has() says nothing
 */
bool hostaddr_known(const struct hostaddr *h)
{
	return h->known;
}

/**
 * hostaddr_has() - Is an address the node's own?
 * @h: Module
 * @a: Address
 *
 * Return: true if so
 */
bool hostaddr_has(const struct hostaddr *h, const struct addr *a)
{
	return h->own.n && bsearch(a, h->own.v, h->own.n, sizeof(*a), compare);
}

/**
 * hostaddr_all() - The node's own addresses
 * @h:   Module
 * @ret: Addresses, sorted; borrowed until the next change
 *
 * Return: their number
 */
size_t hostaddr_all(const struct hostaddr *h, const struct addr **ret)
{
	*ret = h->own.v;
	return h->own.n;
}

/**
 * hostaddr_describe() - The node's own addresses as text
 * @h:   Module
 * @out: Appended to: "192.0.2.1, fd00::1", or "none"
 */
void hostaddr_describe(const struct hostaddr *h, struct buf *out)
{
	char text[ADDR_STR_MAX];

	vec_foreach (a, &h->own)
		buf_printf(out, "%s%s", a == h->own.v ? "" : ", ", addr_str(a, text));
	if (!h->own.n)
		buf_puts(out, "none");
}
