// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kube_access.c - what a kubeconfig says, and what is wrong with it.
 */
#include "watch/kube/kube_access.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEAD	      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
#define CLUSTER(text) "clusters: [{name: k, cluster: {" text "}}]\n"
#define USER(text)    "users: [{name: u, user: {" text "}}]\n"
#define SERVER	      "server: 'https://api:6443'"

static void parse(const char *text, struct kube_access *ret)
{
	struct err e = {0};

	if (kube_access_parse(text, strlen(text), "/etc/manx", ret, &e) < 0)
		fail_msg("%s", e.msg);
}

#define PARSE(a, text)                                          \
	_cleanup_(kube_access_done) struct kube_access a = {0}; \
	parse(text, &a)

static void assert_refused(const char *text, int code, const char *why)
{
	struct kube_access a = {.insecure = true}, untouched = a;
	struct err e = {0};
	int r = kube_access_parse(text, strlen(text), "/etc/manx", &a, &e);

	if (r != code || strncmp(e.msg, why, strlen(why)) != 0)
		fail_msg("%d: %s", r, e.msg);
	assert_memory_equal(&a, &untouched, sizeof(a));
}

/* --- what is taken -----------------------------------------------------------------------------
 */

static void data_in_the_kubeconfig(void **state _unused_)
{
	PARSE(a, HEAD CLUSTER(SERVER ", certificate-authority-data: Y2E=") USER(
			 "client-certificate-data: Y2Vy dA==, client-key-data: a2V5, token: t0k"));

	assert_string_equal(a.url, "https://api:6443");
	assert_string_equal(a.data[KUBE_CA], "ca");
	assert_string_equal(a.data[KUBE_CERT], "cert");
	assert_string_equal(a.data[KUBE_KEY], "key");
	assert_string_equal(a.data[KUBE_TOKEN], "t0k");
	for (int f = 0; f < _KUBE_FILE_MAX; f++)
		assert_null(a.path[f]);
	assert_false(a.insecure);
	assert_null(a.server_name);
	assert_null(a.proxy);
	assert_null(a.user);
	assert_null(a.password);
}

/* Relative to the kubeconfig's folder. */
static void files_beside_it(void **state _unused_)
{
	PARSE(a, HEAD CLUSTER(SERVER ", certificate-authority: ca.pem") USER(
			 "client-certificate: ../c.pem, client-key: /k.pem, tokenFile: t/token"));

	assert_string_equal(a.path[KUBE_CA], "/etc/manx/ca.pem");
	assert_string_equal(a.path[KUBE_CERT], "/etc/manx/../c.pem");
	assert_string_equal(a.path[KUBE_KEY], "/k.pem");
	assert_string_equal(a.path[KUBE_TOKEN], "/etc/manx/t/token");
	for (int f = 0; f < _KUBE_FILE_MAX; f++)
		assert_null(a.data[f]);
}

static void data_win_over_files(void **state _unused_)
{
	PARSE(a, HEAD CLUSTER(SERVER ", certificate-authority: x, certificate-authority-data: Y2E=")
			 USER("client-certificate: x, client-certificate-data: Y2VydA==, "
			      "client-key: k, "
			      "token: t, tokenFile: f"));

	assert_string_equal(a.data[KUBE_CA], "ca");
	assert_null(a.path[KUBE_CA]);
	assert_string_equal(a.data[KUBE_CERT], "cert");
	assert_null(a.path[KUBE_CERT]);
	assert_string_equal(a.path[KUBE_KEY], "/etc/manx/k");
	assert_string_equal(a.data[KUBE_TOKEN], "t");
	assert_null(a.path[KUBE_TOKEN]);
}

static void empty_texts_are_none(void **state _unused_)
{
	PARSE(a, HEAD CLUSTER(SERVER ", certificate-authority-data: '', certificate-authority: ca, "
				     "proxy-url: '', tls-server-name: ''")
			 USER("token: '', tokenFile: f, username: ''"));

	assert_null(a.data[KUBE_CA]);
	assert_string_equal(a.path[KUBE_CA], "/etc/manx/ca");
	assert_string_equal(a.path[KUBE_TOKEN], "/etc/manx/f");
	assert_null(a.proxy);
	assert_null(a.server_name);
	assert_null(a.user);
}

static void the_rest_of_a_cluster_and_a_user(void **state _unused_)
{
	PARSE(a, HEAD CLUSTER("server: 'http://api/base//', insecure-skip-tls-verify: true, "
			      "tls-server-name: kubernetes, proxy-url: 'http://proxy:3128'")
			 USER("username: admin, password: secret"));

	assert_string_equal(a.url, "http://api/base");
	assert_true(a.insecure);
	assert_string_equal(a.server_name, "kubernetes");
	assert_string_equal(a.proxy, "http://proxy:3128");
	assert_string_equal(a.user, "admin");
	assert_string_equal(a.password, "secret");
}

static void the_current_one_of_several(void **state _unused_)
{
	PARSE(a, "kind: Config\ncurrent-context: two\n"
		 "contexts:\n- {name: one, context: {cluster: a, user: x}}\n- context: {}\n"
		 "- {name: two, context: {cluster: b, user: z, namespace: n}}\n"
		 "clusters:\n- {name: a, cluster: {server: 'https://a'}}\n"
		 "- {name: b, cluster: {server: 'https://b'}}\n"
		 "users:\n- {name: x, user: {exec: {command: no}}}\n- {name: y}\n"
		 "- {name: z, user: {token: right}}\n- {name: z, user: {token: late}}\n"
		 "preferences: {}\n");

	assert_string_equal(a.url, "https://b");
	assert_string_equal(a.data[KUBE_TOKEN], "right"); /* the first of a name counts */
}

static void nobody_in_particular(void **state _unused_)
{
	PARSE(a,
	      "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":"
	      "\"k\"}}],\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https://a\"}}]}");
	PARSE(b, HEAD CLUSTER(SERVER) "users: [{name: u}]\n");

	assert_string_equal(a.url, "https://a");
	assert_null(a.data[KUBE_TOKEN]);
	assert_string_equal(b.url, "https://api:6443");
	assert_null(b.path[KUBE_TOKEN]);
}

/* --- what is refused ---------------------------------------------------------------------------
 */

static void what_is_missing_is_named(void **state _unused_)
{
	assert_refused("{}", -EINVAL, "current-context: required");
	assert_refused("current-context: ''", -EINVAL, "current-context: required");
	assert_refused("current-context: c", -EINVAL, "contexts: there is no 'c'");
	assert_refused("{current-context: c, contexts: [{name: d}]}", -EINVAL,
		       "contexts: there is no 'c'");
	assert_refused("{current-context: c, contexts: [{name: c}]}", -EINVAL,
		       "contexts: 'c' has no context");
	assert_refused("{current-context: c, contexts: [{name: c, context: {}}]}", -EINVAL,
		       "clusters: there is no ''");
	assert_refused(HEAD, -EINVAL, "clusters: there is no 'k'");
	assert_refused(HEAD CLUSTER(""), -EINVAL, "cluster.server: required");
	assert_refused(HEAD "clusters: [{name: k}]\n", -EINVAL, "cluster.server: required");
	assert_refused(HEAD CLUSTER(SERVER), -EINVAL, "users: there is no 'u'");
}

static void what_is_wrong_is_named(void **state _unused_)
{
	assert_refused(HEAD CLUSTER("server: api"), -EINVAL,
		       "cluster.server: 'api' is no http or https URL");
	assert_refused(HEAD CLUSTER("server: [1]"), -EINVAL, "cluster.server: ");
	assert_refused(HEAD CLUSTER(SERVER ", certificate-authority-data: '***'"), -EINVAL,
		       "cluster.certificate-authority-data: not base64");
	assert_refused(HEAD CLUSTER(SERVER ", insecure-skip-tls-verify: 3"), -EINVAL,
		       "cluster.insecure-skip-tls-verify: ");
	assert_refused(HEAD CLUSTER(SERVER) USER("client-key-data: 'a'"), -EINVAL,
		       "user.client-key-data: not base64");
	assert_refused(HEAD CLUSTER(SERVER) USER("client-certificate: c"), -EINVAL,
		       "user: client-certificate and client-key belong together");
	assert_refused(HEAD CLUSTER(SERVER) USER("client-key: c"), -EINVAL,
		       "user: client-certificate and client-key belong together");
	assert_refused(HEAD CLUSTER(SERVER) USER("token: {}"), -EINVAL, "user.token: ");
	assert_refused(HEAD CLUSTER(SERVER) "users: [{name: u, user: 7}]", -EINVAL, "users.user: ");
	assert_refused("current-context: [c]", -EINVAL, "current-context: ");
	assert_refused("{current-context: c, contexts: c}", -EINVAL, "contexts: ");
	assert_refused("[1]", -EINVAL, "expected keys and values, found a list");
	assert_refused("a: b: c", -EINVAL, "line 1");
}

/* Text that a terminating byte would cut is no PEM. */
static void data_with_a_zero_byte(void **state _unused_)
{
	assert_refused(HEAD CLUSTER(SERVER ", certificate-authority-data: Y2EAY2E="), -EINVAL,
		       "cluster.certificate-authority-data: holds a zero byte");
}

static void credentials_that_are_not_offered(void **state _unused_)
{
	assert_refused(HEAD CLUSTER(SERVER) USER("token: t, exec: {command: aws}"), -ENOTSUP,
		       "user.exec: credentials from a program are not supported");
	assert_refused(HEAD CLUSTER(SERVER) USER("auth-provider: {name: gcp}"), -ENOTSUP,
		       "user.auth-provider: not supported");
	assert_refused(HEAD CLUSTER(SERVER) USER("as: root"), -ENOTSUP,
		       "user.as: impersonation is not supported");
}

static void too_large(void **state _unused_)
{
	_cleanup_(freep) char *text = xmalloc(KUBECONFIG_MAX + 2);

	memset(text, '#', KUBECONFIG_MAX + 1);
	text[KUBECONFIG_MAX + 1] = '\0';
	assert_refused(text, -EFBIG, "larger than 4194304 bytes");
}

/* --- as a pod ------------------------------------------------------------------------------------
 */

static void in_a_cluster(void **state _unused_)
{
	_cleanup_(kube_access_done) struct kube_access a = {0}, six = {0};
	struct err e = {0};

	assert_int_equal(kube_access_in_cluster("10.96.0.1", "443", "/sa", &a, &e), 0);
	assert_string_equal(a.url, "https://10.96.0.1:443");
	assert_string_equal(a.path[KUBE_CA], "/sa/ca.crt");
	assert_string_equal(a.path[KUBE_TOKEN], "/sa/token");
	assert_null(a.path[KUBE_CERT]);
	assert_null(a.data[KUBE_TOKEN]);
	assert_int_equal(kube_access_in_cluster("fd00::1", "6443", "/sa", &six, &e), 0);
	assert_string_equal(six.url, "https://[fd00::1]:6443");
}

static void in_no_cluster(void **state _unused_)
{
	static const char *const cases[][2] = {
		{NULL, NULL}, {"a", NULL}, {NULL, "1"}, {"", "1"}, {"a", ""}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_access a = {0};
		struct err e = {0};

		assert_int_equal(kube_access_in_cluster(cases[i][0], cases[i][1], "/", &a, &e),
				 -EINVAL);
		assert_true(str_starts(e.msg, "in-cluster: KUBERNETES_SERVICE_HOST and "));
		assert_null(a.url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_in_the_kubeconfig),
		cmocka_unit_test(files_beside_it),
		cmocka_unit_test(data_win_over_files),
		cmocka_unit_test(empty_texts_are_none),
		cmocka_unit_test(the_rest_of_a_cluster_and_a_user),
		cmocka_unit_test(the_current_one_of_several),
		cmocka_unit_test(nobody_in_particular),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(data_with_a_zero_byte),
		cmocka_unit_test(credentials_that_are_not_offered),
		cmocka_unit_test(too_large),
		cmocka_unit_test(in_a_cluster),
		cmocka_unit_test(in_no_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
