/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.h - the agent's unix socket: connections, framing, one call each (wire.h).
 *
 * Root only.  Reading and writing never block; what a call means is for its handler.
 */
#pragma once

#include "lib/err.h"
#include "lib/loop.h"
#include "watch/document/value.h"

#define SERVER_CALLS_MAX 1024 /* connections at once; more are refused */

struct server;
struct call;

/*
 * struct call_handler - what the server tells about a call
 * @message: A message came, borrowed; answer with call_send() or call_finish()
 * @closed:  The connection went, finished or not; @work is the handler's to free
 */
struct call_handler {
	void (*message)(void *arg, struct call *c, const struct value *m);
	void (*closed)(void *arg, struct call *c, void *work);
};

int server_open(struct loop *l, const char *path, const struct call_handler *h, void *arg,
		struct server **ret, struct err *reterr);
struct server *server_close(struct server *s);

void call_send(struct call *c, const char *json);
void call_finish(struct call *c, const char *text, int exit_code);
void call_set_work(struct call *c, void *work);
void *call_work(const struct call *c);
