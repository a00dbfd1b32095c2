/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls.h - CNI requests under way.
 */
#pragma once

#include "agent/cni/cni_ops.h"

struct calls;

struct calls *calls_new(const struct cni_ops *ops, void *arg);
void calls_cni(struct calls *s, struct call *call, const struct value *m);
void calls_link_gone(struct calls *s, const char *host_ifname);
bool calls_take_away(const struct calls *s, const char *host_ifname);
bool calls_under_way(const struct calls *s, const struct attachment *at);
bool calls_idle(const struct calls *s);
void calls_progress(struct calls *s);
void calls_alarm(struct cni_call *c);
void calls_flushed(struct cni_call *c);
