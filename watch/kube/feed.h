/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * feed.h - one collection of the API server, kept in step with the store: a reflector, its
 * requests, and what a list that is not complete has told so far.
 *
 * Several feeds may give objects of one kind (pods of this node, pods of a namespace), and they are
 * not equally fast.  The latest version counts, whoever tells it; an object belongs to the feed
 * that told it, and a list that lacks it removes it only for that one.
 */
#pragma once

#include "lib/loop.h"
#include "watch/kube/http.h"
#include "watch/kube/reflector.h"
#include "watch/object/kind.h"
#include "watch/object/store.h"

struct feed;

/*
 * struct feed_owner - what feeds need of the source that they belong to
 * @store:  What is in force: the feeds write it, and mark objects in it as theirs
 * @synced: A list of the feed has become complete
 * @unauthorized: The server does not know us: read the credentials anew
 * @lost:   A watch ended in disorder; it will go on where it was
 * @reachable: The server answers this feed again: the others need not wait
 * @step:   A feed got out of step with the server, or is in step again, or it is for another reason
 * that it is not
 * @backwards: The server's versions went backwards: share_distrust(), all other feeds are to list
 * again
 */
struct feed_owner {
	struct loop *loop;
	struct http *http;
	struct store *store;
	void (*synced)(void *arg, struct feed *f);
	void (*unauthorized)(void *arg);
	void (*lost)(void *arg);
	void (*reachable)(void *arg);
	void (*step)(void *arg, struct feed *f);
	void (*backwards)(void *arg);
	void *arg;
};

/*
 * struct feed_spec - which collection; texts are copied
 * @id:     Differs from that of every other feed, not 0
 * @info:   What it holds
 * @ns:     Of one namespace; NULL: of all
 * @fields: fieldSelector; NULL: none
 * @name:   For messages: "pods of namespace x"
 */
struct feed_spec {
	uint16_t id;
	const struct kind_info *info;
	const char *ns, *fields, *name;
};

/**
 * typedef feed_heir_fn - Who tells of an object from now on?
 * @arg: Context
 * @o:   Object
 *
 * Return: feed; NULL: nobody
 */
typedef struct feed *feed_heir_fn(void *arg, const struct object *o);

struct feed *feed_new(const struct feed_owner *owner, const struct feed_spec *spec, uint64_t seed);
void feed_hand_over(struct feed *f, feed_heir_fn *heir, void *arg);
struct feed *feed_free(struct feed *f, bool forget);
void feed_start(struct feed *f);
void feed_list_again(struct feed *f);
void feed_nudge(struct feed *f);
void feed_leave(struct feed *f, bool leaving);
bool feed_synced(const struct feed *f);
const struct reflector *feed_reflector(const struct feed *f);
uint16_t feed_id(const struct feed *f);
const char *feed_name(const struct feed *f);
bool feed_decides(const struct feed *f);
uint64_t feed_heard(const struct feed *f);
void feed_put_ahead(struct feed *f, struct object *o, uint64_t version);
