/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls.h - CNI requests under way.
 */
#pragma once

#include "agent/server.h"
#include "ipam/attachment.h"

struct agent;
struct calls;

struct calls *calls_new(struct agent *a);
struct calls *calls_free(struct calls *s);
void calls_cni(struct calls *s, struct call *call, const struct value *m);
void calls_answer(struct calls *s, void *work, const struct value *m);
void calls_closed(struct calls *s, void *work);
void calls_progress(struct calls *s);
