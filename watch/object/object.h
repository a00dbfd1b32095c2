/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object.h - the typed objects that Manx works with: what remains of a Kubernetes object after
 * decoding.  Here is what all of them have; kind.h says what differs, and each kind has its file.
 *
 * Every string in them is interned (lib/intern.h) unless said otherwise, so that equal names are
 * equal pointers; an object owns its uses and its arrays.
 */
#pragma once

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/util.h"
#include "watch/object/labels.h"

struct kind_info;

enum kind { KIND_NODE, KIND_NAMESPACE, KIND_POD, KIND_NETPOL, KIND_SERVICE, _KIND_MAX };

/*
 * struct object - the head of every object; embedded first
 * @kind:     What it is; decides the type around this head
 * @feed, @generation, @version: Marks of the source that gave it; they mean nothing to anybody
 * else, and two objects that differ in them alone are equal
 * @prev, @next: The store's: its objects of one @feed
 * @ns:       Namespace, NULL for kinds without one
 * @name:     metadata.name
 * @uid:      metadata.uid, NULL when absent
 * @problem:  NULL, or why the object was set aside (heap, "spec.ingress[0].ports[1].endPort: ...").
 *            Then, for a policy, @selects of struct netpol is as wide as could be read and it has
 *            no rules: it fails closed.
 */
struct object {
	enum kind kind;
	uint16_t feed, generation;
	uint64_t version;
	struct object *prev, *next;
	const char *ns;
	const char *name;
	const char *uid;
	char *problem;
};

/* struct object_key - interned names, borrowed; @ns is NULL for kinds without namespace */
struct object_key {
	enum kind kind;
	const char *ns, *name;
};

#define PROTO_TCP  6
#define PROTO_UDP  17
#define PROTO_SCTP 132

const char *kind_str(enum kind k); /* "Pod", "NetworkPolicy", ... */
const char *protocol_str(uint8_t protocol);
char *object_title(const struct object_key *key);

static inline struct object_key key_of(const struct object *o)
{
	return (struct object_key){o->kind, o->ns, o->name};
}

bool object_key_equal(const struct object_key *a, const struct object_key *b);
uint32_t object_key_hash(const struct object_key *key);
void object_key_ref(const struct object_key *key);
void object_key_put(const struct object_key *key);

struct object *object_free(struct object *o);
static inline void object_freep(struct object **o)
{
	(void)object_free(*o);
}
bool object_equal(const struct object *a, const struct object *b);
struct object *object_copy(const struct object *o);
