/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vary.h - small changes: one aspect of one object, or a second sandbox of a pod.
 *
 * timeline.h draws whole objects anew, so that everything about them changes at once; what goes
 * unnoticed when one thing changes alone is found here.  Pure.
 */
#pragma once

#include "timeline.h"

struct change vary_object(struct timeline *t);
struct change vary_attach_again(struct timeline *t);
