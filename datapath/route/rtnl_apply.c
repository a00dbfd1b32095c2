// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnl_apply.c - bring routes of ours, and the neighbours of pods, to what is wanted.
 *
 * Only what has RTPROT_MANX in the main table is replaced or deleted.  The kernel itself would
 * replace a route of anybody: so a route is created exclusively unless one of ours is known to be
 * there.  Where that meets a route, ours is deleted (the kernel compares the protocol) and creation
 * tried once more; what then is in the way is somebody else's, stays, and ours stays pending.
 * Routes have the kernel's default metric.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "datapath/route/nlmsg.h"
#include "datapath/route/rtnl_priv.h"
#include "lib/log.h"

static struct rtmsg *put_head(struct nlmsghdr *h, const struct route *route)
{
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->rtm_family = route->dst.addr.family;
	m->rtm_dst_len = route->dst.len;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_MANX;
	nl_put_addr(h, RTA_DST, &route->dst.addr);
	return m;
}

static void put_removal(struct nlbatch *b, const struct route *route)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_DELROUTE, 0);
	struct rtmsg *m = put_head(h, route);

	m->rtm_scope = RT_SCOPE_NOWHERE; /* of any scope */
	nlbatch_added(b, h);
}

static void put_route(struct nlbatch *b, const struct route *route, uint32_t ifindex, bool replace)
{
	struct nlmsghdr *h =
		nlbatch_add(b, RTM_NEWROUTE, NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL));
	struct rtmsg *m = put_head(h, route);

	m->rtm_scope = route->kind == ROUTE_DEV ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	m->rtm_type = route->kind == ROUTE_UNREACHABLE ? RTN_UNREACHABLE : RTN_UNICAST;
	if (route->kind == ROUTE_VIA)
		nl_put_addr(h, RTA_GATEWAY, &route->via);
	if (route->kind == ROUTE_DEV)
		mnl_attr_put_u32(h, RTA_OIF, ifindex);
	nlbatch_added(b, h);
}

/* The pod's end never has to be asked for its MAC. */
static void put_neighbour(struct nlbatch *b, const struct route *route, uint32_t ifindex)
{
	struct nlmsghdr *h = nlbatch_add(b, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));

	n->ndm_family = route->dst.addr.family;
	n->ndm_ifindex = (int)ifindex;
	n->ndm_state = NUD_PERMANENT;
	nl_put_addr(h, NDA_DST, &route->dst.addr);
	mnl_attr_put(h, NDA_LLADDR, MAC_LEN, route->neigh.b);
	nlbatch_added(b, h);
}

enum step { STEP_REMOVE, STEP_CLEAR, STEP_INSTALL, STEP_NEIGHBOUR };

/* struct sent - which operation a message of the batch belongs to, and what it does for it */
struct sent {
	size_t op;
	enum step step;
};

/* struct applying - a batch on its way */
struct applying {
	struct nlbatch *batch;
	const struct route_ops *ops;
	VEC(struct sent) sent;
	VEC(int) error; /* by operation */
};

static void on_result(void *arg, uint32_t index, int error)
{
	struct applying *p = arg;
	const struct sent *s = &p->sent.v[index];

	/* Someone removed it already, or its device went and took it along. */
	if (s->step == STEP_CLEAR || (s->step == STEP_REMOVE && error == -ESRCH))
		return;
	if (error && !p->error.v[s->op])
		p->error.v[s->op] = error;
}

static int flush(struct applying *p)
{
	int r = nlbatch_send(p->batch, on_result, p);

	p->sent.n = 0;
	return r;
}

static void note(struct applying *p, size_t op, enum step step)
{
	vec_push(&p->sent, (struct sent){op, step});
}

/* @clear: delete what we may have there first; the route is then created exclusively */
static void put_op(struct applying *p, size_t i, bool clear)
{
	const struct route_op *op = &p->ops->op.v[i];
	bool to_device = op->route.kind == ROUTE_DEV && !op->remove;
	uint32_t ifindex = to_device ? if_nametoindex(op->route.ifname) : 0;

	if (op->remove) {
		note(p, i, STEP_REMOVE);
		put_removal(p->batch, &op->route);
		return;
	}
	if (to_device && !ifindex) {
		p->error.v[i] = -ENODEV;
		return;
	}
	if (clear) {
		note(p, i, STEP_CLEAR);
		put_removal(p->batch, &op->route);
	}
	note(p, i, STEP_INSTALL);
	put_route(p->batch, &op->route, ifindex, op->replace && !clear);
	if (to_device) {
		note(p, i, STEP_NEIGHBOUR);
		put_neighbour(p->batch, &op->route, ifindex);
	}
}

static int make_room(struct applying *p)
{
	return p->batch->len + 3 * NLMSG_ROOM > sizeof(p->batch->data) ? flush(p) : 0;
}

static int first_pass(struct applying *p)
{
	int r = 0;

	for (size_t i = 0; i < p->ops->op.n && r == 0; i++) {
		vec_push(&p->error, 0);
		put_op(p, i, false);
		r = make_room(p);
	}
	return r < 0 ? r : flush(p);
}

/* What we did not know of: either we lost track of a route of ours, or it is somebody else's. */
static int second_pass(struct applying *p)
{
	int r = 0;

	for (size_t i = 0; i < p->ops->op.n && r == 0; i++) {
		if (p->error.v[i] != -EEXIST)
			continue;
		p->error.v[i] = 0;
		put_op(p, i, true);
		r = make_room(p);
	}
	return r < 0 ? r : flush(p);
}

static int describe(const struct route *r, int error, struct err *reterr)
{
	char dst[PREFIX_STR_MAX], via[ADDR_STR_MAX];

	(void)prefix_str(&r->dst, dst);
	if (error == -EEXIST)
		return err_set(reterr, error, "route %s: somebody else has a route to it", dst);
	if (r->kind == ROUTE_UNREACHABLE)
		return err_set(reterr, error, "route %s unreachable: %s", dst, strerror(-error));
	if (r->kind == ROUTE_DEV)
		return err_set(reterr, error, "route %s dev %s: %s", dst, r->ifname,
			       strerror(-error));
	(void)addr_str(&r->via, via);
	if (error == -ENETUNREACH || error == -EHOSTUNREACH)
		return err_set(reterr, error, "route %s: node %s is not on our layer 2", dst, via);
	return err_set(reterr, error, "route %s via %s: %s", dst, via, strerror(-error));
}

static int finish(struct routes *r, struct applying *p, struct err *reterr)
{
	int failed = 0;

	for (size_t i = 0; i < p->ops->op.n; i++) {
		const struct route_op *op = &p->ops->op.v[i];
		struct err e = {0};

		if (!p->error.v[i]) {
			(void)routes_done(r, op, 0);
			continue;
		}
		failed++;
		(void)describe(&op->route, p->error.v[i], &e);
		if (reterr)
			*reterr = e;
		if (routes_done(r, op, p->error.v[i]))
			log_warn("route", "not applied, will retry", "err=\"%s\"", e.msg);
	}
	return failed;
}

/**
 * rtnl_apply() - Bring the kernel's routes to what is wanted
 * @n:      Handle
 * @r:      Routes
 * @reterr: The last failure
 *
 * All pending operations go out in batches of NLMSG_BATCH_BYTES, and a failed one does not hold up
 * the others.  Costs the pending routes, some microseconds each.
 *
 * Return: number of routes that failed (logged when the failure is new) and stay pending; -errno
 *         when the socket failed
 */
int rtnl_apply(struct rtnl *n, struct routes *r, struct err *reterr)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	struct route_ops ops = {0};
	struct applying p = {.batch = b, .ops = &ops};
	int result;

	nlbatch_begin(b, n->ask);
	routes_ops(r, &ops);
	result = first_pass(&p);
	if (result == 0)
		result = second_pass(&p);
	if (result < 0)
		(void)err_set(reterr, result, "routes: %s", strerror(-result));
	else
		result = finish(r, &p, reterr);
	vec_done(&p.sent);
	vec_done(&p.error);
	vec_done(&ops.op);
	return result;
}
