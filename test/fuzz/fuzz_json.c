// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_json.c - any bytes into the JSON parser, as one document, as Go reads it, and as a stream.
 */
#include "test/fuzz/must.h"
#include "test/fuzz/walk.h"
#include "watch/document/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, const struct value_doc *d)
{
	(*(size_t *)arg)++;
	walk_document(d);
	return 0;
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
	_cleanup_(value_doc_freep) struct value_doc *d = NULL, *go = NULL;
	struct err one = {0}, many = {0};
	size_t n = 0;
	int r = json_parse((const char *)data, size, &d, &one);
	int s = json_parse_stream((const char *)data, size, take, &n, &many);

	must(json_parse_as_go((const char *)data, size, &go, NULL) == 0 || r < 0);
	must(r < 0 ? !d && str_starts(one.msg, "line ") : d != NULL);
	must(s == 0 || str_starts(many.msg, "line "));
	/* One document is a stream of one. */
	if (r == 0) {
		must(s == 0 && n == 1);
		walk_document(d);
	}
	return 0;
}
