// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_options.c - command lines to flags, and flags with a real file to a configuration.
 *
 * What ends the process (--help, mistakes) runs in a child.
 */
#include "agent/config/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/file_write.h"

#define ARGUMENTS(...) \
	((char *[]){__VA_ARGS__, NULL}), (int)ARRAY_SIZE(((char *[]){__VA_ARGS__, NULL})) - 1

static const struct options_spec spec = {
	.name = "manx test",
	.doc = "Test the command line.",
	.keys = (UINT32_C(1) << _CONFIG_KEY_MAX) - 1,
};

static void parse(struct options *o, char **argv, int argc)
{
	options_parse(argc, argv, &spec, o);
}

/* Exit code and output of a command line that ends the process. */
static int parse_in_child(struct buf *out, char **argv, int argc)
{
	char chunk[4096];
	int pair[2], status;
	struct options o;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(pair), 0);
	child = fork();
	if (child == 0) {
		(void)dup2(pair[1], 1);
		(void)dup2(pair[1], 2);
		options_parse(argc, argv, &spec, &o);
		_exit(99);
	}
	close(pair[1]);
	buf_puts(out, "");
	while ((n = read(pair[0], chunk, sizeof(chunk))) > 0)
		buf_put(out, chunk, (size_t)n);
	close(pair[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_flags_keep_their_order(void **state _unused_)
{
	struct options o = {0};

	parse(&o, ARGUMENTS("agent", "--node", "a", "--mtu=1400", "--in-cluster", "--node=b"));
	assert_int_equal(o.n, 4);
	assert_int_equal(o.flags[0].key, CONFIG_NODE);
	assert_string_equal(o.flags[0].value, "a");
	assert_int_equal(o.flags[1].key, CONFIG_MTU);
	assert_string_equal(o.flags[1].value, "1400");
	assert_int_equal(o.flags[2].key, CONFIG_IN_CLUSTER);
	assert_string_equal(o.flags[2].value, "true");
	assert_string_equal(o.flags[3].value, "b");
	options_done(&o);
	assert_int_equal(o.n, 0);
}

static void test_relative_paths_mean_the_current_folder(void **state _unused_)
{
	_cleanup_(freep) char *folder = getcwd(NULL, 0);
	_cleanup_(freep) char *expected = xasprintf("%s/manifests", folder);
	struct options o = {0};

	parse(&o, ARGUMENTS("agent", "--manifests", "./manifests", "--run-dir", "/r",
			    "--conflist-name", "a.conflist"));
	assert_string_equal(o.flags[0].value, expected);
	assert_string_equal(o.flags[1].value, "/r");
	assert_string_equal(o.flags[2].value, "a.conflist");
	options_done(&o);
}

static void test_help_names_every_key(void **state _unused_)
{
	struct buf out = {0};

	assert_int_equal(parse_in_child(&out, ARGUMENTS("agent", "--help")), 0);
	assert_true(str_starts(out.data, "Usage: manx test [OPTION...]"));
	for (int key = 0; key < _CONFIG_KEY_MAX; key++) {
		_cleanup_(freep) char *flag =
			xasprintf("--%s", config_key_info((enum config_key)key)->name);

		assert_non_null(strstr(out.data, flag));
	}
	assert_non_null(strstr(out.data, "(default: /run/manx)"));
	buf_done(&out);
}

static void test_mistakes_exit_with_2(void **state _unused_)
{
	struct buf out = {0};

	assert_int_equal(parse_in_child(&out, ARGUMENTS("agent", "--no-such-flag")), 2);
	assert_int_equal(parse_in_child(&out, ARGUMENTS("agent", "--node")), 2);
	assert_int_equal(parse_in_child(&out, ARGUMENTS("agent", "argument")), 2);
	assert_non_null(strstr(out.data, "manx test"));
	buf_done(&out);
}

static void test_load_reads_the_file_that_a_flag_names(void **state _unused_)
{
	char path[] = "/tmp/manx-test.XXXXXX";
	int fd = mkstemp(path);
	_cleanup_(config_freep) struct config *c = NULL;
	struct options o = {0};
	struct err e = {0};

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_write_atomic(path, "mtu: 1400\nrun-dir: /file\n", 25, 0600, &e), 0);
	parse(&o, ARGUMENTS("agent", "--config", path, "--run-dir", "/flag"));
	assert_int_equal(options_load(&o, &c, &e), 0);
	assert_int_equal(c->mtu, 1400);
	assert_string_equal(c->run_dir, "/flag");
	assert_string_equal(c->config, path);
	c = config_free(c);
	assert_int_equal(file_write_atomic(path, "mtu: 1\n", 7, 0600, &e), 0);
	assert_int_equal(options_load(&o, &c, &e), -EINVAL);
	assert_null(c);
	assert_true(str_starts(e.msg, path));
	assert_non_null(strstr(e.msg, ":1: mtu: "));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(options_load(&o, &c, &e), -ENOENT);
	options_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags_keep_their_order),
		cmocka_unit_test(test_relative_paths_mean_the_current_folder),
		cmocka_unit_test(test_help_names_every_key),
		cmocka_unit_test(test_mistakes_exit_with_2),
		cmocka_unit_test(test_load_reads_the_file_that_a_flag_names),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
