/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp_bytes.h - messages of BGP written by hand: hexadecimal digits, spaces where they help.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/bgp/message.h"

static inline uint8_t bgp_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* bgp_hex() - the bytes of digits, appended */
static inline void bgp_hex(struct buf *out, const char *digits)
{
	int half = -1;

	for (const char *c = digits; *c; c++) {
		if (*c == ' ')
			continue;
		if (half < 0) {
			half = bgp_digit(*c);
			continue;
		}
		buf_putc(out, (char)(half << 4 | bgp_digit(*c)));
		half = -1;
	}
	assert_int_equal(half, -1);
}

/* bgp_message() - a message of a type, its body in digits */
static inline void bgp_message(struct buf *out, enum bgp_type type, const char *digits)
{
	size_t from;

	buf_reset(out);
	from = bgp_message_begin(out, type);
	bgp_hex(out, digits);
	bgp_message_end(out, from);
}

/* bgp_assert_bytes() - what was written is what the digits say */
static inline void bgp_assert_bytes(const struct buf *b, const char *digits)
{
	_cleanup_(buf_done) struct buf want = {0};

	bgp_hex(&want, digits);
	assert_int_equal(b->len, want.len);
	assert_memory_equal(b->data, want.data, want.len);
}
