/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.h - compare table and reference about one packet, and make the world smaller in which they
 * differ, so that somebody can read it.  Pure.
 */
#pragma once

#include "timeline.h"

bool judge_expected(const struct world *w, const struct packet *p);
bool judge_differs(const struct timeline *t, const struct packet *p);
void judge_shrink(struct timeline *t, const struct packet *p);
