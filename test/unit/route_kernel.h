/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route_kernel.h - apply and read routes at once, for tests that have no loop.
 */
#pragma once

#include "datapath/route/rtnl.h"

/* Also what was refused before.  Return: routes that failed */
static inline int apply_routes(struct rtnl *n, struct routes *r, struct err *reterr)
{
	struct route_batch *b;

	routes_retry(r);
	b = route_batch_new(r);
	route_batch_send(b, n);
	return route_batch_finish(b, r, reterr);
}

/* Return: 0, -errno */
static inline int read_routes(struct rtnl *n, struct routes *r, struct err *reterr)
{
	struct route_list l = {0};
	int result;

	routes_read_begin(r);
	result = rtnl_list(n, &l, reterr);
	routes_read_end(r, result < 0 ? NULL : &l);
	vec_done(&l.v);
	return result;
}
