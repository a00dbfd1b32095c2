// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_config_damage.c - a configuration file with one byte changed to every other value, with
 * one missing, one too many, and cut at every byte: it is refused with a line, or it says
 * something that the agent can follow.  Never anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/config/config.h"
#include "lib/utf8.h"

/* Every kind of value; two lines of some, since a line too many is damage as well. */
static const char sample[] = "node: n1\n"
			     "manifests: /m\n"
			     "state-dir: /s # x\n"
			     "ranges: [10.1.0.0/24, \"fd00::/64\"]\n"
			     "masquerade: true\n"
			     "masquerade-exclude:\n- 10.0.0.0/8\n"
			     "pod-wait: 2s\n"
			     "mtu: 1400\n"
			     "log-level: warn\n"
			     "http-address: '127.0.0.1:9109'\n";

#define LENGTH (sizeof(sample) - 1)

static size_t accepted, refused;

static void assert_path(const char *s)
{
	if (!s)
		return;
	assert_int_equal(s[0], '/');
	assert_true(utf8_valid(s, strlen(s)));
	for (; *s; s++)
		assert_true((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void assert_prefixes(const struct prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(p[i].addr.family == AF_INET || p[i].addr.family == AF_INET6);
		assert_in_range(p[i].len, 0, p[i].addr.family == AF_INET ? 32 : 128);
	}
}

/* What manx.conf(5) promises of every value. */
static void assert_meant(const struct config *c)
{
	struct err e = {0};

	assert_path(c->manifests);
	assert_path(c->kubeconfig);
	assert_path(c->state_dir);
	assert_path(c->run_dir);
	assert_path(c->cni_conf_dir);
	assert_true(c->mtu == 0 || (c->mtu >= 1280 && c->mtu <= 65535));
	assert_in_range(c->log_level, 0, LOG_LEVEL_DEBUG);
	assert_in_range(c->pod_wait_usec, 0, 60 * USEC_PER_SEC);
	assert_prefixes(c->ranges.v, c->ranges.n);
	assert_prefixes(c->masquerade.exclude.v, c->masquerade.exclude.n);
	if (config_check_agent(c, &e) < 0)
		assert_true(*e.msg);
}

/* "file:line: what is wrong", in a text that a log can show */
static void assert_refusal(const char *text, size_t len, const struct err *e)
{
	unsigned int line = 0, lines = 2;
	int end = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n' || text[i] == '\r' || (text[i] & 0x80); /* NEL, LS, PS */
	assert_true(e->code < 0);
	assert_int_equal(sscanf(e->msg, "manx.conf:%u: %n", &line, &end), 1);
	assert_true(end > 0 && e->msg[end]);
	assert_in_range(line, 1, lines);
	assert_true(utf8_valid(e->msg, strlen(e->msg)));
}

static void judge(const char *text, size_t len)
{
	_cleanup_(config_freep) struct config *c = NULL;
	struct err e = {0};

	if (config_parse("manx.conf", text, len, NULL, 0, &c, &e) == 0) {
		assert_meant(c);
		accepted++;
	} else {
		assert_null(c);
		assert_refusal(text, len, &e);
		refused++;
	}
}

static void begin(void)
{
	accepted = refused = 0;
	judge(sample, LENGTH);
	assert_int_equal(accepted, 1);
}

static void every_value_of_every_byte(void **state _unused_)
{
	char text[LENGTH];

	begin();
	memcpy(text, sample, LENGTH);
	for (size_t i = 0; i < LENGTH; i++) {
		for (int value = 0; value < 256; value++) {
			text[i] = (char)value;
			if (text[i] != sample[i])
				judge(text, LENGTH);
		}
		text[i] = sample[i];
	}
	assert_int_equal(accepted + refused, 1 + LENGTH * 255);
	assert_true(accepted > LENGTH && refused > LENGTH); /* both happen, often */
}

static void every_byte_missing_or_doubled(void **state _unused_)
{
	char text[LENGTH + 1];

	begin();
	for (size_t i = 0; i < LENGTH; i++) {
		memcpy(text, sample, i);
		memcpy(text + i, sample + i + 1, LENGTH - i - 1);
		judge(text, LENGTH - 1);
		memcpy(text, sample, i + 1);
		memcpy(text + i + 1, sample + i, LENGTH - i);
		judge(text, LENGTH + 1);
	}
	assert_true(accepted > 1 && refused > 1);
}

/* The text is copied to where a byte read behind its end is seen by the sanitizer. */
static void cut_at_every_byte(void **state _unused_)
{
	begin();
	for (size_t len = 0; len <= LENGTH; len++) {
		_cleanup_(freep) char *text = xmemdup(sample, len);

		judge(text, len);
	}
	assert_true(accepted > 1 && refused > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_of_every_byte),
		cmocka_unit_test(every_byte_missing_or_doubled),
		cmocka_unit_test(cut_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
