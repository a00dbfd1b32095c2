/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.h - which objects events are written about, when they are set aside: policies and
 * Namespaces, the pods of this node and its own Node.  Other nodes' are reported by those.
 */
#pragma once

#include "watch/object/object.h"

struct agent;
struct node;

void events_configure(struct agent *a);
void events_object(struct agent *a, const struct object *old, const struct object *new);
void events_node(void *agent, const struct node *node, const char *problem);
void events_refused(void *agent, const struct object *policy, const char *problem);
