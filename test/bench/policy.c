// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy.c - what one change of a pod, a policy or a namespace costs, by the size of the cluster.
 *
 * For each size a child process in a network namespace of its own (needs root) builds the cluster:
 * 100 pods of this node, the others elsewhere, 101 namespaces, IPv4 alone, so that one pod is one
 * element of each set that it belongs to.  Each operation is measured twice, in turn: whole (from
 * the object in hand to the kernel's acknowledgement) and only the kernel's part of it (the same
 * transaction, prepared beforehand, from sendmsg() to the acknowledgement).
 *
 * Prints microseconds ("prepared": the kernel's part), and the memory of one remote pod.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/bench/figure.h"
#include "test/bench/node.h"
#include "watch/document/json.h"
#include "watch/object/decode.h"

#define LOCAL_PODS  100
#define NAMESPACES  100
#define ROUNDS	    300 /* of each operation, whole and raw each */
#define MEMORY_PODS 50000
#define SPECIAL	    "special" /* a namespace that is relabelled: 10 pods, whatever the cluster */

struct cluster {
	struct bench_node node;
	uint32_t pods, policies;
};

/* --- objects -----------------------------------------------------------------------------------
 */

static void take(void *arg, enum decode_outcome outcome, struct object *o,
		 const struct value *at _unused_)
{
	if (outcome == DECODE_OK)
		*(struct object **)arg = o;
}

static struct object *parse(const char *text)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct object *o = NULL;
	struct err e = {0};

	if (json_parse(text, strlen(text), &doc, &e) < 0 ||
	    decode_document(value_root(doc), take, &o, &e) < 0 || !o || o->problem)
		bench_fail(o && o->problem ? o->problem : text, &e);
	return o;
}

/* Pod @i lives in namespace @i % 100; its labels have the number and length that pods have. */
static struct object *pod_in(const char *ns, uint32_t i, const char *role)
{
	uint32_t nth = i / NAMESPACES;
	_cleanup_(freep) char *text = xasprintf(
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{"
		"\"name\":\"deployment-%u-5d8f7c9b6d-%05x\",\"namespace\":\"%s\","
		"\"uid\":\"%08x-0000-4000-8000-000000000000\",\"labels\":{\"app\":\"app-%u\","
		"\"role\":\"%s\",\"team\":\"%s\",\"pod-template-hash\":\"5d8f7c9b6d\"}},"
		"\"spec\":{\"nodeName\":\"%s\"},\"status\":{\"phase\":\"Running\","
		"\"podIPs\":[{\"ip\":\"10.%u.%u.%u\"}]}}",
		nth, i, ns, i, nth % 10, role, nth < 10 ? "blue" : "red",
		i < LOCAL_PODS ? "here" : "elsewhere", 64 + i / 65536, i / 256 % 256, i % 256);

	return parse(text);
}

static struct object *pod(uint32_t i, const char *role)
{
	_cleanup_(freep) char *ns = xasprintf("ns-%u", i % NAMESPACES);

	return pod_in(ns, i, role);
}

static struct object *namespace(const char *name, const char *group)
{
	_cleanup_(freep) char *text =
		xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{"
			  "\"name\":\"%s\",\"labels\":{\"group\":\"%s\"}}}",
			  name, group);

	return parse(text);
}

/* A policy of namespace @ns for its pods of @app; @from is the peer. */
static struct object *policy(const char *name, uint32_t ns, uint32_t app, const char *from,
			     uint32_t port)
{
	_cleanup_(freep) char *text =
		xasprintf("{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\","
			  "\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns-%u\"},\"spec\":{"
			  "\"podSelector\":{\"matchLabels\":{\"app\":\"app-%u\"}},\"ingress\":[{"
			  "\"from\":[{%s}],\"ports\":[{\"port\":%u}]}]}}",
			  name, ns, app, from, port);

	return parse(text);
}

#define FROM_CLIENTS                                 \
	"\"namespaceSelector\":{},\"podSelector\":{" \
	"\"matchLabels\":{\"role\":\"client\"}}"
#define FROM_GROUP "\"namespaceSelector\":{\"matchLabels\":{\"group\":\"chosen\"}}"
#define FROM_TEAM  "\"podSelector\":{\"matchLabels\":{\"team\":\"blue\"}}"

/* Policy 0 admits a tenth of all pods of the cluster to a local pod; of the others the first 100
 * select one local pod each, and those behind select pods elsewhere, or none. */
static struct object *policy_number(uint32_t i)
{
	_cleanup_(freep) char *name = xasprintf("policy-%u", i), *from = NULL;
	uint32_t app = i / NAMESPACES;

	if (i == 0)
		return policy(name, 0, 0, FROM_CLIENTS, 80);
	from = xasprintf("\"podSelector\":{\"matchLabels\":{\"app\":\"app-%u\"}}", (app + 1) % 10);
	return policy(name, i % NAMESPACES, app, from, 80);
}

/* --- the cluster -------------------------------------------------------------------------------
 */

static void put_pods(struct cluster *c, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		node_put(&c->node, pod(i, i % 10 ? "server" : "client"));
}

static void put_namespaces(struct cluster *c)
{
	for (uint32_t i = 0; i < NAMESPACES; i++) {
		_cleanup_(freep) char *name = xasprintf("ns-%u", i);

		node_put(&c->node, namespace(name, "other"));
	}
	node_put(&c->node, namespace(SPECIAL, "other"));
}

/* One more policy, and pods of one more namespace: those that measure_namespace() needs. */
static void put_special(struct cluster *c)
{
	node_put(&c->node, policy("group", 1, 0, FROM_GROUP, 80));
	for (uint32_t i = 0; i < 10; i++)
		node_put(&c->node, pod_in(SPECIAL, c->pods + 1 + i, "server"));
}

static void build(struct cluster *c)
{
	node_open(&c->node);
	put_namespaces(c);
	for (uint32_t i = 0; i < c->policies; i++)
		node_put(&c->node, policy_number(i));
	for (uint32_t i = 0; i < LOCAL_PODS; i++) {
		struct object *o = pod(i, "server");

		node_put(&c->node, o);
		node_attach(&c->node, o);
	}
	put_special(c);
	put_pods(c, LOCAL_PODS, c->pods);
	node_apply(&c->node);
}

/* --- measuring ---------------------------------------------------------------------------------
 */

/* The kernel's part: one transaction for each step.  0 if the change needs none. */
static double raw(struct cluster *c, const struct object *old, const struct object *new,
		  size_t *ret_ops)
{
	double usec = 0;
	bool all = false;

	datapath_object(c->node.datapath, old, new);
	datapath_settle(c->node.datapath);
	*ret_ops = 0;
	while (!all) {
		_cleanup_(nft_ops_done) struct nft_ops ops = {0};
		_cleanup_(nft_batch_done) struct nft_batch batch = {0};

		all = table_ops(c->node.table, SIZE_MAX, &ops);
		*ret_ops += ops.op.n;
		if (!ops.op.n)
			break;
		node_prepare(&c->node, &ops, &batch);
		usec += node_send(&c->node, &batch);
	}
	return usec;
}

static double whole(struct cluster *c, const struct object *old, const struct object *new)
{
	double began = bench_usec();

	datapath_object(c->node.datapath, old, new);
	node_apply(&c->node);
	return bench_usec() - began;
}

struct result {
	const char *name;
	const struct object *old, *new;
	struct samples whole, raw;
	size_t ops;
};

static void print(const struct cluster *c, struct result *r)
{
	for (int prepared = 0; prepared < 2; prepared++)
		figure_samples(r->name, "us", prepared ? &r->raw : &r->whole,
			       PARAMETERS({"pods", c->pods}, {"policies", c->policies},
					  {"operations", (int64_t)r->ops}, {"prepared", prepared}));
}

/* Measure a circle of changes that ends where it began: whole, then raw, then whole, ... */
static void circle(struct cluster *c, struct result *r, size_t n)
{
	for (size_t left = bench_rounds(ROUNDS); left; left--) {
		for (size_t i = 0; i < n; i++)
			vec_push(&r[i].whole.v, whole(c, r[i].old, r[i].new));
		for (size_t i = 0; i < n; i++)
			vec_push(&r[i].raw.v, raw(c, r[i].old, r[i].new, &r[i].ops));
	}
	for (size_t i = 0; i < n; i++)
		print(c, &r[i]);
}

static void measure_pods(struct cluster *c)
{
	const struct object *client = pod(c->pods, "client"), *server = pod(c->pods, "server");
	struct result nobody[] = {{.name = "pod added that no rule names", .new = server},
				  {.name = "pod removed that no rule names", .old = server}};
	struct result member[] = {
		{.name = "pod added", .new = client},
		{.name = "pod relabelled, leaves a set", .old = client, .new = server},
		{.name = "pod relabelled, joins a set", .old = server, .new = client},
		{.name = "pod removed", .old = client}};

	circle(c, nobody, ARRAY_SIZE(nobody));
	circle(c, member, ARRAY_SIZE(member));
}

static void measure_policies(struct cluster *c)
{
	const struct object *small = policy("new", 50, 0, FROM_TEAM, 8080);
	const struct object *other = policy("new", 50, 0, FROM_TEAM, 8081);
	const struct object *again = policy("new", 50, 0, FROM_CLIENTS, 8080);
	const struct object *far = policy("new", 50, 9, FROM_TEAM, 8080);
	struct result local[] = {
		{.name = "policy added, 10 peers", .new = small},
		{.name = "policy changed, another port", .old = small, .new = other},
		{.name = "policy removed, 10 peers", .old = other}};
	struct result shared[] = {{.name = "policy added, peers of another", .new = again},
				  {.name = "policy removed, peers of another", .old = again}};
	struct result elsewhere[] = {{.name = "policy added, for pods elsewhere", .new = far},
				     {.name = "policy removed, for pods elsewhere", .old = far}};

	circle(c, local, ARRAY_SIZE(local));
	circle(c, shared, ARRAY_SIZE(shared));
	circle(c, elsewhere, ARRAY_SIZE(elsewhere));
}

static void measure_namespace(struct cluster *c)
{
	const struct object *other = namespace(SPECIAL, "other"),
			    *chosen = namespace(SPECIAL, "chosen");
	struct result r[] = {
		{.name = "namespace relabelled, 10 pods join", .old = other, .new = chosen},
		{.name = "namespace relabelled, 10 pods leave", .old = chosen, .new = other}};

	circle(c, r, ARRAY_SIZE(r));
}

static long resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total = 0, pages = 0;

	if (!f || fscanf(f, "%ld %ld", &total, &pages) != 2)
		bench_fail("/proc/self/statm", NULL);
	(void)fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void measure_memory(struct cluster *c)
{
	long before = resident_bytes();

	put_pods(c, c->pods, c->pods + MEMORY_PODS);
	node_apply(&c->node);
	/* Object and indexes; a tenth of them in one set. */
	figure_value("memory of a remote pod", "bytes",
		     (double)(resident_bytes() - before) / MEMORY_PODS,
		     PARAMETERS({"pods", MEMORY_PODS}));
}

/* --- in a process of its own -------------------------------------------------------------------
 */

static void run(uint32_t pods, uint32_t policies, void (*measure)(struct cluster *c))
{
	struct cluster c = {.pods = pods, .policies = policies};
	int status;
	pid_t child = fork();

	if (child == 0) {
		build(&c);
		measure(&c);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		exit(1);
}

static void measure(struct cluster *c)
{
	measure_pods(c);
	measure_policies(c);
	measure_namespace(c);
}

int main(void)
{
	static const uint32_t pods[] = {100, 1000, 10000, 100000},
			      policies[] = {10, 100, 1000, 10000};

	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		for (size_t k = 0; k < ARRAY_SIZE(policies); k++)
			run(pods[i], policies[k], measure);
	run(1000, 100, measure_memory);
	return 0;
}
