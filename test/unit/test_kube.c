// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kube.c - which collections are watched when, against scripted answers; no pod that is needed
 * may be missing while they change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/unit/api_world.h"
#include "watch/kube/kube.h"

#define LINGER (10 * USEC_PER_SEC)
#define ELSEWHERE                                                                            \
	"&fieldSelector=spec.nodeName%21%3Dn1%2Cspec.nodeName%21%3D%2Cstatus.phase%21%3DSuc" \
	"ceeded%2Cstatus.phase%21%3DFailed"

struct world {
	struct told told;
	struct kube *kube;
	char kubeconfig[32];
	const char *ns[KUBE_NARROW_MAX + 2]; /* s0, s1, ... */
};

static void write_kubeconfig(struct world *w, const char *token)
{
	FILE *f = fopen(w->kubeconfig, "we");

	assert_non_null(f);
	assert_true(fprintf(f,
			    "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: "
			    "u}}]\nclusters: [{name: k, cluster: {server: 'https://api:6443'}}]\n"
			    "users: [{name: u, user: {token: %s}}]\n",
			    token) > 0);
	assert_int_equal(fclose(f), 0);
}

static void open_kube(struct world *w, bool all_pods)
{
	const struct kube_config c = {
		.kubeconfig = w->kubeconfig, .node = "n1", .all_pods = all_pods};
	struct err e = {0};

	assert_int_equal(kube_open(&the_loop, &c, w->told.store, &w->kube, &e), 0);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	int fd;

	(void)snprintf(w->kubeconfig, sizeof(w->kubeconfig), "/tmp/manx-test-XXXXXX");
	fd = mkstemp(w->kubeconfig);
	assert_true(fd >= 0);
	(void)close(fd);
	write_kubeconfig(w, "one");
	the_loop.now = 1000 * USEC_PER_SEC;
	w->told.store = store_new(told_change, &w->told);
	for (unsigned int i = 0; i < ARRAY_SIZE(w->ns); i++) {
		_cleanup_(freep) char *name = xasprintf("s%u", i);

		w->ns[i] = intern(name);
	}
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)kube_close(w->kube);
	(void)store_free(w->told.store);
	told_forget(&w->told);
	for (size_t i = 0; i < ARRAY_SIZE(w->ns); i++)
		intern_put(w->ns[i]);
	(void)unlink(w->kubeconfig);
	free(w);
	return intern_count() == 0 && !the_loop.timers ? 0 : -1;
}

/* --- what the server says ------------------------------------------------------------------------
 */

#define META(ns, name, version)                                                         \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"" ns "\",\"uid\":\"" name \
	"\",\"resourceVersion\":\"" version "\"}"
#define POD_ON(node, ns, name, version) \
	META(ns, name, version) ",\"spec\":{\"nodeName\":\"" node "\"}}"
#define POD(ns, name, version) POD_ON("n2", ns, name, version)
#define PLAIN(name, version) \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define ADDED(object)	    EVENT("ADDED", object)
#define ALL_TOLD(version)                                                                        \
	EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"" version "\",\"annotations\":{" \
			  "\"k8s.io/initial-events-end\":\"true\"}}}")

/* The request for a collection: its path, and how its selector begins. */
static struct http_request *request_for(struct world *w, const char *path, const char *selector)
{
	struct http *h = kube_http(w->kube);
	_cleanup_(freep) char *begin = xasprintf("%s?", path);
	struct http_request *r;

	DL_FOREACH (h->requests, r)
		if (str_starts(r->path, begin) && (selector ? strstr(r->path, selector) != NULL
							    : !strstr(r->path, "fieldSelector")))
			return r;
	return NULL;
}

#define OWN_NODE   "/api/v1/nodes", "&fieldSelector=metadata.name%3Dn1"
#define OWN_PODS   "/api/v1/pods", "&fieldSelector=spec.nodeName%3Dn1"
#define NAMESPACES "/api/v1/namespaces", NULL
#define POLICIES   "/apis/networking.k8s.io/v1/networkpolicies", NULL
#define NODES	   "/api/v1/nodes", NULL
#define WIDE	   "/api/v1/pods", ELSEWHERE
#define OF(ns)	   "/api/v1/namespaces/" ns "/pods", ELSEWHERE

static void say_to(struct world *w, const char *path, const char *selector, const char *text)
{
	struct http_request *r = request_for(w, path, selector);

	if (!r)
		fail_msg("no request for %s%s", path, selector ?: "");
	assert_true(answer_bytes(r, 200, text, strlen(text)));
}

#define say(w, collection, text)  say_to(w, collection, text)
#define is_watched(w, collection) (request_for(w, collection) != NULL)

static void get_lists(struct world *w)
{
	kube_start(w->kube);
	say(w, OWN_NODE, ADDED(PLAIN("n1", "5")) ALL_TOLD("10"));
	say(w, OWN_PODS, ADDED(POD_ON("n1", "s0", "mine", "6")) ALL_TOLD("10"));
	say(w, NAMESPACES, ADDED(PLAIN("s0", "1")) ADDED(PLAIN("s1", "2")) ALL_TOLD("10"));
	say(w, POLICIES, ALL_TOLD("10"));
	say_to_the_rest(kube_http(w->kube), ALL_TOLD("10"));
	assert_false(kube_lists_complete(w->kube));
	say(w, NODES, ADDED(PLAIN("n1", "5")) ADDED(PLAIN("n2", "7")) ALL_TOLD("10"));
	assert_true(kube_lists_complete(w->kube));
	assert_told(&w->told, "+n1 +n2 +s0 +s0/mine +s1");
}

static void assert_pods(struct world *w, size_t n)
{
	assert_int_equal(store_count(w->told.store, KIND_POD), n);
}

/* --- the lists -----------------------------------------------------------------------------------
 */

static void own_things_come_first(void **state)
{
	struct world *w = *state;
	struct kube_stats s;

	open_kube(w, false);
	assert_int_equal(n_asked(kube_http(w->kube)), 0);
	kube_start(w->kube);
	assert_int_equal(n_asked(kube_http(w->kube)), 2);
	assert_string_equal(kube_http(w->kube)->url, "https://api:6443");
	assert_string_equal(kube_http(w->kube)->token, "one");
	say(w, OWN_PODS, ALL_TOLD("10"));
	assert_int_equal(n_asked(kube_http(w->kube)), 2);
	say(w, OWN_NODE, ALL_TOLD("10"));
	assert_int_equal(n_asked(kube_http(w->kube)), 2 + n_whole());
	assert_true(str_starts(request_for(w, NAMESPACES)->accept,
			       "application/json;as=PartialObjectMetadata;"));
	assert_string_equal(request_for(w, POLICIES)->accept, "application/json");
	kube_stats(w->kube, &s);
	assert_int_equal(s.feeds, 2 + n_whole());
	assert_int_equal(s.synced, 2);
	assert_int_equal(s.last_heard, the_loop.now);
	assert_int_equal(s.count.lists, 2 + n_whole());
}

static void all_nodes_follow_the_own_one(void **state)
{
	struct world *w = *state;
	struct kube_stats s;

	open_kube(w, false);
	get_lists(w);
	assert_false(is_watched(w, OWN_NODE));
	say(w, NODES, EVENT("DELETED", PLAIN("n1", "11")));
	assert_told(&w->told, "-n1");
	kube_stats(w->kube, &s);
	assert_int_equal(s.feeds, 1 + n_whole());
	assert_int_equal(s.count.lists, 2 + n_whole()); /* the one that ended is counted still */
}

/* The first list of all nodes may be older than what is known of the own one. */
static void an_own_node_that_the_list_does_not_have_yet(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	kube_start(w->kube);
	say(w, OWN_PODS, ALL_TOLD("10"));
	say(w, OWN_NODE, ADDED(PLAIN("n1", "20")) ALL_TOLD("20"));
	say(w, NODES, ADDED(PLAIN("n2", "7")) ALL_TOLD("15"));
	assert_told(&w->told, "+n1 +n2");
	say(w, NODES, ADDED(PLAIN("n1", "20")) EVENT("DELETED", PLAIN("n1", "21")));
	assert_told(&w->told, "-n1");
}

static void an_own_node_that_is_gone(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	kube_start(w->kube);
	say(w, OWN_PODS, ALL_TOLD("10"));
	say(w, OWN_NODE, ADDED(PLAIN("n1", "9")) ALL_TOLD("10"));
	say(w, NODES, ALL_TOLD("15"));
	assert_told(&w->told, "+n1 -n1");
}

/* --- pods of other nodes -------------------------------------------------------------------------
 */

static void only_what_is_needed(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_lists(w);
	assert_true(kube_pods_complete(w->kube));
	kube_need(w->kube, w->ns[1], true);
	assert_false(kube_pods_complete(w->kube));
	assert_false(is_watched(w, OF("s0")));
	say(w, OF("s1"), ADDED(POD("s1", "a", "3")) ALL_TOLD("11"));
	assert_true(kube_pods_complete(w->kube));
	assert_told(&w->told, "+s1/a");
	/* Given up, but not at once. */
	kube_need(w->kube, w->ns[1], false);
	pass(LINGER - 1);
	say(w, OF("s1"), ADDED(POD("s1", "b", "12")));
	assert_told(&w->told, "+s1/b");
	kube_need(w->kube, w->ns[1], true);
	pass(2 * LINGER);
	assert_told(&w->told, "");
	assert_true(is_watched(w, OF("s1")));
	kube_need(w->kube, w->ns[1], false);
	pass(LINGER);
	assert_told(&w->told, "-s1/a -s1/b");
	assert_false(is_watched(w, OF("s1")));
	assert_true(is_watched(w, OWN_PODS));
}

static void one_that_is_given_up_before_it_was_complete(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_lists(w);
	kube_need(w->kube, w->ns[1], true);
	kube_need(w->kube, w->ns[1], false);
	assert_false(kube_pods_complete(w->kube));
	pass(LINGER);
	assert_true(kube_pods_complete(w->kube));
	assert_told(&w->told, "");
}

static void need(struct world *w, size_t from, size_t to, bool needed)
{
	for (size_t i = from; i < to; i++)
		kube_need(w->kube, w->ns[i], needed);
}

static size_t n_narrow(struct world *w)
{
	struct http_request *r;
	size_t n = 0;

	DL_FOREACH (kube_http(w->kube)->requests, r)
		n += str_starts(r->path, "/api/v1/namespaces/");
	return n;
}

/* The same to every request for pods of one namespace, from the @from-th on. */
static void say_to_narrow(struct world *w, size_t from, const char *text)
{
	for (size_t i = from; i < ARRAY_SIZE(w->ns); i++) {
		_cleanup_(freep) char *path = xasprintf("/api/v1/namespaces/%s/pods", w->ns[i]);
		struct http_request *r = request_for(w, path, ELSEWHERE);

		if (r)
			assert_true(answer_bytes(r, 200, text, strlen(text)));
	}
}

/* Only s0 and s1 are needed from now on; of the others that are watched all is known. */
static void need_few(struct world *w)
{
	need(w, 2, 1 + KUBE_NARROW_MAX, false);
	say_to_narrow(w, 2, ALL_TOLD("33"));
}

/* KUBE_NARROW_MAX namespaces, of which s1 has two pods. */
static void get_narrow(struct world *w)
{
	get_lists(w);
	need(w, 1, 1 + KUBE_NARROW_MAX, true);
	assert_int_equal(n_narrow(w), KUBE_NARROW_MAX);
	say(w, OF("s1"), ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "b", "4")));
	say_to_narrow(w, 1, ALL_TOLD("20"));
	assert_true(kube_pods_complete(w->kube));
	assert_told(&w->told, "+s1/a +s1/b");
}

static void many_namespaces_are_one_collection(void **state)
{
	struct world *w = *state;
	struct kube_stats s;

	open_kube(w, false);
	get_narrow(w);
	assert_false(is_watched(w, WIDE));
	kube_need(w->kube, w->ns[0], true);
	assert_true(is_watched(w, WIDE));
	assert_false(kube_pods_complete(w->kube));
	/* The small ones go on until the large one is complete. */
	say(w, WIDE, ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "b", "4")));
	say(w, OF("s1"), EVENT("DELETED", POD("s1", "a", "21")) ADDED(POD("s1", "c", "22")));
	assert_told(&w->told, "+s1/c -s1/a");
	say(w, WIDE,
	    EVENT("DELETED", POD("s1", "a", "21")) ADDED(POD("s1", "c", "22"))
		    ADDED(POD("s77", "z", "9")) ALL_TOLD("30"));
	assert_null(request_for(w, OF("s1")));
	assert_int_equal(n_narrow(w), 0);
	assert_true(kube_pods_complete(w->kube));
	assert_pods(w, 4);
	told_forget(&w->told);
	kube_stats(w->kube, &s);
	assert_true(s.wide);
	assert_int_equal(s.needed, KUBE_NARROW_MAX + 1);
	/* From now on it is the one that tells. */
	say(w, WIDE, EVENT("DELETED", POD("s1", "b", "31")) EVENT("DELETED", POD("s1", "c", "32")));
	assert_told(&w->told, "-s1/b -s1/c");
}

/* The watches are not equally far when one takes over. */
static void the_narrow_ones_are_behind(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_narrow(w);
	kube_need(w->kube, w->ns[0], true);
	/* a was deleted and b changed, which the small one has not told when it ends. */
	say(w, WIDE, ADDED(POD_ON("n3", "s1", "b", "26")) ALL_TOLD("30"));
	assert_told(&w->told, "-s1/a ~s1/b");
	say(w, WIDE, EVENT("DELETED", POD("s1", "b", "31")));
	assert_told(&w->told, "-s1/b");
}

static void the_narrow_ones_are_ahead(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_narrow(w);
	kube_need(w->kube, w->ns[0], true);
	say(w, WIDE, ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "b", "4")));
	say(w, OF("s1"),
	    ADDED(POD("s1", "c", "41")) EVENT("MODIFIED", POD_ON("n3", "s1", "b", "42")));
	assert_told(&w->told, "+s1/c ~s1/b");
	say(w, WIDE, ALL_TOLD("30"));
	assert_told(&w->told, "");
	assert_pods(w, 4);
	say(w, WIDE,
	    ADDED(POD("s1", "c", "41")) EVENT("MODIFIED", POD_ON("n3", "s1", "b", "42"))
		    EVENT("DELETED", POD("s1", "b", "43")) EVENT("DELETED", POD("s1", "c", "44")));
	assert_told(&w->told, "-s1/b -s1/c");
}

/* A change after it was listed, told by the small one as well, before the list is complete. */
static void both_tell_the_same_change(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_narrow(w);
	kube_need(w->kube, w->ns[0], true);
	say(w, WIDE, ADDED(POD_ON("n3", "s1", "a", "25")) ADDED(POD("s1", "b", "4")));
	say(w, OF("s1"), EVENT("MODIFIED", POD_ON("n3", "s1", "a", "25")));
	assert_told(&w->told, "~s1/a");
	say(w, WIDE, ALL_TOLD("30") EVENT("DELETED", POD("s1", "a", "31")));
	assert_told(&w->told, "-s1/a");
}

/* From one back to many, before the one was complete. */
static void back_before_it_was_complete(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_narrow(w);
	kube_need(w->kube, w->ns[0], true);
	say(w, WIDE, ADDED(POD("s1", "a", "3")) ADDED(POD("s77", "z", "4")));
	need(w, 2, 1 + KUBE_NARROW_MAX, false);
	kube_need(w->kube, w->ns[0], false);
	assert_false(is_watched(w, WIDE));
	pass(LINGER);
	assert_told(&w->told, "");
	assert_int_equal(n_narrow(w), 1);
	assert_true(kube_pods_complete(w->kube));
	say(w, OF("s1"), EVENT("DELETED", POD("s1", "a", "31")));
	assert_told(&w->told, "-s1/a");
	assert_pods(w, 2);
}

/* All are one; s1 has a and b, s77 has z. */
static void get_wide(struct world *w)
{
	get_narrow(w);
	kube_need(w->kube, w->ns[0], true);
	say(w, WIDE,
	    ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "b", "4")) ADDED(POD("s77", "z", "4"))
		    ALL_TOLD("30"));
	assert_told(&w->told, "+s77/z");
	assert_int_equal(n_narrow(w), 0);
}

static void back_to_few_namespaces(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_wide(w);
	need_few(w);
	assert_false(kube_pods_complete(w->kube));
	say(w, OF("s0"), ALL_TOLD("40"));
	assert_true(is_watched(w, WIDE));
	/* It goes on where the others are not complete. */
	say(w, WIDE, ADDED(POD("s1", "c", "35")));
	assert_told(&w->told, "+s1/c");
	/* c was deleted before this list, d was made after it. */
	say(w, WIDE, ADDED(POD("s1", "d", "45")));
	say(w, OF("s1"), ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "b", "4")) ALL_TOLD("40"));
	assert_told(&w->told, "+s1/d");
	assert_true(kube_pods_complete(w->kube));
	pass(LINGER);
	assert_told(&w->told, "-s1/c -s77/z");
	assert_false(is_watched(w, WIDE));
	assert_int_equal(n_narrow(w), 2);
	say(w, OF("s1"),
	    ADDED(POD("s1", "d", "45")) EVENT("DELETED", POD("s1", "d", "46"))
		    EVENT("DELETED", POD("s1", "b", "47")));
	assert_told(&w->told, "-s1/b -s1/d");
}

/* What a narrow one has listed the wide one, slower, must not touch any more. */
static void the_wide_one_is_behind(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_wide(w);
	need_few(w);
	say(w, OF("s1"),
	    ADDED(POD_ON("n5", "s1", "a", "38")) ADDED(POD("s1", "b", "39")) ALL_TOLD("40"));
	assert_told(&w->told, "~s1/a");
	say(w, WIDE,
	    EVENT("DELETED", POD("s1", "b", "34")) EVENT("MODIFIED", POD_ON("n4", "s1", "a", "37"))
		    EVENT("MODIFIED", POD_ON("n5", "s1", "a", "38")) ADDED(POD("s1", "b", "39")));
	assert_told(&w->told, "");
	say(w, OF("s0"), ALL_TOLD("40"));
	pass(LINGER);
	assert_told(&w->told, "-s77/z");
	assert_pods(w, 3);
	say(w, OF("s1"), EVENT("DELETED", POD("s1", "a", "51")));
	assert_told(&w->told, "-s1/a");
}

/* From one to many and back again, in every state of the many. */
static void wide_again(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_wide(w);
	need_few(w);
	say(w, OF("s1"),
	    ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "b", "4")) ADDED(POD("s1", "c", "33"))
		    ALL_TOLD("40"));
	assert_told(&w->told, "+s1/c");
	say(w, WIDE, ADDED(POD("s1", "c", "33"))); /* no longer its to tell */
	say(w, OF("s1"), ADDED(POD("s1", "late", "70")));
	assert_told(&w->told, "+s1/late");
	need(w, 2, 1 + KUBE_NARROW_MAX, true);
	assert_int_equal(n_narrow(w), 0);
	assert_false(kube_pods_complete(w->kube));
	assert_told(&w->told, "");
	say(w, WIDE,
	    ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "c", "33")) ADDED(POD("s77", "z", "4")));
	assert_told(&w->told, "");
	/* And once more before that was complete. */
	need_few(w);
	assert_false(is_watched(w, WIDE));
	assert_told(&w->told, "-s77/z");
	say(w, OF("s1"), ADDED(POD("s1", "b", "4")) ADDED(POD("s1", "c", "33")) ALL_TOLD("60"));
	assert_told(&w->told, "-s1/a");
	say(w, OF("s0"), ALL_TOLD("60"));
	assert_true(kube_pods_complete(w->kube));
	assert_pods(w, 4);
	/* Its list was an old one, of before that pod. */
	say(w, OF("s1"), ADDED(POD("s1", "late", "70")) EVENT("DELETED", POD("s1", "late", "71")));
	assert_told(&w->told, "-s1/late");
}

/* Policies are often deleted and made anew, those for everybody too. */
static void all_are_needed_for_a_while(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_lists(w);
	kube_need(w->kube, NULL, true);
	kube_need(w->kube, NULL, true);
	say(w, WIDE, ADDED(POD("s1", "a", "3")) ALL_TOLD("30"));
	kube_need(w->kube, NULL, false);
	assert_true(kube_pods_complete(w->kube));
	assert_told(&w->told, "+s1/a");
	kube_need(w->kube, NULL, false);
	pass(LINGER - 1);
	say(w, WIDE, ADDED(POD("s2", "b", "31")));
	assert_told(&w->told, "+s2/b");
	kube_need(w->kube, NULL, true);
	pass(LINGER / 2);
	assert_told(&w->told, "");
	say(w, WIDE, ADDED(POD("s1", "a", "3")) ADDED(POD("s2", "b", "31")) ALL_TOLD("32"));
	kube_need(w->kube, NULL, false);
	pass(LINGER);
	assert_told(&w->told, "-s1/a -s2/b");
	assert_false(is_watched(w, WIDE));
}

/* Not needed by itself any more, but as one of all. */
static void one_of_all_that_are_coming(void **state)
{
	struct world *w = *state;
	struct kube_stats s;

	open_kube(w, false);
	get_lists(w);
	kube_need(w->kube, w->ns[1], true);
	say(w, OF("s1"), ADDED(POD("s1", "a", "3")) ALL_TOLD("11"));
	kube_need(w->kube, w->ns[1], false);
	pass(LINGER / 2);
	kube_need(w->kube, NULL, true);
	for (int i = 0; i < 3; i++) {
		say(w, WIDE, ADDED(POD("s1", "a", "3")));
		pass(LINGER / 2);
	}
	assert_told(&w->told, "+s1/a");
	say(w, WIDE, ALL_TOLD("12"));
	pass(0);
	assert_told(&w->told, "");
	kube_stats(w->kube, &s);
	assert_int_equal(s.feeds, 2 + n_whole());
}

static void all_pods_from_the_start(void **state)
{
	struct world *w = *state;

	open_kube(w, true);
	get_lists(w);
	assert_false(kube_pods_complete(w->kube));
	kube_need(w->kube, w->ns[1], true);
	assert_int_equal(n_narrow(w), 0);
	say(w, WIDE, ADDED(POD("s9", "a", "3")) ALL_TOLD("30"));
	assert_true(kube_pods_complete(w->kube));
	assert_told(&w->told, "+s9/a");
}

static struct http_request *first_watch(const struct http *h)
{
	struct http_request *r;

	DL_FOREACH (h->requests, r)
		if (strstr(r->path, "watch=true"))
			return r;
	return NULL;
}

static size_t n_watches(const struct http *h)
{
	struct http_request *r;
	size_t n = 0;

	DL_FOREACH (h->requests, r)
		n += strstr(r->path, "watch=true") != NULL;
	return n;
}

/* The waits of the collections have grown apart; the first that gets through brings all. */
static void one_that_is_answered_wakes_the_others(void **state)
{
	struct world *w = *state;
	struct http *h;

	open_kube(w, false);
	get_lists(w);
	h = kube_http(w->kube);
	for (int round = 0; round < 600; round++) {
		while (h->requests)
			answer_end(h->requests, (struct http_result){0, -ECONNREFUSED, "no", 0});
		pass(USEC_PER_SEC / 10);
	}
	while (!first_watch(h))
		pass(USEC_PER_SEC / 10);
	assert_true(n_watches(h) < 1 + n_whole());
	assert_true(answer_bytes(first_watch(h), 200, "", 0));
	pass(0);
	assert_int_equal(n_watches(h), 1 + n_whole());
}

/* A policy may need a namespace before the lists are complete: no detour by that one. */
static void all_pods_when_one_is_needed_early(void **state)
{
	struct world *w = *state;

	open_kube(w, true);
	kube_start(w->kube);
	say(w, OWN_NODE, ALL_TOLD("10"));
	say(w, OWN_PODS, ALL_TOLD("10"));
	kube_need(w->kube, w->ns[1], true);
	assert_int_equal(n_narrow(w), 0);
	assert_true(is_watched(w, WIDE));
}

/* A pod of the same name on another node, told by two watches of which one is slower. */
static void a_pod_that_moves_between_collections(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_lists(w);
	kube_need(w->kube, w->ns[0], true);
	say(w, OF("s0"), ADDED(POD("s0", "web", "7")) ALL_TOLD("20"));
	assert_told(&w->told, "+s0/web");
	/* Here, before the other has told that it is gone there. */
	say(w, OWN_PODS, ADDED(POD_ON("n1", "s0", "web", "25")));
	assert_told(&w->told, "~s0/web");
	say(w, OF("s0"),
	    EVENT("MODIFIED", POD("s0", "web", "23")) EVENT("DELETED", POD("s0", "web", "24")));
	assert_told(&w->told, "");
	/* And back. */
	say(w, OF("s0"), ADDED(POD("s0", "web", "28")));
	assert_told(&w->told, "~s0/web");
	say(w, OWN_PODS,
	    EVENT("MODIFIED", POD_ON("n1", "s0", "web", "26"))
		    EVENT("DELETED", POD_ON("n1", "s0", "web", "27")));
	assert_told(&w->told, "");
	say(w, OF("s0"), EVENT("DELETED", POD("s0", "web", "29")));
	assert_told(&w->told, "-s0/web");
}

/* --- single pods ---------------------------------------------------------------------------------
 */

#define FETCH(name) "/api/v1/namespaces/s0/pods/" name

static void reply(struct world *w, const char *path, int status, const char *body)
{
	struct http_request *r = asked(kube_http(w->kube), path);

	assert_true(answer_bytes(r, status, body, strlen(body)));
	answer_end(r, (struct http_result){.status = status});
}

static void a_pod_that_is_asked_for(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_lists(w);
	kube_fetch(w->kube, &(struct object_key){KIND_POD, "s0", "new"});
	kube_fetch(w->kube,
		   &(struct object_key){KIND_POD, "s0", "new"}); /* it is asked for already */
	reply(w, FETCH("new"), 200, POD_ON("n1", "s0", "new", "12"));
	assert_told(&w->told, "+s0/new");
	say(w, OWN_PODS,
	    ADDED(POD_ON("n1", "s0", "new", "11"))
		    EVENT("DELETED", POD_ON("n1", "s0", "new", "13")));
	assert_told(&w->told, "-s0/new");
	kube_fetch(w->kube, &(struct object_key){KIND_POD, "s0", "new"});
	reply(w, FETCH("new"), 200, POD_ON("n1", "s0", "new", "12"));
	assert_told(&w->told, "");
}

static void answers_that_are_no_pod_of_ours(void **state)
{
	static const struct {
		int status;
		const char *body;
	} answers[] = {
		{404, "{\"kind\":\"Status\",\"code\":404}"},
		{200, "<html>"},
		{200, "{}"},
		{200, "[]"},
		{200, POD("s0", "new", "12")}, /* of another node */
		{200, POD_ON("n1", "s0", "other", "12")},
		{200, POD_ON("n1", "s1", "new", "12")},
		{200, META("s0", "new", "12") "}"}, /* of none yet */
		{200,
		 "{\"metadata\":{\"name\":\"new\",\"namespace\":\"s0\",\"resourceVersion\":12},"
		 "\"spec\":{\"nodeName\":\"n1\"}}"},
	};
	struct world *w = *state;
	struct http_request *r;

	open_kube(w, false);
	get_lists(w);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		kube_fetch(w->kube, &(struct object_key){KIND_POD, "s0", "new"});
		reply(w, FETCH("new"), answers[i].status, answers[i].body);
		assert_told(&w->told, "");
	}
	kube_fetch(w->kube, &(struct object_key){KIND_POD, "s0", "new"});
	r = asked(kube_http(w->kube), FETCH("new"));
	assert_true(answer_bytes(r, 200, "{", 1));
	answer_end(r, (struct http_result){200, -EIO, "reset", 0});
	assert_told(&w->told, "");
}

static void an_answer_without_end(void **state)
{
	_cleanup_(freep) char *spaces = xmalloc(1 << 20);
	struct world *w = *state;
	struct http_request *r;
	int n = 0;

	memset(spaces, ' ', 1 << 20);
	open_kube(w, false);
	get_lists(w);
	kube_fetch(w->kube, &(struct object_key){KIND_POD, "s0", "new"});
	r = asked(kube_http(w->kube), FETCH("new"));
	while (answer_bytes(r, 200, spaces, 1 << 20))
		assert_true(++n < 8);
	assert_null(request_for(w, FETCH("new"), NULL));
}

static void not_too_many_at_once(void **state)
{
	struct world *w = *state;
	size_t before;

	open_kube(w, false);
	get_lists(w);
	before = n_asked(kube_http(w->kube));
	for (int i = 0; i < 70; i++) {
		_cleanup_(freep) char *name = xasprintf("p%d", i);

		kube_fetch(w->kube, &(struct object_key){KIND_POD, "s0", name});
	}
	assert_int_equal(n_asked(kube_http(w->kube)) - before, 64);
}

/* --- credentials and problems
 * ----------------------------------------------------------------------
 */

static void refuse(struct world *w, const char *path, const char *selector, int code)
{
	struct http_request *r = request_for(w, path, selector);

	assert_non_null(r);
	answer_end(r, (struct http_result){.status = code});
}

static void a_new_token(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_lists(w);
	pass(30 * USEC_PER_SEC);
	write_kubeconfig(w, "another");
	refuse(w, OWN_PODS, 401);
	assert_string_equal(kube_http(w->kube)->token, "another");
	pass(0);
	assert_true(is_watched(w, OWN_PODS));
	/* And without being told so. */
	write_kubeconfig(w, "a-third-one");
	pass(29 * USEC_PER_SEC);
	assert_string_equal(kube_http(w->kube)->token, "another");
	pass(USEC_PER_SEC);
	assert_string_equal(kube_http(w->kube)->token, "a-third-one");
}

static void take_problem(void *arg, const char *text)
{
	buf_printf(arg, "%s\n", text);
}

static void assert_problems(struct world *w, const char *expected)
{
	_cleanup_(buf_done) struct buf b = {0};

	kube_each_problem(w->kube, take_problem, &b);
	assert_string_equal(b.data ?: "", expected);
}

static void problems_are_told(void **state)
{
	struct world *w = *state;
	struct http_request *r;
	_cleanup_(freep) char *text =
		xasprintf("credentials: %s: No such file or directory\n"
			  "API server, networkpolicies: HTTP 403; not in step for 59 s\n",
			  w->kubeconfig);

	open_kube(w, false);
	get_lists(w);
	assert_problems(w, "");
	(void)unlink(w->kubeconfig);
	refuse(w, POLICIES, 403);
	assert_problems(w, "API server, networkpolicies: HTTP 403; not in step for 0 s\n");
	pass(REFLECTOR_RETRY_MIN_USEC);
	say(w, POLICIES, " ");
	pass(REFLECTOR_BRIEF_USEC);
	assert_problems(w, "");
	pass(58 * USEC_PER_SEC);
	refuse(w, POLICIES, 403);
	pass(USEC_PER_SEC);
	assert_string_equal(kube_http(w->kube)->token, "one"); /* those of before */
	assert_problems(w, text);
	write_kubeconfig(w, "one");
	DL_FOREACH (kube_http(w->kube)->requests, r)
		assert_true(answer_bytes(r, 200, " ", 1));
	pass(60 * USEC_PER_SEC);
	say(w, POLICIES, " ");
	assert_problems(w, "");
}

static size_t n_steps;

static void on_step(void *arg _unused_)
{
	n_steps++;
}

static void assert_stale(struct world *w, const char *what)
{
	struct err e = {0};

	assert_int_equal(kube_stale_since(w->kube, &e) != USEC_INFINITY, what != NULL);
	assert_string_equal(e.msg, what ?: "");
}

/* What decides who may talk; without Nodes there are no routes, but no packet too many. */
static void what_decides_gets_stale(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *path, *selector, *what;
	} all[] = {
		{POLICIES, "networkpolicies: HTTP 403"},
		{NAMESPACES, "namespaces: HTTP 403"},
		{OWN_PODS, "pods of this node: HTTP 403"},
		{NODES, NULL},
	};

	open_kube(w, false);
	kube_on_step(w->kube, on_step, NULL);
	get_lists(w);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		uint64_t since = monotonic_usec();

		pass(REFLECTOR_BRIEF_USEC);
		assert_stale(w, NULL);
		n_steps = 0;
		refuse(w, all[i].path, all[i].selector, 403);
		assert_int_equal(n_steps, 1);
		assert_stale(w, all[i].what);
		pass(REFLECTOR_RETRY_MIN_USEC);
		refuse(w, all[i].path, all[i].selector, 403);
		pass(2 * REFLECTOR_RETRY_MIN_USEC);
		assert_stale(w, all[i].what);
		if (all[i].what)
			assert_true(kube_stale_since(w->kube, NULL) <= since);
		say_to(w, all[i].path, all[i].selector, " ");
		pass(REFLECTOR_BRIEF_USEC);
		assert_stale(w, NULL);
		assert_int_equal(n_steps, 2);
	}
}

/* The log of a process that has it as a pipe. */
static char *logged(struct world *w, void (*what)(struct world *w))
{
	char *text = xcalloc(1, 65536);
	size_t n = 0;
	ssize_t got;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fd[1], STDERR_FILENO);
		log_set_level(LOG_LEVEL_INFO);
		what(w);
		_exit(0);
	}
	close(fd[1]);
	while ((got = read(fd[0], text + n, 65535 - n)) > 0)
		n += (size_t)got;
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return text;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void end_all(struct world *w, struct http_result result)
{
	struct http_request *r, *next;

	DL_FOREACH_SAFE (kube_http(w->kube)->requests, r, next)
		answer_end(r, result);
}

static void all_say(struct world *w)
{
	struct http_request *r;

	DL_FOREACH (kube_http(w->kube)->requests, r)
		(void)answer_bytes(r, 200, " ", 1);
}

static void all_say_but_policies(struct world *w)
{
	struct http_request *r;

	DL_FOREACH (kube_http(w->kube)->requests, r)
		if (!strstr(r->path, "networkpolicies"))
			(void)answer_bytes(r, 200, " ", 1);
}

/* Away for a minute; then it answers, and one collection is refused for a while. */
static void an_outage(struct world *w)
{
	const struct http_result broke = {200, -EIO, "connection broke", 0};
	const struct http_result away = {0, -ECONNREFUSED, "refused", 0};

	end_all(w, broke);
	for (int i = 0; i < 60; i++) {
		pass(USEC_PER_SEC);
		end_all(w, away);
	}
	for (int i = 0; i < 90; i++) {
		pass(USEC_PER_SEC);
		all_say_but_policies(w);
		if (request_for(w, POLICIES))
			refuse(w, POLICIES, 403);
	}
	for (int i = 0; i < 40; i++) {
		pass(USEC_PER_SEC);
		all_say(w);
	}
}

static void an_outage_in_the_log(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *text = NULL;

	open_kube(w, false);
	get_lists(w);
	text = logged(w, an_outage);
	if (times(text, "no connection to the API server") != 1 ||
	    times(text, "does not give this collection") != 1 ||
	    times(text, "of=\"networkpolicies\"") != 1 ||
	    times(text, "everything is in step with the API server again") != 1)
		fail_msg("%s", text);
}

static void put_feed(void *arg, const char *name, const struct reflector *r)
{
	buf_printf(arg, "%s:%s ", name, reflector_state_str(r->state));
}

static void feeds_by_name(void **state)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct world *w = *state;

	open_kube(w, false);
	get_lists(w);
	kube_need(w->kube, w->ns[1], true);
	kube_each_feed(w->kube, put_feed, &b);
	assert_string_equal(
		b.data,
		"pods of this node:watching nodes:watching namespaces:watching "
		"networkpolicies:watching services:watching pods of namespace s1:streaming ");
}

static void a_kubeconfig_that_is_none(void **state)
{
	const struct kube_config c = {.kubeconfig = "/nowhere/kubeconfig", .node = "n1"};
	struct world *w = *state;
	struct err e = {0};

	assert_int_equal(kube_open(&the_loop, &c, w->told.store, &w->kube, &e), -ENOENT);
	assert_string_equal(e.msg, "/nowhere/kubeconfig: No such file or directory");
	assert_null(w->kube);
}

/* With lists, watches and single pods under way. */
static void closed_in_the_middle(void **state)
{
	struct world *w = *state;

	open_kube(w, false);
	get_narrow(w);
	kube_need(w->kube, w->ns[0], true);
	say(w, WIDE, ADDED(POD("s1", "a", "3")) ADDED(POD("s1", "c", "9")));
	kube_need(w->kube, w->ns[1], false);
	kube_fetch(w->kube, &(struct object_key){KIND_POD, "s0", "x"});
	w->kube = kube_close(w->kube);
	assert_told(&w->told, "");
	assert_pods(w, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(own_things_come_first),
		TEST(all_nodes_follow_the_own_one),
		TEST(an_own_node_that_the_list_does_not_have_yet),
		TEST(an_own_node_that_is_gone),
		TEST(only_what_is_needed),
		TEST(one_that_is_given_up_before_it_was_complete),
		TEST(many_namespaces_are_one_collection),
		TEST(the_narrow_ones_are_behind),
		TEST(the_narrow_ones_are_ahead),
		TEST(both_tell_the_same_change),
		TEST(back_before_it_was_complete),
		TEST(back_to_few_namespaces),
		TEST(the_wide_one_is_behind),
		TEST(wide_again),
		TEST(all_are_needed_for_a_while),
		TEST(one_of_all_that_are_coming),
		TEST(all_pods_from_the_start),
		TEST(one_that_is_answered_wakes_the_others),
		TEST(all_pods_when_one_is_needed_early),
		TEST(a_pod_that_moves_between_collections),
		TEST(a_pod_that_is_asked_for),
		TEST(answers_that_are_no_pod_of_ours),
		TEST(an_answer_without_end),
		TEST(not_too_many_at_once),
		TEST(a_new_token),
		TEST(problems_are_told),
		TEST(what_decides_gets_stale),
		TEST(an_outage_in_the_log),
		TEST(feeds_by_name),
		TEST(a_kubeconfig_that_is_none),
		TEST(closed_in_the_middle),
	};

	log_set_level(LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
