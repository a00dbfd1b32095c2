// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load.c - where the time goes when a folder of manifests is loaded: load FOLDER NODE
 *
 * The floor: its bytes read and given to libyaml or yajl with nothing behind them; and the bulk
 * load of the table that the objects give, as messages written beforehand, in the transactions that
 * an agent would send.  Between the two, the same steps as an agent takes, each by itself: bytes to
 * typed objects in the store (folder), programs and peer sets (policy), messages (encode).  Pods
 * of NODE are attached.  Needs root: the table is in a network namespace of its own.
 *
 * Prints milliseconds of CPU time (nothing here waits, and other work on the machine does not
 * count), and the longest of the transactions: so long is the kernel's commit lock held.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_parse.h>
#include <yaml.h>

#include "agent/changes.h"
#include "lib/file.h"
#include "test/bench/bare.h"
#include "test/bench/figure.h"
#include "test/bench/node.h"
#include "watch/folder/folder.h"

#define ROUNDS 7

enum step { FOLDER, POLICY, ENCODE, KERNEL, LONGEST, _STEP_MAX };

static const char *const step_name[_STEP_MAX] = {
	"bytes to objects in the store", "programs and peer sets",	 "messages written",
	"prepared transactions",	 "longest prepared transaction",
};

static double cpu_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* --- bytes alone -------------------------------------------------------------------------------
 */

static void parse_json(const struct buf *text)
{
	yajl_handle h = yajl_alloc(&bare_callbacks, NULL, NULL);

	if (yajl_parse(h, (const unsigned char *)text->data, text->len) != yajl_status_ok)
		bench_fail("not JSON", NULL);
	yajl_free(h);
}

static void parse_yaml(const struct buf *text)
{
	yaml_parser_t p;
	bool more = true;

	if (!yaml_parser_initialize(&p))
		bench_fail("libyaml", NULL);
	yaml_parser_set_input_string(&p, (const unsigned char *)text->data, text->len);
	while (more) {
		yaml_event_t e;

		if (!yaml_parser_parse(&p, &e))
			bench_fail("not YAML", NULL);
		more = e.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
}

/* Read and parse every file; return the bytes. */
static size_t receive(const char *folder)
{
	DIR *d = opendir(folder);
	size_t bytes = 0;
	struct dirent *e;

	if (!d)
		bench_fail(folder, NULL);
	while ((e = readdir(d))) {
		_cleanup_(buf_done) struct buf text = {0};
		struct err err = {0};

		if (*e->d_name == '.')
			continue;
		if (file_read(dirfd(d), e->d_name, FOLDER_FILE_MAX, &text, &err) < 0)
			bench_fail(e->d_name, &err);
		if (text.data[0] == '{')
			parse_json(&text);
		else
			parse_yaml(&text);
		bytes += text.len;
	}
	(void)closedir(d);
	return bytes;
}

static void measure_receiving(const char *folder)
{
	struct samples s = {0};
	size_t bytes = 0;

	for (size_t left = bench_rounds(ROUNDS); left; left--) {
		double began = cpu_usec();

		bytes = receive(folder);
		vec_push(&s.v, (cpu_usec() - began) / 1000);
	}
	figure_samples("bytes read and parsed alone", "ms", &s,
		       PARAMETERS({"bytes", (int64_t)bytes}));
}

/* --- an agent's steps --------------------------------------------------------------------------
 */

struct loading {
	struct bench_node node;
	struct store *store;
	struct changes *changes;
	const char *name;
	size_t operations, transactions;
	double ms[_STEP_MAX];
};

static void on_changed(void *arg, const struct object_key *key, struct object *old)
{
	struct loading *l = arg;

	changes_add(l->changes, key, old, 1);
}

static void on_change(void *arg, const struct object *old, const struct object *new)
{
	struct loading *l = arg;

	datapath_object(l->node.datapath, old, new);
	if (new &&new->kind == KIND_POD &&
	    as_pod(new)->n_ips &&as_pod(new)->node &&streq(as_pod(new)->node, l->name))
		node_attach(&l->node, new);
}

static void step_folder(struct loading *l, const char *path)
{
	struct folder *f = NULL;
	struct err e = {0};

	if (folder_open(path, NULL, l->store, &f, &e) < 0)
		bench_fail(path, &e);
	folder_scan(f, 1);
}

static void step_policy(struct loading *l)
{
	(void)changes_drain(l->changes, l->store, on_change, l);
	datapath_settle(l->node.datapath);
	changes_drained(l->changes);
}

typedef VEC(struct nft_batch) batches;

static void step_encode(struct loading *l, batches *ret)
{
	bool all = false;

	while (!all) {
		_cleanup_(nft_ops_done) struct nft_ops ops = {0};
		struct nft_batch b = {0};

		all = table_ops(l->node.table, NFT_OPS_MAX, &ops);
		node_prepare(&l->node, &ops, &b);
		l->operations += ops.op.n;
		vec_push(ret, b);
	}
	l->transactions = ret->n;
}

static void step_kernel(struct loading *l, const batches *b)
{
	vec_foreach (one, b) {
		double began = cpu_usec(), ms;

		(void)node_send(&l->node, one);
		ms = (cpu_usec() - began) / 1000;

		l->ms[KERNEL] += ms;
		l->ms[LONGEST] = MAX(l->ms[LONGEST], ms);
	}
}

static double lap(double *since)
{
	double now = cpu_usec(), ms = (now - *since) / 1000;

	*since = now;
	return ms;
}

/* All of it, once, in a process of its own. */
static void load(const char *folder, const char *name, struct loading *l)
{
	batches b = {0};
	double since;

	l->name = name;
	node_open(&l->node);
	l->changes = changes_new();
	l->store = store_new(on_changed, l);
	since = cpu_usec();
	step_folder(l, folder);
	l->ms[FOLDER] = lap(&since);
	step_policy(l);
	l->ms[POLICY] = lap(&since);
	step_encode(l, &b);
	l->ms[ENCODE] = lap(&since);
	step_kernel(l, &b);
}

/* The child's measurements through a pipe: a fresh process each time, as an agent is. */
static void load_apart(const char *folder, const char *name, struct loading *ret)
{
	int ends[2], status;
	pid_t child;

	if (pipe(ends) < 0 || (child = fork()) < 0)
		bench_fail("fork", NULL);
	if (child == 0) {
		load(folder, name, ret);
		if (write(ends[1], ret, sizeof(*ret)) != sizeof(*ret))
			_exit(1);
		_exit(0);
	}
	(void)close(ends[1]);
	if (read(ends[0], ret, sizeof(*ret)) != sizeof(*ret) ||
	    waitpid(child, &status, 0) != child || status != 0)
		bench_fail("a child failed", NULL);
	(void)close(ends[0]);
}

static void measure_loading(const char *folder, const char *name)
{
	struct samples s[_STEP_MAX] = {0};
	struct loading l = {0};

	for (size_t left = bench_rounds(ROUNDS); left; left--) {
		l = (struct loading){0};
		load_apart(folder, name, &l);
		for (int i = 0; i < _STEP_MAX; i++)
			vec_push(&s[i].v, l.ms[i]);
	}
	for (int i = 0; i < _STEP_MAX; i++)
		figure_samples(step_name[i], "ms", &s[i],
			       PARAMETERS({"operations", (int64_t)l.operations},
					  {"transactions", (int64_t)l.transactions}));
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: load FOLDER NODE\n");
		return 1;
	}
	measure_receiving(argv[1]);
	measure_loading(argv[1], argv[2]);
	return 0;
}
