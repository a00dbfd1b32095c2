// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_api_status.c - any bytes as the body of an answer that says no.
 */
#include "lib/utf8.h"
#include "test/fuzz/must.h"
#include "watch/kube/api_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* It goes into log lines and the status page. */
static void check_text(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	must(n < size && utf8_valid(s, n));
	for (size_t i = 0; i < n; i++)
		must((unsigned char)s[i] >= ' ');
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_status s;

	memset(&s, 0xff, sizeof(s));
	api_status_parse((const char *)data, size, &s);
	check_text(s.reason, sizeof(s.reason));
	check_text(s.message, sizeof(s.message));
	must(s.code >= 0 && s.code <= 999 && s.retry_after <= 3600);
	return 0;
}
