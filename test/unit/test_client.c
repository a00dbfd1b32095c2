// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_client.c - the caller's side of the agent's socket, against an agent that says what it is
 * told to.
 */
#include "agent/socket/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_agent.h"

#define CALL "{\"call\":\"status\"}"

struct outcome {
	struct buf text;
	int exit_code, r;
	struct err err;
	char *said; /* what the agent heard */
};

static void outcome_done(struct outcome *o)
{
	buf_done(&o->text);
	free(o->said);
}

/* Call with exit code 77 set, to see that it is untouched. */
static struct outcome call(client_do_fn *fn, void *arg, const char *const *script)
{
	struct outcome o = {.exit_code = 77};
	struct fake_agent f;

	fake_agent_start(&f, script);
	o.r = client_call(f.path, CALL, fn, arg, &o.text, &o.exit_code, &o.err);
	o.said = fake_agent_stop(&f);
	return o;
}

#define SCRIPT(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_call_and_its_result(void **state _unused_)
{
	_cleanup_(outcome_done) struct outcome o =
		call(NULL, NULL, SCRIPT("{\"result\":\"all is well\\n\",\"exit\":3}"));

	assert_int_equal(o.r, 0);
	assert_string_equal(o.text.data, "all is well\n");
	assert_int_equal(o.exit_code, 3);
	assert_string_equal(o.said, CALL "\n");
}

static void an_empty_result(void **state _unused_)
{
	_cleanup_(outcome_done) struct outcome o = call(NULL, NULL, SCRIPT("{\"result\":\"\"}"));

	assert_int_equal(o.r, 0);
	assert_int_equal(o.text.len, 0);
	assert_int_equal(o.exit_code, 0);
}

static void a_result_in_parts(void **state _unused_)
{
	_cleanup_(outcome_done) struct outcome o =
		call(NULL, NULL,
		     SCRIPT("{\"part\":\"one \"}", "{\"part\":\"two \"}",
			    "{\"result\":\"three\",\"exit\":4}"));

	assert_int_equal(o.r, 0);
	assert_string_equal(o.text.data, "one two three");
	assert_int_equal(o.exit_code, 4);
}

/* Work that the agent asks for; the argument says how often it may succeed. */
static int work(void *arg, const struct value *m, struct jsonw *reply _unused_, struct err *reterr)
{
	const char *what = NULL;
	int *left = arg;

	assert_int_equal(value_get_str(m, "", "do", &what, NULL), 1);
	if ((*left)-- > 0)
		return 0;
	(void)err_set(reterr, -EIO, "%s: the \"kernel\" refused", what);
	return 101;
}

static void work_in_the_middle(void **state _unused_)
{
	int may_succeed = 1;
	_cleanup_(outcome_done) struct outcome o =
		call(work, &may_succeed,
		     SCRIPT("{\"do\":\"check\"}", "{\"do\":\"detach\"}",
			    "{\"result\":\"sorry\",\"exit\":1}"));

	assert_int_equal(o.r, 0);
	assert_int_equal(o.exit_code, 1);
	assert_string_equal(o.said, CALL
			    "\n{\"done\":true}\n"
			    "{\"error\":\"detach: the \\\"kernel\\\" refused\",\"code\":101}\n");
}

/* A message as long as there is room, of characters of three bytes: it is cut within one. */
static int fail_at_length(void *arg _unused_, const struct value *m _unused_,
			  struct jsonw *reply _unused_, struct err *reterr)
{
	char text[600] = "";

	for (int i = 0; i < 199; i++)
		(void)strcat(text, "\xe2\x82\xac");
	(void)err_set(reterr, -EIO, "%s", text);
	assert_int_equal(strlen(reterr->msg), sizeof(reterr->msg) - 1);
	return 101;
}

static void an_error_that_was_cut_off_is_still_text(void **state _unused_)
{
	_cleanup_(outcome_done) struct outcome o =
		call(fail_at_length, NULL, SCRIPT("{\"do\":\"x\"}", "{\"result\":\"\"}"));

	assert_int_equal(o.r, 0);
	assert_non_null(strstr(o.said, "\xe2\x82\xac?\",\"code\":101}"));
}

static void assert_broken(const char *const *script, const char *message)
{
	_cleanup_(outcome_done) struct outcome o = call(NULL, NULL, script);

	assert_true(o.r < 0);
	assert_int_equal(o.text.len, 0);
	assert_int_equal(o.exit_code, 77);
	if (!strstr(o.err.msg, message))
		fail_msg("%s", o.err.msg);
}

static void an_agent_that_breaks_the_rules(void **state _unused_)
{
	assert_broken(SCRIPT(NULL), "the agent ended the call");
	assert_broken(SCRIPT(FAKE_SHORT), "the agent ended the call");
	assert_broken(SCRIPT(FAKE_HUGE), "Message too long");
	assert_broken(SCRIPT("not JSON"), "");
	assert_broken(SCRIPT(""), "");
	assert_broken(SCRIPT("[1]"), "not a map");
	assert_broken(SCRIPT("{\"result\":7}"), "result: expected a string");
	assert_broken(SCRIPT("{\"result\":\"\",\"exit\":999}"), "exit");
	assert_broken(SCRIPT("{\"do\":\"attach\"}"), "unexpected message");
}

static int call_path(const char *path, struct err *e)
{
	_cleanup_(buf_done) struct buf text = {0};
	int code;

	return client_call(path, CALL, NULL, NULL, &text, &code, e);
}

static void no_agent(void **state _unused_)
{
	char path[300], dir[] = "/tmp/manx-test.XXXXXX";
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err e;

	assert_int_equal(call_path("/nowhere/cni.sock", &e), -ENOENT);
	assert_string_equal(e.msg, "the agent does not answer on /nowhere/cni.sock: "
				   "No such file or directory");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(call_path(path, &e), -ENAMETOOLONG);
	/* A socket whose agent is gone. */
	assert_non_null(mkdtemp(dir));
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/cni.sock", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	(void)close(fd);
	assert_int_equal(call_path(sa.sun_path, &e), -ECONNREFUSED);
	(void)unlink(sa.sun_path);
	(void)rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_and_its_result),
		cmocka_unit_test(an_empty_result),
		cmocka_unit_test(a_result_in_parts),
		cmocka_unit_test(work_in_the_middle),
		cmocka_unit_test(an_error_that_was_cut_off_is_still_text),
		cmocka_unit_test(an_agent_that_breaks_the_rules),
		cmocka_unit_test(no_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
