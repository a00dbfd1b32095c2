// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostports.c - attachments by protocol and number.  Pure.
 */
#include "ipam/hostports.h"

#include <uthash.h>

#include "lib/vec.h"

/* struct bound - one port of an attachment, both borrowed */
struct bound {
	const struct attachment *owner;
	const struct host_port *port;
};

/* struct hostport_number - the ports of one protocol and number, at least one */
struct hostport_number {
	uint32_t key;
	VEC(struct bound) bound;
	UT_hash_handle hh;
};

static struct hostport_number *find(const struct hostports *x, const struct host_port *p)
{
	const uint32_t key = (uint32_t)p->protocol << 16 | p->host_port;
	struct hostport_number *n;

	HASH_FIND(hh, x->numbers, &key, sizeof(key), n);
	return n;
}

/**
 * hostports_add() - An attachment has its ports
 * @x: Index
 * @a: Attachment, borrowed until hostports_remove()
 */
void hostports_add(struct hostports *x, const struct attachment *a)
{
	for (uint32_t i = 0; i < a->n_ports; i++) {
		struct hostport_number *n = find(x, &a->ports[i]);

		if (!n) {
			n = xcalloc(1, sizeof(*n));
			n->key = (uint32_t)a->ports[i].protocol << 16 | a->ports[i].host_port;
			HASH_ADD(hh, x->numbers, key, sizeof(n->key), n);
		}
		vec_push(&n->bound, (struct bound){a, &a->ports[i]});
	}
}

/**
 * hostports_remove() - An attachment gives its ports back
 * @x: Index
 * @a: Attachment that was added
 */
void hostports_remove(struct hostports *x, const struct attachment *a)
{
	for (uint32_t i = 0; i < a->n_ports; i++) {
		struct hostport_number *n = find(x, &a->ports[i]);
		size_t kept = 0;

		if (!n)
			continue;
		vec_foreach (b, &n->bound)
			if (b->owner != a)
				n->bound.v[kept++] = *b;
		n->bound.n = kept;
		if (kept)
			continue;
		HASH_DEL(x->numbers, n);
		vec_done(&n->bound);
		free(n);
	}
}

/**
 * hostports_owner() - Who has a host port, or one that overlaps it
 * @x: Index
 * @p: Port; on every address unless it has one
 *
 * Time: O(owners of the same protocol and number), whatever else there is.
 *
 * Return: the attachment; NULL if the port is free
 */
const struct attachment *hostports_owner(const struct hostports *x, const struct host_port *p)
{
	const struct hostport_number *n = find(x, p);

	if (!n)
		return NULL;
	vec_foreach (b, &n->bound)
		if (!b->port->has_ip || !p->has_ip || addr_eq(&b->port->host_ip, &p->host_ip))
			return b->owner;
	return NULL;
}
