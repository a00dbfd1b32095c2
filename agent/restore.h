/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restore.h - at start: the journal against the links that exist.
 */
#pragma once

#include "lib/err.h"

struct agent;

void restore_attachments(struct agent *a);
int restore_journal(struct agent *a, struct err *reterr);
