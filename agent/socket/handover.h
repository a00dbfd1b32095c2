/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover.h - named descriptors that go from one agent to the next over the socket.
 *
 * The list says nothing about what they are for: who opens something may add it, who needs it takes
 * it by its name.  What nobody takes is closed, so either side may know names that the other does
 * not.
 */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/vec.h"
#include "watch/document/value.h"

#define HANDOVER_MAX  253 /* of one message; SCM_MAX_FD, unix(7) */
#define HANDOVER_LOCK "lock"
#define HANDOVER_CNI  "cni"
#define HANDOVER_HTTP "http " /* and the address as configured */

/* struct handover - starts zeroed
 * @name: Heap strings
 * @fd:   -1: taken; borrowed while they are collected, owned once they are received */
struct handover {
	VEC(char *) name;
	VEC(int) fd;
};

void handover_add(struct handover *h, const char *name, int fd);
int handover_take(struct handover *h, const char *name);
void handover_forget(struct handover *h);
void handover_close(struct handover *h);
int handover_send(int socket, const struct handover *h);
int handover_receive(const struct value *m, int *fds, size_t n, struct handover *ret,
		     struct err *reterr);
