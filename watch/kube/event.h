/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h - one Event of events.k8s.io/v1 about an object, as text.  Pure.
 *
 * Its name follows from what it says and not from who says it: when all nodes see the same broken
 * policy, the first one makes the Event and the others are told that it exists.
 */
#pragma once

#include "lib/buf.h"
#include "watch/object/object.h"

#define EVENT_NOTE_MAX	   1024 /* bytes; the API server refuses longer ones */
#define EVENT_INSTANCE_MAX 128
#define EVENT_CONTROLLER   "manx.io/agent"

/*
 * struct event - what is told; texts are borrowed
 * @kind, @ns, @name, @uid: The object; @ns is NULL for kinds without one, @uid when not known
 * @reason: One word for programs, "InvalidNetworkPolicy"
 * @note:   For people; UTF-8, cut when it is longer than EVENT_NOTE_MAX
 */
struct event {
	enum kind kind;
	const char *ns, *name, *uid;
	const char *reason;
	const char *note;
};

uint64_t event_id(const struct event *e);
void event_path(const struct event *e, struct buf *out);
void event_body(const struct event *e, const char *instance, const char *when, struct buf *out);
