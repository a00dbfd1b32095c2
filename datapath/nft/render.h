/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render.h - text of parts of a table, as nft 1.0.6 prints them.  Pure.
 */
#pragma once

#include "datapath/nft/table.h"

void render_range(enum nft_type t, const uint8_t *first, const uint8_t *last, struct buf *out);
void render_verdict(const struct nft_verdict *v, struct buf *out);
void render_elem(const struct nft_set_def *def, const struct nft_elem *e, struct buf *out);
