// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kube_credentials.c - files that are replaced, in every way in which they are.
 */
#include "watch/kube/kube_credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	char folder[32];
	struct kube_credentials *c;
	struct err e;
};

static char *in(const struct world *w, const char *name)
{
	return xasprintf("%s/%s", w->folder, name);
}

/* As editors and secret managers do it: beside, and renamed into place. */
static void put(const struct world *w, const char *name, const char *text)
{
	_cleanup_(freep) char *path = in(w, name), *beside = in(w, "new");
	FILE *f = fopen(beside, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(beside, path), 0);
}

static void put_kubeconfig(const struct world *w, const char *user)
{
	_cleanup_(freep) char *text = xasprintf(
		"current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
		"clusters: [{name: k, cluster: {server: 'https://a', certificate-authority: "
		"ca.crt}}]\nusers: [{name: u, user: {%s}}]\n",
		user);

	put(w, "kubeconfig", text);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/manx-test-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	put(w, "ca.crt", "a CA");
	put(w, "token", "one\n");
	put_kubeconfig(w, "tokenFile: token");
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *command = xasprintf("rm -rf %s", w->folder);

	(void)kube_credentials_close(w->c);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void open_them(struct world *w)
{
	_cleanup_(freep) char *path = in(w, "kubeconfig");

	if (kube_credentials_open(path, &w->c, &w->e) < 0)
		fail_msg("%s", w->e.msg);
}

static const struct http_server *server(const struct world *w)
{
	return kube_credentials_server(w->c);
}

static void assert_open_fails(struct world *w, int code, const char *name, const char *why)
{
	_cleanup_(freep) char *path = in(w, "kubeconfig"), *text = in(w, name);

	assert_int_equal(kube_credentials_open(path, &w->c, &w->e), code);
	assert_null(w->c);
	assert_true(str_starts(w->e.msg, text));
	assert_string_equal(w->e.msg + strlen(text), why);
}

static void all_of_it(void **state)
{
	struct world *w = *state;

	put(w, "cert", "a certificate");
	put(w, "key", "a key");
	put_kubeconfig(w,
		       "tokenFile: token, client-certificate: cert, client-key: key, username: x, "
		       "password: secret");
	open_them(w);
	assert_string_equal(server(w)->url, "https://a");
	assert_string_equal(server(w)->ca, "a CA");
	assert_string_equal(server(w)->token, "one"); /* without the line's end */
	assert_string_equal(server(w)->cert, "a certificate");
	assert_string_equal(server(w)->key, "a key");
	assert_string_equal(server(w)->user, "x");
	assert_string_equal(server(w)->password, "secret");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 0);
	assert_string_equal(server(w)->token, "one");
}

static void what_cannot_be_read_at_the_start(void **state)
{
	struct world *w = *state;

	put(w, "token", " \n");
	assert_open_fails(w, -EINVAL, "token", ": empty");
	put(w, "token", "");
	assert_open_fails(w, -EINVAL, "token", ": empty");
	put_kubeconfig(w, "tokenFile: nowhere");
	assert_open_fails(w, -ENOENT, "nowhere", ": No such file or directory");
	put_kubeconfig(w, "tokenFile: .");
	assert_open_fails(w, -EINVAL, ".", ": not a regular file");
	put_kubeconfig(w, "exec: {}");
	assert_open_fails(w, -ENOTSUP, "kubeconfig",
			  ": user.exec: credentials from a program are not supported; use a client "
			  "certificate, a token or a tokenFile");
}

static void a_token_that_is_renewed(void **state)
{
	struct world *w = *state;

	open_them(w);
	put(w, "token", "two\n");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
	assert_string_equal(server(w)->token, "two");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 0);
	put(w, "ca.crt", "another CA");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
	assert_string_equal(server(w)->ca, "another CA");
	assert_string_equal(server(w)->token, "two");
}

/*
 * The same size and, as copies keep it, the same time of change.  Before 6.13 the kernel's own time
 * of change goes by ticks, of 10 ms at most: within one nothing could be seen.
 */
static void a_file_written_in_place(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *path = in(w, "token");
	struct timespec times[2];
	struct stat st;
	FILE *f;

	open_them(w);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(usleep(20000), 0);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs("two\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	times[0] = times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
	assert_string_equal(server(w)->token, "two");
}

static void the_kubeconfig_itself(void **state)
{
	struct world *w = *state;

	open_them(w);
	put_kubeconfig(w, "token: inside");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
	assert_string_equal(server(w)->token, "inside");
	/* What it does not name any more does not matter. */
	put(w, "token", "three\n");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 0);
}

/* What is wrong is said every time, what was right stays, and what is right again is taken. */
static void a_version_that_cannot_be_read(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *token = in(w, "token"), *config = in(w, "kubeconfig");

	open_them(w);
	assert_int_equal(unlink(token), 0);
	for (int i = 0; i < 2; i++) {
		w->e = (struct err){0};
		assert_int_equal(kube_credentials_refresh(w->c, &w->e), -ENOENT);
		assert_non_null(strstr(w->e.msg, "/token: No such file or directory"));
		assert_string_equal(server(w)->token, "one");
		assert_string_equal(server(w)->ca, "a CA");
	}
	put(w, "token", "two\n");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
	assert_string_equal(server(w)->token, "two");
	put(w, "kubeconfig", "current-context: [");
	assert_true(kube_credentials_refresh(w->c, &w->e) < 0);
	assert_true(str_starts(w->e.msg, config));
	assert_string_equal(server(w)->token, "two");
	put_kubeconfig(w, "tokenFile: token");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
}

/* Back as it was: the same file again, after it was away. */
static void a_file_that_was_away(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *token = in(w, "token"), *away = in(w, "away");

	open_them(w);
	assert_int_equal(rename(token, away), 0);
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), -ENOENT);
	assert_int_equal(rename(away, token), 0);
	assert_true(kube_credentials_refresh(w->c, &w->e) >= 0);
	assert_string_equal(server(w)->token, "one");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 0);
}

static void link_to(const struct world *w, const char *target, const char *name)
{
	_cleanup_(freep) char *path = in(w, name), *beside = in(w, "new");

	assert_int_equal(symlink(target, beside), 0);
	assert_int_equal(rename(beside, path), 0);
}

static void make_folder(const struct world *w, const char *name)
{
	_cleanup_(freep) char *path = in(w, name);

	assert_int_equal(mkdir(path, 0700), 0);
}

/* The way of the kubelet with the files of a volume: token -> ..data/token, ..data -> ..1. */
static void a_volume_of_the_kubelet(void **state)
{
	struct world *w = *state;

	make_folder(w, "..1");
	put(w, "..1/token", "one");
	put(w, "..1/ca.crt", "a CA");
	link_to(w, "..1", "..data");
	link_to(w, "..data/token", "token");
	link_to(w, "..data/ca.crt", "ca.crt");
	open_them(w);
	assert_string_equal(server(w)->token, "one");
	make_folder(w, "..2");
	put(w, "..2/token", "two");
	put(w, "..2/ca.crt", "another CA");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 0);
	link_to(w, "..2", "..data");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
	assert_string_equal(server(w)->token, "two");
	assert_string_equal(server(w)->ca, "another CA");
}

/* A certificate and its key belong together: half of a pair is not taken. */
static void half_of_a_pair(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *key = in(w, "key");

	put(w, "cert", "certificate 1");
	put(w, "key", "key 1");
	put_kubeconfig(w, "client-certificate: cert, client-key: key");
	open_them(w);
	assert_int_equal(unlink(key), 0);
	put(w, "cert", "certificate 2");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), -ENOENT);
	assert_string_equal(server(w)->cert, "certificate 1");
	assert_string_equal(server(w)->key, "key 1");
	put(w, "key", "key 2");
	assert_int_equal(kube_credentials_refresh(w->c, &w->e), 1);
	assert_string_equal(server(w)->cert, "certificate 2");
	assert_string_equal(server(w)->key, "key 2");
}

static void a_kubeconfig_named_without_a_folder(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *before = getcwd(NULL, 0);

	assert_int_equal(chdir(w->folder), 0);
	assert_int_equal(kube_credentials_open("kubeconfig", &w->c, &w->e), 0);
	assert_string_equal(server(w)->token, "one");
	assert_int_equal(chdir(before), 0);
}

/* Not in this process's environment: no pod; with it, but without the files: neither. */
static void as_a_pod(void **state)
{
	struct world *w = *state;

	assert_int_equal(unsetenv("KUBERNETES_SERVICE_HOST"), 0);
	assert_int_equal(kube_credentials_open(NULL, &w->c, &w->e), -EINVAL);
	assert_true(str_starts(w->e.msg, "in-cluster: "));
	assert_int_equal(setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1), 0);
	assert_int_equal(setenv("KUBERNETES_SERVICE_PORT", "443", 1), 0);
	assert_int_equal(kube_credentials_open(NULL, &w->c, &w->e), -ENOENT);
	assert_string_equal(w->e.msg, KUBE_SERVICE_ACCOUNT "/ca.crt: No such file or directory");
	assert_null(kube_credentials_close(NULL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it),
		TEST(what_cannot_be_read_at_the_start),
		TEST(a_token_that_is_renewed),
		TEST(a_file_written_in_place),
		TEST(the_kubeconfig_itself),
		TEST(a_version_that_cannot_be_read),
		TEST(a_file_that_was_away),
		TEST(a_volume_of_the_kubelet),
		TEST(half_of_a_pair),
		TEST(a_kubeconfig_named_without_a_folder),
		TEST(as_a_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
