// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_api_stream.c - any bytes as the answer of an API server, whole and in pieces: both must tell
 * the same.  The first byte chooses the shape and the kind, the second the size of the pieces.
 */
#include "lib/buf.h"
#include "lib/intern.h"
#include "test/fuzz/must.h"
#include "watch/kube/api_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_word(struct buf *b, const char *s)
{
	buf_printf(b, "%zu:%s ", s ? strlen(s) : 0, s ?: "");
}

static void write_down(struct buf *b, const struct api_item *item)
{
	buf_printf(b, "%d %llu ", (int)item->event, (unsigned long long)item->version);
	if (item->event == API_ERROR) {
		must(item->status->code >= 0 && item->status->code <= 999);
		put_word(b, item->status->reason);
		put_word(b, item->status->message);
	}
	if (item->event == API_BOOKMARK)
		buf_putc(b, item->initial_end ? 'y' : 'n');
	if (!item->object)
		return;
	put_word(b, item->object->ns);
	put_word(b, item->object->name);
	put_word(b, item->object->problem);
}

/* Stops after 200 events, as an owner may. */
static bool take(void *arg, const struct api_item *item)
{
	struct buf *b = arg;

	must((item->event <= API_DELETED) == (item->object != NULL));
	must(item->event < _API_EVENT_MAX);
	write_down(b, item);
	(void)object_free(item->object);
	buf_putc(b, '\n');
	return b->len < 20000;
}

static void read_all(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	enum api_shape shape = data[0] & 1 ? API_WATCH : API_LIST;
	struct api_stream *s =
		api_stream_new(shape, (enum kind)(data[0] / 2 % _KIND_MAX), take, out);
	struct api_list_end end = {0};
	struct err e = {0};
	int r = 0;

	for (size_t i = 2; i < size && r == 0; i += piece)
		r = api_stream_feed(s, (const char *)data + i, MIN(piece, size - i), &e);
	if (r == 0)
		r = api_stream_end(s, &end, &e);
	must(r >= 0 || *e.msg);
	buf_printf(out, "%d %llu %llu ", r, (unsigned long long)api_stream_take_unknown(s),
		   (unsigned long long)end.version);
	put_word(out, end.continue_from);
	(void)api_stream_free(s);
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
	_cleanup_(buf_done) struct buf whole = {0}, pieces = {0};

	if (size < 2)
		return 0;
	read_all(data, size, size, &whole);
	read_all(data, size, 1u + data[1] % 64, &pieces);
	must(strcmp(whole.data, pieces.data) == 0);
	must(intern_count() == 0);
	return 0;
}
