// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_http_tls.c - whose certificate is believed: watch/kube/http.c against openssl's s_server.
 *
 * The authority is always trusted; what differs is the name.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "watch/kube/http.h"
#include "watch/kube/libcurl.h"

/*
 * struct server - its certificate, as the client asks for it
 * @cn, @san:  Subject's common name; subjectAltName, NULL: none
 * @host:      In the URL
 * @name:      tls-server-name of the kubeconfig; NULL: @host
 * @insecure:  insecure-skip-tls-verify
 */
struct server {
	const char *cn, *san, *host, *name;
	bool insecure, believed;
};

static const struct server servers[] = {
	{"x", "IP:127.0.0.1", "127.0.0.1", NULL, false, true},
	{"x", "DNS:localhost", "localhost", NULL, false, true},
	{"x", "DNS:kubernetes.default", "127.0.0.1", "kubernetes.default", false, true},
	{"x", "DNS:*.example.org,IP:192.0.2.1", "127.0.0.1", "api.example.org", false, true},
	/* Other names. */
	{"x", "DNS:other.example", "127.0.0.1", NULL, false, false},
	{"x", "IP:127.0.0.2", "127.0.0.1", NULL, false, false},
	{"x", "DNS:localhost", "127.0.0.1", NULL, false, false},
	{"x", "DNS:127.0.0.1", "127.0.0.1", NULL, false, false},
	{"x", "IP:127.0.0.1", "127.0.0.1", "kubernetes.default", false, false},
	/* The common name says nothing, whatever stands beside it. */
	{"127.0.0.1", NULL, "127.0.0.1", NULL, false, false},
	{"localhost", NULL, "localhost", NULL, false, false},
	{"localhost", NULL, "127.0.0.1", "localhost", false, false},
	{"127.0.0.1", "email:a@b.example", "127.0.0.1", NULL, false, false},
	{"localhost", "URI:https://a.example", "localhost", NULL, false, false},
	{"localhost", "DNS:other.example", "localhost", NULL, false, false},
	/* Who does not look sees nothing. */
	{"x", "DNS:other.example", "127.0.0.1", NULL, true, true},
	{"127.0.0.1", NULL, "127.0.0.1", NULL, true, true},
};

/* struct world - @folder: of keys and certificates */
struct world {
	char folder[32];
	pid_t pid;
	int port;
	struct loop *loop;
	int status, error;
};

static void run(const char *folder, const char *fmt, ...) _printf_(2, 3);

static void run(const char *folder, const char *fmt, ...)
{
	_cleanup_(freep) char *command = NULL, *inside = NULL;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&command, fmt, ap) > 0);
	va_end(ap);
	inside = xasprintf("cd %s && { %s; } >/dev/null 2>&1", folder, command);
	if (system(inside) != 0)
		fail_msg("%s", command);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err e = {0};

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/manx-test-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	assert_int_equal(libcurl_load(&e), 0);
	run(w->folder, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		       "-subj /CN=authority -days 2 -keyout ca.key -out ca.crt");
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	run(w->folder, "rm -r %s", w->folder);
	free(w);
	return 0;
}

static void make_certificate(const struct world *w, const struct server *s)
{
	run(w->folder,
	    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=%s' "
	    "-keyout s.key -out s.csr && printf '%s%s\\n' >ext && openssl x509 -req -in s.csr "
	    "-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 %s -out s.crt",
	    s->cn, s->san ? "subjectAltName=" : "", s->san ?: "", s->san ? "-extfile ext" : "");
}

static void start_server(struct world *w)
{
	char line[256];
	int out[2];
	FILE *f;

	assert_int_equal(pipe(out), 0);
	(void)fflush(NULL);
	w->pid = fork();
	if (w->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], STDOUT_FILENO);
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		if (chdir(w->folder) == 0)
			(void)execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0",
				     "-cert", "s.crt", "-key", "s.key", "-www", (char *)NULL);
		_exit(1);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	w->port = 0;
	while (!w->port && fgets(line, sizeof(line), f))
		(void)sscanf(line, "ACCEPT 127.0.0.1:%d", &w->port);
	assert_true(w->port > 0);
	(void)fclose(f);
}

static bool on_data(void *arg _unused_, int status _unused_, const char *bytes _unused_,
		    size_t n _unused_)
{
	return true;
}

static void on_done(void *arg, const struct http_result *r)
{
	struct world *w = arg;

	w->status = r->status;
	w->error = r->error;
	loop_exit(w->loop, 0);
}

static void ask(struct world *w, const struct server *s)
{
	static const struct http_handler handler = {on_data, on_done};
	const struct http_call c = {"GET", "/", "application/json", NULL};
	_cleanup_(freep) char *url = xasprintf("https://%s:%d", s->host, w->port);
	_cleanup_(freep) char *path = xasprintf("%s/ca.crt", w->folder);
	char pem[4096] = {0};
	FILE *f = fopen(path, "r");
	struct http *h;

	assert_true(f && fread(pem, 1, sizeof(pem) - 1, f) > 0);
	(void)fclose(f);
	assert_int_equal(loop_new(&w->loop), 0);
	h = http_new(w->loop);
	http_set_server(h, &(struct http_server){.url = url,
						 .server_name = (char *)s->name,
						 .ca = pem,
						 .insecure = s->insecure,
						 .token = (char *)"secret"});
	(void)http_send(h, &c, &handler, w);
	(void)loop_run(w->loop);
	(void)http_free(h);
	(void)loop_free(w->loop);
}

static void the_name_of_the_server(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		const struct server *s = &servers[i];

		print_message("CN=%s %s as %s%s\n", s->cn, s->san ?: "", s->name ?: s->host,
			      s->insecure ? ", not verified" : "");
		make_certificate(w, s);
		start_server(w);
		ask(w, s);
		(void)kill(w->pid, SIGKILL);
		(void)waitpid(w->pid, NULL, 0);
		if (s->believed)
			assert_int_equal(w->status, 200);
		else
			assert_int_equal(w->status, 0);
		assert_int_equal(w->error, s->believed ? 0 : -EKEYREJECTED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_name_of_the_server, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
