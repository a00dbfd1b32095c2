/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_internal.h - the engine, shared by policy.c and policy_info.c.
 */
#pragma once

#include "datapath/base/base.h"
#include "datapath/policy/endpoint.h"
#include "datapath/policy/kept.h"
#include "datapath/policy/policy.h"
#include "datapath/policy/program.h"
#include "datapath/policy/verdicts.h"

/* struct policy_record - @match points into @object, which is borrowed */
struct policy_record {
	const struct netpol *object;
	struct match match;
};

/* struct isolation - what the annotation of a Namespace means: a policy that allows nothing */
struct isolation {
	struct netpol policy;
	UT_hash_handle hh; /* by the address of its namespace's name */
};

/* struct compiled - a program for (direction, policies, named ports), while settling */
struct compiled {
	char *key;
	struct program *program; /* one use is ours */
	UT_hash_handle hh;
};

struct policy_engine {
	struct part part;
	struct verdicts verdicts;
	struct peers *peers;
	struct programs *programs;
	struct endpoints endpoints;
	struct ptr_table policies; /* by the object's address: one version, one record */
	struct isolation *isolations;
	struct matchindex *policy_index;
	struct compiled *compiled;
	struct policy_counts counts;
	struct kept kept;
	struct touched touched;
};

/* Does a policy select a local pod?  Its object has to be known. */
static inline bool match_selects(const struct match *m, const struct endpoint *ep)
{
	return ep->pod && match_ns(m, ep->name->key.ns, NULL) &&
	       selector_matches(m->pods, &ep->pod->object->labels);
}

struct policy_list {
	VEC(const struct netpol *) p;
};

void policy_find(const struct policy_engine *e, const struct pod *pod, enum direction d,
		 struct policy_list *ret);
enum nft_settled policy_settled(struct part *p, const struct attachment *a,
				const char **ret_problem);
void policy_blame(struct part *p, const struct nft_op *op, blame_fn *fn, void *arg);
