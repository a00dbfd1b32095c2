/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.h - tracked connections as the forward chain has seen them.  Pure.
 *
 * Many connections are one flow: the client's port decides nothing.
 */
#pragma once

#include "lib/addr.h"
#include "lib/vec.h"

/*
 * struct flow - @src and @dst are what the forward chain saw of the first packet: translated is the
 * destination, not yet the source
 * @back:     Where replies go: @src, or what stands for it after translation of the source
 * @port:     Destination port, of protocols that have ports; else 0
 * @expected: A connection tracking helper has announced it (as FTP its data): it was allowed as
 *            part of another connection
 */
struct flow {
	struct addr src, dst, back;
	uint8_t protocol;
	bool expected;
	uint16_t port;
};

/* struct flow_list - sorted by flow_compare(), none twice, once flow_list_sort() was called */
struct flow_list {
	VEC(struct flow) f;
};

int flow_compare(const void *a, const void *b);
void flow_list_sort(struct flow_list *l);
bool flow_list_has(const struct flow_list *sorted, const struct flow *f);
void flow_list_done(struct flow_list *l);
