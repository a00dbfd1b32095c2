/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restore.h - at start: the journal against the links that exist.
 */
#pragma once

struct agent;

void restore_attachments(struct agent *a);
void restore_forget_all(struct agent *a);
