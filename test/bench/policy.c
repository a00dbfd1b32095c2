// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy.c - what one change of a pod or of a policy costs, by the size of the cluster.
 *
 * For each size a child process in a network namespace of its own (needs root) builds the cluster:
 * 100 pods of this node, the others elsewhere, 100 namespaces, IPv4 alone, so that one pod is one
 * element of each set that it belongs to.  Each operation is measured twice, in turn: whole (from
 * the object in hand to the kernel's acknowledgement) and only the kernel's part of it (the same
 * transaction, prepared beforehand, from sendmsg() to the acknowledgement).
 *
 * Prints microseconds, median and 99th percentile, and the memory of one remote pod.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "datapath/nft/apply.h"
#include "datapath/nft/encode.h"
#include "datapath/policy/policy.h"
#include "watch/decode.h"
#include "watch/json.h"
#include "watch/store.h"

#define LOCAL_PODS  100
#define NAMESPACES  100
#define ROUNDS	    500 /* of each operation, whole and raw each */
#define MEMORY_PODS 50000

struct cluster {
	struct nft_table *table;
	struct policy_engine *engine;
	struct nft_socket *kernel;
	struct mnl_socket *raw;
	struct store *store;
	uint32_t seq, pods, policies;
};

/* struct samples - durations in nanoseconds */
struct samples {
	VEC(uint64_t) ns;
};

static _noreturn_ void fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "policy: %s: %s\n", what, e ? e->msg : strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double microseconds(const struct samples *s, size_t percent)
{
	return (double)s->ns.v[MIN(s->ns.n * percent / 100, s->ns.n - 1)] / 1000;
}

/* --- objects -----------------------------------------------------------------------------------
 */

static void take(void *arg, enum decode_outcome outcome, struct object *o, uint32_t line _unused_)
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
		fail(o && o->problem ? o->problem : text, &e);
	return o;
}

/* Pod @i lives in namespace @i % 100; its labels have the number and length that pods have. */
static struct object *pod(uint32_t i, const char *role)
{
	uint32_t nth = i / NAMESPACES;
	_cleanup_(freep) char *text = xasprintf(
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{"
		"\"name\":\"deployment-%u-5d8f7c9b6d-%05x\",\"namespace\":\"ns-%u\","
		"\"uid\":\"%08x-0000-4000-8000-000000000000\",\"labels\":{\"app\":\"app-%u\","
		"\"role\":\"%s\",\"team\":\"%s\",\"pod-template-hash\":\"5d8f7c9b6d\"}},"
		"\"spec\":{\"nodeName\":\"%s\"},\"status\":{\"phase\":\"Running\","
		"\"podIPs\":[{\"ip\":\"10.%u.%u.%u\"}]}}",
		nth, i, i % NAMESPACES, i, nth % 10, role, nth < 10 ? "blue" : "red",
		i < LOCAL_PODS ? "here" : "elsewhere", 64 + i / 65536, i / 256 % 256, i % 256);

	return parse(text);
}

static struct object *namespace(uint32_t i)
{
	_cleanup_(freep) char *text = xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
						"\"metadata\":{\"name\":\"ns-%u\"}}",
						i);

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
#define FROM_TEAM "\"podSelector\":{\"matchLabels\":{\"team\":\"blue\"}}"

/* Policy 0 admits a tenth of all pods of the cluster to a local pod; of the others the first 100
 * select one local pod each, and those behind select pods elsewhere. */
static struct object *policy_number(uint32_t i)
{
	_cleanup_(freep) char *name = xasprintf("policy-%u", i), *from = NULL;
	uint32_t app = i / NAMESPACES % 10;

	if (i == 0)
		return policy(name, 0, 0, FROM_CLIENTS, 80);
	from = xasprintf("\"podSelector\":{\"matchLabels\":{\"app\":\"app-%u\"}}", (app + 1) % 10);
	return policy(name, i % NAMESPACES, app, from, 80);
}

/* --- the cluster -------------------------------------------------------------------------------
 */

static void attach(struct cluster *c, const struct object *o)
{
	const struct pod *p = as_pod(o);
	char host_ifname[IFNAME_MAX + 1];
	struct attachment a = {.id = (char *)p->o.uid,
			       .ifname = "eth0",
			       .netns = "",
			       .ns = (char *)o->ns,
			       .pod = (char *)o->name,
			       .uid = (char *)p->o.uid,
			       .host_ifname = host_ifname,
			       .mac = {{2, 0, 0, 0, 0, 1}},
			       .n_addrs = 1,
			       .addrs = {p->ips[0]}};

	attachment_host_ifname(a.id, a.ifname, host_ifname);
	policy_attach(c->engine, &a);
}

static void put(struct cluster *c, struct object *o)
{
	struct object *old = NULL;

	(void)store_put(c->store, o, &old);
	policy_object(c->engine, old, o);
}

static void apply(struct cluster *c)
{
	struct err e = {0};

	policy_settle(c->engine);
	if (nft_apply(c->kernel, c->table, &e) != 0)
		fail("nft", &e);
}

static void put_pods(struct cluster *c, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		put(c, pod(i, i % 10 ? "server" : "client"));
}

static void build(struct cluster *c)
{
	struct err e = {0};

	if (unshare(CLONE_NEWNET) < 0)
		fail("network namespace (run it as root)", NULL);
	if (nft_open(&c->kernel, &e) < 0)
		fail("socket", &e);
	c->raw = mnl_socket_open(NETLINK_NETFILTER);
	if (!c->raw || mnl_socket_bind(c->raw, 0, MNL_SOCKET_AUTOPID) < 0)
		fail("socket", NULL);
	c->table = table_new("manx");
	c->engine = policy_new(c->table, NULL, NULL);
	c->store = store_new();
	for (uint32_t i = 0; i < NAMESPACES; i++)
		put(c, namespace(i));
	for (uint32_t i = 0; i < c->policies; i++)
		put(c, policy_number(i));
	for (uint32_t i = 0; i < LOCAL_PODS; i++) {
		struct object *o = pod(i, "server");

		put(c, o);
		attach(c, o);
	}
	put_pods(c, LOCAL_PODS, c->pods);
	apply(c);
}

/* --- measuring ---------------------------------------------------------------------------------
 */

/* One prepared transaction: nanoseconds from sendmsg() to the acknowledgement. */
static uint64_t send_raw(struct cluster *c, const struct nft_batch *b)
{
	char answer[8192];
	uint64_t began = now();
	const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
	ssize_t n;

	if (mnl_socket_sendto(c->raw, b->bytes.data, b->bytes.len) < 0)
		fail("send", NULL);
	n = mnl_socket_recvfrom(c->raw, answer, sizeof(answer));
	if (n < 0 || h->nlmsg_type != NLMSG_ERROR ||
	    ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error)
		fail("the kernel refused a prepared transaction", NULL);
	return now() - began;
}

/* The kernel's part; 0 if the change needs no transaction. */
static uint64_t raw(struct cluster *c, const struct object *old, const struct object *new,
		    size_t *ret_ops)
{
	_cleanup_(nft_ops_done) struct nft_ops ops = {0};
	_cleanup_(nft_batch_done) struct nft_batch batch = {0};
	uint64_t took = 0;

	policy_object(c->engine, old, new);
	policy_settle(c->engine);
	(void)table_ops(c->table, 0, &ops);
	*ret_ops = ops.op.n;
	if (!ops.op.n)
		return 0;
	nft_encode(table_name(c->table), &ops, c->seq, &batch);
	c->seq = batch.next_seq;
	took = send_raw(c, &batch);
	table_committed(c->table, &ops);
	return took;
}

static uint64_t whole(struct cluster *c, const struct object *old, const struct object *new)
{
	uint64_t began = now();

	policy_object(c->engine, old, new);
	apply(c);
	return now() - began;
}

struct result {
	const char *name;
	const struct object *old, *new;
	struct samples whole, raw;
	size_t ops;
};

static void print(const struct cluster *c, struct result *r)
{
	vec_sort(&r->whole.ns, compare);
	vec_sort(&r->raw.ns, compare);
	printf("%7u %5u  %-33s %3zu %9.1f %9.1f %9.1f %9.1f\n", c->pods, c->policies, r->name,
	       r->ops, microseconds(&r->whole, 50), microseconds(&r->whole, 99),
	       microseconds(&r->raw, 50), microseconds(&r->raw, 99));
	(void)fflush(stdout);
	vec_done(&r->whole.ns);
	vec_done(&r->raw.ns);
}

/* Measure a circle of changes that ends where it began: whole, then raw, then whole, ... */
static void circle(struct cluster *c, struct result *r, size_t n)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < n; i++)
			vec_push(&r[i].whole.ns, whole(c, r[i].old, r[i].new));
		for (size_t i = 0; i < n; i++)
			vec_push(&r[i].raw.ns, raw(c, r[i].old, r[i].new, &r[i].ops));
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

static long resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total = 0, pages = 0;

	if (!f || fscanf(f, "%ld %ld", &total, &pages) != 2)
		fail("/proc/self/statm", NULL);
	(void)fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void measure_memory(struct cluster *c)
{
	long before = resident_bytes(), objects;

	put_pods(c, c->pods, c->pods + MEMORY_PODS);
	apply(c);
	objects = resident_bytes() - before;
	printf("memory: %ld bytes a remote pod, of %d pods (object, indexes, a tenth of them "
	       "in one set)\n",
	       objects / MEMORY_PODS, MEMORY_PODS);
}

/* --- in a process of its own -------------------------------------------------------------------
 */

static void run(uint32_t pods, uint32_t policies, void (*measure)(struct cluster *c))
{
	struct cluster c = {.pods = pods, .policies = policies, .seq = 1};
	int status;
	pid_t child = fork();

	if (child == 0) {
		build(&c);
		measure(&c);
		(void)fflush(stdout);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		exit(1);
}

static void measure(struct cluster *c)
{
	measure_pods(c);
	measure_policies(c);
}

int main(void)
{
	static const uint32_t pods[] = {1000, 10000, 100000}, policies[] = {10, 100, 1000};

	printf("microseconds, %d pods on this node, %d rounds\n%7s %5s  %-33s %3s %9s %9s %9s "
	       "%9s\n",
	       LOCAL_PODS, ROUNDS, "pods", "pol.", "", "ops", "whole", "p99", "kernel", "p99");
	(void)fflush(stdout);
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		for (size_t k = 0; k < ARRAY_SIZE(policies); k++)
			run(pods[i], policies[k], measure);
	run(1000, 100, measure_memory);
	return 0;
}
