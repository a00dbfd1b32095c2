// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_cni.c - requests that are refused and requests that are read; what is printed is in
 * test_cni_result.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/cni/cni.h"
#include "watch/object/object.h"

#define CONF "\"name\":\"manx\",\"type\":\"manx\",\"cniVersion\":\"1.1.0\""
#define ARGS "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=u-1"

#define PORTS(list) "{" CONF ",\"runtimeConfig\":{\"portMappings\":[" list "]}}"

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

/* Each with everything else in order */
static void bad_environments(void **state _unused_)
{
	static const struct {
		size_t member;
		const char *value, *message;
	} cases[] = {
#define MEMBER(m) offsetof(struct cni_env, m)
		{MEMBER(command), NULL, "CNI_COMMAND is not set"},
		{MEMBER(command), "", "CNI_COMMAND: unknown command: ''"},
		{MEMBER(command), "EXPLODE", "CNI_COMMAND: unknown command: 'EXPLODE'"},
		{MEMBER(command), "add", "CNI_COMMAND: unknown command: 'add'"},
		{MEMBER(container_id), NULL, "CNI_CONTAINERID is not set"},
		{MEMBER(container_id), "", "CNI_CONTAINERID: letters, "},
		{MEMBER(container_id), "../../etc/passwd", "at most 128 bytes: '../../etc/passwd'"},
		{MEMBER(container_id), "..", "CNI_CONTAINERID"},
		{MEMBER(container_id), ".hidden", "CNI_CONTAINERID"},
		{MEMBER(container_id), "-rf", "CNI_CONTAINERID"},
		{MEMBER(container_id), "a/b", "CNI_CONTAINERID"},
		{MEMBER(container_id), "a b", "CNI_CONTAINERID"},
		{MEMBER(container_id), "a;b", "CNI_CONTAINERID"},
		{MEMBER(container_id), "a\nb", "'a?b'"},
		{MEMBER(container_id), "a\xff", "'a?'"},
		{MEMBER(ifname), NULL, "CNI_IFNAME is not set"},
		{MEMBER(ifname), "", "CNI_IFNAME: not an interface name: ''"},
		{MEMBER(ifname), ".", "CNI_IFNAME"},
		{MEMBER(ifname), "..", "CNI_IFNAME"},
		{MEMBER(ifname), "name-of-16-bytes", "CNI_IFNAME"},
		{MEMBER(ifname), "a/b", "CNI_IFNAME"},
		{MEMBER(ifname), "eth0:1", "CNI_IFNAME"},
		{MEMBER(ifname), "eth 0", "CNI_IFNAME"},
		{MEMBER(ifname), "eth0\t", "CNI_IFNAME"},
		{MEMBER(ifname), "\xc3\xa4", "CNI_IFNAME"},
		{MEMBER(netns), NULL, "CNI_NETNS is not set"},
		{MEMBER(netns), "", "CNI_NETNS is not set"},
		{MEMBER(netns), "run/netns/x", "CNI_NETNS: not an absolute path: 'run/netns/x'"},
		{MEMBER(netns), "/run/\n", "CNI_NETNS"},
		{MEMBER(netns), "/run/\xff", "CNI_NETNS"},
		{MEMBER(args), NULL, "K8S_POD_NAMESPACE is required"},
		{MEMBER(args), "", "K8S_POD_NAMESPACE is required"},
		{MEMBER(args), "K8S_POD_NAME=x", "K8S_POD_NAMESPACE is required"},
		{MEMBER(args), "K8S_POD_NAMESPACE=default", "K8S_POD_NAME is required"},
		{MEMBER(args), "K8S_POD_NAMESPACE=;K8S_POD_NAME=x", "K8S_POD_NAMESPACE is req"},
		{MEMBER(args), "K8S_POD_NAMESPACE=a/b;K8S_POD_NAME=x",
		 "CNI_ARGS K8S_POD_NAMESPACE: 'a/b' is not a DNS-1123 label"},
		{MEMBER(args), "K8S_POD_NAMESPACE=a.b;K8S_POD_NAME=x", "not a DNS-1123 label"},
		{MEMBER(args), "K8S_POD_NAMESPACE=a;K8S_POD_NAME=Web", "not a DNS-1123 name"},
		{MEMBER(args), "K8S_POD_NAMESPACE=a;K8S_POD_NAME=../x", "not a DNS-1123 name"},
		{MEMBER(args), ARGS ";K8S_POD_UID=u 1", "K8S_POD_UID: 'u 1' is not a UID"},
		{MEMBER(args), ARGS ";K8S_POD_NAME=other", "K8S_POD_NAME: given twice"},
		{MEMBER(args), "nonsense", "CNI_ARGS: not KEY=VALUE: 'nonsense'"},
		{MEMBER(args), "OTHER=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=x",
		 "IgnoreUnknown=1 is not given: 'OTHER'"},
		{MEMBER(args), "IgnoreUnknown=0;OTHER=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=x",
		 "IgnoreUnknown=1 is not given: 'OTHER'"},
		{MEMBER(args), "IgnoreUnknown=maybe", "IgnoreUnknown: not 1, 0, true or false"},
		{MEMBER(args), ARGS ";IP=10.0.0", "CNI_ARGS IP: '10.0.0' is not an address"},
		{MEMBER(args), ARGS ";IP=10.0.0.1;IP=10.0.0.2", "second address of the family"},
		{MEMBER(args), ARGS ";MAC=ff:ff:ff:ff:ff:ff", "not a unicast MAC address"},
#undef MEMBER
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cni_env env = add_env();

		*(const char **)((char *)&env + cases[i].member) = cases[i].value;
		refuse(&env, "{" CONF "}", CNI_E_ENVIRONMENT, cases[i].message);
	}
}

static char *repeated(char c, size_t n)
{
	char *s = xcalloc(n + 1, 1);

	memset(s, c, n);
	return s;
}

static void limits_of_the_environment(void **state _unused_)
{
	_cleanup_(freep) char *longest = repeated('x', CONTAINER_ID_MAX);
	_cleanup_(freep) char *longer = repeated('x', CONTAINER_ID_MAX + 1);
	_cleanup_(freep) char *huge = repeated('x', 1 << 20);
	_cleanup_(freep) char *path = repeated('/', 4096);
	struct cni_env env = add_env();

	env.container_id = longest;
	env.ifname = "name-of-15-byte";
	env.netns = path + 1;
	(void)cni_request_free(take(&env, "{" CONF "}"));
	env.netns = path;
	refuse(&env, "{" CONF "}", CNI_E_ENVIRONMENT, "CNI_NETNS");
	env.container_id = longer;
	refuse(&env, "{" CONF "}", CNI_E_ENVIRONMENT, "CNI_CONTAINERID");
	env.container_id = huge;
	refuse(&env, "{" CONF "}", CNI_E_ENVIRONMENT, "xxx...'");
	env = add_env();
	env.args = huge;
	refuse(&env, "{" CONF "}", CNI_E_ENVIRONMENT, "not KEY=VALUE");
}

static void unknown_args_may_be_ignored(void **state _unused_)
{
	static const char *const args[] = {
		"IgnoreUnknown=1;OTHER=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=x",
		"OTHER=1;;K8S_POD_NAMESPACE=a;K8S_POD_NAME=x.y;IgnoreUnknown=TRUE;",
		"K8S_POD_NAMESPACE=a;K8S_POD_NAME=x;K8S_POD_INFRA_CONTAINER_ID=abc",
		"K8S_POD_NAMESPACE=a;K8S_POD_NAME=x;K8S_POD_NAME=x;K8S_POD_UID=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		struct cni_env env = add_env();
		struct cni_request *q;

		env.args = args[i];
		q = take(&env, "{" CONF "}");
		assert_string_equal(q->ns, "a");
		assert_int_equal(q->pod[0], 'x');
		assert_string_equal(q->uid, "");
		(void)cni_request_free(q);
	}
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
		{"{\"cniVersion\":\"1.1.0\",\"name\":7}", CNI_E_CONFIG, "name: expected a string"},
		{"{\"cniVersion\":1.1,\"name\":\"x\"}", CNI_E_DECODE,
		 "cniVersion: expected a string"},
		{"{\"cniVersion\":\"1.1.0\\u0000\",\"name\":\"x\"}", CNI_E_DECODE, "network conf"},
		{"{\"cniVersion\":\"\xc3\xa4\xc3\xa4\"}", CNI_E_VERSION,
		 "cniVersion '?"
		 "?"
		 "?"
		 "?'"},
		{"{" CONF "," CONF "", CNI_E_DECODE, "network configuration: line 1"},
		{"{" CONF "} {}", CNI_E_DECODE, "network configuration"},
		{"{" CONF ",\"x\":\"\xff\"}", CNI_E_DECODE, "network configuration"},
		{"{" CONF ",\"prevResult\":[]}", CNI_E_CONFIG, "prevResult: expected a map"},
		{"{" CONF ",\"socket\":[]}", CNI_E_CONFIG, "socket: expected a string"},
		{"{" CONF ",\"ipam\":{\"type\":\"host-local\"}}", CNI_E_CONFIG, "remove this"},
		{"{" CONF ",\"ipam\":\"host-local\"}", CNI_E_CONFIG, "remove this"},
		{"{" CONF ",\"runtimeConfig\":[]}", CNI_E_CONFIG, "runtimeConfig: expected a map"},
		{"{" CONF ",\"args\":{\"cni\":7}}", CNI_E_CONFIG, "args.cni: expected a map"},
		{"{" CONF ",\"args\":{\"cni\":{\"ips\":[7]}}}", CNI_E_CONFIG,
		 "args.cni.ips[0]: expected a string, found an integer"},
		{"{" CONF ",\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:07\"}},"
		 "\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:08\"}}",
		 CNI_E_CONFIG, "args.cni.mac: '02:00:00:00:00:07' is a second MAC address"},
		{"{" CONF ",\"runtimeConfig\":{\"mac\":\"00:00:00:00:00:00\"}}", CNI_E_CONFIG,
		 "runtimeConfig.mac: '00:00:00:00:00:00' is not a unicast MAC address"},
		{"{" CONF ",\"runtimeConfig\":{\"ips\":[\"10.0.0.1/33\"]}}", CNI_E_CONFIG,
		 "runtimeConfig.ips[0]: '10.0.0.1/33' is not an address"},
		{"{" CONF ",\"runtimeConfig\":{\"ips\":[\"/24\"]}}", CNI_E_CONFIG,
		 "not an address"},
		{"{" CONF ",\"runtimeConfig\":{\"bandwidth\":5}}", CNI_E_CONFIG,
		 "runtimeConfig.bandwidth: expected a map"},
		{"{" CONF ",\"runtimeConfig\":{\"bandwidth\":{\"egressBurst\":1e9}}}", CNI_E_FIELD,
		 "runtimeConfig.bandwidth.egressBurst: bandwidth is not supported"},
		{"{" CONF ",\"runtimeConfig\":{\"bandwidth\":{\"ingressRate\":5}}}", CNI_E_FIELD,
		 "does not shape traffic"},
		{"{" CONF ",\"runtimeConfig\":{\"mac\":\"01:00:00:00:00:00\"}}", CNI_E_CONFIG,
		 "not a unicast MAC"},
		{"{" CONF ",\"runtimeConfig\":{\"ips\":[\"10.0.0.1\",\"10.0.0.2\"]}}", CNI_E_CONFIG,
		 "second address of the family"},
		{"{" CONF ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":70000,"
		 "\"containerPort\":1}]}}",
		 CNI_E_CONFIG,
		 "runtimeConfig.portMappings[0].hostPort: 70000 is above 65535 (line 1)"},
		{PORTS("7"), CNI_E_CONFIG, "portMappings[0]: expected a map, found an integer"},
		{PORTS("{\"hostPort\":7}"), CNI_E_CONFIG, "[0].containerPort: required"},
		{PORTS("{\"hostPort\":7,\"containerPort\":0}"), CNI_E_CONFIG,
		 "[0].containerPort: required"},
		{PORTS("{\"HostPort\":7,\"ContainerPort\":-1}"), CNI_E_CONFIG, "-1 is below 0"},
		{PORTS("{\"HostPort\":70000,\"ContainerPort\":1}"), CNI_E_CONFIG, "above 65535"},
		{PORTS("{\"HostPort\":7,\"ContainerPort\":1,\"Protocol\":\"ICMP\"}"), CNI_E_CONFIG,
		 "'ICMP' is not tcp, udp or sctp"},
		{PORTS("{\"HostPort\":7,\"ContainerPort\":1,\"HostIP\":\"x\"}"), CNI_E_CONFIG,
		 "portMappings[0].hostIP: 'x' is not an address"},
		{"{" CONF ",\"RuntimeConfig\":{\"BandWidth\":{\"IngressRate\":5}}}", CNI_E_FIELD,
		 "does not shape traffic"},
		{"{" CONF ",\"IPAM\":{\"type\":\"host-local\"}}", CNI_E_CONFIG, "remove this"},
		{PORTS("{\"hostPort\":-1,\"containerPort\":1}"), CNI_E_CONFIG, "-1 is below 0"},
		{PORTS("{\"hostPort\":7.5,\"containerPort\":1}"), CNI_E_CONFIG, "not an integer"},
		{PORTS("{\"hostPort\":7,\"containerPort\":1,\"hostIP\":\"x\"}"), CNI_E_CONFIG,
		 "portMappings[0].hostIP: 'x' is not an address"},
		{PORTS("{\"hostPort\":7,\"containerPort\":1},{\"hostPort\":7,\"containerPort\":2}"),
		 CNI_E_CONFIG, "portMappings[1].hostPort: 7 leads to container port 1 already"},
		{PORTS("{\"hostPort\":7,\"containerPort\":1},"
		       "{\"hostPort\":7,\"containerPort\":2,\"hostIP\":\"10.0.0.1\"}"),
		 CNI_E_CONFIG, "portMappings[1].hostPort: 7 leads to container port 1 already"},
		{"{" CONF ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":7,"
		 "\"containerPort\":1,\"protocol\":\"icmp\"}]}}",
		 CNI_E_CONFIG, "not tcp, udp or sctp"},
	};
	struct cni_env env = add_env();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuse(&env, cases[i].conf, cases[i].code, cases[i].message);
}

/* As containerd spells it: the fields of a Go structure without names for JSON. */
static void ports_in_capitals(void **state _unused_)
{
	struct cni_env env = add_env();
	struct cni_request *q =
		take(&env, PORTS("{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"tcp\","
				 "\"HostIP\":\"\"},"
				 "{\"HostPort\":53,\"ContainerPort\":5353,\"Protocol\":\"UDP\","
				 "\"HostIP\":\"192.0.2.1\"},"
				 "{\"HOSTPORT\":54,\"containerport\":9,\"Protocol\":\"\"}"));

	assert_int_equal(q->n_ports, 3);
	assert_int_equal(q->ports[0].host_port, 8080);
	assert_int_equal(q->ports[0].container_port, 80);
	assert_int_equal(q->ports[0].protocol, PROTO_TCP);
	assert_false(q->ports[0].has_ip);
	assert_int_equal(q->ports[1].protocol, PROTO_UDP);
	assert_true(q->ports[1].has_ip);
	assert_int_equal(q->ports[2].host_port, 54);
	assert_int_equal(q->ports[2].protocol, PROTO_TCP);
	(void)cni_request_free(q);
}

/* Whatever the case, and null is what Go writes for what is empty. */
static void everything_as_go_writes_it(void **state _unused_)
{
	static const char *const nothing[] = {
		"{" CONF ",\"runtimeConfig\":null,\"args\":null,\"prevResult\":null,\"ipam\":null,"
		"\"socket\":null}",
		"{" CONF ",\"runtimeConfig\":{\"portMappings\":null,\"ips\":null,\"mac\":null,"
		"\"bandwidth\":null},\"args\":{\"cni\":null}}",
		"{" CONF ",\"runtimeConfig\":{\"portMappings\":[null,{\"hostPort\":null},"
		"{\"hostPort\":0,\"protocol\":null}],\"ips\":[null]},\"unknown\":[{\"a\":1,\"a\":2}"
		"]}",
		"{" CONF ",\"name\":null,\"Name\":null,\"CNIVERSION\":null}",
	};
	struct cni_env env = add_env();
	struct cni_request *q;

	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		q = take(&env, nothing[i]);
		assert_string_equal(q->network, "manx");
		assert_string_equal(q->socket, "");
		assert_int_equal(q->n_ports + q->n_want, 0);
		assert_false(q->has_mac);
		assert_null(q->prev);
		(void)cni_request_free(q);
	}
	q = take(&env,
		 "{\"CNIVersion\":\"1.0.0\",\"NAME\":\"x\",\"Name\":\"y\",\"\u017focket\":\"/s\","
		 "\"RUNTIMECONFIG\":{\"MAC\":\"02:00:00:00:00:07\",\"IPs\":[\"10.0.0.7\"]},"
		 "\"Args\":{\"CNI\":{\"Ips\":[\"fd00::7\"]}},\"PrevResult\":{\"IPs\":[]}}");
	assert_string_equal(q->version, "1.0.0");
	assert_string_equal(q->network, "y");
	assert_string_equal(q->socket, "/s");
	assert_int_equal(q->n_want, 2);
	assert_true(q->has_mac);
	assert_non_null(q->prev);
	(void)cni_request_free(q);
}

/* Cut short anywhere, it is not a configuration. */
static void a_configuration_cut_short(void **state _unused_)
{
	static const char conf[] = "{" CONF ",\"runtimeConfig\":{\"ips\":[\"10.0.0.7\"]}}";
	struct cni_env env = add_env();

	for (size_t len = 0; len < sizeof(conf) - 1; len++) {
		struct cni_request *q = NULL;
		struct err e = {0};

		assert_int_equal(cni_request_parse(&env, conf, len, &q, &e), -CNI_E_DECODE);
		assert_int_equal(e.code, -CNI_E_DECODE);
		assert_null(q);
	}
	assert_int_equal(cni_request_parse(&env, conf, 5, &(struct cni_request *){NULL}, NULL),
			 -CNI_E_DECODE);
}

static void too_many_ports(void **state _unused_)
{
	_cleanup_(buf_done) struct buf list = {0}, conf = {0};
	struct cni_env env = add_env();

	for (int i = 1; i <= HOST_PORTS_MAX; i++)
		buf_printf(&list, "%s{\"hostPort\":%d,\"containerPort\":80}", i > 1 ? "," : "", i);
	buf_printf(&conf, PORTS("%s"), list.data);
	{
		struct cni_request *q = take(&env, conf.data);

		assert_int_equal(q->n_ports, HOST_PORTS_MAX);
		(void)cni_request_free(q);
	}
	buf_puts(&list, ",{\"hostPort\":9999,\"containerPort\":80}");
	buf_reset(&conf);
	buf_printf(&conf, PORTS("%s"), list.data);
	refuse(&env, conf.data, CNI_E_CONFIG,
	       "runtimeConfig.portMappings: 257 entries, at most 256 are supported");
}

/* What another mapping says already is dropped, whichever comes first. */
static void ports_that_say_the_same(void **state _unused_)
{
	static const struct {
		const char *conf;
		uint32_t n;
		bool has_ip;
	} cases[] = {
		{PORTS("{\"hostPort\":7,\"containerPort\":1},{\"hostPort\":7,\"containerPort\":1}"),
		 1, false},
		{PORTS("{\"hostPort\":7,\"containerPort\":1,\"hostIP\":\"10.0.0.1\"},"
		       "{\"hostPort\":7,\"containerPort\":1,\"hostIP\":\"fd00::1\"},"
		       "{\"hostPort\":7,\"containerPort\":1,\"hostIP\":\"0.0.0.0\"}"),
		 1, false},
		{PORTS("{\"hostPort\":7,\"containerPort\":1,\"hostIP\":\"::\"},"
		       "{\"hostPort\":7,\"containerPort\":1,\"hostIP\":\"10.0.0.1\"}"),
		 1, false},
		{PORTS("{\"hostPort\":7,\"containerPort\":1,\"hostIP\":\"10.0.0.1\"},"
		       "{\"hostPort\":7,\"containerPort\":2,\"hostIP\":\"10.0.0.2\"}"),
		 2, true},
		{PORTS("{\"hostPort\":7,\"containerPort\":1,\"protocol\":\"TCP\"},"
		       "{\"hostPort\":7,\"containerPort\":1,\"protocol\":\"Sctp\"}"),
		 2, false},
	};
	struct cni_env env = add_env();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cni_request *q = take(&env, cases[i].conf);

		assert_int_equal(q->n_ports, cases[i].n);
		assert_int_equal(q->ports[0].has_ip, cases[i].has_ip);
		(void)cni_request_free(q);
	}
}

/* Asking for the same thing in several ways is asking once. */
static void wishes_from_everywhere(void **state _unused_)
{
	struct cni_env env = add_env();
	struct cni_request *q;

	env.args = ARGS ";IP=10.0.0.7;MAC=02:00:00:00:00:07";
	q = take(&env,
		 "{" CONF ",\"ipam\":{},\"runtimeConfig\":{\"ips\":[\"10.0.0.7/24\"],\"mac\":"
		 "\"02:00:00:00:00:07\",\"bandwidth\":{\"ingressRate\":0}},\"args\":{\"cni\":{"
		 "\"ips\":[\"fd00::7/64\",\"10.0.0.7\"],\"portMappings\":7}}}");
	assert_int_equal(q->n_want, 2);
	assert_true(addr_eq(&q->want[0], &(struct addr){AF_INET, {10, 0, 0, 7}}));
	assert_true(addr_eq(&q->want[1], &(struct addr){AF_INET6, {0xfd, [15] = 7}}));
	assert_true(q->has_mac);
	assert_memory_equal(q->mac.b, "\x02\0\0\0\0\x07", MAC_LEN);
	assert_int_equal(q->n_ports, 0);
	(void)cni_request_free(q);
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

static struct cni_request *take_verb(const char *verb, const char *conf)
{
	struct cni_env env = {.command = verb};

	return take(&env, conf);
}

static void every_supported_version(void **state _unused_)
{
	for (size_t i = 0; cni_versions[i]; i++) {
		_cleanup_(freep) char *conf =
			xasprintf("{\"name\":\"x\",\"cniVersion\":\"%s\"}", cni_versions[i]);
		struct cni_env env = add_env();
		struct cni_request *q = take(&env, conf);

		assert_string_equal(q->version, cni_versions[i]);
		(void)cni_request_free(q);
	}
}

static void verbs_that_a_version_does_not_have(void **state _unused_)
{
	struct cni_env env = add_env();

	env.command = "CHECK";
	refuse(&env, "{\"name\":\"x\",\"cniVersion\":\"0.3.1\",\"prevResult\":{}}", CNI_E_VERSION,
	       "cniVersion 0.3.1 has no CHECK, 0.4.0 has");
	env.command = "GC";
	refuse(&env, "{\"name\":\"x\",\"cniVersion\":\"1.0.0\"}", CNI_E_VERSION,
	       "cniVersion 1.0.0 has no GC, 1.1.0 has");
	env.command = "STATUS";
	refuse(&env, "{\"name\":\"x\",\"cniVersion\":\"1.0.0\"}", CNI_E_VERSION, "has no STATUS");
}

/* libcni sends nothing but its own version, which may be newer than all we know. */
static void version_needs_nothing(void **state _unused_)
{
	struct cni_request *q = take_verb("VERSION", "{\"cniVersion\":\"9.0.0\"}");

	assert_string_equal(q->version, "9.0.0");
	assert_string_equal(q->id, "");
	(void)cni_request_free(q);
	(void)cni_request_free(take_verb("VERSION", "{}"));
}

static void status_and_gc(void **state _unused_)
{
	static const char *const bad[] = {
		"[{}]",
		"[7]",
		"[{\"containerID\":\"a\"}]",
		"[{\"containerID\":7,\"ifname\":\"eth0\"}]",
		"[{\"containerID\":\"a\",\"ifname\":null}]",
	};
	static const char *const empty[] = {
		"{" CONF ",\"cni.dev/valid-attachments\":[]}",
		"{" CONF ",\"cni.dev/valid-attachments\":null}", /* CRI-O */
		"{" CONF ",\"cni.dev/attachments\":[]}",
	};
	struct cni_env env = {.command = "STATUS"};
	struct cni_request *q;

	(void)cni_request_free(take_verb("STATUS", "{" CONF "}"));
	refuse(&env, "{" CONF ",\"ipam\":{\"type\":\"x\"}}", CNI_E_CONFIG, "remove this");
	env.command = "GC";
	refuse(&env, "{" CONF "}", CNI_E_CONFIG, "valid-attachments: required");
	refuse(&env, "{" CONF ",\"cni.dev/valid-attachments\":{}}", CNI_E_CONFIG, "a list");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(freep) char *conf =
			xasprintf("{%s,\"cni.dev/valid-attachments\":%s}", CONF, bad[i]);

		refuse(&env, conf, CNI_E_CONFIG, "cni.dev/valid-attachments[0]: containerID and");
	}
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		q = take_verb("GC", empty[i]);
		assert_int_equal(q->n_valid, 0);
		(void)cni_request_free(q);
	}
	q = take_verb("GC",
		      "{" CONF ",\"cni.dev/valid-attachments\":null,\"cni.dev/attachments\":[null,"
		      "{\"ContainerID\":\"a\",\"IfName\":\"eth0\"}]}");
	assert_int_equal(q->n_valid, 1);
	assert_string_equal(q->valid[0].id, "a");
	(void)cni_request_free(q);
	q = take_verb("GC", "{" CONF ",\"cni.dev/valid-attachments\":["
			    "{\"containerID\":\"a\",\"ifname\":\"eth0\"},"
			    "{\"containerID\":\"b\",\"ifname\":\"eth1\"}]}");
	assert_int_equal(q->n_valid, 2);
	assert_string_equal(q->valid[0].id, "a");
	assert_string_equal(q->valid[1].ifname, "eth1");
	(void)cni_request_free(q);
}

static void check_needs_a_result_to_compare(void **state _unused_)
{
	struct cni_env env = add_env();
	struct cni_request *q;

	env.command = "CHECK";
	refuse(&env, "{" CONF "}", CNI_E_CONFIG, "prevResult: required for CHECK");
	env.args = NULL; /* which pod it is, we know */
	q = take(&env, "{" CONF ",\"prevResult\":{}}");
	assert_int_equal(q->prev->n, 0);
	(void)cni_request_free(q);
}

/* A pod must be deletable: the namespace may be gone, the rest wrong by today's rules. */
static void del_is_judged_mildly(void **state _unused_)
{
	struct cni_env env = {.command = "DEL", .container_id = "a", .ifname = "eth0"};
	struct cni_request *q = take(&env, "{" CONF "}");

	assert_string_equal(q->netns, "");
	(void)cni_request_free(q);
	env.netns = "not/absolute";
	env.args = "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=../x;nonsense";
	q = take(&env, "{" CONF ",\"ipam\":{\"type\":\"x\"},\"prevResult\":7,\"runtimeConfig\":"
		       "{\"bandwidth\":{\"ingressRate\":5},\"portMappings\":[7]}}");
	assert_string_equal(q->netns, "");
	assert_string_equal(q->ns, "shop");
	assert_string_equal(q->pod, "");
	(void)cni_request_free(q);
	env.container_id = "../x";
	refuse(&env, "{" CONF "}", CNI_E_ENVIRONMENT, "CNI_CONTAINERID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_add),
		cmocka_unit_test(bad_environments),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(limits_of_the_environment),
		cmocka_unit_test(unknown_args_may_be_ignored),
		cmocka_unit_test(ports_in_capitals),
		cmocka_unit_test(everything_as_go_writes_it),
		cmocka_unit_test(a_configuration_cut_short),
		cmocka_unit_test(a_huge_configuration),
		cmocka_unit_test(too_many_ports),
		cmocka_unit_test(ports_that_say_the_same),
		cmocka_unit_test(wishes_from_everywhere),
		cmocka_unit_test(every_supported_version),
		cmocka_unit_test(verbs_that_a_version_does_not_have),
		cmocka_unit_test(version_needs_nothing),
		cmocka_unit_test(status_and_gc),
		cmocka_unit_test(check_needs_a_result_to_compare),
		cmocka_unit_test(del_is_judged_mildly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
