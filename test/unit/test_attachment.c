// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_attachment.c - names, copies and the binary form of attachments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "test/unit/sample_attachment.h"

static void host_names_are_stable(void **state _unused_)
{
	char a[IFNAME_MAX + 1], b[IFNAME_MAX + 1];

	/* Links that exist are found by it after an upgrade, so it must never change. */
	attachment_host_ifname(DEFAULT_NETWORK, "4f6c1d2e", "eth0", a);
	assert_string_equal(a, "mx9211fbb1b54a");
	attachment_host_ifname(DEFAULT_NETWORK, "4f6c1d2", "eeth0", b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(b), 14);
	assert_int_equal(strspn(b + 2, "0123456789abcdef"), 12);
	/* Another network's of the same container and name is another link. */
	attachment_host_ifname("other", "4f6c1d2e", "eth0", b);
	assert_string_equal(b, "mx318e87db3a2e");
}

/* A host has interfaces of its own; what is no name of ours to the last digit is not touched. */
static void only_whole_names_are_ours(void **state _unused_)
{
	static const char *const others[] = {
		"",
		"m",
		"mx",
		"mxlan0",
		"mx0123456789a",
		"mx0123456789abc",
		"mx0123456789ag",
		"mx0123456789AB",
		"my0123456789ab",
		"Mx0123456789ab",
		"mx 123456789ab",
		"xmx0123456789a",
	};
	char own[IFNAME_MAX + 1];

	attachment_host_ifname(DEFAULT_NETWORK, "4f6c1d2e", "eth0", own);
	assert_true(attachment_is_host_ifname(own));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(attachment_is_host_ifname(others[i]));
}

static void a_copy_is_deep(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(5);
	_cleanup_(attachment_freep) struct attachment *c = attachment_copy(a);

	assert_true(same_attachment(a, c));
	c->id[0] = c->ifname[0] = c->netns[0] = c->ns[0] = c->pod[0] = c->uid[0] = '?';
	c->host_ifname[0] = '?';
	c->ports[0].host_port = 1;
	{
		_cleanup_(attachment_freep) struct attachment *again = sample_attachment(5);

		assert_true(same_attachment(a, again));
	}
	assert_null(attachment_free(NULL));
}

static struct attachment *decode(const struct buf *b, size_t len)
{
	struct reader r = reader_of(b->data, len);
	struct attachment *a = NULL;
	int result = attachment_decode(&r, &a);

	assert_true(result == 0 || (result == -EBADMSG && !a));
	if (a)
		assert_int_equal(reader_left(&r), 0);
	return a;
}

static void what_was_encoded_is_decoded(void **state _unused_)
{
	for (unsigned int n = 0; n < 6; n++) {
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n), *d = NULL;
		_cleanup_(buf_done) struct buf b = {0};

		attachment_encode(a, &b);
		d = decode(&b, b.len);
		assert_non_null(d);
		assert_true(same_attachment(a, d));
		/* Cut anywhere it is refused. */
		for (size_t len = 0; len < b.len; len++)
			assert_null(decode(&b, len));
	}
}

/* As version 1 wrote it: without the network, which is not known then. */
static void of_an_earlier_version(void **state _unused_)
{
	for (unsigned int n = 0; n < 6; n++) {
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n), *d = NULL;
		_cleanup_(buf_done) struct buf b = {0};

		free(a->network);
		a->network = NULL;
		attachment_encode(a, &b);
		b.len -= 2; /* the length of the network's name */
		b.data[0] = 1;
		d = decode(&b, b.len);
		assert_non_null(d);
		assert_null(d->network);
		assert_true(same_attachment(a, d));
		for (size_t len = 0; len < b.len; len++)
			assert_null(decode(&b, len));
		b.data[0] = 3; /* of a later one */
		assert_null(decode(&b, b.len));
	}
}

static void the_largest_attachment(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1), *d = NULL;
	_cleanup_(buf_done) struct buf b = {0};

	free(a->id);
	a->id = xcalloc(CONTAINER_ID_MAX + 1, 1);
	memset(a->id, 'x', CONTAINER_ID_MAX);
	free(a->netns);
	a->netns = xcalloc(65536, 1);
	memset(a->netns, '/', 65535);
	free(a->ports);
	a->n_ports = HOST_PORTS_MAX;
	a->ports = xcalloc(a->n_ports, sizeof(*a->ports));
	for (uint32_t i = 0; i < a->n_ports; i++)
		a->ports[i] = (struct host_port){17, (uint16_t)(65535 - i), 53, true, a->addrs[1]};
	attachment_encode(a, &b);
	d = decode(&b, b.len);
	assert_non_null(d);
	assert_true(same_attachment(a, d));
}

/* --- what attachment_encode() does not write ------------------------------------------------- */

static void refuse(const struct attachment *a)
{
	_cleanup_(buf_done) struct buf b = {0};

	attachment_encode(a, &b);
	assert_null(decode(&b, b.len));
}

static void hostile_names_are_refused(void **state _unused_)
{
	static const char *const ids[] = {"", "a/b", "a b", "a\nb", "\x7f", "\xc3\xa4"};
	static const char *const ifnames[] = {"", "0123456789abcdef", "../etc", "a b", "\t"};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);

		free(a->id);
		a->id = xstrdup(ids[i]);
		refuse(a);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ifnames) * 2; i++) {
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);
		char **name = i % 2 ? &a->ifname : &a->host_ifname;

		free(*name);
		*name = xstrdup(ifnames[i / 2]);
		refuse(a);
	}
	{
		_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);

		free(a->id);
		a->id = xcalloc(CONTAINER_ID_MAX + 2, 1);
		memset(a->id, 'x', CONTAINER_ID_MAX + 1);
		refuse(a);
	}
}

static void two_addresses_are_one_a_family(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);
	struct addr first = a->addrs[0];

	a->addrs[0] = a->addrs[1];
	refuse(a);
	a->addrs[1] = first;
	refuse(a);
	a->addrs[0] = first;
	refuse(a);
}

/* Set one byte of the form of sample 4: one address, one port without an address, network net-1. */
static void refuse_byte(size_t from_end, uint8_t value)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(4);
	_cleanup_(buf_done) struct buf b = {0};

	attachment_encode(a, &b);
	b.data[b.len - from_end] = (char)value;
	assert_null(decode(&b, b.len));
}

#define NETWORK 7 /* bytes of the network, length and name */

static void hostile_counts_and_flags_are_refused(void **state _unused_)
{
	/* ... addresses (1), family (1), address (4), ports (2), protocol (1), host port (2),
	 * container port (2), has_ip (1), network */
	refuse_byte(NETWORK + 1, 1);   /* an address that is not there */
	refuse_byte(NETWORK + 1, 2);   /* neither true nor false */
	refuse_byte(NETWORK + 8, 2);   /* more ports than follow */
	refuse_byte(NETWORK + 7, 255); /* far more than allowed */
	refuse_byte(NETWORK + 13, 7);  /* a family that does not exist */
	refuse_byte(NETWORK + 14, 0);  /* fewer addresses: bytes are left over or misread */
	refuse_byte(NETWORK + 14, 3);
	refuse_byte(NETWORK + 14, 255);
	refuse_byte(1, '/'); /* no name of a network */
	refuse_byte(NETWORK, 6);
}

static void another_version_is_refused(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(1);
	_cleanup_(buf_done) struct buf b = {0};

	attachment_encode(a, &b);
	for (int version = 0; version < 256; version++) {
		if (version == 1 || version == 2)
			continue;
		b.data[0] = (char)version;
		assert_null(decode(&b, b.len));
	}
}

/* Any byte changed: refused, or a different attachment; never a crash. */
static void every_byte_means_something(void **state _unused_)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(5);
	_cleanup_(buf_done) struct buf b = {0};

	attachment_encode(a, &b);
	for (size_t i = 0; i < b.len * 8; i++) {
		struct attachment *d = NULL;
		struct reader r;

		b.data[i / 8] ^= (char)(1 << i % 8);
		r = reader_of(b.data, b.len);
		if (attachment_decode(&r, &d) == 0)
			assert_false(same_attachment(a, d) && !reader_left(&r));
		(void)attachment_free(d);
		b.data[i / 8] ^= (char)(1 << i % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_names_are_stable),
		cmocka_unit_test(only_whole_names_are_ours),
		cmocka_unit_test(a_copy_is_deep),
		cmocka_unit_test(what_was_encoded_is_decoded),
		cmocka_unit_test(of_an_earlier_version),
		cmocka_unit_test(the_largest_attachment),
		cmocka_unit_test(hostile_names_are_refused),
		cmocka_unit_test(two_addresses_are_one_a_family),
		cmocka_unit_test(hostile_counts_and_flags_are_refused),
		cmocka_unit_test(another_version_is_refused),
		cmocka_unit_test(every_byte_means_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
