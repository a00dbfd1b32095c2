// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_calls.c - what CNI calls wait for, with the parts of an agent and a real socket, and without
 * a kernel: the test is the source, takes the routes' operations, and says when a turn is.  Root
 * only, as the server is.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/cni/calls.h"
#include "agent/cni/cni_effects.h"
#include "agent/socket/server.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "test/unit/kernel_lab.h"
#include "test/unit/wire_caller.h"
#include "watch/object/namespace.h"

#define CONF "{\\\"cniVersion\\\":\\\"1.0.0\\\",\\\"name\\\":\\\"manx\\\"}"
#define ADD                                                                              \
	"{\"call\":\"cni\",\"env\":{\"CNI_COMMAND\":\"ADD\",\"CNI_CONTAINERID\":\"c1\"," \
	"\"CNI_IFNAME\":\"eth0\",\"CNI_NETNS\":\"/run/netns/x\",\"CNI_ARGS\":"           \
	"\"K8S_POD_NAMESPACE=default;K8S_POD_NAME=web\"},\"stdin\":\"" CONF "\"}"

#define ROUNDS 5

struct world {
	struct store *store;
	struct agent a;
	char dir[32], path[64];
	struct server *server;
	struct loop_source *stop;
	pthread_t thread; /* runs the loop, which stands whenever the test does not run() */
	sem_t goes, stands;
	unsigned int rounds;
	bool ends;
	int caller;
	struct buf said;
};

static void on_call(void *arg, struct call *c, const struct value *m)
{
	calls_cni(((struct world *)arg)->a.calls, c, m);
}

static void no_need(void *arg _unused_, const char *ns _unused_, bool needed _unused_)
{
}

/*
 * The loop stands here while the test does something.  It comes here some times before it does:
 * what was there at one time is done before the next, however slow the machine is.
 */
static void on_stop(void *arg)
{
	struct world *w = arg;

	if (++w->rounds % ROUNDS) {
		loop_timer_at(w->stop, monotonic_usec() + 5 * USEC_PER_MSEC);
		return;
	}
	(void)sem_post(&w->stands);
	(void)sem_wait(&w->goes);
	if (w->ends)
		loop_exit(w->a.loop, 0);
}

static void *run_loop(void *arg)
{
	(void)loop_run(((struct world *)arg)->a.loop);
	return NULL;
}

/* Let the socket do what there is to do. */
static void run(struct world *w)
{
	char chunk[4096];
	ssize_t n;

	loop_timer_at(w->stop, monotonic_usec() + 5 * USEC_PER_MSEC);
	(void)sem_post(&w->goes);
	(void)sem_wait(&w->stands);
	while (w->caller >= 0 && (n = recv(w->caller, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
		for (ssize_t i = 0; i < n; i++)
			buf_putc(&w->said, chunk[i] ?: ' ');
}

static bool was_said(const struct world *w, const char *text)
{
	return w->said.data && strstr(w->said.data, text);
}

static void say(struct world *w, const char *json)
{
	_cleanup_(buf_done) struct buf b = {0};

	frame(&b, json, strlen(json));
	assert_true(put_bytes(w->caller, b.data, b.len));
	run(w);
}

/* What a turn does that brings everything into the kernel, which takes it. */
static void take(void *arg _unused_, const struct object *old _unused_,
		 const struct object *new _unused_)
{
}

static void table_taken(struct nft_table *t)
{
	struct nft_ops ops = {0};

	(void)table_ops(t, 0, &ops);
	table_committed(t, &ops);
	nft_ops_done(&ops);
}

static void turn(struct world *w)
{
	(void)changes_drain(w->a.changes, w->a.source.store, take, NULL);
	datapath_settle(w->a.datapath);
	changes_drained(w->a.changes);
	table_taken(w->a.table);
	calls_progress(w->a.calls);
	run(w);
}

/* The kernel answers for the routes that are wanted, or not wanted, by now. */
static void routes_acknowledged(struct world *w)
{
	struct route_ops ops = {0};

	routes_ops(w->a.routes, &ops);
	vec_foreach (op, &ops.op)
		(void)routes_done(w->a.routes, op, 0);
	vec_done(&ops.op);
}

static void on_changed(void *arg, const struct object_key *key, struct object *old)
{
	changes_add(((struct world *)arg)->a.changes, key, old, monotonic_usec());
}

static struct world *worlds[8]; /* as an agent that ends, a world is not taken apart */

static int set_up(void **state)
{
	static size_t n_worlds;
	struct world *w = worlds[n_worlds++] = xcalloc(1, sizeof(*w));
	struct agent *a = &w->a;
	_cleanup_(freep) char *journal = NULL;
	struct journal_report report;
	struct prefix range;
	struct err e = {0};

	*state = w;
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/manx-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(config_parse("manx.conf", "pod-wait: 0s", 12, NULL, 0, &a->config, &e), 0);
	assert_int_equal(loop_new(&a->loop), 0);
	a->changes = changes_new();
	w->store = store_new(on_changed, w);
	a->source.store = w->store;
	a->datapath = datapath_new("n1", no_need, NULL);
	a->table = a->datapath->table;
	a->policy = a->datapath->policy;
	a->routes = a->datapath->routes;
	a->nodes = a->datapath->nodes;
	a->hostaddrs.addrs = hostaddr_new(a->table, a->datapath->base.node_addresses);
	a->ipam = ipam_new(0);
	assert_int_equal(prefix_parse("10.1.0.0/24", &range), 0);
	assert_int_equal(ipam_set_ranges(a->ipam, &range, 1, &e), 0);
	journal = xasprintf("%s/journal", w->dir);
	assert_int_equal(journal_open(journal, "boot", &a->journal, &report, &e), 0);
	assert_int_equal(conntrack_open(&a->routing.conntrack, &e), 0);
	assert_int_equal(waiter_new(&a->routing.waiter), 0);
	a->source_synced = true;
	stale_open(&a->stale, &(struct stale_uses){.loop = a->loop,
						   .config = a->config,
						   .source_known = &a->source_synced});
	a->uplink.mtu = 1500;
	sync_succeeded(&a->table_sync);
	sync_succeeded(&a->routes_sync);
	for (size_t v = 0; v < ARRAY_SIZE(a->count.cni); v++)
		for (int r = 0; r < _CNI_RESULT_MAX; r++)
			histogram_init(&a->count.cni[v][r], histogram_seconds, histogram_seconds_n);
	a->calls = calls_new(&cni_effects, a);
	w->stop = loop_timer(a->loop, "stop", on_stop, w);
	(void)snprintf(w->path, sizeof(w->path), "%s/cni.sock", w->dir);
	assert_int_equal(server_open(a->loop, w->path, -1, on_call, w, &w->server, &e), 0);
	w->caller = dial(&(struct caller){w->path, STDERR_FILENO});
	assert_int_equal(sem_init(&w->goes, 0, 0) | sem_init(&w->stands, 0, 0), 0);
	loop_timer_at(w->stop, 0);
	assert_int_equal(pthread_create(&w->thread, NULL, run_loop, w), 0);
	(void)sem_wait(&w->stands);
	return 0;
}

/* Calls that are under way stay where they are: the process ends soon. */
static int tear_down(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *command = xasprintf("rm -r %s", w->dir);

	w->ends = true;
	(void)sem_post(&w->goes);
	(void)pthread_join(w->thread, NULL);
	w->a.routing.waiter = waiter_free(w->a.routing.waiter);
	if (w->caller >= 0)
		(void)close(w->caller);
	(void)journal_close(w->a.journal);
	return system(command) == 0 ? 0 : -1;
}

static size_t attached(const struct world *w)
{
	return journal_count(w->a.journal);
}

/* What the source has told is worked in first: it may be that this very pod is gone. */
static void an_add_waits_for_the_queue(void **state)
{
	struct world *w = *state;
	struct namespace *n = xcalloc(1, sizeof(*n));

	n->o.kind = KIND_NAMESPACE;
	n->o.name = intern("default");
	assert_true(store_put(w->store, &n->o));
	say(w, ADD);
	assert_int_equal(attached(w), 0);
	turn(w);
	assert_int_equal(attached(w), 1);
	turn(w);
	assert_true(was_said(w, "\"do\":\"attach\""));
}

static void an_add_with_nothing_in_the_queue(void **state)
{
	struct world *w = *state;

	say(w, ADD);
	assert_int_equal(attached(w), 1);
	assert_false(was_said(w, "attach")); /* rules first */
	turn(w);
	assert_true(was_said(w, "\"do\":\"attach\""));
}

/* The rules of what is taken back stay until the kernel sends no packet there any more. */
static void what_is_taken_back_waits_for_its_routes(void **state)
{
	struct policy_pod_info info;
	struct world *w = *state;

	say(w, ADD);
	turn(w);
	say(w, "{\"done\":true}");
	routes_acknowledged(w);
	turn(w);
	assert_int_equal(routes_count(w->a.routes), 1);
	(void)close(TAKE(w->caller, -1)); /* the plugin is killed: the disk has not answered yet */
	run(w);
	turn(w);
	assert_true(policy_pod_info(w->a.policy, "c1", "eth0", &info));
	routes_acknowledged(w);
	turn(w);
	assert_false(policy_pod_info(w->a.policy, "c1", "eth0", &info));
}

/* The link that is to be made anew has the name of the old one. */
static void a_link_made_anew_waits_for_the_old_ones_routes(void **state)
{
	struct world *w = *state;
	struct err e = {0};

	say(w, ADD);
	turn(w);
	say(w, "{\"done\":true}");
	routes_acknowledged(w);
	assert_int_equal(journal_sync_wait(w->a.journal, &e), 0);
	turn(w);
	assert_true(was_said(w, "\"exit\":0"));
	(void)close(w->caller);
	w->caller = dial(&(struct caller){w->path, STDERR_FILENO});
	buf_reset(&w->said);
	say(w, ADD);
	turn(w);
	assert_true(was_said(w, "\"do\":\"check\""));
	say(w, "{\"error\":\"no interface eth0\",\"code\":102}");
	turn(w);
	turn(w);
	assert_false(was_said(w, "\"do\":\"attach\""));
	routes_acknowledged(w);
	turn(w);
	assert_true(was_said(w, "\"do\":\"attach\""));
	assert_int_equal(attached(w), 1);
}

static void not_without_root(void **state _unused_)
{
	skip();
}

int main(void)
{
	const struct CMUnitTest none[] = {cmocka_unit_test(not_without_root)};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_add_waits_for_the_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_add_with_nothing_in_the_queue, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_taken_back_waits_for_its_routes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_link_made_anew_waits_for_the_old_ones_routes,
						set_up, tear_down),
	};

	log_set_level(LOG_LEVEL_ERR);
	if (geteuid() != 0) /* the server talks to root alone */
		return cmocka_run_group_tests(none, NULL, NULL);
	lab_enter_new(); /* connections are forgotten here */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
