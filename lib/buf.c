// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * buf.c - growing output buffer and bounds-checked input reader.  Integers are little endian,
 * as in the formats of our own; those named be are big endian, as in protocols of others.  Pure.
 */
#include "lib/buf.h"

#include <endian.h>
#include <stdio.h>

/**
 * buf_done() - Free a buffer's memory; also a cleanup function
 * @b: Buffer; empty and usable afterwards
 */
void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

/**
 * buf_reset() - Empty a buffer and keep its memory
 * @b: Buffer
 */
void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

static void make_room(struct buf *b, size_t more)
{
	if (b->len + more + 1 <= b->cap)
		return;
	b->cap = MAX(b->cap * 2, b->len + more + 1);
	b->data = xrealloc(b->data, b->cap, 1);
}

/**
 * buf_put() - Append bytes
 * @b:    Buffer
 * @data: Bytes
 * @len:  Number of bytes
 */
void buf_put(struct buf *b, const void *data, size_t len)
{
	make_room(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

/**
 * buf_puts() - Append a string without its NUL
 * @b: Buffer
 * @s: String
 */
void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

/**
 * buf_putc() - Append one byte
 * @b: Buffer
 * @c: Byte
 */
void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

/**
 * buf_printf() - Append formatted text
 * @b:   Buffer
 * @fmt: printf format
 */
void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	make_room(b, 64);
	va_start(ap, fmt);
	n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if ((size_t)n >= b->cap - b->len) {
		make_room(b, (size_t)n);
		va_start(ap, fmt);
		n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

/**
 * buf_put_u16() - Append a 16-bit integer
 * @b: Buffer
 * @v: Value
 */
void buf_put_u16(struct buf *b, uint16_t v)
{
	v = htole16(v);
	buf_put(b, &v, sizeof(v));
}

/**
 * buf_put_u32() - Append a 32-bit integer
 * @b: Buffer
 * @v: Value
 */
void buf_put_u32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	buf_put(b, &v, sizeof(v));
}

/**
 * buf_put_u64() - Append a 64-bit integer
 * @b: Buffer
 * @v: Value
 */
void buf_put_u64(struct buf *b, uint64_t v)
{
	v = htole64(v);
	buf_put(b, &v, sizeof(v));
}

/**
 * buf_put_be16() - Append a 16-bit integer in network byte order
 * @b: Buffer
 * @v: Value
 */
void buf_put_be16(struct buf *b, uint16_t v)
{
	v = htobe16(v);
	buf_put(b, &v, sizeof(v));
}

/**
 * buf_put_be32() - Append a 32-bit integer in network byte order
 * @b: Buffer
 * @v: Value
 */
void buf_put_be32(struct buf *b, uint32_t v)
{
	v = htobe32(v);
	buf_put(b, &v, sizeof(v));
}

/**
 * buf_put_str() - Append a counted string: 16-bit length, then the bytes
 * @b: Buffer
 * @s: String of at most 65535 bytes; NULL counts as empty
 */
void buf_put_str(struct buf *b, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n > UINT16_MAX)
		abort();
	buf_put_u16(b, (uint16_t)n);
	buf_put(b, s, n);
}

/**
 * buf_take() - Take the contents out as a string
 * @b: Buffer; empty afterwards
 *
 * Return: NUL-terminated string to be freed, never NULL
 */
char *buf_take(struct buf *b)
{
	char *s;

	make_room(b, 0);
	b->data[b->len] = '\0';
	s = b->data;
	*b = (struct buf){0};
	return s;
}

/**
 * reader_of() - Begin to read bytes
 * @data: Bytes, borrowed; NULL if there are none
 * @len:  Number of bytes
 *
 * Return: a reader at the first byte
 */
struct reader reader_of(const void *data, size_t len)
{
	static const uint8_t nothing[1];
	const uint8_t *p = data ?: nothing;

	return (struct reader){.p = p, .end = p + len};
}

/**
 * reader_left() - Bytes not read yet
 * @r: Reader
 *
 * Return: the number
 */
size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

/**
 * reader_bytes() - Read a run of bytes
 * @r:   Reader
 * @len: Bytes wanted
 *
 * Return: the bytes, borrowed; NULL (and @r->bad set) if fewer are left
 */
const uint8_t *reader_bytes(struct reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->bad || reader_left(r) < len) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	return p;
}

/**
 * reader_u8() - Read a byte
 * @r: Reader
 *
 * Return: the value; 0 when @r is bad
 */
uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 1);

	return p ? *p : 0;
}

/**
 * reader_u16() - Read a 16-bit integer
 * @r: Reader
 *
 * Return: the value; 0 when @r is bad
 */
uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

/**
 * reader_u32() - Read a 32-bit integer
 * @r: Reader
 *
 * Return: the value; 0 when @r is bad
 */
uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/**
 * reader_u64() - Read a 64-bit integer
 * @r: Reader
 *
 * Return: the value; 0 when @r is bad
 */
uint64_t reader_u64(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 8);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/**
 * reader_be16() - Read a 16-bit integer in network byte order
 * @r: Reader
 *
 * Return: the value; 0 when @r is bad
 */
uint16_t reader_be16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

/**
 * reader_be32() - Read a 32-bit integer in network byte order
 * @r: Reader
 *
 * Return: the value; 0 when @r is bad
 */
uint32_t reader_be32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/**
 * reader_cut() - Read a run of bytes that is read by itself
 * @r:   Reader, goes on behind the run
 * @len: Bytes of the run
 *
 * Return: a reader of the run; empty and bad, as @r is then, if fewer are left
 */
struct reader reader_cut(struct reader *r, size_t len)
{
	const uint8_t *p = reader_bytes(r, len);

	return (struct reader){.p = p ? p : r->end, .end = p ? p + len : r->end, .bad = !p};
}

/**
 * reader_str() - Read a counted string as buf_put_str() writes it
 * @r: Reader
 *
 * Return: a copy to be freed; empty and @r bad if it is cut short or holds a NUL byte
 */
char *reader_str(struct reader *r)
{
	uint16_t n = reader_u16(r);
	const uint8_t *p = reader_bytes(r, n);

	if (p && memchr(p, '\0', n))
		r->bad = true;
	return xstrndup(p ? (const char *)p : "", r->bad ? 0 : n);
}
