// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * routes.c - wanted and installed routes.  Pure.
 *
 * One record a destination that is wanted, installed, or both; the ones where the two differ are
 * linked in lists, so that a turn costs what differs.  Operations and reads take their time, while
 * wishes go on changing; a record remembers what it has to when they end.
 */
#include "datapath/route/routes.h"

#include <uthash.h>
#include <utlist.h>

/*
 * enum state - where a record stands
 * @STATE_SETTLED: The kernel has what is wanted
 * @STATE_PENDING: It has not, and has not been asked yet
 * @STATE_FLYING:  It is being asked, by an operation of routes_ops()
 * @STATE_FAILED:  It refused, and is asked again after routes_retry()
 */
enum state { STATE_SETTLED, STATE_PENDING, STATE_FLYING, STATE_FAILED, _STATE_MAX };

/* struct candidate - what one owner wants */
struct candidate {
	struct claim claim;
	struct route route;
};

/* struct record - @wanted: the candidates; the first one's route is what is wanted */
struct record {
	struct prefix dst;
	enum state state;
	struct claim *wanted;
	bool installed;
	bool lost;  /* while flying: somebody deleted it, before or after it was installed */
	bool doubt; /* not @installed, but perhaps the kernel has it: a deletion is told late */
	bool seen;  /* in the list just read */
	struct route have;
	int error; /* of the last try; 0 when settled, or when the route wanted became another */
	struct record *prev, *next; /* of the same state */
	UT_hash_handle hh;
};

/*
 * struct routes
 * @by_state: Lists of records, with their lengths in @n; settled ones are in none
 * @reading:  A read is under way; @lost_meanwhile tells what may be wrong in it
 */
struct routes {
	struct record *all;
	struct record *by_state[_STATE_MAX];
	size_t n[_STATE_MAX], n_wanted;
	bool reading;
	VEC(struct prefix) lost_meanwhile;
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

static void set_state(struct routes *r, struct record *rec, enum state state)
{
	if (rec->state == state)
		return;
	if (rec->state != STATE_SETTLED)
		DL_DELETE(r->by_state[rec->state], rec);
	if (state != STATE_SETTLED)
		DL_APPEND(r->by_state[state], rec);
	r->n[rec->state] -= rec->state != STATE_SETTLED;
	r->n[state] += state != STATE_SETTLED;
	rec->state = state;
}

static const struct route *wish(const struct record *rec)
{
	return &container_of(rec->wanted, struct candidate, claim)->route;
}

static void withdraw(struct record *rec, struct claim *c)
{
	claims_remove(&rec->wanted, c);
	free(container_of(c, struct candidate, claim));
}

static void forget(struct routes *r, struct record *rec)
{
	while (rec->wanted)
		withdraw(rec, rec->wanted);
	set_state(r, rec, STATE_SETTLED);
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
	vec_done(&r->lost_meanwhile);
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

/* Put a record where it belongs.  One that is flying is judged when it has landed. */
static void judge(struct routes *r, struct record *rec)
{
	if (rec->state == STATE_FLYING)
		return;
	if (!rec->wanted != !rec->installed || rec->doubt ||
	    (rec->wanted && !same(wish(rec), &rec->have))) {
		set_state(r, rec, rec->error ? STATE_FAILED : STATE_PENDING);
		return;
	}
	set_state(r, rec, STATE_SETTLED);
	rec->error = 0;
	if (!rec->wanted)
		forget(r, rec);
}

/* A refusal was one of the route that was wanted then. */
static void wish_again(struct routes *r, struct record *rec, const struct route *before)
{
	if (!before || !rec->wanted || !same(before, wish(rec)))
		rec->error = 0;
	judge(r, rec);
}

/**
 * routes_want() - Want a route
 * @r:     Table
 * @owner: Who wants it; its rank is an enum route_rank
 * @route: Route; replaces what this owner wanted for its destination.  O(owners)
 */
void routes_want(struct routes *r, const struct claimant *owner, const struct route *route)
{
	struct record *rec = get(r, &route->dst);
	struct claim *old = claims_find(rec->wanted, owner);
	struct candidate *c = xcalloc(1, sizeof(*c));
	struct route before;
	bool had = rec->wanted;

	if (had)
		before = *wish(rec);
	*c = (struct candidate){.claim.by = *owner, .route = *route};
	claims_add(&rec->wanted, &c->claim);
	if (old)
		withdraw(rec, old);
	r->n_wanted += !had;
	wish_again(r, rec, had ? &before : NULL);
}

/**
 * routes_drop() - Want a route no more
 * @r:     Table
 * @owner: Who wanted it; the route of the next best owner takes its place
 * @dst:   Its destination; nothing happens if this owner wants none.  O(owners)
 */
void routes_drop(struct routes *r, const struct claimant *owner, const struct prefix *dst)
{
	struct record *rec = find(r, dst);
	struct claim *c = rec ? claims_find(rec->wanted, owner) : NULL;
	struct route before;

	if (!c)
		return;
	before = *wish(rec);
	withdraw(rec, c);
	r->n_wanted -= !rec->wanted;
	wish_again(r, rec, &before);
}

/**
 * routes_lost() - A route is not in the kernel any more
 * @r:   Table
 * @dst: Its destination; if it is wanted it becomes pending, also if it was refused before.  O(1)
 */
void routes_lost(struct routes *r, const struct prefix *dst)
{
	struct record *rec = find(r, dst);

	if (r->reading)
		vec_push(&r->lost_meanwhile, *dst);
	if (!rec)
		return;
	rec->lost = rec->state == STATE_FLYING;
	rec->doubt = rec->wanted && rec->installed;
	rec->installed = false;
	rec->error = 0;
	judge(r, rec);
}

/**
 * routes_wanted() - The route that is wanted to a destination
 * @r:   Table
 * @dst: Destination
 *
 * Return: the route, borrowed; NULL if none is wanted
 */
const struct route *routes_wanted(const struct routes *r, const struct prefix *dst)
{
	const struct record *rec = find(r, dst);

	return rec && rec->wanted ? wish(rec) : NULL;
}

/**
 * routes_claims() - Who wants a route to a destination
 * @r:   Table
 * @dst: Destination
 *
 * Return: the owners' claims, borrowed until the next change, the one in force first; NULL: none
 */
const struct claim *routes_claims(const struct routes *r, const struct prefix *dst)
{
	const struct record *rec = find(r, dst);

	return rec ? rec->wanted : NULL;
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

	return rec && rec->wanted && rec->state == STATE_SETTLED;
}

/**
 * routes_under_way() - Does the kernel still have to answer for a destination?
 * @r:   Table
 * @dst: Destination
 *
 * Return: true if so; false: what is wanted is so, or was refused
 */
bool routes_under_way(const struct routes *r, const struct prefix *dst)
{
	const struct record *rec = find(r, dst);

	return rec && (rec->state == STATE_PENDING || rec->state == STATE_FLYING);
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
 * routes_pending() - Routes that the next routes_ops() would ask the kernel for
 * @r: Table
 *
 * Return: their number
 */
size_t routes_pending(const struct routes *r)
{
	return r->n[STATE_PENDING];
}

/**
 * routes_flying() - Operations under way
 * @r: Table
 *
 * Return: how many have been asked for and not answered
 */
size_t routes_flying(const struct routes *r)
{
	return r->n[STATE_FLYING];
}

/**
 * routes_failed() - Routes that the kernel refused and that are still not as wanted
 * @r: Table
 *
 * Return: their number
 */
size_t routes_failed(const struct routes *r)
{
	return r->n[STATE_FAILED];
}

/* --- asking the kernel -------------------------------------------------------------------------
 */

static struct route_op operation(const struct record *rec)
{
	if (!rec->wanted)
		return (struct route_op){.remove = true, .route = rec->have};
	return (struct route_op){.replace = rec->installed, .route = *wish(rec)};
}

static void take_off(struct routes *r, struct route_ops *ret, bool wanted)
{
	struct record *rec, *next;

	DL_FOREACH_SAFE (r->by_state[STATE_PENDING], rec, next) {
		if (!rec->wanted == wanted)
			continue;
		vec_push(&ret->op, operation(rec));
		set_state(r, rec, STATE_FLYING);
	}
}

/**
 * routes_ops() - What is pending, as operations
 * @r:   Table
 * @ret: Appended to: removals first, so that the kernel never holds more than it has to.  Each has
 *       to be answered with routes_done()
 *
 * Time: O(pending).
 */
void routes_ops(struct routes *r, struct route_ops *ret)
{
	take_off(r, ret, false);
	take_off(r, ret, true);
}

/* An answer to what is no longer wanted says nothing about what is. */
static bool still_meant(const struct record *rec, const struct route_op *op)
{
	return !rec->wanted == op->remove && (op->remove || same(wish(rec), &op->route));
}

/**
 * routes_done() - The kernel answered an operation
 * @r:     Table; wishes may have changed since routes_ops()
 * @op:    Operation from routes_ops()
 * @error: 0: it was done; -errno: it is asked for again after routes_retry()
 *
 * Return: true for a failure that is news: the try before it, if there was one, ended otherwise
 */
bool routes_done(struct routes *r, const struct route_op *op, int error)
{
	struct record *rec = find(r, &op->route.dst);
	bool news = error && error != rec->error && still_meant(rec, op);

	if (!error) {
		rec->installed = !op->remove;
		rec->have = op->route;
		rec->doubt = rec->lost && !op->remove;
	}
	if (rec->lost)
		rec->installed = false;
	rec->error = still_meant(rec, op) ? error : 0;
	rec->lost = false;
	set_state(r, rec, STATE_SETTLED);
	judge(r, rec);
	return news;
}

/**
 * routes_retry() - Ask again for what was refused
 * @r: Table
 *
 * Time: O(failed).
 */
void routes_retry(struct routes *r)
{
	struct record *rec, *next;

	DL_FOREACH_SAFE (r->by_state[STATE_FAILED], rec, next)
		set_state(r, rec, STATE_PENDING);
}

/* --- reading the kernel ------------------------------------------------------------------------
 */

/**
 * routes_read_begin() - The kernel's routes are about to be read, elsewhere
 * @r: Table
 */
void routes_read_begin(struct routes *r)
{
	r->reading = true;
}

static void take_seen(struct routes *r, const struct route_list *installed)
{
	vec_foreach (route, &installed->v) {
		struct record *rec = get(r, &route->dst);

		rec->seen = rec->installed = true;
		rec->have = *route;
	}
}

/**
 * routes_read_end() - What the kernel holds under our protocol
 * @r:         Table; may have changed since routes_read_begin()
 * @installed: Complete; NULL: it could not be read, everything stays as it was
 *
 * A route that somebody deleted meanwhile counts as gone, whether it was read before or after.
 *
 * Time: O(routes).
 */
void routes_read_end(struct routes *r, const struct route_list *installed)
{
	struct record *rec, *next;

	r->reading = false;
	if (installed) {
		take_seen(r, installed);
		HASH_ITER (hh, r->all, rec, next) {
			rec->installed = rec->seen;
			rec->seen = rec->doubt = false;
			judge(r, rec);
		}
		vec_foreach (dst, &r->lost_meanwhile)
			routes_lost(r, dst);
	}
	vec_done(&r->lost_meanwhile);
}
