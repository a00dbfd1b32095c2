// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_conflist.c - any bytes as our configuration list that others have edited, and as another's.
 *
 * What is written is right at the next look and ours, and what was right is not written.
 */
#include "agent/conflist.h"
#include "test/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	_cleanup_(buf_done) struct buf out = {0}, none = {0};
	_cleanup_(freep) char *network = conflist_network(text, size);
	struct err e = {0};
	enum conflist_verdict v = conflist_plan(text, size, "/run/manx", &out, &e);

	(void)network;
	(void)conflist_leads_to(text, size, "10-manx.conflist", "/run/manx");
	must((v == CONFLIST_BROKEN) == (*e.msg != '\0'));
	if (v == CONFLIST_RIGHT) {
		must(!out.len && conflist_is_ours(text, size, "/run/manx"));
		return 0;
	}
	must(conflist_plan(out.data, out.len, "/run/manx", &none, &e) == CONFLIST_RIGHT);
	must(!none.len && conflist_is_ours(out.data, out.len, "/run/manx"));
	return 0;
}
