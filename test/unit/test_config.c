// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_config.c - flags over file over defaults, the checks of every key, and reloads.
 */
#include "agent/config/config.h"

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "lib/intern.h"

static struct err last;

static struct config *parse_with(const char *text, const struct config_flag *flags, size_t n)
{
	struct config *c = NULL;
	int r;

	last = (struct err){0};
	r = config_parse("manx.yaml", text, text ? strlen(text) : 0, flags, n, &c, &last);
	assert_int_equal(r, last.code);
	assert_true((r == 0) == (c != NULL));
	return c;
}

static struct config *parse(const char *text)
{
	return parse_with(text, NULL, 0);
}

static void assert_refused(const char *text, const char *message)
{
	assert_null(parse(text));
	assert_string_equal(last.msg, message);
}

static void test_defaults(void **state _unused_)
{
	_cleanup_(config_freep) struct config *c = parse(NULL);

	assert_null(c->node);
	assert_null(c->manifests);
	assert_null(c->kubeconfig);
	assert_false(c->in_cluster);
	assert_string_equal(c->state_dir, "/var/lib/manx");
	assert_string_equal(c->run_dir, "/run/manx");
	assert_string_equal(c->cni_conf_dir, "/etc/cni/net.d");
	assert_string_equal(c->cni_bin_dir, "/opt/cni/bin");
	assert_string_equal(c->conflist_name, "10-manx.conflist");
	assert_string_equal(c->http_address, "127.0.0.1:9109");
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_int_equal(c->ranges.n, 0);
	assert_true(c->masquerade.enabled);
	assert_int_equal(c->masquerade.exclude.n, 0);
	assert_int_equal(c->pod_wait_usec, 2 * USEC_PER_SEC);
	assert_int_equal(c->address_cooldown_usec, 30 * USEC_PER_SEC);
	assert_int_equal(c->mtu, 0);
}

static void test_every_key_of_the_file(void **state _unused_)
{
	char s[PREFIX_STR_MAX];
	_cleanup_(config_freep) struct config *c = parse("node: node-a.example\n"
							 "manifests: /etc/manx/manifests\n"
							 "kubeconfig: /root/.kube/config\n"
							 "in-cluster: true\n"
							 "state-dir: /s\n"
							 "run-dir: /r\n"
							 "cni-conf-dir: /c\n"
							 "cni-bin-dir: /b\n"
							 "conflist-name: 05-x.conflist\n"
							 "http-address: '[::1]:80'\n"
							 "log-level: debug\n"
							 "ranges: [10.1.0.0/24, 'fd00:1::/64']\n"
							 "masquerade: false\n"
							 "masquerade-exclude:\n"
							 "- 192.168.0.0/16\n"
							 "- 192.168.7.0/24\n"
							 "pod-wait: 500ms\n"
							 "address-cooldown: 1m30s\n"
							 "mtu: 1400\n");

	assert_string_equal(c->node, "node-a.example");
	assert_string_equal(c->manifests, "/etc/manx/manifests");
	assert_string_equal(c->kubeconfig, "/root/.kube/config");
	assert_true(c->in_cluster);
	assert_string_equal(c->state_dir, "/s");
	assert_string_equal(c->run_dir, "/r");
	assert_string_equal(c->cni_conf_dir, "/c");
	assert_string_equal(c->cni_bin_dir, "/b");
	assert_string_equal(c->conflist_name, "05-x.conflist");
	assert_string_equal(c->http_address, "[::1]:80");
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->ranges.n, 2);
	assert_string_equal(prefix_str(&c->ranges.v[0], s), "10.1.0.0/24");
	assert_string_equal(prefix_str(&c->ranges.v[1], s), "fd00:1::/64");
	assert_false(c->masquerade.enabled);
	assert_int_equal(c->masquerade.exclude.n, 2);
	assert_int_equal(c->pod_wait_usec, 500 * USEC_PER_MSEC);
	assert_int_equal(c->address_cooldown_usec, 90 * USEC_PER_SEC);
	assert_int_equal(c->mtu, 1400);
}

static void test_flag_over_file_over_default(void **state _unused_)
{
	const struct config_flag flags[] = {
		{CONFIG_RUN_DIR, "/first"},
		{CONFIG_RUN_DIR, "/flag"},
		{CONFIG_RANGES, "10.9.0.0/24,10.10.0.0/24"},
		{CONFIG_MASQUERADE, "true"},
	};
	_cleanup_(config_freep) struct config *c =
		parse_with("run-dir: /file\nstate-dir: /state\nranges: [10.1.0.0/24]\n"
			   "masquerade: false\n",
			   flags, ARRAY_SIZE(flags));

	assert_string_equal(c->run_dir, "/flag");
	assert_string_equal(c->state_dir, "/state");
	assert_string_equal(c->cni_bin_dir, "/opt/cni/bin");
	assert_int_equal(c->ranges.n, 2);
	assert_true(c->masquerade.enabled);
}

static void test_the_plugin_may_be_somebody_elses(void **state _unused_)
{
	_cleanup_(config_freep) struct config *c = parse("cni-bin-dir: ''\n");

	assert_string_equal(c->cni_bin_dir, "");
}

static void test_empty_files_and_null_leave_defaults(void **state _unused_)
{
	static const char *const texts[] = {"", "---\n", "# nothing\n", "{}", "node:\nmtu: null\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(config_freep) struct config *c = parse(texts[i]);

		assert_non_null(c);
		assert_null(c->node);
		assert_int_equal(c->mtu, 0);
		assert_string_equal(c->run_dir, "/run/manx");
	}
}

static void test_unknown_keys_get_a_suggestion(void **state _unused_)
{
	assert_refused("node: a\nstatedir: /x\n",
		       "manx.yaml:2: statedir: unknown key; did you mean 'state-dir'?");
	assert_refused("masqerade-excludes: []\n",
		       "manx.yaml:1: masqerade-excludes: unknown key; did you mean "
		       "'masquerade-exclude'?");
	assert_refused("bgp-neighbours: []\n", "manx.yaml:1: bgp-neighbours: unknown key");
	assert_refused("config: /x\n", "manx.yaml:1: config: only a flag can name the file");
	assert_refused("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1\n",
		       "manx.yaml:1: "
		       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: "
		       "unknown key");
}

static void test_errors_name_file_line_and_key(void **state _unused_)
{
	assert_refused("node: a\nmtu: many\n",
		       "manx.yaml:2: mtu: expected a whole number, found a string");
	assert_refused("mtu: 100\n",
		       "manx.yaml:1: mtu: '100' is neither 0 nor a number from 1280 to 65535");
	assert_refused("mtu: -1\n",
		       "manx.yaml:1: mtu: '-1' is neither 0 nor a number from 1280 to 65535");
	assert_refused("node: 017\n", "manx.yaml:1: node: expected a string (put it in quotes), "
				      "found an integer");
	assert_refused("node: Node_A\n",
		       "manx.yaml:1: node: 'Node_A' is not a node name: at most 253 of a-z, 0-9, "
		       "'-' and '.', with a letter or digit at both ends");
	assert_refused("masquerade: 'yes'\n",
		       "manx.yaml:1: masquerade: expected true or false, found a string");
	assert_refused("log-level: loud\n",
		       "manx.yaml:1: log-level: 'loud' is none of error, warn, info, debug");
	assert_refused("run-dir: run\n", "manx.yaml:1: run-dir: 'run' is not an absolute path");
	assert_refused("cni-bin-dir: b\n", "manx.yaml:1: cni-bin-dir: 'b' is not an absolute path");
	assert_refused("state-dir: ''\n", "manx.yaml:1: state-dir: '' is not an absolute path");
	assert_refused("state-dir: \"/a\\nb\"\n",
		       "manx.yaml:1: state-dir: the path holds a control character");
	assert_refused("pod-wait: 2\n", "manx.yaml:1: pod-wait: expected a duration like 30s, "
					"found an integer");
	assert_refused("pod-wait: 2min\n", "manx.yaml:1: pod-wait: '2min' is not a duration; "
					   "write it as 500ms, 30s or 1m");
	assert_refused("pod-wait: 2m\n", "manx.yaml:1: pod-wait: '2m' is above 60 s");
	assert_refused("ranges: {a: b}\n",
		       "manx.yaml:1: ranges: expected a list of prefixes, found a map");
	assert_refused("- a\n- b\n", "manx.yaml:1: expected keys and values, found a list");
}

static void test_broken_yaml_names_the_line(void **state _unused_)
{
	assert_null(parse("node: a\nranges: [1, 2\n"));
	assert_true(str_starts(last.msg, "manx.yaml:3: "));
	assert_null(parse("node: a\nnode: b\n"));
	assert_string_equal(last.msg, "manx.yaml:2: duplicate key 'node'");
	assert_null(parse("node: a\n---\nnode: b\n"));
	assert_true(str_starts(last.msg, "manx.yaml:3: "));
}

static void test_too_large_a_file_is_refused(void **state _unused_)
{
	_cleanup_(freep) char *text = xmalloc(CONFIG_FILE_MAX + 2);

	memset(text, '#', CONFIG_FILE_MAX + 1);
	text[CONFIG_FILE_MAX + 1] = '\0';
	assert_null(parse(text));
	assert_int_equal(last.code, -EFBIG);
	text[CONFIG_FILE_MAX] = '\0';
	{
		_cleanup_(config_freep) struct config *c = parse(text);

		assert_non_null(c);
	}
}

static void test_prefix_lists(void **state _unused_)
{
	assert_refused("ranges:\n- 10.1.0.0/24\n- 10.1.0.7/24\n",
		       "manx.yaml:2: ranges: entry 2 (line 3): '10.1.0.7/24' has bits behind its "
		       "length; meant 10.1.0.0/24?");
	assert_refused("ranges: [10.0.0.0/8, 10.1.0.0/24]\n",
		       "manx.yaml:1: ranges: entry 2 (line 1): 10.1.0.0/24 overlaps 10.0.0.0/8");
	assert_refused("masquerade-exclude: [10.0.0.0/8, 10.0.0.0/8]\n",
		       "manx.yaml:1: masquerade-exclude: entry 2 (line 1): 10.0.0.0/8 stands "
		       "twice");
	assert_refused("ranges: [10.1.0.0]\n", "manx.yaml:1: ranges: entry 1 (line 1): "
					       "'10.1.0.0' is not a prefix like 10.1.0.0/24");
	assert_refused("ranges: [7]\n", "manx.yaml:1: ranges: entry 1 (line 1): expected a "
					"prefix, found an integer");
	assert_refused("ranges: '10.1.0.0/24,'\n",
		       "manx.yaml:1: ranges: nothing follows the last comma");
	assert_refused("ranges: ',10.1.0.0/24'\n",
		       "manx.yaml:1: ranges: '' is not a prefix like 10.1.0.0/24");
}

static void test_prefix_list_has_a_limit(void **state _unused_)
{
	_cleanup_(config_freep) struct config *c = NULL;
	struct buf text = {0};

	buf_puts(&text, "ranges:\n");
	for (unsigned int i = 0; i < CONFIG_PREFIXES_MAX; i++)
		buf_printf(&text, "- 10.%u.0.0/16\n", i);
	c = parse(text.data);
	assert_non_null(c);
	assert_int_equal(c->ranges.n, CONFIG_PREFIXES_MAX);
	buf_puts(&text, "- 172.16.0.0/16\n");
	assert_null(parse(text.data));
	assert_int_equal(last.code, -E2BIG);
	assert_non_null(strstr(last.msg, "more than 64 entries"));
	buf_done(&text);
}

static void test_paths_and_names_have_limits(void **state _unused_)
{
	struct config_flag flag = {CONFIG_RUN_DIR, NULL};
	struct config *c;
	char path[128];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[98] = '\0';
	flag.value = path;
	c = parse_with(NULL, &flag, 1);
	assert_non_null(c);
	(void)config_free(c);
	path[98] = 'a';
	path[99] = '\0';
	assert_null(parse_with(NULL, &flag, 1));
	assert_string_equal(last.msg, "--run-dir: the path is longer than 98 bytes");
	flag = (struct config_flag){CONFIG_CONFLIST_NAME, "../evil.conflist"};
	assert_null(parse_with(NULL, &flag, 1));
	flag.value = ".conflist";
	assert_null(parse_with(NULL, &flag, 1));
	flag.value = "10-manx.conf";
	assert_null(parse_with(NULL, &flag, 1));
}

static void test_flag_errors_name_the_flag(void **state _unused_)
{
	const struct config_flag flag = {CONFIG_HTTP_ADDRESS, "localhost:80"};

	assert_null(parse_with(NULL, &flag, 1));
	assert_string_equal(last.msg,
			    "--http-address: 'localhost:80' is not an address and port; write "
			    "127.0.0.1:9109, [::1]:9109, :9109 for every address, or nothing to "
			    "turn it off");
}

static void test_durations(void **state _unused_)
{
	static const struct {
		const char *text;
		int result;
		uint64_t usec;
	} cases[] = {
		{"0", 0, 0},
		{"0s", 0, 0},
		{"500ms", 0, 500000},
		{"30s", 0, 30000000},
		{"1m", 0, 60000000},
		{"1h1m1s1ms", 0, 3661001000},
		{"10000h", 0, UINT64_C(36000000000000)},
		{"10001h", -ERANGE, 0},
		{"9999999999999s", -ERANGE, 0},
		{"10000h1ms", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"5", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"1.5s", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{" 1s", -EINVAL, 0},
		{"1s ", -EINVAL, 0},
		{"1us", -EINVAL, 0},
		{"1S", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t usec = 77;

		assert_int_equal(duration_parse(cases[i].text, &usec), cases[i].result);
		assert_int_equal(usec, cases[i].result == 0 ? cases[i].usec : 77);
	}
}

static void test_agent_needs_exactly_one_source(void **state _unused_)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"manifests: /m", "node: not given; use --node NAME"},
		{"node: a",
		 "no source of objects; use --manifests DIR, --kubeconfig FILE or --in-cluster"},
		{"node: a\nmanifests: /m\nin-cluster: true",
		 "more than one source of objects: give one of manifests, kubeconfig, in-cluster"},
		{"node: a\nkubeconfig: /k", ""},
		{"node: a\nin-cluster: true", ""},
		{"node: a\nmanifests: /m", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(config_freep) struct config *c = parse(cases[i].text);
		struct err e = {0};
		int r;

		assert_non_null(c);
		r = config_check_agent(c, &e);
		assert_int_equal(r, e.code);
		assert_string_equal(e.msg, cases[i].message);
	}
}

static void test_node_defaults_to_the_host(void **state _unused_)
{
	_cleanup_(config_freep) struct config *c = parse(NULL);
	_cleanup_(config_freep) struct config *given = parse("node: mine");

	config_default_node(c, "not a name");
	assert_null(c->node);
	config_default_node(c, "Host-1");
	assert_string_equal(c->node, "host-1");
	config_default_node(given, "host-1");
	assert_string_equal(given->node, "mine");
}

static void assert_keys(uint32_t keys, const char *text)
{
	struct buf b = {0};

	buf_puts(&b, "");
	config_keys_print(keys, &b);
	assert_string_equal(b.data, text);
	buf_done(&b);
}

static void test_reload_tells_what_it_can_change(void **state _unused_)
{
	_cleanup_(config_freep) struct config *old = parse("node: a\nmanifests: /m\n");
	_cleanup_(config_freep) struct config *fresh =
		parse("node: b\nmanifests: /m\nstate-dir: /x\nhttp-address: ''\nlog-level: debug\n"
		      "ranges: [10.1.0.0/24]\nmasquerade: false\n"
		      "masquerade-exclude: [10.0.0.0/8]\npod-wait: 1s\naddress-cooldown: 1s\n"
		      "mtu: 1400\n");
	struct config_diff diff = config_reload_diff(old, fresh);

	assert_keys(diff.refused, "node, state-dir, http-address");
	assert_keys(diff.applied, "log-level, ranges, masquerade, masquerade-exclude, pod-wait, "
				  "address-cooldown, mtu");
	config_adopt(old, fresh, &diff);
	assert_string_equal(old->node, "a");
	assert_string_equal(old->state_dir, "/var/lib/manx");
	assert_int_equal(old->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(old->ranges.n, 1);
	assert_int_equal(old->mtu, 1400);
	diff = config_reload_diff(old, fresh);
	assert_keys(diff.applied, "");
	assert_keys(diff.refused, "node, state-dir, http-address");
}

static void test_reload_of_the_same_changes_nothing(void **state _unused_)
{
	static const char text[] = "node: a\nranges: [10.1.0.0/24]\nhttp-address: ':80'\n";
	_cleanup_(config_freep) struct config *a = parse(text);
	_cleanup_(config_freep) struct config *b = parse(text);
	struct config_diff diff = config_reload_diff(a, b);

	assert_int_equal(diff.applied, 0);
	assert_int_equal(diff.refused, 0);
}

static void test_every_key_has_help(void **state _unused_)
{
	for (int key = 0; key < _CONFIG_KEY_MAX; key++) {
		const struct config_key_info *info = config_key_info((enum config_key)key);

		assert_non_null(info->name);
		assert_true(strlen(info->help) > 10);
	}
}

static int nothing_interned(void **state _unused_)
{
	return intern_count() == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_key_of_the_file),
		cmocka_unit_test(test_flag_over_file_over_default),
		cmocka_unit_test(test_the_plugin_may_be_somebody_elses),
		cmocka_unit_test(test_empty_files_and_null_leave_defaults),
		cmocka_unit_test(test_unknown_keys_get_a_suggestion),
		cmocka_unit_test(test_errors_name_file_line_and_key),
		cmocka_unit_test(test_broken_yaml_names_the_line),
		cmocka_unit_test(test_too_large_a_file_is_refused),
		cmocka_unit_test(test_prefix_lists),
		cmocka_unit_test(test_prefix_list_has_a_limit),
		cmocka_unit_test(test_paths_and_names_have_limits),
		cmocka_unit_test(test_flag_errors_name_the_flag),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_agent_needs_exactly_one_source),
		cmocka_unit_test(test_node_defaults_to_the_host),
		cmocka_unit_test(test_reload_tells_what_it_can_change),
		cmocka_unit_test(test_reload_of_the_same_changes_nothing),
		cmocka_unit_test(test_every_key_has_help),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, nothing_interned);
}
