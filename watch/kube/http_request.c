// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http_request.c - what is asked of the server, as an easy handle of curl.
 */
#include <stdio.h>
#include <utlist.h>

#include "lib/version.h"
#include "watch/kube/http_internal.h"
#include "watch/kube/libcurl.h"

#define KEEPALIVE_IDLE_SEC     30
#define KEEPALIVE_INTERVAL_SEC 10

static void set_blob(CURL *e, CURLoption option, const char *pem)
{
	struct curl_blob blob = {(void *)pem, pem ? strlen(pem) : 0, CURL_BLOB_COPY};

	if (pem)
		(void)curl_easy_setopt(e, option, &blob);
}

/* "name:port:host:port", and the URL with the name in the place of the host. */
static char *rename_host(CURLU *url, const char *name, char **ret_url)
{
	char *host = NULL, *port = NULL, *to = NULL;

	if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_HOST, name, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_URL, ret_url, 0) == CURLUE_OK)
		to = xasprintf("%s:%s:%s:%s", name, port, host, port);
	curl_free(host);
	curl_free(port);
	return to;
}

/* An address without its brackets. */
static char *host_of(CURLU *url)
{
	char *host = NULL, *copy;
	size_t len;

	if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return NULL;
	len = strlen(host);
	copy = *host == '[' && len > 2 ? xasprintf("%.*s", (int)len - 2, host + 1) : xstrdup(host);
	curl_free(host);
	return copy;
}

static CURLcode on_tls(CURL *e _unused_, void *context, void *arg)
{
	const struct http_request *r = arg;

	return r->name && libcurl_require_name(context, r->name) ? CURLE_OK
								 : CURLE_ABORTED_BY_CALLBACK;
}

/* The certificate names another host than the one to connect to: ask it under that name. */
static void set_url(struct http_request *r, const struct http_server *s, const char *path)
{
	_cleanup_(freep) char *url = xasprintf("%s%s", s->url, path), *to = NULL;
	CURLU *parts = curl_url();
	char *named = NULL;

	if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
		if (s->server_name)
			to = rename_host(parts, s->server_name, &named);
		r->name = host_of(parts);
	}
	(void)curl_easy_setopt(r->easy, CURLOPT_URL, named ? named : url);
	if (to) {
		r->connect_to = curl_slist_append(NULL, to);
		(void)curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, r->connect_to);
	}
	curl_free(named);
	curl_url_cleanup(parts);
}

static void set_identity(struct http_request *r, const struct http_server *s)
{
	long name_counts = s->insecure ? 0L : 2L;
	CURL *e = r->easy;

	set_blob(e, CURLOPT_CAINFO_BLOB, s->ca);
	if (s->ca) /* and no other authority that the host trusts */
		(void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	set_blob(e, CURLOPT_SSLCERT_BLOB, s->cert);
	set_blob(e, CURLOPT_SSLKEY_BLOB, s->key);
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, s->insecure ? 0L : 1L);
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, name_counts);
	if (name_counts) {
		(void)curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_tls);
		(void)curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, r);
	}
	if (s->token) {
		(void)curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		(void)curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, s->token);
	} else if (s->user && s->password) {
		(void)curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		(void)curl_easy_setopt(e, CURLOPT_USERNAME, s->user);
		(void)curl_easy_setopt(e, CURLOPT_PASSWORD, s->password);
	}
	if (s->proxy)
		(void)curl_easy_setopt(e, CURLOPT_PROXY, s->proxy);
}

static void set_connection(struct http_request *r)
{
	CURL *e = r->easy;

	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_SEC);
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_SEC);
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_SEC);
	(void)curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, http_on_new_socket);
	(void)curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, r->http);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
}

static void add_header(struct http_request *r, const char *name, const char *value)
{
	_cleanup_(freep) char *line = xasprintf("%s: %s", name, value);

	r->headers = curl_slist_append(r->headers, line);
}

static void set_content(struct http_request *r, const struct http_call *c)
{
	CURL *e = r->easy;

	add_header(r, "Accept", c->accept);
	if (c->body) {
		r->body = xstrdup(c->body);
		add_header(r, "Content-Type", "application/json");
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body);
	}
	if (!streq(c->method, "GET"))
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, c->method);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
	(void)curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT, "manx/" MANX_VERSION);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, http_on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, http_on_data);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->error);
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, (char *)r);
}

/**
 * http_send() - Begin a request
 * @h:       Client
 * @c:       Request
 * @handler: Copied
 * @arg:     Its first argument
 *
 * Return: the request, gone once @handler->done was called; never NULL
 */
struct http_request *http_send(struct http *h, const struct http_call *c,
			       const struct http_handler *handler, void *arg)
{
	struct http_request *r = xcalloc(1, sizeof(*r));

	r->http = h;
	r->handler = *handler;
	r->arg = arg;
	r->easy = curl_easy_init();
	if (!r->easy)
		abort();
	set_url(r, &h->server, c->path);
	set_identity(r, &h->server);
	set_connection(r);
	set_content(r, c);
	DL_APPEND(h->requests, r);
	h->stats.requests++;
	http_let_begin(h);
	return r;
}

/**
 * http_cancel() - End a request; its handler hears nothing more
 * @r: Request or NULL
 */
void http_cancel(struct http_request *r)
{
	struct http *h;

	if (!r)
		return;
	h = r->http;
	if (h->in_curl) {
		r->cancelled = h->reap = true;
		return;
	}
	http_request_free(r);
	http_let_begin(h);
}
