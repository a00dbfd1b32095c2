/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random.h - random waits, so that many nodes do not come all at once.  Pure: the state is the
 * caller's, and a seed gives the same numbers again.  No secret may be made of them.
 */
#pragma once

#include "lib/util.h"

uint64_t random_below(uint64_t *state, uint64_t bound);
