/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kube_events.h - events written to the cluster that is the source: the only thing that we write.
 *
 * Nothing waits for them.  They may be lost, when the server is away for long or does not allow
 * them; then they are counted.
 */
#pragma once

#include "watch/kube/event_queue.h"

struct kube;
struct kube_events;

struct kube_events *kube_events_new(struct kube *k);
struct kube_events *kube_events_free(struct kube_events *s);
void kube_events_tell(struct kube_events *s, const struct event *e, bool shared);
void kube_events_right(struct kube_events *s, const struct object *o);
void kube_events_gone(struct kube_events *s, const struct object *o);
void kube_events_clear(struct kube_events *s);
const uint64_t *kube_events_counts(const struct kube_events *s);
