/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aim.h - packets that go where a rule speaks of: to its ports, between its subjects and peers.
 * Pure.
 */
#pragma once

#include "random.h"

bool aimed_packet(struct rng *r, const struct world *w, struct packet *ret);
