/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * show.h - worlds and packets as text: manifests that `manx validate` and test/golden can read.
 * Pure.
 */
#pragma once

#include "lib/buf.h"
#include "reference.h"

void show_object(const struct object *o, struct buf *out);
void show_world(const struct world *w, struct buf *out);
void show_packet(const struct packet *p, struct buf *out);
