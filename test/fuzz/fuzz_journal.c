// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_journal.c - any bytes as a journal, as the content of a sealed record, and as an
 * attachment: what is accepted says the same when it is written again.  Attachments of the first
 * form are written in the second: with an empty network behind.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "ipam/journal.h"
#include "ipam/journal_format.h"
#include "lib/hash.h"
#include "test/fuzz/must.h"

#define FIRST_FORM 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* struct walk - a scan: the next record stands at @p or behind it; @bytes: of those before */
struct walk {
	const uint8_t *p, *end;
	uint64_t records;
	size_t bytes;
};

static void check_attachment(const struct attachment *at)
{
	must(*at->id && strlen(at->id) <= CONTAINER_ID_MAX && !strchr(at->id, '/'));
	must(*at->ifname && strlen(at->ifname) <= IFNAME_MAX && !strchr(at->ifname, '/'));
	must(at->n_addrs <= ARRAY_SIZE(at->addrs) && at->n_ports <= HOST_PORTS_MAX);
}

/* Bytes that a present form has more than the first one. */
static size_t empty_network(void)
{
	_cleanup_(buf_done) struct buf b = {0};

	buf_put_str(&b, "");
	return b.len;
}

static void take(void *arg, const struct journal_record *r)
{
	_cleanup_(attachment_freep) struct attachment *at = r->at;
	_cleanup_(buf_done) struct buf again = {0};
	struct walk *w = arg;

	check_attachment(at);
	journal_encode(r, &again);
	if (again.len != r->bytes) {
		must(again.len == r->bytes + empty_network() && !at->network);
	} else {
		w->p = memmem(w->p, (size_t)(w->end - w->p), again.data, again.len);
		must(w->p);
		w->p += r->bytes;
	}
	w->bytes += r->bytes;
	w->records++;
}

/* Length of the head, which a scan has found good */
static size_t head_size(const struct journal_scan *s)
{
	_cleanup_(buf_done) struct buf head = {0};

	journal_encode_head(s->boot_id, 0, &head);
	return head.len;
}

static void skip(void *arg, const struct journal_record *r)
{
	(void)arg;
	(void)attachment_free(r->at);
}

static struct journal_scan scan(const void *data, size_t size, uint64_t *ret_records)
{
	struct walk w = {.p = data, .end = (const uint8_t *)data + size};
	struct journal_scan s, again;

	journal_scan(data, size, &s, take, &w);
	must(s.good <= size && s.bad <= size - s.good);
	must((s.end == JOURNAL_WHOLE) == (s.good == size));
	must(w.bytes + s.bad + (s.boot_id ? head_size(&s) : 0) == size);
	if (s.boot_id) { /* what stands before the damage is whole */
		journal_scan(data, s.good, &again, skip, NULL);
		must(again.end == JOURNAL_WHOLE && again.bad == 0 && again.records <= s.records);
		free(again.boot_id);
	}
	*ret_records = s.records;
	must(w.records == s.records);
	free(s.boot_id);
	s.boot_id = NULL;
	return s;
}

static bool is_attachment(const uint8_t *data, size_t size)
{
	_cleanup_(attachment_freep) struct attachment *at = NULL;
	_cleanup_(buf_done) struct buf again = {0};
	struct reader r = reader_of(data, size);

	if (attachment_decode(&r, &at) < 0) {
		must(!at);
		return false;
	}
	check_attachment(at);
	attachment_encode(at, &again);
	if (data[0] == FIRST_FORM)
		must(again.len == size - reader_left(&r) + empty_network() && !at->network &&
		     memcmp(again.data + 1, data + 1, size - reader_left(&r) - 1) == 0);
	else
		must(again.len == size - reader_left(&r) &&
		     memcmp(again.data, data, again.len) == 0);
	return reader_left(&r) == 0;
}

/* The input as what a record holds, with everything around it right. */
static void seal(const uint8_t *data, size_t size, struct buf *out)
{
	size_t from;

	journal_encode_head("boot", 7, out);
	from = out->len;
	buf_put_u32(out, (uint32_t)(17 + size));
	buf_putc(out, JOURNAL_PUT);
	buf_put_u64(out, 7);
	buf_put_u64(out, 0);
	buf_put(out, data, size);
	buf_put_u64(out, hash_stable(out->data + from, out->len - from));
}

static void count(void *arg, const struct attachment *at)
{
	check_attachment(at);
	(*(uint64_t *)arg)++;
}

/* The same through a file. */
static void read_file(const uint8_t *data, size_t size, const struct journal_scan *expected)
{
	int fd = memfd_create("journal", MFD_CLOEXEC);
	_cleanup_(freep) char *path = xasprintf("/proc/self/fd/%d", fd);
	struct journal_report report;
	uint64_t n = 0;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	must(journal_read(path, count, &n, &report, NULL) == 0);
	must(report.records == expected->records && report.bad_bytes == expected->bad &&
	     n <= report.records);
	close(fd);
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
	_cleanup_(buf_done) struct buf sealed = {0};
	struct journal_scan s;
	uint64_t records;

	if (!size)
		return 0;
	s = scan(data, size, &records);
	read_file(data, size, &s);
	seal(data, size, &sealed);
	(void)scan(sealed.data, sealed.len, &records);
	must(records == is_attachment(data, size));
	return 0;
}
