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

#include "datapath/netlink/nlmsg.h"
#include "datapath/route/nlmsg_link.h"
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

/*
 * struct route_batch - operations on their way
 * @buffer: Messages not sent yet
 * @sent:   By message in @buffer
 * @error:  By operation
 * @result: Of the socket: 0 or -errno
 */
struct route_batch {
	struct route_ops ops;
	struct nlbatch buffer;
	VEC(struct sent) sent;
	VEC(int) error;
	int result;
};

static void on_result(void *arg, uint32_t index, int error)
{
	struct route_batch *p = arg;
	const struct sent *s = &p->sent.v[index];

	/* Someone removed it already, or its device went and took it along. */
	if (s->step == STEP_CLEAR || (s->step == STEP_REMOVE && error == -ESRCH))
		return;
	if (error && !p->error.v[s->op])
		p->error.v[s->op] = error;
}

static int flush(struct route_batch *p)
{
	int r = nlbatch_send(&p->buffer, on_result, p);

	p->sent.n = 0;
	return r;
}

static void note(struct route_batch *p, size_t op, enum step step)
{
	vec_push(&p->sent, (struct sent){op, step});
}

/* @clear: delete what we may have there first; the route is then created exclusively */
static void put_op(struct route_batch *p, size_t i, bool clear)
{
	const struct route_op *op = &p->ops.op.v[i];
	bool to_device = op->route.kind == ROUTE_DEV && !op->remove;
	int index = to_device ? link_index(p->buffer.socket, op->route.ifname) : 0;
	uint32_t ifindex = (uint32_t)index;

	if (op->remove) {
		note(p, i, STEP_REMOVE);
		put_removal(&p->buffer, &op->route);
		return;
	}
	if (index < 0) {
		p->error.v[i] = index;
		return;
	}
	if (clear) {
		note(p, i, STEP_CLEAR);
		put_removal(&p->buffer, &op->route);
	}
	note(p, i, STEP_INSTALL);
	put_route(&p->buffer, &op->route, ifindex, op->replace && !clear);
	if (to_device) {
		note(p, i, STEP_NEIGHBOUR);
		put_neighbour(&p->buffer, &op->route, ifindex);
	}
}

static int make_room(struct route_batch *p)
{
	return p->buffer.len + 3 * NLMSG_ROOM > sizeof(p->buffer.data) ? flush(p) : 0;
}

static int first_pass(struct route_batch *p)
{
	int r = 0;

	for (size_t i = 0; i < p->ops.op.n && r == 0; i++) {
		put_op(p, i, false);
		r = make_room(p);
	}
	return r < 0 ? r : flush(p);
}

/* What we did not know of: either we lost track of a route of ours, or it is somebody else's. */
static int second_pass(struct route_batch *p)
{
	int r = 0;

	for (size_t i = 0; i < p->ops.op.n && r == 0; i++) {
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

/* One operation has ended: tell what is news, once. */
static int finish(struct routes *r, const struct route_op *op, int error, struct err *reterr)
{
	struct err e = {0};
	bool news = routes_done(r, op, error);

	if (!error)
		return 0;
	(void)describe(&op->route, error, &e);
	if (reterr)
		*reterr = e;
	if (news)
		log_warn("route", "not applied, will retry", "err=\"%s\"", e.msg);
	return 1;
}

/**
 * route_batch_new() - Take what is pending
 * @r: Routes
 *
 * Return: the batch, to be sent and finished
 */
struct route_batch *route_batch_new(struct routes *r)
{
	struct route_batch *b = xcalloc(1, sizeof(*b));

	routes_ops(r, &b->ops);
	vec_reserve(&b->error, b->ops.op.n);
	for (size_t i = 0; i < b->ops.op.n; i++)
		vec_push(&b->error, 0);
	return b;
}

/**
 * route_batch_reaches_nodes() - Is a route to another node's pods among them?
 * @b: Batch
 *
 * Return: true if one is installed or removed
 */
bool route_batch_reaches_nodes(const struct route_batch *b)
{
	vec_foreach (op, &b->ops.op)
		if (op->route.kind == ROUTE_VIA)
			return true;
	return false;
}

/**
 * route_batch_send() - Ask the kernel; waits for its answers
 * @b: Batch; nothing else of the process is touched
 * @n: Handle
 *
 * Messages go out NLMSG_BATCH_BYTES at a time, and a failed one does not hold up the others.
 * Costs some microseconds a route, and the wait for the RTNL lock.
 */
void route_batch_send(struct route_batch *b, struct rtnl *n)
{
	nlbatch_begin(&b->buffer, n->ask);
	b->result = first_pass(b);
	if (b->result == 0)
		b->result = second_pass(b);
}

/**
 * route_batch_finish() - Tell the routes what became of a batch
 * @b:      Batch; freed
 * @r:      Routes that it was made of
 * @reterr: The last failure
 *
 * Return: number of routes that failed (logged when the failure is new)
 */
int route_batch_finish(struct route_batch *b, struct routes *r, struct err *reterr)
{
	int failed = 0;

	for (size_t i = 0; i < b->ops.op.n; i++)
		failed += finish(r, &b->ops.op.v[i], b->error.v[i] ?: MIN(b->result, 0), reterr);
	vec_done(&b->ops.op);
	vec_done(&b->sent);
	vec_done(&b->error);
	free(b);
	return failed;
}
