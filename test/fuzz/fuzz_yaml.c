// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_yaml.c - any bytes into the YAML parser, as one document and as several.
 */
#include "lib/jsonw.h"
#include "test/fuzz/must.h"
#include "test/fuzz/walk.h"
#include "watch/document/value_write.h"
#include "watch/document/yaml.h"
#include "watch/document/yaml_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, const struct value_doc *d)
{
	(*(size_t *)arg)++;
	walk_document(d);
	return 0;
}

static void put_json(const struct value_doc *d, struct buf *out)
{
	struct jsonw w = {.out = out};

	value_write(&w, NULL, value_root(d));
}

/* What is written is read as the same.  An alias may make much of a short text. */
static void check_written(const struct value_doc *d)
{
	_cleanup_(buf_done) struct buf text = {0}, before = {0}, after = {0};
	_cleanup_(value_doc_freep) struct value_doc *again = NULL;

	if (value_root(d)->weight > 10000)
		return;
	yaml_write(&text, value_root(d));
	must(yaml_parse_one(text.data, text.len, &again, NULL) == 0);
	put_json(d, &before);
	put_json(again, &after);
	must(before.len == after.len && memcmp(before.data, after.data, before.len) == 0);
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
	_cleanup_(value_doc_freep) struct value_doc *d = NULL;
	struct err one = {0}, many = {0};
	size_t n = 0;
	int r = yaml_parse_one((const char *)data, size, &d, &one);
	int s = yaml_parse((const char *)data, size, take, &n, &many);

	must(r < 0 ? !d && str_starts(one.msg, "line ") : d != NULL);
	must(s == 0 || str_starts(many.msg, "line "));
	/* At most one document is what yaml_parse_one() takes. */
	if (s == 0)
		must((r == 0) == (n <= 1));
	if (r == 0) {
		walk_document(d);
		check_written(d);
	}
	return 0;
}
