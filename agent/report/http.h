/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h - pages for machines (/metrics, /livez, /readyz) over HTTP, on our loop.
 *
 * GET and HEAD only.  A page is a function that fills a buffer, at once and without blocking.
 */
#pragma once

#include "agent/report/http_address.h"
#include "lib/buf.h"
#include "lib/loop.h"

#define HTTP_ROUTES_MAX	 8
#define HTTP_TIMEOUT_SEC 10 /* a connection that is silent for so long is closed */

struct http_server;

/**
 * typedef http_page_fn - Writes one page
 * @arg:      Context
 * @out:      Body; empty at the call
 * @ret_type: Content type; set to "text/plain; charset=utf-8" at the call
 *
 * Return: HTTP status, 200 or 503
 */
typedef unsigned int http_page_fn(void *arg, struct buf *out, const char **ret_type);

int http_start(struct loop *l, const struct http_address *a, struct http_server **ret,
	       struct err *reterr);
void http_route(struct http_server *s, const char *path, http_page_fn *fn, void *arg);
uint16_t http_port(const struct http_server *s);
struct http_server *http_stop(struct http_server *s);
static inline void http_stopp(struct http_server **s)
{
	(void)http_stop(*s);
}
