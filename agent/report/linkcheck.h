/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linkcheck.h - do the host's ends of all pods' interfaces have what Manx gave them?
 */
#pragma once

#include "lib/buf.h"

struct agent;

/**
 * typedef linkcheck_fn - Takes the result
 * @arg:      Context
 * @problems: Their number
 * @text:     A line for each; borrowed
 */
typedef void linkcheck_fn(void *arg, size_t problems, const struct buf *text);

void linkcheck(struct agent *a, linkcheck_fn *fn, void *arg);
