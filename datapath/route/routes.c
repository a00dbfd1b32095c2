// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * routes.c - wanted and installed routes.  Pure.
 *
 * One record a destination that is wanted, installed, or both; the ones where the two differ are
 * linked in a list, so that a turn costs what differs.
 */
#include "datapath/route/routes.h"

#include <uthash.h>
#include <utlist.h>

struct record {
	struct prefix dst;
	bool wanted, installed;
	bool pending;
	struct route want;
	struct route have;
	int error; /* of the last try; 0 when settled, or when the route wanted became another */
	bool seen; /* in the dump under way */
	struct record *prev, *next;
	UT_hash_handle hh;
};

struct routes {
	struct record *all;
	struct record *pending;
	size_t n_pending, n_wanted;
};

/**
 * routes_new() - Create an empty table
 *
 * Return: the table, to be freed
 */
struct routes *routes_new(void)
{
	return xcalloc(1, sizeof(struct routes));
}

static void unlink_pending(struct routes *r, struct record *rec)
{
	if (!rec->pending)
		return;
	DL_DELETE(r->pending, rec);
	rec->pending = false;
	r->n_pending--;
}

static void forget(struct routes *r, struct record *rec)
{
	unlink_pending(r, rec);
	HASH_DEL(r->all, rec);
	free(rec);
}

/**
 * routes_free() - Free a table
 * @r: Table or NULL
 *
 * Return: NULL
 */
struct routes *routes_free(struct routes *r)
{
	struct record *rec, *next;

	if (!r)
		return NULL;
	HASH_ITER (hh, r->all, rec, next)
		forget(r, rec);
	free(r);
	return NULL;
}

/* Prefixes have no padding, so their bytes are the key. */
static struct record *find(const struct routes *r, const struct prefix *dst)
{
	struct record *rec;

	HASH_FIND(hh, r->all, dst, sizeof(*dst), rec);
	return rec;
}

static struct record *get(struct routes *r, const struct prefix *dst)
{
	struct record *rec = find(r, dst);

	if (rec)
		return rec;
	rec = xcalloc(1, sizeof(*rec));
	rec->dst = *dst;
	HASH_ADD(hh, r->all, dst, sizeof(rec->dst), rec);
	return rec;
}

/* A dump of routes does not tell the neighbour; then it is as the route's maker left it. */
static bool same_neighbour(const struct mac *want, const struct mac *have)
{
	static const struct mac unknown;

	return memcmp(have, &unknown, sizeof(unknown)) == 0 ||
	       memcmp(want, have, sizeof(*want)) == 0;
}

static bool same(const struct route *a, const struct route *b)
{
	if (a->kind != b->kind || !prefix_eq(&a->dst, &b->dst))
		return false;
	switch (a->kind) {
	case ROUTE_VIA:
		return addr_eq(&a->via, &b->via);
	case ROUTE_DEV:
		return streq(a->ifname, b->ifname) && same_neighbour(&a->neigh, &b->neigh);
	case ROUTE_UNREACHABLE:
	case _ROUTE_KIND_MAX:
		break;
	}
	return true;
}

/* Put a record where it belongs: pending, settled or gone. */
static void judge(struct routes *r, struct record *rec)
{
	bool settled = rec->wanted == rec->installed &&
		       (!rec->wanted || same(&rec->want, &rec->have));

	if (settled) {
		unlink_pending(r, rec);
		rec->error = 0;
		if (!rec->wanted)
			forget(r, rec);
		return;
	}
	if (rec->pending)
		return;
	rec->pending = true;
	DL_APPEND(r->pending, rec);
	r->n_pending++;
}

/**
 * routes_want() - Want a route
 * @r:     Table
 * @route: Route; replaces what was wanted for its destination.  O(1)
 */
void routes_want(struct routes *r, const struct route *route)
{
	struct record *rec = get(r, &route->dst);

	r->n_wanted += !rec->wanted;
	if (!rec->wanted || !same(&rec->want, route))
		rec->error = 0;
	rec->wanted = true;
	rec->want = *route;
	judge(r, rec);
}

/**
 * routes_drop() - Want a route no more
 * @r:   Table
 * @dst: Its destination; nothing happens if it is not wanted.  O(1)
 */
void routes_drop(struct routes *r, const struct prefix *dst)
{
	struct record *rec = find(r, dst);

	if (!rec || !rec->wanted)
		return;
	r->n_wanted--;
	rec->wanted = false;
	rec->error = 0;
	judge(r, rec);
}

/**
 * routes_lost() - A route is not in the kernel any more
 * @r:   Table
 * @dst: Its destination; if it is wanted it becomes pending.  O(1)
 */
void routes_lost(struct routes *r, const struct prefix *dst)
{
	struct record *rec = find(r, dst);

	if (!rec || !rec->installed)
		return;
	rec->installed = false;
	judge(r, rec);
}

/**
 * routes_in_kernel() - Is a route wanted and acknowledged?
 * @r:   Table
 * @dst: Destination
 *
 * Return: true if so
 */
bool routes_in_kernel(const struct routes *r, const struct prefix *dst)
{
	const struct record *rec = find(r, dst);

	return rec && rec->wanted && !rec->pending;
}

/**
 * routes_count() - Routes wanted
 * @r: Table
 *
 * Return: their number
 */
size_t routes_count(const struct routes *r)
{
	return r->n_wanted;
}

/**
 * routes_pending() - Routes where wanted and installed differ
 * @r: Table
 *
 * Return: their number
 */
size_t routes_pending(const struct routes *r)
{
	return r->n_pending;
}

/**
 * routes_installed_begin() - A dump of the kernel begins, perhaps once more
 * @r: Table
 *
 * Time: O(routes).
 */
void routes_installed_begin(struct routes *r)
{
	for (struct record *rec = r->all; rec; rec = rec->hh.next)
		rec->seen = false;
}

/**
 * routes_installed() - The kernel holds a route of our protocol
 * @r:     Table
 * @route: Route
 */
void routes_installed(struct routes *r, const struct route *route)
{
	struct record *rec = get(r, &route->dst);

	rec->seen = true;
	rec->installed = true;
	rec->have = *route;
}

/**
 * routes_installed_end() - The dump was complete: what was not seen is not there
 * @r: Table
 *
 * Time: O(routes).
 */
void routes_installed_end(struct routes *r)
{
	struct record *rec, *next;

	HASH_ITER (hh, r->all, rec, next) {
		if (!rec->seen)
			rec->installed = false;
		judge(r, rec);
	}
}

/**
 * routes_ops() - The difference, as operations
 * @r:   Table
 * @ret: Appended to: removals first, so that the kernel never holds more than it has to
 *
 * Time: O(pending).
 */
void routes_ops(struct routes *r, struct route_ops *ret)
{
	for (const struct record *rec = r->pending; rec; rec = rec->next)
		if (!rec->wanted)
			vec_push(&ret->op, (struct route_op){.remove = true, .route = rec->have});
	for (const struct record *rec = r->pending; rec; rec = rec->next)
		if (rec->wanted)
			vec_push(&ret->op,
				 (struct route_op){.replace = rec->installed, .route = rec->want});
}

/**
 * routes_done() - The kernel answered an operation
 * @r:     Table
 * @op:    Operation from routes_ops()
 * @error: 0: it was done; -errno: the route stays pending
 *
 * Return: true for a failure that is news: the try before it, if there was one, ended otherwise
 */
bool routes_done(struct routes *r, const struct route_op *op, int error)
{
	struct record *rec = find(r, &op->route.dst);
	bool news;

	if (!rec)
		return error;
	news = error && error != rec->error;
	rec->error = error;
	if (error)
		return news;
	rec->installed = !op->remove;
	rec->have = op->route;
	judge(r, rec);
	return false;
}
