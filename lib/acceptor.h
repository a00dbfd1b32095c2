/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acceptor.h - a listening socket on the loop, also when no descriptor is left.
 *
 * A socket whose connections cannot be accepted stays readable, and a loop that waits for it would
 * turn without end: so it is left alone for ACCEPTOR_PAUSE_USEC.  Connections wait in the backlog
 * and are served when there is room.
 */
#pragma once

#include "lib/loop.h"

#define ACCEPTOR_PAUSE_USEC (100 * USEC_PER_MSEC)

struct acceptor;

/* acceptor_fn - takes a connection, non-blocking, and owns its descriptor */
typedef void acceptor_fn(void *arg, int fd);

struct acceptor *acceptor_new(struct loop *l, const char *name, int fd, acceptor_fn *fn, void *arg);
struct acceptor *acceptor_free(struct acceptor *a);
void acceptor_hold(struct acceptor *a, bool hold);
int acceptor_fd(const struct acceptor *a);
