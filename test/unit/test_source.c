// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_source.c - the cluster as the agent's source: what reaches the queue, and what is told of
 * it.
 */
#include "agent/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "agent/health.h"
#include "test/unit/api_world.h"

/* Of a folder; none is watched here. */
struct loop_source *loop_io(struct loop *l _unused_, const char *name _unused_, int fd _unused_,
			    uint32_t events _unused_, loop_io_fn *fn _unused_, void *arg _unused_)
{
	fail();
	return NULL;
}

void agent_add_source(struct agent *a, struct loop_source *s)
{
	a->sources[a->n_sources++] = s;
}

struct world {
	struct agent agent;
	struct config config;
	char kubeconfig[32];
};

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	static const char text[] =
		"{current-context: c, contexts: [{name: c, context: {cluster: k}}], "
		"clusters: [{name: k, cluster: {server: 'http://api'}}]}";
	struct err e = {0};
	int fd;

	(void)snprintf(w->kubeconfig, sizeof(w->kubeconfig), "/tmp/manx-test-XXXXXX");
	fd = mkstemp(w->kubeconfig);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	the_loop.now = 1000 * USEC_PER_SEC;
	w->config.kubeconfig = w->kubeconfig;
	w->config.node = (char *)"n1";
	w->agent.config = &w->config;
	w->agent.loop = &the_loop;
	w->agent.changes = changes_new();
	stale_open(&w->agent.stale, &(struct stale_uses){.loop = w->agent.loop,
							 .config = w->agent.config,
							 .source_known = &w->agent.source_synced});
	assert_int_equal(source_open(&w->agent, &e), 0);
	source_start(&w->agent);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->agent.n_sources; i++)
		(void)loop_source_free(w->agent.sources[i]);
	stale_close(&w->agent.stale);
	source_close(&w->agent);
	(void)store_free((struct store *)w->agent.source.store);
	(void)changes_free(w->agent.changes);
	(void)unlink(w->kubeconfig);
	free(w);
	return intern_count() == 0 && !the_loop.timers ? 0 : -1;
}

#define ADDED(object) "{\"type\":\"ADDED\",\"object\":" object "}\n"
#define ALL_TOLD                                                                                   \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\",\"annotations" \
	"\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"

static struct http *client(struct world *w)
{
	return kube_http(w->agent.source.kube);
}

/* To the last request of a path: of two for nodes, that for all. */
static struct http_request *last(struct world *w, const char *path)
{
	struct http_request *r, *found = NULL;

	DL_FOREACH (client(w)->requests, r)
		if (str_starts(r->path, path))
			found = r;
	assert_non_null(found);
	return found;
}

static void say(struct world *w, const char *path, const char *text)
{
	assert_true(answer_bytes(last(w, path), 200, text, strlen(text)));
}

#define POLICIES "/apis/networking.k8s.io/v1/networkpolicies?"

/* All lists; those of nodes are refused after that, and one policy is set aside. */
static void get_lists(struct world *w)
{
	say(w, "/api/v1/pods?",
	    ADDED("{\"metadata\":{\"name\":\"p\",\"namespace\":\"s\",\"resourceVersion\":\"5\"},"
		  "\"spec\":{\"nodeName\":\"n1\"}}") ALL_TOLD);
	say(w, "/api/v1/nodes?", ALL_TOLD);
	say(w, "/api/v1/nodes?", ADDED("{\"metadata\":{\"name\":\"n1\"}}") ALL_TOLD);
	say(w, "/api/v1/namespaces?", ADDED("{\"metadata\":{\"name\":\"s\"}}") ALL_TOLD);
	say_to_the_rest(client(w), ALL_TOLD);
	assert_false(source_lists_complete(&w->agent));
	say(w, POLICIES,
	    ADDED("{\"metadata\":{\"name\":\"bad\",\"namespace\":\"s\"},\"spec\":{\"podSelector\":"
		  "7}}") ALL_TOLD);
	assert_true(source_lists_complete(&w->agent));
	answer_end(last(w, "/api/v1/nodes?"), (struct http_result){.status = 503});
}

static void count_change(void *arg, const struct object *old _unused_, const struct object *new)
{
	*(size_t *)arg += new ? 1 : 100;
}

static void changes_reach_the_queue(void **state)
{
	struct world *w = *state;
	size_t n = 0;

	get_lists(w);
	(void)changes_drain(w->agent.changes, w->agent.source.store, count_change, &n);
	assert_int_equal(n, 4);
	changes_drained(w->agent.changes);
	say(w, "/api/v1/pods?",
	    "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"p\",\"namespace\":\"s\","
	    "\"resourceVersion\":\"10\"}}}");
	n = 0;
	(void)changes_drain(w->agent.changes, w->agent.source.store, count_change, &n);
	assert_int_equal(n, 100);
	changes_drained(w->agent.changes);
}

static void what_is_needed_is_asked_for(void **state)
{
	struct world *w = *state;
	const char *ns = intern("s");

	get_lists(w);
	assert_true(source_complete(&w->agent));
	source_need(&w->agent, ns, true);
	assert_false(source_complete(&w->agent));
	say(w, "/api/v1/namespaces/s/pods?", ALL_TOLD);
	assert_true(source_complete(&w->agent));
	source_fetch_pod(&w->agent, "s", "q");
	(void)last(w, "/api/v1/namespaces/s/pods/q");
	intern_put(ns);
}

static void take_problem(void *arg, const char *text)
{
	buf_printf(arg, "%s\n", text);
}

static void problems(void **state)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct world *w = *state;

	get_lists(w);
	source_each_problem(&w->agent, take_problem, &b);
	assert_string_equal(b.data, "API server, nodes: HTTP 503; not in step for 0 s\n"
				    "NetworkPolicy s/bad: spec.podSelector: expected a map, found "
				    "an integer\n");
	w->agent.set_aside = 1;
	assert_int_equal(source_set_aside(&w->agent), 1);
}

static void assert_has(const struct buf *b, const char *const *texts)
{
	for (; *texts; texts++)
		if (!strstr(b->data, *texts))
			fail_msg("'%s' is not in %s", *texts, b->data);
}

static void status_as_text(void **state)
{
	static const char *const texts[] = {
		"Source    API server: 5 of 5 collections complete, heard 2.0 s ago; "
		"0 namespaces needed from other nodes\n",
		" 7 requests, 0 connections, ", " bytes; 6 lists, 1 watches, 1 failures\n", NULL};
	_cleanup_(buf_done) struct buf b = {0};
	struct world *w = *state;

	get_lists(w);
	pass(2 * USEC_PER_SEC);
	source_put_status(&w->agent, NULL, &b);
	assert_has(&b, texts);
}

static void status_as_json(void **state)
{
	static const char *const texts[] = {
		"\"kind\":\"api\"",
		"{\"of\":\"pods of this "
		"node\",\"state\":\"watching\",\"complete\":true,\"version\":9}",
		"{\"of\":\"nodes\",\"state\":\"waiting\",\"complete\":true,\"version\":9,"
		"\"problem\":"
		"\"HTTP 503\",\"stale_seconds\":0.000000}",
		"\"namespaces_needed\":0,\"all_pods\":false,\"requests\":6,",
		"\"lists\":6,\"watches\":0,\"failures\":1,\"expired\":0,\"unknown\":0,\"age_"
		"seconds\":",
		NULL};
	_cleanup_(buf_done) struct buf b = {0};
	struct world *w = *state;
	struct jsonw json = {.out = &b};

	get_lists(w);
	jsonw_begin(&json, NULL, '{');
	source_put_status(&w->agent, &json, &b);
	jsonw_end(&json, '}');
	assert_has(&b, texts);
}

static void metrics(void **state)
{
	static const char *const texts[] = {
		"# TYPE manx_api_collections gauge\nmanx_api_collections 5\n",
		"manx_api_namespaces_needed 0\n",
		"manx_api_requests_total 6\n",
		"manx_api_lists_total 6\n",
		"manx_api_watches_total 0\n",
		"manx_api_failures_total 1\n",
		"manx_api_expired_total 0\n",
		"manx_api_unknown_total 0\n",
		"manx_source_synced 1\n",
		"manx_source_age_seconds 0",
		NULL};
	_cleanup_(buf_done) struct buf b = {0}, before = {0};
	struct world *w = *state;

	source_put_metrics(&w->agent, &before);
	assert_non_null(strstr(before.data, "manx_source_age_seconds -1\n")); /* never heard */
	assert_non_null(strstr(before.data, "manx_source_synced 0\n"));
	get_lists(w);
	w->agent.source_synced = true;
	source_put_metrics(&w->agent, &b);
	assert_has(&b, texts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changes_reach_the_queue),
		TEST(what_is_needed_is_asked_for),
		TEST(problems),
		TEST(status_as_text),
		TEST(status_as_json),
		TEST(metrics),
	};

	log_set_level(LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
