// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_journal.c - any bytes as a journal: what is read back was written by us, whole.
 */
#include "ipam/journal_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* A record that was accepted must encode to itself. */
static void take(void *arg, const struct journal_record *r)
{
	_cleanup_(attachment_freep) struct attachment *at = r->at;
	_cleanup_(buf_done) struct buf again = {0};

	(void)arg;
	check(*at->id && at->n_addrs <= 2 && at->n_ports <= HOST_PORTS_MAX);
	journal_encode(r, &again);
	check(again.len == r->bytes);
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
	struct reader r = reader_of(data, size);
	struct attachment *at = NULL;
	struct journal_scan scan;

	journal_scan(data, size, &scan, take, NULL);
	check(scan.good <= size);
	free(scan.boot_id);
	if (attachment_decode(&r, &at) == 0)
		(void)attachment_free(at);
	return 0;
}
