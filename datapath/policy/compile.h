/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.h - what a list of policies allows one pod in one direction, in a canonical form: who
 * may use any port, and disjoint segments of ports with who may use each.  Pure.
 *
 * Policies only add (an allowance of any of them suffices), so rules are united: the peers of all
 * rules that cover a port become one group.  Policies, rules and peers in any order give the same
 * form, and pods under the same policies share it.
 */
#pragma once

#include "datapath/base/blocks.h"
#include "datapath/policy/term.h"
#include "lib/vec.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

/*
 * What the policies of a pod may cost together in one direction: the peers of every set of rules
 * that share ports, and the pieces into which the rules cut the ports.
 */
#define ALLOWANCE_SIZE_MAX 20000

struct terms {
	VEC(struct term) t;
};

/* struct group - peers: everyone, or pods by terms and blocks; sorted, none twice */
struct group {
	bool everyone;
	struct terms terms;
	struct ranges blocks;
};

/* struct segment - ports @first to @last of @protocol are open to group @group */
struct segment {
	uint8_t protocol;
	uint16_t first, last;
	uint32_t group; /* index into struct allowance.groups */
};

/*
 * struct allowance - the form
 * @any:      Who may use every port of every protocol
 * @named:    Egress: pods at their named ports
 * @segments: Sorted by protocol and port, disjoint
 * @groups:   What the segments refer to, in the order in which they do; none is empty, no two are
 *            equal
 * @too_large: Nothing is allowed, because the policies together are too large
 */
struct allowance {
	enum direction direction;
	struct group any;
	struct terms named;
	VEC(struct segment) segments;
	VEC(struct group) groups;
	bool too_large;
};

void allowance_compile(struct allowance *a, enum direction d, const struct netpol *const *policies,
		       size_t n, const struct pod *pod);
void allowance_done(struct allowance *a);
void allowance_text(const struct allowance *a, struct buf *out);
void group_text(const struct group *g, struct buf *out);
