/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * part.h - a part of the data path: it takes objects and attachments, and wants something of the
 * table and of the routes.  What it wants is brought about by others.  Pure.
 *
 * A part is a folder and a row of parts[] in datapath.c, which hands everything on to it.  It does
 * not know the other parts: what two of them share is below both, in datapath/base/.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/base/localpods.h"
#include "datapath/base/masquerade.h"
#include "ipam/attachment.h"
#include "watch/object/object.h"

struct routes;

/**
 * typedef need_fn - Pods of a namespace are needed, or no longer
 * @arg:    Context
 * @ns:     Namespace, interned; NULL: all, those that are not known included
 * @needed: They are
 */
typedef void need_fn(void *arg, const char *ns, bool needed);

/*
 * struct part_place - what a part works on, for as long as it lives
 * @node:     Name of this node
 * @need:     Told of which namespaces the pods on other nodes are needed; NULL: all are known
 * anyway
 * @need_arg: Its first argument
 */
struct part_place {
	struct nft_table *table;
	struct localpods *pods;
	struct masquerade *masquerade;
	struct routes *routes;
	const char *node;
	need_fn *need;
	void *need_arg;
};

/*
 * struct part_config - of the configuration what parts work with; borrowed for the call
 * @ranges:  Pod ranges of this node beside spec.podCIDRs
 * @exclude: Destinations outside of the cluster that see a pod's own address
 */
struct part_config {
	size_t n_ranges;
	const struct prefix *ranges;
	bool masquerade;
	size_t n_exclude;
	const struct prefix *exclude;
};

/**
 * typedef blame_fn - Takes an object that wanted what the kernel refuses
 * @arg: Context
 * @o:   Object, as the part was given it
 */
typedef void blame_fn(void *arg, const struct object *o);

/* struct part - embedded first in the part's own struct */
struct part {
	const struct part_ops *ops;
};

/*
 * struct part_ops - what differs from part to part; a member that is NULL: the part needs none
 * @owner:     enum nft_owner: of its sets and chains
 * @kinds:     It is told of: bits of enum kind
 * @entries:   Where packets enter it: chains that the part fills when it wants something
 * @make:      Create it; datapath.c fills in @ops
 * @free:      Every object and attachment was removed; what it wanted may stay wanted
 * @configure: At the start and at a reload
 * @object:    An object appeared, changed or went: @old is readable until settle() has returned,
 *             @now is borrowed until it is given as @old; NULL: none
 * @attached:  A local pod got its addresses, or loses them: @old is readable during the call, @now
 *             is borrowed until it is given as @old; NULL: none
 * @settle:    Recompute what the calls before have touched; of what is large so many @steps (see
 *             peers_fill()) at least.  True: there is more to do; what is in the table until then
 *             may be sent, since nothing is switched to what is not complete
 * @settled:   Is what it wants for an attachment in force?  As table_settled()
 * @blame:     Which objects wanted what an operation on its sets and chains is about?
 */
struct part_ops {
	uint8_t owner;
	uint32_t kinds;
	size_t n_entries;
	const struct base_entry *entries;
	struct part *(*make)(const struct part_place *where);
	void (*free)(struct part *p);
	void (*configure)(struct part *p, const struct part_config *c);
	void (*object)(struct part *p, const struct object *old, const struct object *now);
	void (*attached)(struct part *p, const struct attachment *old,
			 const struct attachment *now);
	bool (*settle)(struct part *p, size_t steps);
	enum nft_settled (*settled)(struct part *p, const struct attachment *a,
				    const char **ret_problem);
	void (*blame)(struct part *p, const struct nft_op *op, blame_fn *fn, void *arg);
};
