/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.h - local pods: which attachment belongs to which pod object, and which addresses a
 * pod has in force.  Pure.
 *
 * An endpoint (an attachment in force) belongs to the pod of its name and UID.  When that object
 * goes before the container does, the endpoint keeps a copy of it: a terminating pod keeps its
 * identity until CNI DEL.  A pod that is attached here counts with the attached addresses, of each
 * of its sandboxes until that one's DEL; any other with those of its status.
 */
#pragma once

#include <uthash.h>

#include "datapath/policy/peers.h"
#include "ipam/attachment.h"
#include "lib/ptr_table.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

struct program;
struct pod_name;

/* struct pod_record - one object in force: of a name, or kept by an endpoint */
struct pod_record {
	const struct pod *object; /* NULL: none */
	struct pod *copy;	  /* the same, when it is ours */
};

/* struct verdict_row - where packets of one address go in one direction: wanted or not, and if so
 * @chain, interned; NULL: the address is open */
struct verdict_row {
	bool wanted;
	const char *chain;
};

/*
 * struct endpoint
 * @key:     container and interface, as one string, the hash key
 * @name:    Whose it is
 * @uid:     Interned; NULL when the runtime sent none
 * @pod:     Its object: &name->record, or a record of its own; NULL while it is not known
 * @peer:    Its addresses as a peer, once the object is known
 * @program: By direction; NULL: open, or not known
 * @next_program: While it is @awaiting: what it is to be under as soon as that is complete
 * @row:     By direction and address, see verdicts.h
 * @fenced:  It is not known, or set aside
 * @served:  Was under its policies at some time, or open
 */
struct endpoint {
	char *key;
	const struct attachment *at; /* borrowed */
	struct pod_name *name;
	const char *uid;
	struct pod_record *pod;
	struct peer_pod peer;
	struct program *program[_DIRECTION_MAX];
	struct program *next_program[_DIRECTION_MAX];
	struct verdict_row row[_DIRECTION_MAX][2];
	bool fenced, served;
	bool dirty;
	struct endpoint *next_dirty;
	bool awaiting;
	struct endpoint *next_awaiting;
	struct endpoint *next; /* of the same name */
	UT_hash_handle hh;
};

struct name_key {
	const char *ns, *name;
};

/*
 * struct pod_name - a namespace and name that has an object, an endpoint, or both
 * @peer: The addresses of @record's status, while no endpoint belongs to it
 */
struct pod_name {
	struct name_key key;
	struct pod_record record;
	struct peer_pod peer;
	struct endpoint *endpoints; /* linked by next */
};

/*
 * struct endpoints
 * @touched: Gets the addresses of those that came under other programs
 * @dirty:   Endpoints to settle, linked by next_dirty
 * @awaiting: Endpoints whose next programs are not complete, linked by next_awaiting
 */
struct endpoints {
	struct touched *touched;
	struct peers *peers;
	struct ptr_table names;
	struct endpoint *all;
	struct endpoint *dirty;
	struct endpoint *awaiting;
};

void endpoints_pod(struct endpoints *s, const struct pod *old, const struct pod *new);
void endpoints_attach(struct endpoints *s, const struct attachment *a);
void endpoints_detach(struct endpoints *s, struct endpoint *ep);
struct endpoint *endpoints_find(const struct endpoints *s, const char *id, const char *ifname);
void endpoint_settled(struct endpoints *s, struct endpoint *ep,
		      const struct program *const before[_DIRECTION_MAX], bool fenced);
void endpoints_touch_all(struct endpoints *s);
void endpoint_mark(struct endpoints *s, struct endpoint *ep);
void endpoint_await(struct endpoints *s, struct endpoint *ep, bool awaits);
struct endpoint *endpoints_take_dirty(struct endpoints *s);
