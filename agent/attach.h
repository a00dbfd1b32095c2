/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach.h - attachments: made by CNI ADD, in force, and taken away.
 */
#pragma once

#include "agent/cni/cni.h"
#include "ipam/attachment.h"

struct agent;
struct link_names;

int attach_make(struct agent *a, const struct cni_request *q, struct attachment **ret,
		uint64_t *ret_seq, struct err *reterr);
void attach_rules(struct agent *a, const struct attachment *at);
void attach_want_routes(struct agent *a, const struct attachment *at);
bool attach_routed(const struct agent *a, const struct attachment *at);
bool attach_under_way(const struct agent *a, const struct attachment *at);
void attach_unroute(struct agent *a, const struct attachment *at);
void attach_forget(struct agent *a, const struct attachment *at);
void attach_link_names(const struct agent *a, struct link_names *ret);
void attach_release(struct agent *a, const struct attachment *at);
