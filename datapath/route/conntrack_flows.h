/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack_flows.h - which flows do the tracked connections of some addresses belong to, and those
 * of some flows cut.  Blocking.
 */
#pragma once

#include "datapath/base/flow.h"
#include "datapath/route/conntrack.h"

/* struct addr_list - sorted by addr_cmp(), none twice, once addr_list_sort() was called */
struct addr_list {
	VEC(struct addr) a;
};

void addr_list_sort(struct addr_list *l);
bool addr_list_has(const struct addr_list *l, const struct addr *a);
int conntrack_flows(struct conntrack *c, const struct addr_list *sorted, struct flow_list *ret,
		    struct err *reterr);
int conntrack_cut(struct conntrack *c, const struct addr_list *sorted,
		  const struct flow_list *flows, uint64_t *ret_cut, struct err *reterr);

/* Inside: what is read of an entry */
bool conntrack_flow(const struct nlmsghdr *entry, uint8_t family, struct flow *ret);
