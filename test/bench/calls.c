// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls.c - CNI calls as a runtime makes them, with less noise than from Python:
 *
 *	calls PLUGIN ADD|DEL IFNAME CONFIG AT-ONCE < PODS
 *
 * A line of PODS is a pod: container id, path of its namespace, CNI_ARGS.  CONFIG is a file, the
 * plugin's standard input.  Every call is a process, started with fork and exec; with AT-ONCE above
 * 1 so many wait for each other before the exec.  A call is measured from its exec to its end; of a
 * group also from the first exec to the last end.
 *
 * Prints one object: {"ms":[of each call],"groups":[ms of each group]}.  A call that fails ends it.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/jsonw.h"
#include "test/bench/figure.h"

#define ARGUMENTS 5

struct pod {
	char *id, *netns, *args;
};

struct run {
	char *const *argument; /* PLUGIN, verb, IFNAME, CONFIG */
	VEC(struct pod) pods;
	struct samples each, groups;
};

struct child {
	pid_t pid;
	int gate, began; /* we close @gate to let it go; it writes the time of its exec to @began */
};

static void read_pods(struct run *r)
{
	char id[256], netns[512], args[1024];

	while (scanf("%255s %511s %1023s", id, netns, args) == 3)
		vec_push(&r->pods, (struct pod){xstrdup(id), xstrdup(netns), xstrdup(args)});
	if (!r->pods.n)
		bench_fail("no pods on standard input", NULL);
}

static _noreturn_ void become_plugin(const struct run *r, const struct pod *p)
{
	const char *plugin = r->argument[0];
	int in = open(r->argument[3], O_RDONLY | O_CLOEXEC), out = open("/dev/null", O_WRONLY);
	_cleanup_(freep) char *folder = xstrndup(plugin, (size_t)(strrchr(plugin, '/') - plugin));

	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(127);
	(void)setenv("CNI_COMMAND", r->argument[1], 1);
	(void)setenv("CNI_IFNAME", r->argument[2], 1);
	(void)setenv("CNI_CONTAINERID", p->id, 1);
	(void)setenv("CNI_NETNS", p->netns, 1);
	(void)setenv("CNI_ARGS", p->args, 1);
	(void)setenv("CNI_PATH", folder, 1);
	(void)execl(plugin, plugin, NULL);
	_exit(127);
}

static void start(const struct run *r, const struct pod *p, struct child *c)
{
	int gate[2], began[2];
	double now;
	char byte;

	if (pipe2(gate, O_CLOEXEC) < 0 || pipe2(began, O_CLOEXEC) < 0)
		bench_fail("pipe", NULL);
	c->pid = fork();
	if (c->pid < 0)
		bench_fail("fork", NULL);
	if (c->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(gate[1]);
		(void)!read(gate[0], &byte, 1);
		now = bench_usec();
		if (write(began[1], &now, sizeof(now)) != sizeof(now))
			_exit(127);
		become_plugin(r, p);
	}
	(void)close(gate[0]);
	(void)close(began[1]);
	c->gate = gate[1];
	c->began = began[0];
}

static double end(const struct child *c, int status, double ended)
{
	double began;

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		(void)fprintf(stderr, "calls: a plugin failed with status %d\n", status);
		exit(1);
	}
	if (read(c->began, &began, sizeof(began)) != sizeof(began))
		bench_fail("a child", NULL);
	(void)close(c->began);
	return (ended - began) / 1000;
}

static void take_one(struct run *r, struct child *c, size_t n)
{
	int status;
	pid_t pid = wait(&status);
	double ended = bench_usec();

	for (size_t i = 0; i < n; i++)
		if (c[i].pid == pid)
			vec_push(&r->each.v, end(&c[i], status, ended));
}

/* Gates opened after this hold for children forked before it, too: each has only its own. */
static void group(struct run *r, const struct pod *p, size_t n)
{
	struct child *c = xcalloc(n, sizeof(*c));
	double began;

	for (size_t i = 0; i < n; i++)
		start(r, &p[i], &c[i]);
	began = bench_usec();
	for (size_t i = 0; i < n; i++)
		(void)!write(c[i].gate, "", 1);
	for (size_t i = 0; i < n; i++)
		take_one(r, c, n);
	vec_push(&r->groups.v, (bench_usec() - began) / 1000);
	for (size_t i = 0; i < n; i++)
		(void)close(c[i].gate);
	free(c);
}

static void put_list(struct jsonw *w, const char *key, const struct samples *s)
{
	jsonw_begin(w, key, '[');
	vec_foreach (v, &s->v)
		jsonw_double(w, NULL, *v);
	jsonw_end(w, ']');
}

int main(int argc, char **argv)
{
	struct run r = {.argument = argv + 1};
	struct buf b = {0};
	struct jsonw w = {.out = &b};
	size_t at_once = argc == ARGUMENTS + 1 ? strtoul(argv[ARGUMENTS], NULL, 10) : 0;

	if (!at_once || argv[1][0] != '/') {
		(void)fprintf(stderr, "usage: calls /PLUGIN ADD|DEL IFNAME CONFIG AT-ONCE\n");
		return 1;
	}
	read_pods(&r);
	for (size_t i = 0; i < r.pods.n; i += at_once)
		group(&r, &r.pods.v[i], MIN(at_once, r.pods.n - i));
	jsonw_begin(&w, NULL, '{');
	put_list(&w, "ms", &r.each);
	put_list(&w, "groups", &r.groups);
	jsonw_end(&w, '}');
	(void)puts(b.data);
	return 0;
}
