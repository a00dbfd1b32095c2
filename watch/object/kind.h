/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kind.h - everything that differs from kind to kind: one row a kind, and nothing else asks which
 * kind it is.  Pure.
 *
 * A new kind is a line of enum kind, a line of kinds[], and a file pair: its struct, its decoder,
 * the fields that it reads, its shape and its row.  What belongs to the policy, the routes or the
 * services is those parts' business, in datapath/.
 */
#pragma once

#include "lib/buf.h"
#include "watch/document/value.h"
#include "watch/object/fields.h"
#include "watch/object/object.h"
#include "watch/object/shape.h"

/**
 * typedef decode_fn - Read an object whose head is filled in
 * @root:   Document
 * @o:      Object, filled as far as possible
 * @reterr: What is wrong first
 *
 * Return: 0, -EINVAL
 */
typedef int decode_fn(const struct value *root, struct object *o, struct err *reterr);

/* struct kind_form - a spelling of a kind, and who reads what is spelled so */
struct kind_form {
	const char *api_version, *kind;
	decode_fn *decode;
};

/* How much of a kind is watched, as bits; each is a collection, or several. */
enum {
	REACH_NODE = 1 << 0,	  /* first those of this node, by @node_field */
	REACH_ALL = 1 << 1,	  /* all, once those of this node are known */
	REACH_NAMESPACE = 1 << 2, /* of other nodes, the namespaces that a part needs */
	REACH_NAME = 1 << 3,	  /* a single one of this node, before its watch has reported it */
};

enum name_form { NAME_SUBDOMAIN, NAME_LABEL };

/*
 * struct kind_info - a row
 * @forms:      The first one is asked of the server and named in events; the last is empty
 * @resource:   Of the collection's path, and of the rights in deploy/rbac.yaml
 * @reach:      Which collections are watched
 * @node_field: REACH_NODE: fieldSelector whose value is the node's name
 * @own:        REACH_NODE: what people call that collection
 * @selector:   labelSelector of all collections, or NULL
 * @namespaced: Has a namespace
 * @namesakes:  Other groups of the API have a kind of that name, which is somebody else's
 * @optional:   A server may lack the kind: then there are no such objects
 * @metadata_only: Of the API nothing but metadata is read
 * @decides:    Says who may talk to whom: what is not known of it makes what is in force stale
 * @fails_closed: What is wrong allows nothing; what may be such an object gets a stand-in, and
 *              fields that are not known are errors.  Else what is wrong is left out
 * @close:      Make an object allow as little as it could mean; NULL: it allows nothing anyway
 * @closed:     An object that has a problem takes the place of the version before; NULL: none does
 * @shape:      Of the struct
 * @fields:     Of a document: what is read, or all that there is
 * @reason, @effect: Of events: one word, and what follows on the problem
 * @node_of:    Whose object it is, by name: that node reports it; NULL: all nodes see it, and one
 *              reports it
 */
struct kind_info {
	enum kind kind;
	const struct kind_form *forms;
	const char *resource;
	unsigned int reach;
	const char *node_field, *own, *selector;
	enum name_form name_form;
	bool namespaced, namesakes, optional, metadata_only, decides, fails_closed;
	void (*close)(struct object *o);
	bool (*closed)(const struct object *o);
	const struct shape *shape;
	const struct field *fields;
	const char *reason, *effect;
	const char *(*node_of)(const struct object *o);
};

extern const struct kind_info *const kinds[_KIND_MAX];

const char *kind_api_version(enum kind k);
const struct kind_form *kind_find(const char *kind, const char *api_version, enum kind *ret);
void kind_path(const struct kind_info *info, const char *ns, struct buf *out);
