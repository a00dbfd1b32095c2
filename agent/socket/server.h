/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.h - the agent's unix socket: connections and what is said on them, one call each (wire.h).
 *
 * Root only.  Reading and writing never block; what a call means is for whoever takes it.
 */
#pragma once

#include "agent/socket/handover.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "watch/document/value.h"

#define SERVER_CALLS_MAX 1024 /* connections at once; more are refused */

struct server;
struct call;

/*
 * struct call_work - what a call that is not answered at once goes on with (call_set_work());
 * a member of its owner
 * @message: The caller said something more; borrowed
 * @closed:  The connection is gone
 */
struct call_work {
	void (*message)(struct call_work *w, const struct value *m);
	void (*closed)(struct call_work *w);
};

/* call_fn - takes a message of a call without work, borrowed; answer with call_send() or
 * call_finish() */
typedef void call_fn(void *arg, struct call *c, const struct value *m);

int server_open(struct loop *l, const char *path, int fd, call_fn *fn, void *arg,
		struct server **ret, struct err *reterr);
void server_hold(struct server *s, bool hold);
size_t server_calls(const struct server *s);
int server_fd(const struct server *s);
struct server *server_close(struct server *s);

void call_send(struct call *c, const char *json);
void call_finish(struct call *c, const char *text, int exit_code);
int call_hand_over(struct call *c, const struct handover *h);
void call_break(struct call *c);
void call_set_work(struct call *c, struct call_work *work);
