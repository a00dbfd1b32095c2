/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages.h - pages for machines (/metrics, /livez, /readyz) over HTTP, on our loop.
 *
 * GET and HEAD only.  A page is a function that fills a buffer, at once and without blocking.
 */
#pragma once

#include "agent/report/pages_address.h"
#include "lib/buf.h"
#include "lib/loop.h"

#define PAGES_MAX	  8
#define PAGES_TIMEOUT_SEC 10 /* a connection that is silent for so long is closed */

struct pages;

/**
 * typedef pages_fn - Writes one page
 * @arg:      Context
 * @out:      Body; empty at the call
 * @ret_type: Content type; set to "text/plain; charset=utf-8" at the call
 *
 * Return: HTTP status, 200 or 503
 */
typedef unsigned int pages_fn(void *arg, struct buf *out, const char **ret_type);

int pages_start(struct loop *l, const struct pages_address *a, int socket, struct pages **ret,
		struct err *reterr);
void pages_hold(struct pages *s, bool hold);
int pages_fd(const struct pages *s);
void pages_route(struct pages *s, const char *path, pages_fn *fn, void *arg);
uint16_t pages_port(const struct pages *s);
struct pages *pages_stop(struct pages *s);
static inline void pages_stopp(struct pages **s)
{
	(void)pages_stop(*s);
}
