/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spans.h - rules' ports, which may overlap, cut into pieces that do not.  Pure.
 */
#pragma once

#include "lib/util.h"
#include "lib/vec.h"

/* struct span - ports @first to @last of @protocol belong to group @group */
struct span {
	uint8_t protocol;
	uint16_t first, last;
	uint32_t group;
};

struct spans {
	VEC(struct span) s;
};

/*
 * struct piece - ports that belong to the same groups
 * @groups: These, ascending, none twice
 * @set:    The number of this set of groups, from 0 in the order in which the sets are met
 * @is_new: It is met for the first time
 */
struct piece {
	uint8_t protocol;
	uint16_t first, last;
	const uint32_t *groups;
	size_t n;
	uint32_t set;
	bool is_new;
};

/**
 * typedef piece_fn - Takes a piece
 * @arg: Context
 * @p:   Piece, borrowed for the call
 *
 * Return: false: no more are wanted
 */
typedef bool piece_fn(void *arg, const struct piece *p);

void spans_cut(struct spans *s, piece_fn *fn, void *arg);
