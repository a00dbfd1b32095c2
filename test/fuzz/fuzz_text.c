// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_text.c - any text as an address, a prefix, a MAC, the address of the HTTP server, a duration
 * and base64: what is accepted says the same when it is printed and read again, and an address is
 * one exactly when the C library says so.
 */
#include <arpa/inet.h>

#include "agent/config/config.h"
#include "agent/report/pages_address.h"
#include "lib/base64.h"
#include "test/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addr(const char *text)
{
	struct addr a, again;
	uint8_t b[16] = {0};
	char out[ADDR_STR_MAX];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (addr_parse(text, &a) < 0) {
		must(inet_pton(family, text, b) != 1);
		return;
	}
	must(a.family == family && inet_pton(family, text, b) == 1);
	must(memcmp(a.b, b, sizeof(b)) == 0);
	must(addr_parse(addr_str(&a, out), &again) == 0 && addr_eq(&a, &again));
}

static void check_prefix(const char *text)
{
	struct prefix p, again;
	struct addr last;
	char out[PREFIX_STR_MAX];

	if (prefix_parse(text, &p) < 0)
		return;
	must(p.len <= 8 * addr_len(&p.addr));
	last = prefix_last(&p);
	must(prefix_contains(&p, &p.addr) && prefix_contains(&p, &last));
	must(addr_cmp(&p.addr, &last) <= 0 && prefix_covers(&p, &p));
	must(!addr_next(&last) || !prefix_contains(&p, &last));
	must(prefix_parse(prefix_str(&p, out), &again) == 0 && prefix_eq(&p, &again));
}

static void check_others(const char *text)
{
	struct pages_address at;
	struct err e = {0};
	struct mac m, again;
	char out[MAC_STR_MAX];
	uint64_t usec;

	if (mac_parse(text, &m) == 0)
		must(mac_parse(mac_str(&m, out), &again) == 0 && memcmp(&m, &again, MAC_LEN) == 0);
	if (pages_address_parse(text, &at, &e) == 0)
		must(at.off == !*text && (at.off || at.any || addr_len(&at.addr)));
	else
		must(*e.msg);
	if (duration_parse(text, &usec) == 0)
		must(*text >= '0' && *text <= '9');
}

/* RFC 4648, section 4 */
static void encode(const struct buf *b, struct buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)b->data;

	for (size_t i = 0; i < b->len; i += 3) {
		size_t n = MIN(b->len - i, 3);
		uint32_t v = (uint32_t)p[i] << 16;

		v |= n > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= n > 2 ? p[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			buf_putc(out, k > n ? '=' : digits[v >> (18 - 6 * k) & 63]);
	}
}

/* Padding may be left out and unused bits be set, so the text itself need not come again. */
static void check_base64(const char *text, size_t size)
{
	_cleanup_(buf_done) struct buf plain = {0}, coded = {0}, again = {0};

	if (base64_decode(text, size, &plain) < 0)
		return;
	encode(&plain, &coded);
	must(base64_decode(coded.data, coded.len, &again) == 0 && again.len == plain.len);
	must(!plain.len || memcmp(again.data, plain.data, plain.len) == 0);
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
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);

	check_addr(text);
	check_prefix(text);
	check_others(text);
	check_base64((const char *)data, size);
	return 0;
}
