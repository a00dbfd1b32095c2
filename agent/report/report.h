/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - what the agent tells about itself: pages for machines, calls of the command line.
 */
#pragma once

#include "agent/socket/server.h"
#include "lib/buf.h"

struct agent;

unsigned int report_metrics(void *agent, struct buf *out, const char **ret_type);
unsigned int report_live(void *agent, struct buf *out, const char **ret_type);
unsigned int report_ready(void *agent, struct buf *out, const char **ret_type);
void report_call(struct agent *a, struct call *c, const char *what, const struct value *m);
void report_ipam(struct agent *a, struct call *c, const struct value *args);
