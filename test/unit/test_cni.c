// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_cni.c - requests that are refused, requests that are read, results in every version.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/cni.h"
#include "watch/object.h"

#define CONF "\"name\":\"manx\",\"type\":\"manx\",\"cniVersion\":\"1.1.0\""
#define ARGS "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=u-1"

static struct cni_env add_env(void)
{
	return (struct cni_env){.command = "ADD",
				.container_id = "abc",
				.netns = "/run/netns/x",
				.ifname = "eth0",
				.args = ARGS};
}

static struct cni_request *take(const struct cni_env *env, const char *conf)
{
	struct cni_request *q = NULL;
	struct err e = {0};

	if (cni_request_parse(env, conf, strlen(conf), &q, &e) < 0)
		fail_msg("%s", e.msg);
	return q;
}

static void refuse(const struct cni_env *env, const char *conf, int code, const char *message)
{
	struct cni_request *q = NULL;
	struct err e = {0};
	int r = cni_request_parse(env, conf, strlen(conf), &q, &e);

	if (r == 0)
		fail_msg("accepted: %s", conf);
	if (!strstr(e.msg, message))
		fail_msg("'%s' does not hold '%s'", e.msg, message);
	assert_int_equal(r, -code);
	assert_int_equal(e.code, -code);
}

static void an_add(void **state _unused_)
{
	struct cni_env env = add_env();
	struct cni_request *q =
		take(&env,
		     "{" CONF ",\"socket\":\"/s\",\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:07\","
		     "\"ips\":[\"10.0.0.7/24\",\"fd00::7\"],\"portMappings\":["
		     "{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"TCP\"},"
		     "{\"hostPort\":53,\"containerPort\":5353,\"protocol\":\"udp\",\"hostIP\":"
		     "\"192.0.2.1\"},"
		     "{\"hostPort\":0,\"containerPort\":9}]},\"prevResult\":{\"ips\":[]}}");

	assert_int_equal(q->verb, CNI_ADD);
	assert_string_equal(q->ns, "default");
	assert_string_equal(q->pod, "web");
	assert_string_equal(q->uid, "u-1");
	assert_string_equal(q->socket, "/s");
	assert_true(q->has_mac);
	assert_int_equal(q->n_want, 2);
	assert_int_equal(q->n_ports, 2);
	assert_int_equal(q->ports[0].container_port, 80);
	assert_false(q->ports[0].has_ip);
	assert_int_equal(q->ports[1].protocol, PROTO_UDP);
	assert_true(q->ports[1].has_ip);
	assert_non_null(q->prev);
	(void)cni_request_free(q);
}

static void bad_environments(void **state _unused_)
{
	static const char conf[] = "{" CONF "}";
	struct cni_env env = add_env();

	env.command = NULL;
	refuse(&env, conf, CNI_E_ENVIRONMENT, "CNI_COMMAND is not set");
	env.command = "EXPLODE";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "unknown command: 'EXPLODE'");
	env = add_env();
	env.container_id = "../../etc/passwd";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "CNI_CONTAINERID");
	env.container_id = "";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "CNI_CONTAINERID");
	env = add_env();
	env.ifname = "..";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "CNI_IFNAME");
	env.ifname = "name-of-16-bytes";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "CNI_IFNAME");
	env = add_env();
	env.netns = NULL;
	refuse(&env, conf, CNI_E_ENVIRONMENT, "CNI_NETNS is not set");
	env = add_env();
	env.args = "K8S_POD_NAMESPACE=default";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "K8S_POD_NAME is required");
	env.args = "K8S_POD_NAMESPACE=a/b;K8S_POD_NAME=x";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "K8S_POD_NAMESPACE: 'a/b'");
	env.args = "nonsense";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "not KEY=VALUE");
	env.args = "OTHER=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=x";
	refuse(&env, conf, CNI_E_ENVIRONMENT, "IgnoreUnknown=1");
}

static void bad_configurations(void **state _unused_)
{
	static const struct {
		const char *conf;
		int code;
		const char *message;
	} cases[] = {
		{"", CNI_E_DECODE, "network configuration"},
		{"{\"name\":\"x", CNI_E_DECODE, "network configuration"},
		{"[]", CNI_E_DECODE, "not a JSON object"},
		{"{\"name\":\"x\"}", CNI_E_VERSION, "cniVersion '0.1.0' is not supported"},
		{"{\"name\":\"x\",\"cniVersion\":\"9.9.9\"}", CNI_E_VERSION, "1.1.0 are"},
		{"{\"cniVersion\":\"1.1.0\"}", CNI_E_CONFIG, "name: required"},
		{"{\"cniVersion\":\"1.1.0\",\"name\":\"../x\"}", CNI_E_CONFIG,
		 "not a network name"},
		{"{" CONF ",\"ipam\":{\"type\":\"host-local\"}}", CNI_E_CONFIG, "remove this"},
		{"{" CONF ",\"runtimeConfig\":{\"bandwidth\":{\"ingressRate\":5}}}", CNI_E_FIELD,
		 "does not shape traffic"},
		{"{" CONF ",\"runtimeConfig\":{\"mac\":\"01:00:00:00:00:00\"}}", CNI_E_CONFIG,
		 "not a unicast MAC"},
		{"{" CONF ",\"runtimeConfig\":{\"ips\":[\"10.0.0.1\",\"10.0.0.2\"]}}", CNI_E_CONFIG,
		 "second address of the family"},
		{"{" CONF ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":70000,"
		 "\"containerPort\":1}]}}",
		 CNI_E_CONFIG, "portMappings[0]"},
		{"{" CONF ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":7,"
		 "\"containerPort\":1,\"protocol\":\"icmp\"}]}}",
		 CNI_E_CONFIG, "not tcp, udp or sctp"},
	};
	struct cni_env env = add_env();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuse(&env, cases[i].conf, cases[i].code, cases[i].message);
}

static void a_huge_configuration(void **state _unused_)
{
	size_t n = 10 << 20;
	_cleanup_(freep) char *conf = xmalloc(n + 1);
	struct cni_env env = add_env();
	struct cni_request *q = NULL;
	struct err e = {0};

	memset(conf, ' ', n);
	conf[n] = '\0';
	assert_int_equal(cni_request_parse(&env, conf, n, &q, &e), -CNI_E_DECODE);
	assert_non_null(strstr(e.msg, "10485760 bytes, at most 1048576"));
}

static void other_verbs(void **state _unused_)
{
	struct cni_env env = {.command = "STATUS"};
	struct cni_request *q = take(&env, "{" CONF "}");

	(void)cni_request_free(q);
	env.command = "GC";
	refuse(&env, "{" CONF "}", CNI_E_CONFIG, "valid-attachments: required");
	q = take(&env, "{" CONF ",\"cni.dev/valid-attachments\":["
		       "{\"containerID\":\"a\",\"ifname\":\"eth0\"}]}");
	assert_int_equal(q->n_valid, 1);
	assert_string_equal(q->valid[0].id, "a");
	(void)cni_request_free(q);
	env = (struct cni_env){.command = "DEL", .container_id = "a", .ifname = "eth0"};
	q = take(&env, "{" CONF "}"); /* the namespace may be gone, the pod unknown */
	(void)cni_request_free(q);
}

static const struct attachment *attachment(void)
{
	static struct attachment a = {
		.id = "abc", .ifname = "eth0", .netns = "/n", .host_ifname = "mx1", .n_addrs = 2};

	a.mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	a.addrs[0] = (struct addr){.family = AF_INET, .b = {10, 0, 0, 5}};
	a.addrs[1] = (struct addr){.family = AF_INET6, .b = {0xfd, [15] = 5}};
	return &a;
}

static void results(void **state _unused_)
{
	static const char old[] =
		"{\"cniVersion\":\"0.3.1\",\"interfaces\":[{\"name\":\"mx1\",\"mac\":"
		"\"02:6d:61:6e:78:01\"},{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\","
		"\"sandbox\":\"/n\"}],\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":"
		"\"10.0.0.5/32\",\"gateway\":\"169.254.1.1\"},{\"version\":\"6\",\"interface\":1,"
		"\"address\":\"fd00::5/128\",\"gateway\":\"fe80::1\"}],\"routes\":[{\"dst\":"
		"\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"},{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}],"
		"\"dns\":{}}";
	struct cni_result r = {.at = attachment(), .mtu = 1450};
	_cleanup_(buf_done) struct buf b = {0};

	assert_int_equal(mac_parse("02:6d:61:6e:78:01", &r.host_mac), 0);
	cni_result_print("0.3.1", &r, &b);
	assert_string_equal(b.data, old);
	buf_reset(&b);
	cni_result_print("1.1.0", &r, &b);
	assert_non_null(strstr(b.data, "\"mtu\":1450,\"sandbox\":\"/n\""));
	assert_null(strstr(b.data, "\"version\""));
}

/* Chained after another plugin: its interfaces come first, our index follows. */
static void a_chained_result(void **state _unused_)
{
	struct cni_env env = add_env();
	struct cni_request *q = take(
		&env, "{" CONF ",\"prevResult\":{\"interfaces\":[{\"name\":\"lo\"}],\"ips\":[],"
		      "\"dns\":{\"nameservers\":[\"10.0.0.2\"]}}}");
	struct cni_result r = {.at = attachment(), .mtu = 1500, .prev = q->prev};
	_cleanup_(buf_done) struct buf b = {0};

	cni_result_print("1.0.0", &r, &b);
	assert_non_null(strstr(b.data, "\"interfaces\":[{\"name\":\"lo\"},{\"name\":\"mx1\""));
	assert_non_null(strstr(b.data, "{\"interface\":2,\"address\":\"10.0.0.5/32\""));
	assert_non_null(strstr(b.data, "\"dns\":{\"nameservers\":[\"10.0.0.2\"]}"));
	(void)cni_request_free(q);
}

static void check_compares(void **state _unused_)
{
	static const char *const cases[][2] = {
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/"
		 "n\",\"mac\":\"02:00:00:00:00:01\"}],"
		 "\"ips\":[{\"address\":\"10.0.0.5/32\"},{\"address\":\"fd00::5/128\"}]}",
		 NULL},
		{"{\"interfaces\":[],\"ips\":[]}", "eth0 is missing"},
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}],\"ips\":["
		 "{\"address\":\"10.0.0.6/32\"}]}",
		 "10.0.0.5 is missing"},
		{"{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/"
		 "n\",\"mac\":\"02:00:00:00:00:02\"}]}",
		 "has MAC 02:00:00:00:00:02"},
	};
	struct cni_env env = add_env();

	env.command = "CHECK";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *conf =
			xasprintf("{%s,\"prevResult\":%s}", CONF, cases[i][0]);
		struct cni_request *q = take(&env, conf);
		struct err e = {0};
		int r = cni_check_prev(q, attachment(), &e);

		assert_int_equal(r < 0, cases[i][1] != NULL);
		if (cases[i][1])
			assert_non_null(strstr(e.msg, cases[i][1]));
		(void)cni_request_free(q);
	}
}

static void errors_and_versions(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = {0};

	cni_error_print("0.4.0", 7, "say \"what\"", NULL, &b);
	assert_string_equal(b.data,
			    "{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"say \\\"what\\\"\"}");
	buf_reset(&b);
	cni_versions_print(NULL, &b);
	assert_string_equal(b.data, "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\","
				    "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_add),
		cmocka_unit_test(bad_environments),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(a_huge_configuration),
		cmocka_unit_test(other_verbs),
		cmocka_unit_test(results),
		cmocka_unit_test(a_chained_result),
		cmocka_unit_test(check_compares),
		cmocka_unit_test(errors_and_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
