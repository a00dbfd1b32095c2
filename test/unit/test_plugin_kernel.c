// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_plugin_kernel.c - the plugin's process with no agent, or with one that says what it is told
 * to: what it prints, what it exits with, and what is left in the kernel.  Needs root.
 */
#include "agent/cni/plugin.h"

#include <fcntl.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/cni/cni.h"
#include "datapath/route/podlink.h"
#include "fake_agent.h"
#include "kernel_lab.h"

#define NO_AGENT "/nowhere/cni.sock"

struct outcome {
	int exit_code;
	char out[4096];
};

struct world {
	int pod;
	char *path;
	char host_ifname[IFNAME_MAX + 1];
};

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	lab_enter_new();
	w->pod = lab_new_netns();
	w->path = lab_netns_path(w->pod);
	attachment_host_ifname("n", "c1", "eth0", w->host_ifname);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)close(w->pod);
	free(w->path);
	free(w);
	return 0;
}

static void put_environment(const struct world *w, const char *command)
{
	(void)clearenv();
	if (command)
		(void)setenv("CNI_COMMAND", command, 1);
	(void)setenv("CNI_CONTAINERID", "c1", 1);
	(void)setenv("CNI_IFNAME", "eth0", 1);
	(void)setenv("CNI_NETNS", w->path, 1);
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

/* Run the plugin as a process of its own; @args is CNI_ARGS or NULL. */
static struct outcome run(const struct world *w, const char *command, const char *args,
			  const char *conf, size_t len)
{
	char in[] = "/tmp/manx-test.XXXXXX", out[] = "/tmp/manx-test.XXXXXX";
	_cleanup_(closep) int from = mkstemp(in), to = mkstemp(out);
	struct outcome o = {0};
	int status = 0;
	pid_t pid;

	assert_true(from >= 0 && to >= 0);
	assert_int_equal(write(from, conf, len), len);
	assert_int_equal(lseek(from, 0, SEEK_SET), 0);
	(void)unlink(in);
	(void)unlink(out);
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		put_environment(w, command);
		if (args)
			(void)setenv("CNI_ARGS", args, 1);
		(void)dup2(from, STDIN_FILENO);
		(void)dup2(to, STDOUT_FILENO);
		status = plugin_main();
		(void)fflush(stdout);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	o.exit_code = WEXITSTATUS(status);
	assert_true(pread(to, o.out, sizeof(o.out) - 1, 0) >= 0);
	return o;
}

static struct outcome plugin(const struct world *w, const char *command, const char *socket,
			     const char *more)
{
	_cleanup_(freep) char *conf =
		xasprintf("{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"manx\","
			  "\"socket\":\"%s\"%s}",
			  socket, more);

	return run(w, command, NULL, conf, strlen(conf));
}

static void assert_error(const struct outcome *o, int code, const char *message)
{
	_cleanup_(freep) char *begin = xasprintf("\"code\":%d,\"msg\":\"", code);

	assert_int_equal(o->exit_code, 1);
	if (!strstr(o->out, begin) || !strstr(o->out, message))
		fail_msg("%s", o->out);
}

static struct podlink link_of(const struct world *w)
{
	struct podlink l = {.netns = w->path,
			    .ifname = "eth0",
			    .host_ifname = w->host_ifname,
			    .mac = {{2, 0, 0, 0, 0, 5}},
			    .mtu = 1450,
			    .n_addrs = 2};

	assert_int_equal(addr_parse("10.1.0.5", &l.addrs[0]), 0);
	assert_int_equal(addr_parse("fd00:1::5", &l.addrs[1]), 0);
	return l;
}

/* What the agent would ask for. */
static char *ask(const struct world *w, const char *what, const char *netns)
{
	return xasprintf(
		"{\"do\":\"%s\",\"netns\":\"%s\",\"ifname\":\"eth0\",\"host_ifname\":\"%s\","
		"\"mac\":\"02:00:00:00:00:05\",\"host_mac\":\"" PODLINK_HOST_MAC "\","
		"\"mtu\":1450,\"addresses\":[\"10.1.0.5\",\"fd00:1::5\"]}",
		what, netns, w->host_ifname);
}

#define SCRIPT(...) ((const char *const[]){__VA_ARGS__, NULL})

/* --- no agent ----------------------------------------------------------------------------------
 */

static void without_an_agent(void **state)
{
	struct world *w = *state;
	struct outcome o = plugin(w, "ADD", NO_AGENT, "");

	assert_error(&o, 11, "the agent does not answer on " NO_AGENT);
	assert_non_null(strstr(o.out, "\"cniVersion\":\"1.0.0\""));
	o = plugin(w, "CHECK", NO_AGENT, "");
	assert_error(&o, 11, NO_AGENT);
	o = plugin(w, "GC", NO_AGENT, "");
	assert_error(&o, 11, NO_AGENT);
	o = plugin(w, "STATUS", NO_AGENT, "");
	assert_error(&o, 50, NO_AGENT);
	o = plugin(w, "DESTROY", NO_AGENT, "");
	assert_error(&o, 4, "CNI_COMMAND");
	o = plugin(w, NULL, NO_AGENT, "");
	assert_error(&o, 4, "CNI_COMMAND");
}

static void version_needs_no_agent(void **state)
{
	struct world *w = *state;
	struct outcome o = plugin(w, "VERSION", NO_AGENT, "");

	assert_int_equal(o.exit_code, 0);
	assert_non_null(strstr(o.out, "\"supportedVersions\":["));
	assert_non_null(strstr(o.out, "\"1.1.0\""));
}

static void del_without_an_agent(void **state)
{
	struct world *w = *state;
	struct podlink l = link_of(w);
	struct err e = {0};
	struct outcome o;

	lab_run("nft add table inet track && "
		"nft 'add chain inet track in { type filter hook prerouting priority 0; }' && "
		"nft add rule inet track in ct state new counter");
	assert_int_equal(podlink_create(&l, NULL, &e), 0);
	lab_run("conntrack -I -p udp -s 10.1.0.5 -d 192.0.2.9 --sport 1 --dport 2 --timeout 600 "
		"2>/dev/null");
	lab_run("conntrack -I -p udp -s fd00:1::5 -d 2001:db8::9 --sport 1 --dport 2 "
		"--timeout 600 2>/dev/null");
	lab_run("conntrack -I -p udp -s 10.1.0.6 -d 192.0.2.9 --sport 1 --dport 2 --timeout 600 "
		"2>/dev/null");
	o = plugin(
		w, "DEL", NO_AGENT,
		",\"prevResult\":{\"ips\":[{\"address\":\"10.1.0.5/32\"},"
		"{\"address\":\"fd00:1::5/128\"},{\"address\":\"10.1.0.6/24\"},{\"address\":7}]}");
	assert_int_equal(o.exit_code, 0);
	assert_string_equal(o.out, "");
	assert_int_equal(if_nametoindex(w->host_ifname), 0);
	assert_false(lab_shows("10.1.0.5", "conntrack -L 2>/dev/null"));
	assert_false(lab_shows("fd00:1::5", "conntrack -L -f ipv6 2>/dev/null"));
	assert_true(lab_shows("10.1.0.6", "conntrack -L 2>/dev/null"));
	o = plugin(w, "DEL", NO_AGENT, "");
	assert_int_equal(o.exit_code, 0);
	assert_string_equal(o.out, "");
}

static void an_agent_that_goes_away(void **state)
{
	struct world *w = *state;
	const char *const verbs[] = {"ADD", "CHECK", "GC", "STATUS", "DEL"};
	const int codes[] = {11, 11, 11, 50, 0};

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct fake_agent f;
		struct outcome o;

		fake_agent_start(&f, SCRIPT(NULL));
		o = plugin(w, verbs[i], f.path, "");
		free(fake_agent_stop(&f));
		if (codes[i])
			assert_error(&o, codes[i], "the agent ended the call");
		else
			assert_int_equal(o.exit_code, 0);
	}
}

/* --- an agent ----------------------------------------------------------------------------------
 */

static void an_add_with_an_agent(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *attach = ask(w, "attach", w->path),
			      *check = ask(w, "check", w->path);
	_cleanup_(freep) char *detach =
		xasprintf("{\"do\":\"detach\",\"links\":[\"%s\"]}", w->host_ifname);
	_cleanup_(freep) char *said = NULL, *said_later = NULL;
	struct fake_agent f;
	struct outcome o;

	fake_agent_start(&f, SCRIPT(attach, check, "{\"result\":\"{}\",\"exit\":0}"));
	o = plugin(w, "ADD", f.path, "");
	said = fake_agent_stop(&f);
	assert_int_equal(o.exit_code, 0);
	assert_string_equal(o.out, "{}\n");
	assert_non_null(strstr(said, "\"call\":\"cni\""));
	assert_non_null(strstr(said, "\"CNI_CONTAINERID\":\"c1\""));
	assert_non_null(strstr(said, "\"stdin\":\"{\\\"cniVersion\\\":\\\"1.0.0\\\""));
	assert_non_null(
		strstr(said, "\n{\"done\":true,\"beside\":[]}\n{\"done\":true,\"beside\":[]}\n"));
	assert_int_not_equal(if_nametoindex(w->host_ifname), 0);
	fake_agent_start(&f, SCRIPT(detach, detach, "{\"result\":\"\",\"exit\":0}"));
	o = plugin(w, "DEL", f.path, "");
	said_later = fake_agent_stop(&f);
	assert_int_equal(o.exit_code, 0);
	assert_string_equal(o.out, "");
	assert_non_null(strstr(said_later, "\n{\"done\":true}\n{\"done\":true}\n"));
	assert_int_equal(if_nametoindex(w->host_ifname), 0);
}

/* The agent dies, or refuses, after the link was made. */
static void an_add_that_fails_late_leaves_nothing(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *attach = ask(w, "attach", w->path);
	struct fake_agent f;
	struct outcome o;

	fake_agent_start(&f, SCRIPT(attach));
	o = plugin(w, "ADD", f.path, "");
	free(fake_agent_stop(&f));
	assert_error(&o, 11, "the agent ended the call");
	assert_int_equal(if_nametoindex(w->host_ifname), 0);
	fake_agent_start(&f,
			 SCRIPT(attach, "{\"result\":\"{\\\"code\\\":101,\\\"msg\\\":\\\"no\\\"}\","
					"\"exit\":1}"));
	o = plugin(w, "ADD", f.path, "");
	free(fake_agent_stop(&f));
	assert_error(&o, 101, "no");
	assert_int_equal(if_nametoindex(w->host_ifname), 0);
}

/* What the plugin answers to a request that it cannot fulfil. */
static void assert_refuses(const struct world *w, const char *request, const char *answer)
{
	_cleanup_(freep) char *said = NULL;
	struct fake_agent f;
	struct outcome o;

	fake_agent_start(&f, SCRIPT(request, "{\"result\":\"\",\"exit\":1}"));
	o = plugin(w, "ADD", f.path, "");
	said = fake_agent_stop(&f);
	assert_int_equal(o.exit_code, 1);
	if (!strstr(said, answer))
		fail_msg("%s", said);
	assert_int_equal(if_nametoindex(w->host_ifname), 0);
}

static void work_that_cannot_be_done(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *gone = ask(w, "attach", "/nowhere/at/all");
	_cleanup_(freep) char *file = ask(w, "attach", "/etc/passwd");
	_cleanup_(freep) char *here = ask(w, "attach", w->path);
	_cleanup_(freep) char *check = ask(w, "check", w->path);
	_cleanup_(freep) char *other = ask(w, "dance", w->path);
	_cleanup_(closep) int home = lab_own_netns();

	assert_refuses(w, gone, "{\"error\":\"CNI_NETNS: network namespace /nowhere/at/all");
	assert_refuses(w, gone, "\"code\":3}");
	assert_refuses(
		w, file,
		"{\"error\":\"CNI_NETNS: /etc/passwd is not a network namespace\",\"code\":4}");
	assert_refuses(w, check, "\"code\":102}");
	assert_refuses(w, other, "asks for something unknown: dance\",\"code\":6}");
	assert_refuses(w, "{\"do\":\"attach\"}", "\"code\":6}");
	assert_refuses(w, "{\"what\":1}", "\"code\":6}");
	lab_setns(w->pod);
	lab_run("ip link add eth0 type bridge");
	lab_setns(home);
	assert_refuses(w, here, "{\"error\":\"CNI_IFNAME: there is an interface eth0");
	assert_refuses(w, here, "\"code\":4}");
}

/* --- bad input ---------------------------------------------------------------------------------
 */

static void bad_configurations(void **state)
{
	struct world *w = *state;
	const size_t large = (1 << 20) + 1;
	_cleanup_(freep) char *much = xcalloc(1, large);
	struct outcome o;
	static const char *const broken[] = {
		"", "{\"cniVersion\":\"1.1.0\",\"na", "\xff\xfe", "nonsense", "{} {}", "null", "[]",
		"7"};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		o = run(w, "ADD", NULL, broken[i], strlen(broken[i]));
		assert_error(&o, 6, "network configuration: ");
	}
	o = run(w, "ADD", NULL, "{\"a\":\"\0\"}", 9);
	assert_error(&o, 6, "network configuration: ");
	memset(much, ' ', large);
	o = run(w, "ADD", NULL, much, large);
	assert_error(&o, 6, "larger than 1 MiB");
	o = run(w, "ADD", NULL, "{\"socket\":7}", 12);
	assert_error(&o, 7, "socket: expected a string");
	o = run(w, "ADD", NULL, "{\"cniVersion\":7}", 16);
	assert_error(&o, 7, "cniVersion: expected a string");
	o = run(w, "ADD", "K8S_POD_NAME=\xff", "{}", 2);
	assert_error(&o, 4, "CNI_ARGS: not valid UTF-8");
}

static void not_without_root(void **state _unused_)
{
	skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest none[] = {cmocka_unit_test(not_without_root)};
	const struct CMUnitTest tests[] = {
		TEST(without_an_agent),		TEST(version_needs_no_agent),
		TEST(del_without_an_agent),	TEST(an_agent_that_goes_away),
		TEST(an_add_with_an_agent),	TEST(an_add_that_fails_late_leaves_nothing),
		TEST(work_that_cannot_be_done), TEST(bad_configurations),
	};

	if (!lab_is_root())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
