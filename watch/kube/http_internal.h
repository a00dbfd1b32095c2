/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_internal.h - the client's insides, shared by http.c (connections and ends) and
 * http_request.c (what is asked).
 */
#pragma once

#include <curl/curl.h>

#include "watch/kube/http.h"

/* struct socket - a descriptor of curl's, watched */
struct socket {
	struct http *http;
	curl_socket_t fd;
	struct loop_source *io;
	struct socket *prev, *next;
};

/* struct http_request - @name: of the server, which its certificate must have */
struct http_request {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char *body, *name;
	struct http_handler handler;
	void *arg;
	char error[CURL_ERROR_SIZE];
	bool added, cancelled;
	struct http_request *prev, *next;
};

/*
 * struct http
 * @opener:  The request that opens a connection, while others wait for it
 * @open:    There is a connection: requests need not wait
 * @in_curl: Inside a callback of curl, its handles must not be removed now
 * @reap:    Some request was cancelled there
 */
struct http {
	struct loop *loop;
	struct loop_source *timer;
	CURLM *multi;
	struct http_server server;
	struct socket *sockets;
	struct http_request *requests;
	struct http_stats stats;
	struct http_request *opener;
	bool open, in_curl, reap;
};

void http_let_begin(struct http *h);
void http_request_free(struct http_request *r);
size_t http_on_header(char *line, size_t size, size_t n, void *arg);
size_t http_on_data(char *bytes, size_t size, size_t n, void *arg);
int http_on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose);
