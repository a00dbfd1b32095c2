/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_size.h - what one NetworkPolicy may cost.  Pure.
 *
 * The API server takes objects of 1.5 MB; a policy of a tenth of that can ask for hundreds of MB:
 * where its port ranges overlap, each piece of the ports has its own list of peers.
 */
#pragma once

#include "lib/err.h"
#include "watch/object/netpol.h"

/*
 * In one direction of a policy at most so many peers (blocks left out of a block counted too), so
 * many ports, and so many of both together: the peers of every set of rules that share ports, and
 * the pieces into which the rules cut the ports.
 */
#define POLICY_SIZE_MAX 10000

int policy_check_size(const struct netpol *p, struct err *reterr);
