/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h - requests to one server over HTTP/2 or HTTP/1.1, on the loop: libcurl's multi interface.
 *
 * Whatever the server offers: all requests share one HTTP/2 connection, or have one of their own
 * each with HTTP/1.1.  A request hands its bytes over as they arrive and remembers none of them.
 * It decides nothing: no retries, no redirects, no limits on time (the owner cancels).
 */
#pragma once

#include "lib/err.h"
#include "lib/loop.h"

#define HTTP_CONNECT_SEC 10 /* until a connection stands, TLS included */

struct http;
struct http_request;

/*
 * struct http_server - whom to ask; all texts are copied
 * @url:         "https://10.96.0.1:443", perhaps with a path in front of all others
 * @server_name: The name that the certificate must have; NULL: that of @url
 * @ca, @cert, @key: PEM; NULL: the system's certificate authorities, no client certificate
 * @insecure:    The server's certificate is not checked
 * @token:       Sent as bearer token; NULL: none
 * @user, @password: Basic authentication; NULL: none
 * @proxy:       URL of a proxy; NULL: what the environment says
 */
struct http_server {
	char *url, *server_name;
	char *ca, *cert, *key;
	bool insecure;
	char *token;
	char *user, *password;
	char *proxy;
};

/*
 * struct http_result - how a request ended
 * @status:     Of the answer; 0: there was none
 * @error:      0: the answer is complete; -errno: the connection failed before its end
 * @text:       Then, why
 * @retry_after: Seconds that the server asks to wait; 0: it does not say
 */
struct http_result {
	int status;
	int error;
	const char *text;
	uint32_t retry_after;
};

/*
 * struct http_handler - what the owner of a request is told
 * @data: Bytes of the body, as they arrive; false ends the request as failed.  First it is called
 *        without any: the answer begins
 * @done: It ended; the request is gone.  Not called after http_cancel()
 */
struct http_handler {
	bool (*data)(void *arg, int status, const char *bytes, size_t n);
	void (*done)(void *arg, const struct http_result *r);
};

/*
 * struct http_call - one request; borrowed for the call of http_send()
 * @method: "GET", "POST"
 * @path:   With its query; behind the server's URL
 * @accept: Media types
 * @body:   JSON; NULL: none
 */
struct http_call {
	const char *method, *path, *accept, *body;
};

/* struct http_stats - @bytes: of bodies received, after decompression */
struct http_stats {
	uint64_t requests, connections, bytes;
};

struct http *http_new(struct loop *l);
struct http *http_free(struct http *h);
void http_set_server(struct http *h, const struct http_server *s);
struct http_request *http_send(struct http *h, const struct http_call *c,
			       const struct http_handler *handler, void *arg);
void http_cancel(struct http_request *r);
void http_fresh_connections(struct http *h);
void http_stats(const struct http *h, struct http_stats *ret);
void http_server_done(struct http_server *s);
