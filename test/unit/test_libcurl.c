// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The library that is loaded: all functions are there, and arguments of every type arrive.
 */
#include "watch/kube/libcurl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <curl/curl.h>

static void it_is_loaded_once(void **state _unused_)
{
	struct err e = {0};

	assert_int_equal(libcurl_load(&e), 0);
	assert_int_equal(libcurl_load(&e), 0);
	assert_memory_equal(curl_version(), "libcurl/", 8);
	assert_string_equal(curl_easy_strerror(CURLE_OK), "No error");
}

/* A pointer, a long, and a number that may be longer than one. */
static void arguments_of_every_type(void **state)
{
	struct err e = {0};
	curl_off_t size = -1;
	long code = -1;
	char *p = NULL;
	CURL *easy;

	assert_int_equal(libcurl_load(&e), 0);
	easy = curl_easy_init();
	assert_non_null(easy);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_PRIVATE, state), CURLE_OK);
	assert_int_equal(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &p), CURLE_OK);
	assert_ptr_equal(p, state);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_PORT, 65536L), CURLE_BAD_FUNCTION_ARGUMENT);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_PORT, 65535L), CURLE_OK);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)-1),
			 CURLE_BAD_FUNCTION_ARGUMENT);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)1 << 40),
			 CURLE_OK);
	assert_int_equal(curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code), CURLE_OK);
	assert_int_equal(code, 0);
	assert_int_equal(curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &size), CURLE_OK);
	assert_int_equal(size, 0);
	curl_easy_cleanup(easy);
}

static void a_url_in_parts(void **state _unused_)
{
	struct err e = {0};
	char *host = NULL;
	CURLU *url;

	assert_int_equal(libcurl_load(&e), 0);
	url = curl_url();
	assert_int_equal(curl_url_set(url, CURLUPART_URL, "https://a.example:6443/x", 0),
			 CURLUE_OK);
	assert_int_equal(curl_url_get(url, CURLUPART_HOST, &host, 0), CURLUE_OK);
	assert_string_equal(host, "a.example");
	curl_free(host);
	curl_url_cleanup(url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_loaded_once),
		cmocka_unit_test(arguments_of_every_type),
		cmocka_unit_test(a_url_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
