/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buf.h - a growing byte buffer for output, and a bounds-checked reader for input.
 *
 * struct buf is used for every text and wire message that Manx writes, struct reader for every
 * binary input that it reads.  A reader that runs past its end latches @bad and gives zeros, so
 * that a decoder can read a whole record and judge once.
 */
#pragma once

#include "lib/util.h"

struct buf {
	char *data; /* always NUL-terminated once something was written */
	size_t len, cap;
};

void buf_done(struct buf *b);
void buf_reset(struct buf *b);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_be16(struct buf *b, uint16_t v);
void buf_put_be32(struct buf *b, uint32_t v);
void buf_put_str(struct buf *b, const char *s);
char *buf_take(struct buf *b);

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

struct reader reader_of(const void *data, size_t len);
size_t reader_left(const struct reader *r);
const uint8_t *reader_bytes(struct reader *r, size_t len);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint16_t reader_be16(struct reader *r);
uint32_t reader_be32(struct reader *r);
struct reader reader_cut(struct reader *r, size_t len);
char *reader_str(struct reader *r);
