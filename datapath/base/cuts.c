// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cuts.c - the rows of the sets cut4 and cut6, each with its time.  Pure.
 *
 * Rows of one class last equally long, so that each class is a queue: what ends next stands first.
 */
#include "datapath/base/cuts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <uthash.h>
#include <utlist.h>

enum cut_class { CUT_SHORT, CUT_SCTP, CUT_TCP, _CUT_CLASS_MAX };

/* struct cut - one row; @elem.key is the hash key */
struct cut {
	struct nft_elem elem;
	uint8_t six;
	enum cut_class class;
	uint64_t until;
	struct cut *prev, *next;
	UT_hash_handle hh;
};

struct cuts {
	struct nft_table *table;
	struct nft_set *set[2];
	struct cut *rows[2];
	struct cut *queue[_CUT_CLASS_MAX]; /* doubly linked, the first ends first */
};

/**
 * cuts_new() - Nothing was cut yet
 * @t: Table
 * @b: Its fixed program
 *
 * Return: the module, to be freed
 */
struct cuts *cuts_new(struct nft_table *t, const struct base *b)
{
	struct cuts *c = xcalloc(1, sizeof(*c));

	*c = (struct cuts){.table = t, .set = {b->cut[0], b->cut[1]}};
	return c;
}

static void remove_row(struct cuts *c, struct cut *row)
{
	table_drop_elem(c->table, c->set[row->six], &row->elem);
	HASH_DEL(c->rows[row->six], row);
	DL_DELETE(c->queue[row->class], row);
	free(row);
}

/**
 * cuts_free() - Want no row any more
 * @c: Module or NULL
 *
 * Return: NULL
 */
struct cuts *cuts_free(struct cuts *c)
{
	if (!c)
		return NULL;
	for (int i = 0; i < _CUT_CLASS_MAX; i++)
		while (c->queue[i])
			remove_row(c, c->queue[i]);
	free(c);
	return NULL;
}

/**
 * cuts_count() - Number of rows
 * @c: Module
 *
 * Return: 0 to CUTS_MAX
 */
size_t cuts_count(const struct cuts *c)
{
	return HASH_COUNT(c->rows[0]) + HASH_COUNT(c->rows[1]);
}

/* --- rows --------------------------------------------------------------------------------------
 */

static const uint64_t lasts_usec[_CUT_CLASS_MAX] = {
	[CUT_SHORT] = CUT_USEC, [CUT_SCTP] = CUT_SCTP_USEC, [CUT_TCP] = CUT_TCP_USEC};

static enum cut_class class_of(uint8_t protocol)
{
	if (protocol == IPPROTO_TCP)
		return CUT_TCP;
	return protocol == IPPROTO_SCTP ? CUT_SCTP : CUT_SHORT;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

static void make_room(struct cuts *c)
{
	for (int i = 0; i < _CUT_CLASS_MAX && cuts_count(c) >= CUTS_MAX; i++)
		if (c->queue[i])
			remove_row(c, c->queue[i]);
}

/* A row that is there lasts on from now. */
static void put(struct cuts *c, uint8_t six, const struct nft_elem *e, uint8_t protocol,
		uint64_t now)
{
	enum cut_class class = class_of(protocol);
	struct cut *row;

	HASH_FIND(hh, c->rows[six], e->key, sizeof(e->key), row);
	if (row) {
		DL_DELETE(c->queue[class], row);
	} else {
		make_room(c);
		row = xcalloc(1, sizeof(*row));
		*row = (struct cut){.elem = *e, .six = six, .class = class};
		table_want_elem(c->table, c->set[six], &row->elem);
		HASH_ADD(hh, c->rows[six], elem.key, sizeof(row->elem.key), row);
	}
	row->until = now + lasts_usec[class];
	DL_APPEND(c->queue[class], row);
}

/**
 * cuts_add() - The replies of a flow are to be dropped
 * @c:   Module
 * @f:   Flow, about to be cut
 * @now: Monotonic time, never less than before
 *
 * Protocols without ports (ICMP, tunnels) have no row: a reply of ICMP begins no connection.
 */
void cuts_add(struct cuts *c, const struct flow *f, uint64_t now)
{
	uint8_t six = f->dst.family != AF_INET;
	enum nft_type ip = six ? NFT_TYPE_IPV6 : NFT_TYPE_IPV4;
	uint16_t port = htons(f->port);
	struct nft_elem e = {0};
	size_t len = 0;

	if (!has_ports(f->protocol))
		return;
	nft_key_put(e.key, &len, ip, f->dst.b, addr_len(&f->dst));
	nft_key_put(e.key, &len, ip, f->back.b, addr_len(&f->back));
	nft_key_put(e.key, &len, NFT_TYPE_PROTO, &f->protocol, 1);
	nft_key_put(e.key, &len, NFT_TYPE_SERVICE, &port, sizeof(port));
	put(c, six, &e, f->protocol, now);
}

/* --- time --------------------------------------------------------------------------------------
 */

/**
 * cuts_expire() - Want no longer what has lasted long enough
 * @c:   Module
 * @now: Monotonic time
 */
void cuts_expire(struct cuts *c, uint64_t now)
{
	for (int i = 0; i < _CUT_CLASS_MAX; i++)
		while (c->queue[i] && c->queue[i]->until <= now)
			remove_row(c, c->queue[i]);
}

/**
 * cuts_next() - When is the next row over?
 * @c: Module
 *
 * Return: monotonic time; USEC_INFINITY when there is none
 */
uint64_t cuts_next(const struct cuts *c)
{
	uint64_t next = USEC_INFINITY;

	for (int i = 0; i < _CUT_CLASS_MAX; i++)
		if (c->queue[i])
			next = MIN(next, c->queue[i]->until);
	return next;
}

/* --- over a restart ----------------------------------------------------------------------------
 */

struct found {
	VEC(struct nft_elem) e;
};

static void find_row(void *found, const struct nft_elem *e)
{
	struct found *f = found;

	vec_push(&f->e, (struct nft_elem){0});
	memcpy(f->e.v[f->e.n - 1].key, e->key, sizeof(e->key));
}

/**
 * cuts_adopt() - Go on with what an agent before this one has cut
 * @c:   Module
 * @now: Monotonic time; the rows last as if they were new
 *
 * Call it when the table has been read.
 */
void cuts_adopt(struct cuts *c, uint64_t now)
{
	static const size_t protocol_at[] = {8, 32}; /* behind two addresses */

	for (uint8_t six = 0; six < 2; six++) {
		struct found found = {0};

		table_each_unwanted(c->set[six], find_row, &found);
		vec_foreach (e, &found.e)
			put(c, six, e, e->key[protocol_at[six]], now);
		vec_done(&found.e);
	}
}
