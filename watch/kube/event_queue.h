/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_queue.h - which event is told, and when.  Pure: time and chance are given.
 *
 * It remembers what is wrong with each object and what was told of it:
 *
 *	tell() ----> waits for its time ----> under way ----> told ----> again after an hour,
 *	              (random, see below)      |   ^                     while nothing changed
 *	                                       v   |
 *	                                 failed: later, a few times
 *
 * One event is under way at a time, and all share an allowance: EVENT_BURST at once, then one in
 * EVENT_PERIOD_USEC.  An event that all nodes have to tell waits for a random time below its spread
 * times the number of such events: so the nodes together ask the server about once in a spread
 * divided by their number, however many they are, and the first of them does so at once.
 *
 * The node whose event it was tells it again when it is gone from the server.  The others follow:
 * they wait for EVENT_FOLLOW spreads by chance, so that one of them soon takes the place of a node
 * that ended, and all of them together ask seldom.
 */
#pragma once

#include "watch/kube/event.h"

#define EVENT_OBJECTS_MAX    1024 /* remembered; the one not heard of for longest is forgotten */
#define EVENT_BURST	     20
#define EVENT_PERIOD_USEC    (5 * USEC_PER_SEC)
#define EVENT_AGAIN_USEC     (61 * 60 * USEC_PER_SEC) /* the API server keeps events for an hour */
#define EVENT_FOLLOW	     3000 /* with 20 ms for each node: each minute one of them asks */
#define EVENT_TRIES	     5
#define EVENT_RETRY_MIN_USEC (5 * USEC_PER_SEC) /* bound of the first wait; then it doubles */

/* How an attempt ended; of what was given up the last failure is counted as EVENT_DROPPED too. */
enum event_result {
	EVENT_CREATED,
	EVENT_EXISTED,	 /* another node was first, or we before a restart */
	EVENT_FORBIDDEN, /* we may not, or the namespace is going */
	EVENT_REFUSED,	 /* the server does not want it as it is */
	EVENT_FAILED,	 /* no answer, or the server cannot now: tried again */
	EVENT_DROPPED,	 /* given up, or forgotten before its time came */
	_EVENT_RESULT_MAX
};

struct event_queue;

const char *event_result_str(enum event_result r);
struct event_queue *event_queue_new(uint64_t seed);
struct event_queue *event_queue_free(struct event_queue *q);
void event_queue_tell(struct event_queue *q, const struct event *e, uint64_t spread, uint64_t now);
void event_queue_right(struct event_queue *q, const struct object_key *key);
void event_queue_gone(struct event_queue *q, const struct object_key *key);
void event_queue_clear(struct event_queue *q);
uint64_t event_queue_deadline(const struct event_queue *q);
bool event_queue_next(struct event_queue *q, uint64_t now, struct event *ret);
void event_queue_done(struct event_queue *q, enum event_result result, uint64_t wait, uint64_t now);
const uint64_t *event_queue_counts(const struct event_queue *q);
