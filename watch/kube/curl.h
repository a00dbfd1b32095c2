/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * curl.h - the functions of libcurl in use.
 *
 * Loaded when an API server is the source, not linked: libcurl brings some 30 libraries, 3 MiB of
 * every process that starts with them, and a folder as the source needs none.  So do the commands.
 */
#pragma once

#include <curl/curl.h>

#include "lib/err.h"

#define CURL_FUNCTIONS(X)      \
	X(easy_cleanup)        \
	X(easy_getinfo)        \
	X(easy_init)           \
	X(easy_setopt)         \
	X(easy_strerror)       \
	X(free)                \
	X(global_cleanup)      \
	X(global_init)         \
	X(multi_add_handle)    \
	X(multi_assign)        \
	X(multi_cleanup)       \
	X(multi_info_read)     \
	X(multi_init)          \
	X(multi_remove_handle) \
	X(multi_setopt)        \
	X(multi_socket_action) \
	X(slist_append)        \
	X(slist_free_all)      \
	X(url)                 \
	X(url_cleanup)         \
	X(url_get)             \
	X(url_set)

/* struct curl_functions - curl_easy_init() is @easy_init, and so on */
struct curl_functions {
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

extern struct curl_functions curl;

int curl_load(struct err *reterr);
