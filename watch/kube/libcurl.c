// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libcurl.c - libcurl's functions as <curl/curl.h> declares them, in a program that is not linked
 * with it: it brings some thirty libraries and megabytes of memory, which an agent with a folder of
 * manifests has no use for.
 *
 * libcurl_load() finds all functions or fails; after that each goes through a table.  Their types
 * are those of the header, or this file does not compile.  The functions are the program's own: no
 * shared library sees them.  Loaded once, never unloaded.
 */
#include "watch/kube/libcurl.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#define CURL_DISABLE_TYPECHECK /* its macros have the functions' names */
#include <curl/curl.h>

#include "lib/util.h"

#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

#define LIBCURL "libcurl.so.4" /* deploy/rootfs reads this line */

/* Some versions say that curl_url_get() changes no URL. */
#define URL_TO_READ                                                                            \
	typeof(_Generic(&curl_url_get, CURLUcode(*)(CURLU *, CURLUPart, char **, unsigned int) \
			: (CURLU *)NULL, default                                               \
			: (const CURLU *)NULL))

/* NOLINTBEGIN(bugprone-macro-parentheses): types and declarations take none */

/*
 * What is returned, name, arguments with and without their types; the arguments' names are those of
 * the header.
 */
#define PLAIN(X)                                                                                \
	X(CURL *, curl_easy_init, (void), ())                                                   \
	X(void, curl_easy_cleanup, (CURL * curl), (curl))                                       \
	X(const char *, curl_easy_strerror, (CURLcode code), (code))                            \
	X(void, curl_free, (void *p), (p))                                                      \
	X(CURLcode, curl_global_init, (long flags), (flags))                                    \
	X(void, curl_global_cleanup, (void), ())                                                \
	X(CURLM *, curl_multi_init, (void), ())                                                 \
	X(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))                              \
	X(CURLMcode, curl_multi_add_handle, (CURLM * multi_handle, CURL * curl_handle),         \
	  (multi_handle, curl_handle))                                                          \
	X(CURLMcode, curl_multi_remove_handle, (CURLM * multi_handle, CURL * curl_handle),      \
	  (multi_handle, curl_handle))                                                          \
	X(CURLMcode, curl_multi_assign, (CURLM * multi, curl_socket_t fd, void *p),             \
	  (multi, fd, p))                                                                       \
	X(CURLMsg *, curl_multi_info_read, (CURLM * multi_handle, int *msgs_in_queue),          \
	  (multi_handle, msgs_in_queue))                                                        \
	X(CURLMcode, curl_multi_socket_action,                                                  \
	  (CURLM * multi_handle, curl_socket_t s, int ev_bitmask, int *running_handles),        \
	  (multi_handle, s, ev_bitmask, running_handles))                                       \
	X(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *data), \
	  (list, data))                                                                         \
	X(void, curl_slist_free_all, (struct curl_slist * list), (list))                        \
	X(CURLU *, curl_url, (void), ())                                                        \
	X(void, curl_url_cleanup, (CURLU * handle), (handle))                                   \
	X(CURLUcode, curl_url_get,                                                              \
	  (URL_TO_READ handle, CURLUPart what, char **part, unsigned int flags),                \
	  (handle, what, part, flags))                                                          \
	X(CURLUcode, curl_url_set,                                                              \
	  (CURLU * handle, CURLUPart what, const char *part, unsigned int flags),               \
	  (handle, what, part, flags))                                                          \
	X(char *, curl_version, (void), ())

/* Those whose third and last argument has the type that the second says. */
#define TYPED(X)                                                            \
	X(CURLcode, curl_easy_setopt, CURL *curl, curl, CURLoption, option) \
	X(CURLcode, curl_easy_getinfo, CURL *curl, curl, CURLINFO, info)    \
	X(CURLMcode, curl_multi_setopt, CURLM *multi_handle, multi_handle, CURLMoption, option)

#define MEMBER(type, name, ...) typeof(name) *name;

/*
 * Of OpenSSL, with which libcurl brings its TLS: x509_vfy.h and ssl.h, whose types are opaque.
 */
#define TLS(X)                                                                           \
	X(void *, SSL_CTX_get0_param, (void *context))                                   \
	X(void, X509_VERIFY_PARAM_set_hostflags, (void *param, unsigned int flags))      \
	X(int, X509_VERIFY_PARAM_set1_host, (void *param, const char *name, size_t len)) \
	X(int, X509_VERIFY_PARAM_set1_ip_asc, (void *param, const char *address))

#define NEVER_CHECK_SUBJECT 0x20u /* X509_CHECK_FLAG_NEVER_CHECK_SUBJECT */

#define TLS_MEMBER(type, name, types) type(*name) types;

static struct {
	void *handle;
	PLAIN(MEMBER)
	TYPED(MEMBER)
	TLS(TLS_MEMBER)
} library;

#define ENTRY(type, name, ...) {#name, offsetof(typeof(library), name)},

static const struct {
	const char *name;
	size_t offset;
} entries[] = {PLAIN(ENTRY) TYPED(ENTRY) TLS(ENTRY)};

/**
 * libcurl_load() - Load the library, unless it is there already
 * @reterr: Why it cannot be used
 *
 * Return: 0; -ELIBACC
 */
int libcurl_load(struct err *reterr)
{
	void *handle, *function;

	if (library.handle)
		return 0;
	handle = dlopen(LIBCURL, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(reterr, -ELIBACC,
			       "the library for the Kubernetes API: %s; "
			       "Debian's package is libcurl4",
			       dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		function = dlsym(handle, entries[i].name);
		if (!function) {
			(void)dlclose(handle);
			return err_set(reterr, -ELIBACC,
				       LIBCURL " has no function %s; it is too "
					       "old, or not libcurl with OpenSSL",
				       entries[i].name);
		}
		memcpy((char *)&library + entries[i].offset, &function, sizeof(function));
	}
	library.handle = handle;
	return 0;
}

#define CALL(type, name, with_types, without) \
	type name with_types                  \
	{                                     \
		return library.name without;  \
	}

/* CURLOPTTYPE_: numbers of longs are below 10,000, of curl_off_t from 30,000, the rest are
 * pointers. */
#define CALL_TYPED(type, name, whose, handle, option_type, option)                               \
	type name(whose, option_type option, ...)                                                \
	{                                                                                        \
		type r;                                                                          \
		va_list ap;                                                                      \
                                                                                                 \
		va_start(ap, option);                                                            \
		if ((int)option < CURLOPTTYPE_OBJECTPOINT)                                       \
			r = library.name(handle, option, va_arg(ap, long));                      \
		else if ((int)option / CURLOPTTYPE_OFF_T == 1 && (int)option < CURLOPTTYPE_BLOB) \
			r = library.name(handle, option, va_arg(ap, curl_off_t));                \
		else                                                                             \
			r = library.name(handle, option, va_arg(ap, void *));                    \
		va_end(ap);                                                                      \
		return r;                                                                        \
	}

/* cppcheck-suppress unknownMacro */
PLAIN(CALL)
TYPED(CALL_TYPED)

/* NOLINTEND(bugprone-macro-parentheses) */

/**
 * libcurl_require_name() - Accept a certificate only if its subjectAltName has a name
 * @context: SSL_CTX of a connection to be made, as CURLOPT_SSL_CTX_FUNCTION has it
 * @name:    Host name, or address without brackets
 *
 * libcurl by itself looks at the subject's common name, too, when there is no subjectAltName; Go,
 * and with it every other client of the API, does not (RFC 6125 section 6.4.4, RFC 9525).
 *
 * Return: false if that cannot be had
 */
bool libcurl_require_name(void *context, const char *name)
{
	void *param = library.SSL_CTX_get0_param(context);

	library.X509_VERIFY_PARAM_set_hostflags(param, NEVER_CHECK_SUBJECT);
	return library.X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ||
	       library.X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}
