/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - the caller's side of the agent's socket (wire.h).  Blocking.
 */
#pragma once

#include "agent/socket/handover.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/jsonw.h"
#include "watch/document/value.h"

#define CLIENT_TIMEOUT_SEC 60 /* for one message of the agent */

/**
 * typedef client_do_fn - Does what the agent asks for in the middle of a call
 * @arg:     Context
 * @m:       The message, with its "do"
 * @reply:   Open map of the answer, for what the agent should know beyond that it is done
 * @reterr:  What failed
 *
 * Return: 0; the CNI error code, above 0
 */
typedef int client_do_fn(void *arg, const struct value *m, struct jsonw *reply, struct err *reterr);

/* struct client_fds - descriptors that came with a message */
struct client_fds {
	int fd[HANDOVER_MAX];
	size_t n;
};

int client_connect(const char *path, int seconds, struct err *reterr);
int client_send(int fd, const char *json, struct err *reterr);
int client_receive(int fd, struct client_fds *fds, struct value_doc **ret, struct err *reterr);
int client_call(const char *socket_path, const char *json, client_do_fn *fn, void *arg,
		struct buf *ret_text, int *ret_exit, struct err *reterr);
