// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_feed.c - one collection against scripted answers: what is asked, and which changes are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test/unit/api_world.h"
#include "watch/kube/feed.h"
#include "watch/kube/share.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

#define PATH   "/api/v1/namespaces/n/pods?"
#define STREAM PATH "watch=true&allowWatchBookmarks=true&timeoutSeconds="
#define PAGE   PATH "limit=500"

struct world {
	struct told told;
	struct http *http;
	struct feed_owner owner;
	struct feed *feed;
	size_t synced, unauthorized, backwards, lost, reachable, steps;
};

static void on_synced(void *arg, struct feed *f)
{
	struct world *w = arg;

	assert_ptr_equal(f, w->feed);
	w->synced++;
}

static void on_unauthorized(void *arg)
{
	((struct world *)arg)->unauthorized++;
}

static void on_lost(void *arg)
{
	((struct world *)arg)->lost++;
}

static void on_reachable(void *arg)
{
	((struct world *)arg)->reachable++;
}

static void on_step(void *arg, struct feed *f _unused_)
{
	((struct world *)arg)->steps++;
}

static void on_backwards(void *arg)
{
	struct world *w = arg;

	share_distrust(w->told.store);
	w->backwards++;
}

static struct feed *pods_of_n(struct world *w, uint16_t id)
{
	return feed_new(
		&w->owner,
		&(struct feed_spec){
			.id = id, .info = &kind_pod, .ns = "n", .name = "pods of namespace n"},
		42);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	the_loop.now = 1000 * USEC_PER_SEC;
	w->told.store = store_new(told_change, &w->told);
	w->http = http_new(&the_loop);
	w->owner = (struct feed_owner){.loop = &the_loop,
				       .http = w->http,
				       .store = w->told.store,
				       .synced = on_synced,
				       .unauthorized = on_unauthorized,
				       .backwards = on_backwards,
				       .lost = on_lost,
				       .reachable = on_reachable,
				       .step = on_step,
				       .arg = w};
	w->feed = pods_of_n(w, 7);
	feed_start(w->feed);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)feed_free(w->feed, false);
	(void)http_free(w->http);
	(void)store_free(w->told.store);
	told_forget(&w->told);
	free(w);
	return intern_count() == 0 && !the_loop.timers ? 0 : -1;
}

/* --- what a server says ------------------------------------------------------------------------
 */

#define POD(name, version, node)                                                                  \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"n\",\"resourceVersion\":\"" version \
	"\"},\"spec\":{\"nodeName\":\"" node "\"}}"
#define EVENT(type, object)	      "{\"type\":\"" type "\",\"object\":" object "}\n"
#define ADDED(name, version, node)    EVENT("ADDED", POD(name, version, node))
#define MODIFIED(name, version, node) EVENT("MODIFIED", POD(name, version, node))
#define DELETED(name, version, node)  EVENT("DELETED", POD(name, version, node))
#define BOOKMARK(version)	      EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"" version "\"}}")
#define ALL_TOLD(version)                                                                        \
	EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"" version "\",\"annotations\":{" \
			  "\"k8s.io/initial-events-end\":\"true\"}}}")
#define ERROR(code)                                                                          \
	EVENT("ERROR", "{\"kind\":\"Status\",\"reason\":\"Reason\",\"message\":\"because\"," \
		       "\"code\":" code "}")
#define LIST(version, more, items)                                                \
	"{\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" more \
	"\"},\"items\":[" items "]}"

/* Bytes on the only request under way; false: it is over. */
static bool say(struct world *w, const char *text)
{
	return answer_bytes(asked(w->http, PATH), 200, text, strlen(text));
}

static void end(struct world *w)
{
	answer_end(asked(w->http, PATH), (struct http_result){.status = 200});
}

static void cut(struct world *w)
{
	answer_end(asked(w->http, PATH), (struct http_result){200, -EIO, "reset by peer", 0});
}

static void page(struct world *w, const char *text)
{
	assert_true(say(w, text));
	end(w);
}

static void say_no_later(struct world *w, int code, const char *body, uint32_t retry_after)
{
	struct http_request *r = asked(w->http, PATH);

	assert_true(answer_bytes(r, code, body, strlen(body)));
	answer_end(r, (struct http_result){.status = code, .retry_after = retry_after});
}

static void say_no(struct world *w, int code)
{
	_cleanup_(freep) char *body =
		xasprintf("{\"kind\":\"Status\",\"reason\":\"Reason\",\"code\":%d}", code);

	say_no_later(w, code, body, 0);
}

/* a on n1, b on n1; the watch stands at 20 */
static void get_synced(struct world *w)
{
	assert_true(say(w, ADDED("a", "11", "n1") ADDED("b", "12", "n1") ALL_TOLD("20")));
	assert_told(&w->told, "+n/a +n/b");
	assert_int_equal(w->synced, 1);
}

static const struct pod *pod(struct world *w, const char *name)
{
	const char *ns = intern("n"), *key = intern(name);
	const struct object *o = store_get(w->told.store, &(struct object_key){KIND_POD, ns, key});

	intern_put(ns);
	intern_put(key);
	return o ? as_pod(o) : NULL;
}

static const char *node_of(struct world *w, const char *name)
{
	const struct pod *p = pod(w, name);

	return p ? p->node : "none";
}

static const struct reflector *reflector(struct world *w)
{
	return feed_reflector(w->feed);
}

/* The time to try again comes. */
static void retry(struct world *w)
{
	assert_int_equal(n_asked(w->http), 0);
	for (uint64_t t = 0; t < REFLECTOR_RETRY_MAX_USEC && !n_asked(w->http); t += USEC_PER_MSEC)
		pass(USEC_PER_MSEC);
	assert_int_equal(n_asked(w->http), 1);
}

/* --- streams and watches -------------------------------------------------------------------------
 */

static void a_stream_becomes_the_watch(void **state)
{
	struct world *w = *state;
	const struct http_request *r = asked(w->http, STREAM);

	assert_non_null(strstr(r->path, "&sendInitialEvents=true"));
	assert_string_equal(r->accept, "application/json");
	assert_true(say(w, ADDED("a", "15", "n1") ADDED("b", "12", "n1")));
	assert_told(&w->told, "");
	assert_false(feed_synced(w->feed));
	assert_true(say(w, BOOKMARK("16") ALL_TOLD("20")));
	assert_told(&w->told, "+n/a +n/b");
	assert_true(feed_synced(w->feed));
	assert_true(say(w, ADDED("c", "21", "n2") MODIFIED("a", "22", "n1") BOOKMARK("30")
				   DELETED("b", "31", "n1")));
	assert_told(&w->told, "+n/c -n/b");
	assert_true(say(w, MODIFIED("a", "32", "n3")));
	assert_told(&w->told, "~n/a");
	assert_string_equal(node_of(w, "a"), "n3");
	assert_int_equal(w->synced, 1);
	assert_int_equal(reflector(w)->version, 32);
	assert_ptr_equal(asked(w->http, PATH), r);
	assert_int_equal(feed_heard(w->feed), the_loop.now);
}

static void a_stream_by_the_byte(void **state)
{
	struct world *w = *state;
	static const char text[] = ADDED("a", "11", "n1") ALL_TOLD("20") ADDED("c", "21", "n2")
		DELETED("a", "22", "n1");

	for (const char *p = text; *p; p++)
		assert_true(answer_bytes(asked(w->http, PATH), 200, p, 1));
	assert_told(&w->told, "+n/a +n/c -n/a");
	assert_int_equal(reflector(w)->version, 22);
}

/* While it tells what there is the world goes on: the last word counts. */
static void changes_during_a_stream_that_begins(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_false(say(w, ERROR("410")));
	assert_true(say(w, ADDED("a", "11", "n1") ADDED("b", "12", "n1") ADDED("c", "21", "n1")
				   MODIFIED("b", "22", "n2") DELETED("a", "23", "n1")
					   DELETED("c", "24", "n1") ADDED("d", "25", "n1") MODIFIED(
						   "b", "26", "n1") MODIFIED("d", "27", "n4")));
	assert_told(&w->told, "");
	assert_true(say(w, ALL_TOLD("30")));
	/* b went there and back, c came and went: nothing may remain of that. */
	assert_null(pod(w, "a"));
	assert_null(pod(w, "c"));
	assert_string_equal(node_of(w, "b"), "n1");
	assert_string_equal(node_of(w, "d"), "n4");
	assert_int_equal(store_count(w->told.store, KIND_POD), 2);
}

static void a_deleted_pod_that_comes_back_during_a_stream(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_false(say(w, ERROR("410")));
	assert_true(say(w, ADDED("a", "11", "n1") ADDED("b", "12", "n1") DELETED("a", "21", "n1")
				   ADDED("a", "22", "n5") ALL_TOLD("30")));
	assert_string_equal(node_of(w, "a"), "n5");
	assert_string_equal(node_of(w, "b"), "n1");
}

static void an_object_told_twice(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_true(say(w, ADDED("a", "21", "n1") ADDED("a", "21", "n1") ADDED("b", "22", "n2")
				   ADDED("b", "22", "n2")));
	assert_told(&w->told, "~n/b");
}

static void an_event_of_a_type_that_is_not_known(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_true(say(w, EVENT("EXPLODED", POD("x", "21", "n1")) ADDED("c", "22", "n1")));
	assert_told(&w->told, "+n/c");
}

static void a_deletion_of_what_was_never_there(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_true(say(w, DELETED("x", "21", "n1")));
	assert_told(&w->told, "");
}

static void a_watch_that_ends_goes_on_at_its_version(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_true(say(w, BOOKMARK("25")));
	pass(REFLECTOR_BRIEF_USEC);
	end(w);
	assert_non_null(strstr(asked(w->http, STREAM)->path, "&resourceVersion=25"));
	assert_true(say(w, ADDED("c", "26", "n1")));
	cut(w);
	assert_string_equal(reflector(w)->problem, "reset by peer");
	retry(w);
	assert_non_null(strstr(asked(w->http, STREAM)->path, "&resourceVersion=26"));
	assert_true(say(w, BOOKMARK("27")));
	pass(REFLECTOR_BRIEF_USEC);
	assert_string_equal(reflector(w)->problem, "");
	assert_told(&w->told, "+n/c");
	assert_int_equal(w->synced, 1);
}

/* --- pages -------------------------------------------------------------------------------------
 */

static void pages_when_streams_are_refused(void **state)
{
	static const int codes[] = {400, 422};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		w->feed = feed_free(w->feed, true);
		told_forget(&w->told);
		w->feed = pods_of_n(w, (uint16_t)(8 + i));
		feed_start(w->feed);
		say_no(w, codes[i]);
		(void)asked(w->http, PAGE "&resourceVersion=0");
		page(w, LIST("20", "to/ken+", POD("a", "11", "n1") "," POD("b", "12", "n1")));
		(void)asked(w->http, PAGE "&continue=to%2Fken%2B");
		assert_told(&w->told, "");
		page(w, LIST("20", "", POD("c", "13", "n1")));
		assert_told(&w->told, "+n/a +n/b +n/c");
		assert_non_null(strstr(asked(w->http, STREAM)->path, "&resourceVersion=20"));
		assert_true(say(w, DELETED("a", "21", "n1")));
		assert_told(&w->told, "-n/a");
	}
}

/* An ordinary watch of all there is: it never says that this was all. */
static void a_server_that_does_not_know_streams(void **state)
{
	struct world *w = *state;

	assert_true(say(w, ADDED("a", "11", "n1")));
	pass(REFLECTOR_STREAM_IDLE_USEC);
	(void)asked(w->http, PAGE);
	assert_told(&w->told, "");
	page(w, LIST("20", "", POD("a", "11", "n1")));
	assert_told(&w->told, "+n/a");
}

/* And in which something happens all the time, until the server ends it after some minutes. */
static void a_server_that_does_not_know_streams_and_never_rests(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 100; i++) {
		assert_true(say(w, MODIFIED("a", "11", "n1")));
		pass(REFLECTOR_STREAM_IDLE_USEC / 2);
	}
	end(w);
	(void)asked(w->http, PAGE);
	page(w, LIST("20", "", POD("a", "11", "n1")));
	assert_told(&w->told, "+n/a");
}

/* A server that is not there is no sign that it does not know them. */
static void silence_is_no_sign(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 4; i++) {
		(void)asked(w->http, STREAM);
		pass(REFLECTOR_STREAM_IDLE_USEC);
		(void)asked(w->http, PAGE);
		pass(REFLECTOR_LIST_IDLE_USEC);
		if (!n_asked(w->http))
			retry(w);
	}
	(void)asked(w->http, STREAM);
}

static void a_token_that_has_expired(void **state)
{
	struct world *w = *state;

	say_no(w, 422);
	page(w, LIST("20", "more", POD("a", "11", "n1") "," POD("old", "10", "n1")));
	say_no(w, 410);
	assert_null(strstr(asked(w->http, PAGE)->path, "continue"));
	assert_null(strstr(asked(w->http, PAGE)->path, "resourceVersion"));
	page(w, LIST("40", "", POD("b", "31", "n1")));
	assert_told(&w->told, "+n/b");
}

/* --- lists that differ ---------------------------------------------------------------------------
 */

static void a_list_that_is_cut_changes_nothing(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_false(say(w, ERROR("410")));
	for (int i = 0; i < 3; i++) {
		assert_true(say(w, ADDED("a", "41", "n9") ADDED("x", "42", "n1")));
		assert_true(say(w, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"na"));
		cut(w);
		assert_told(&w->told, "");
		retry(w);
		if (reflector(w)->state == REFLECTOR_STREAMING)
			continue;
		cut(w); /* a plain list in between, which is cut, too */
		retry(w);
	}
	assert_true(say(w, ADDED("a", "41", "n9") ADDED("b", "12", "n1") ALL_TOLD("50")));
	assert_told(&w->told, "~n/a");
}

static void after_410_only_the_difference_is_told(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_true(say(w, ADDED("c", "21", "n1") ADDED("d", "22", "n1")));
	assert_told(&w->told, "+n/c +n/d");
	assert_false(say(w, ERROR("410")));
	assert_non_null(strstr(asked(w->http, STREAM)->path, "sendInitialEvents"));
	assert_true(say(w, ADDED("e", "70", "n1") ADDED("a", "11", "n1") ADDED("c", "60", "n2")));
	assert_told(&w->told, "");
	assert_true(say(w, ADDED("d", "22", "n1") ALL_TOLD("80")));
	assert_told(&w->told, "+n/e -n/b ~n/c");
	assert_int_equal(reflector(w)->count.expired, 1);
	assert_int_equal(w->synced, 2);
	/* And as an answer instead of an event. */
	pass(REFLECTOR_BRIEF_USEC);
	end(w);
	say_no(w, 410);
	assert_non_null(strstr(asked(w->http, STREAM)->path, "sendInitialEvents"));
	assert_true(say(w, ADDED("a", "11", "n1") ALL_TOLD("90")));
	assert_told(&w->told, "-n/c -n/d -n/e");
}

static void an_equal_list_tells_nothing(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_false(say(w, ERROR("410")));
	assert_true(say(w, ADDED("b", "12", "n1") ADDED("a", "11", "n1") ALL_TOLD("80")));
	assert_told(&w->told, "");
	/* What was not told anew is still this feed's. */
	assert_true(say(w, DELETED("a", "81", "n1")));
	assert_told(&w->told, "-n/a");
}

static void versions_that_go_backwards(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_true(say(w, MODIFIED("a", "200", "n2")));
	assert_told(&w->told, "~n/a");
	assert_false(say(w, MODIFIED("b", "30", "n7") MODIFIED("a", "31", "n7")));
	assert_told(&w->told, "");
	assert_int_equal(w->backwards, 1);
	assert_non_null(strstr(asked(w->http, STREAM)->path, "sendInitialEvents"));
	assert_true(say(w, ADDED("a", "11", "n1") ADDED("c", "32", "n7") ALL_TOLD("33")));
	assert_told(&w->told, "+n/c -n/b ~n/a");
	assert_true(say(w, MODIFIED("a", "34", "n8")));
	assert_told(&w->told, "~n/a");
}

/* --- servers that say no -------------------------------------------------------------------------
 */

static void an_error_that_is_told_by_the_watch(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_false(say(w, ERROR("500") ADDED("x", "21", "n1")));
	assert_told(&w->told, "");
	assert_string_equal(reflector(w)->problem, "HTTP 500 Reason: because");
	retry(w);
	assert_non_null(strstr(asked(w->http, STREAM)->path, "&resourceVersion=20"));
}

static void refusals(void **state)
{
	static const int codes[] = {302, 403, 404, 409, 500, 502, 503};
	struct world *w = *state;

	get_synced(w);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		_cleanup_(freep) char *problem = xasprintf("HTTP %d Reason", codes[i]);

		say_no(w, codes[i]);
		assert_string_equal(reflector(w)->problem, problem);
		retry(w);
		assert_non_null(strstr(asked(w->http, STREAM)->path, "&resourceVersion=20"));
	}
	assert_true(say(w, ADDED("c", "21", "n1")));
	assert_told(&w->told, "+n/c");
	pass(REFLECTOR_BRIEF_USEC);
	assert_int_equal(reflector(w)->row, 0);
}

/* The owner hears of it once, whatever happens until it is over. */
static void out_of_step_and_in_step_again(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_int_equal(w->steps, 0);
	for (int i = 0; i < 3; i++) {
		say_no(w, 403);
		assert_int_equal(w->steps, 1);
		retry(w);
	}
	answer_end(asked(w->http, PATH),
		   (struct http_result){.error = -ECONNREFUSED, .text = "refused"});
	assert_int_equal(w->steps, 2);
	retry(w);
	assert_true(say(w, " "));
	assert_int_equal(w->steps, 2);
	pass(REFLECTOR_BRIEF_USEC);
	assert_int_equal(w->steps, 3);
	assert_string_equal(reflector(w)->problem, "");
}

static void a_server_that_says_when(void **state)
{
	struct world *w = *state;

	get_synced(w);
	say_no_later(w, 429, "slow down", 17);
	assert_string_equal(reflector(w)->problem, "HTTP 429");
	pass(17 * USEC_PER_SEC - 1);
	assert_int_equal(n_asked(w->http), 0);
	pass(REFLECTOR_RETRY_MIN_USEC + 1);
	assert_int_equal(n_asked(w->http), 1);
}

static void a_long_no_is_cut(void **state)
{
	struct world *w = *state;
	struct http_request *r = asked(w->http, PATH);
	_cleanup_(freep) char *junk = xmalloc(40000);

	memset(junk, '<', 40000);
	for (int i = 0; i < 5; i++)
		assert_true(answer_bytes(r, 502, junk, 40000));
	answer_end(r, (struct http_result){.status = 502});
	assert_string_equal(reflector(w)->problem, "HTTP 502");
}

static void credentials_are_read_again(void **state)
{
	struct world *w = *state;

	get_synced(w);
	say_no(w, 401);
	assert_int_equal(w->unauthorized, 1);
	pass(0); /* at once, the first time */
	assert_int_equal(n_asked(w->http), 1);
	say_no(w, 401);
	assert_int_equal(w->unauthorized, 2);
	pass(0);
	assert_int_equal(n_asked(w->http), 0);
}

static void answers_that_are_none(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_false(say(w, "<html>"));
	assert_non_null(strstr(reflector(w)->problem, "the API server's answer: "));
	retry(w);
	assert_true(say(w, "{\"type\":\"ADDED\",\"obj"));
	end(w);
	assert_string_equal(reflector(w)->problem,
			    "the API server's answer: it ends in the middle");
	retry(w);
	assert_non_null(strstr(asked(w->http, STREAM)->path, "&resourceVersion=20"));
	assert_told(&w->told, "");
}

/* Whole, with HTTP 200, and nothing that the server's objects can be known from. */
static void a_list_that_is_none_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"kind\":\"Status\",\"status\":\"Success\"}",
		"{\"metadata\":{\"resourceVersion\":\"80\"}}",
		"{\"metadata\":{\"resourceVersion\":\"80\"},\"items\":\"\"}",
		"{\"metadata\":{\"resourceVersion\":\"80\"},\"items\":0}",
		"{\"items\":[]}",
		"{\"metadata\":{},\"items\":[]}",
		"{\"metadata\":{\"resourceVersion\":\"0\"},\"items\":[]}",
	};
	struct world *w = *state;

	get_synced(w);
	assert_false(say(w, ERROR("410")));
	say_no(w, 422); /* plain lists from now on */
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct http_request *r = asked(w->http, PAGE);

		print_message("%s\n", texts[i]);
		if (answer_bytes(r, 200, texts[i], strlen(texts[i])))
			answer_end(r, (struct http_result){.status = 200});
		assert_told(&w->told, "");
		assert_int_equal(w->synced, 1);
		assert_non_null(strstr(reflector(w)->problem, "the API server's answer: "));
		retry(w);
	}
	/* Go writes an empty list so, too. */
	assert_true(say(w, "{\"metadata\":{\"resourceVersion\":\"90\"},\"items\":null}"));
	end(w);
	assert_told(&w->told, "-n/a -n/b");
	assert_int_equal(w->synced, 2);
}

/* A server whose cache is behind must not take a policy away that is in force. */
static void what_fails_closed_is_never_listed_from_an_old_cache(void **state)
{
	struct kind_info info = kind_pod;
	struct world *w = *state;

	assert_true(kind_netpol.fails_closed);
	info.fails_closed = true;
	w->feed = feed_free(w->feed, false);
	w->feed = feed_new(&w->owner,
			   &(struct feed_spec){.id = 9, .info = &info, .ns = "n", .name = "closed"},
			   42);
	feed_start(w->feed);
	say_no(w, 422);
	assert_null(strstr(asked(w->http, PAGE)->path, "resourceVersion"));
	w->feed = feed_free(w->feed, false);
}

/* Time passes until the server is asked again for what it lacks. */
static void be_asked_again(struct world *w)
{
	uint64_t began = the_loop.now;

	assert_int_equal(n_asked(w->http), 0);
	while (!n_asked(w->http))
		pass(USEC_PER_SEC);
	assert_in_range(the_loop.now - began, REFLECTOR_ABSENT_USEC,
			2 * REFLECTOR_ABSENT_USEC + USEC_PER_SEC);
}

/* A kind that servers need not know: no such collection is none of its objects. */
static void a_kind_that_comes_and_goes(void **state)
{
	struct kind_info info = kind_pod;
	struct world *w = *state;

	info.optional = true;
	info.selector = "app,tier!=x";
	w->feed = feed_free(w->feed, false);
	w->feed = feed_new(
		&w->owner,
		&(struct feed_spec){.id = 9, .info = &info, .ns = "n", .name = "optional"}, 42);
	feed_start(w->feed);
	assert_non_null(strstr(asked(w->http, PATH)->path, "&labelSelector=app%2Ctier%21%3Dx"));
	say_no(w, 404);
	assert_true(feed_synced(w->feed));
	assert_int_equal(w->synced, 1);
	assert_false(reflector(w)->troubled);
	be_asked_again(w);
	assert_true(say(w, ADDED("a", "11", "n1") ADDED("b", "12", "n1") ALL_TOLD("20")));
	assert_told(&w->told, "+n/a +n/b");
	/* It was uninstalled: the watch ends, the next one is refused. */
	pass(REFLECTOR_BRIEF_USEC);
	end(w);
	say_no(w, 404);
	assert_told(&w->told, "-n/a -n/b");
	assert_int_equal(w->synced, 3);
	be_asked_again(w);
	say_no(w, 404); /* still not */
	be_asked_again(w);
	assert_true(say(w, ADDED("c", "31", "n1") ALL_TOLD("40")));
	assert_told(&w->told, "+n/c");
	w->feed = feed_free(w->feed, true);
	assert_told(&w->told, "-n/c");
}

/* It is set aside by its name, and the others are not its fault. */
static void an_object_that_breaks_a_limit(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *large = xmalloc((2 << 20) + 1);
	struct buf b = {0};

	memset(large, 'x', 2 << 20);
	large[2 << 20] = '\0';
	buf_printf(&b,
		   "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"big\",\"namespace\":"
		   "\"n\",\"resourceVersion\":\"13\",\"labels\":{\"a\":\"%s\"}}}}\n",
		   large);
	assert_true(say(w, ADDED("a", "11", "n1")));
	assert_true(say(w, b.data));
	assert_true(say(w, ADDED("b", "14", "n1") ALL_TOLD("20")));
	buf_done(&b);
	assert_told(&w->told, "+n/a +n/b +n/big");
	assert_non_null(strstr(pod(w, "big")->o.problem, "the object breaks a limit"));
	assert_null(pod(w, "b")->o.problem);
}

/* --- silence -----------------------------------------------------------------------------------
 */

static void a_watch_that_goes_silent(void **state)
{
	struct world *w = *state;
	const struct http_request *r;

	get_synced(w);
	r = asked(w->http, PATH);
	pass(REFLECTOR_WATCH_IDLE_USEC - 1);
	assert_ptr_equal(asked(w->http, PATH), r);
	assert_true(say(w, BOOKMARK("21")));
	pass(REFLECTOR_WATCH_IDLE_USEC - 1);
	assert_int_equal(w->http->renewed, 0);
	pass(1);
	assert_int_equal(w->http->renewed, 1);
	assert_non_null(strstr(asked(w->http, STREAM)->path, "&resourceVersion=21"));
	assert_told(&w->told, "");
}

/* One notices, all begin anew. */
static void others_on_the_silent_connection(void **state)
{
	struct world *w = *state;
	struct feed *other = pods_of_n(w, 9);

	get_synced(w);
	pass(REFLECTOR_WATCH_IDLE_USEC - USEC_PER_SEC);
	feed_start(other);
	pass(USEC_PER_SEC);
	assert_int_equal(w->http->renewed, 1);
	assert_string_equal(feed_reflector(other)->problem, "gone silent");
	pass(REFLECTOR_RETRY_MIN_USEC);
	assert_int_equal(n_asked(w->http), 2);
	(void)feed_free(other, false);
}

/* --- an object by another way --------------------------------------------------------------------
 */

static struct object *fetched(const char *name, const char *node)
{
	struct pod *p = xcalloc(1, sizeof(*p));

	p->o = (struct object){.kind = KIND_POD, .ns = intern("n"), .name = intern(name)};
	p->node = intern(node);
	return &p->o;
}

static void a_pod_ahead_of_the_watch(void **state)
{
	struct world *w = *state;

	feed_put_ahead(w->feed, fetched("early", "n1"), 5); /* the list will tell */
	assert_told(&w->told, "");
	get_synced(w);
	feed_put_ahead(w->feed, fetched("old", "n1"), 20); /* the watch has told */
	assert_told(&w->told, "");
	feed_put_ahead(w->feed, fetched("c", "n3"), 25);
	assert_told(&w->told, "+n/c");
	/* What comes now of it is older. */
	assert_true(say(w, ADDED("c", "21", "n1") ADDED("d", "22", "n1") MODIFIED("c", "23", "n2")
				   DELETED("c", "24", "n2")));
	assert_told(&w->told, "+n/d");
	assert_string_equal(node_of(w, "c"), "n3");
	assert_true(say(w, ADDED("c", "25", "n3") MODIFIED("c", "26", "n4")));
	assert_told(&w->told, "~n/c");
	assert_true(say(w, DELETED("c", "27", "n4")));
	assert_told(&w->told, "-n/c");
}

static void a_pod_ahead_that_is_deleted(void **state)
{
	struct world *w = *state;

	get_synced(w);
	feed_put_ahead(w->feed, fetched("c", "n3"), 25);
	feed_put_ahead(w->feed, fetched("d", "n3"), 26);
	assert_true(say(w, ADDED("c", "25", "n3") DELETED("c", "30", "n3")));
	assert_told(&w->told, "+n/c +n/d -n/c");
	assert_true(say(w, DELETED("d", "31", "n3")));
	assert_told(&w->told, "-n/d");
	/* The watch was ahead of this one: it is deleted already. */
	feed_put_ahead(w->feed, fetched("c", "n3"), 25);
	assert_told(&w->told, "");
}

/* The list that begins is made after it, or tells of it by its watch. */
static void a_pod_ahead_of_a_list(void **state)
{
	struct world *w = *state;

	get_synced(w);
	feed_put_ahead(w->feed, fetched("c", "n3"), 25);
	feed_put_ahead(w->feed, fetched("d", "n3"), 26);
	assert_told(&w->told, "+n/c +n/d");
	assert_false(say(w, ERROR("410")));
	assert_true(say(w, ADDED("a", "11", "n1") ADDED("b", "12", "n1") ADDED("d", "26", "n3")));
	/* Asked for before, and deleted before the list was made. */
	feed_put_ahead(w->feed, fetched("e", "n3"), 27);
	assert_true(say(w, ALL_TOLD("30")));
	assert_null(pod(w, "c"));
	assert_non_null(pod(w, "d"));
	assert_null(pod(w, "e"));
}

static void a_pod_ahead_of_versions_that_go_backwards(void **state)
{
	struct world *w = *state;

	get_synced(w);
	feed_put_ahead(w->feed, fetched("c", "n3"), 1000);
	assert_told(&w->told, "+n/c");
	assert_false(say(w, BOOKMARK("15")));
	assert_true(say(w, ADDED("a", "11", "n1") ADDED("b", "12", "n1") ADDED("c", "14", "n1")
				   ALL_TOLD("16")));
	assert_told(&w->told, "~n/c");
	assert_true(say(w, MODIFIED("c", "17", "n2")));
	assert_told(&w->told, "~n/c");
	assert_true(say(w, DELETED("c", "18", "n2")));
	assert_told(&w->told, "-n/c");
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void its_objects_go_with_it_or_stay(void **state)
{
	struct world *w = *state;

	get_synced(w);
	assert_int_equal(feed_id(w->feed), 7);
	assert_string_equal(feed_name(w->feed), "pods of namespace n");
	w->feed = feed_free(w->feed, false);
	assert_told(&w->told, "");
	w->feed = pods_of_n(w, 8);
	feed_start(w->feed);
	assert_true(say(w, ADDED("a", "11", "n1") ALL_TOLD("20")));
	assert_told(&w->told, "");
	w->feed = feed_free(w->feed, true); /* b was never told by this one */
	assert_told(&w->told, "-n/a");
	assert_null(feed_free(NULL, true));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_becomes_the_watch),
		TEST(a_stream_by_the_byte),
		TEST(changes_during_a_stream_that_begins),
		TEST(a_deleted_pod_that_comes_back_during_a_stream),
		TEST(an_object_told_twice),
		TEST(an_event_of_a_type_that_is_not_known),
		TEST(a_deletion_of_what_was_never_there),
		TEST(a_watch_that_ends_goes_on_at_its_version),
		TEST(pages_when_streams_are_refused),
		TEST(a_server_that_does_not_know_streams),
		TEST(a_server_that_does_not_know_streams_and_never_rests),
		TEST(silence_is_no_sign),
		TEST(a_token_that_has_expired),
		TEST(a_list_that_is_cut_changes_nothing),
		TEST(after_410_only_the_difference_is_told),
		TEST(an_equal_list_tells_nothing),
		TEST(versions_that_go_backwards),
		TEST(an_error_that_is_told_by_the_watch),
		TEST(refusals),
		TEST(out_of_step_and_in_step_again),
		TEST(a_server_that_says_when),
		TEST(a_long_no_is_cut),
		TEST(credentials_are_read_again),
		TEST(answers_that_are_none),
		TEST(a_list_that_is_none_changes_nothing),
		TEST(what_fails_closed_is_never_listed_from_an_old_cache),
		TEST(a_kind_that_comes_and_goes),
		TEST(an_object_that_breaks_a_limit),
		TEST(a_watch_that_goes_silent),
		TEST(others_on_the_silent_connection),
		TEST(a_pod_ahead_of_the_watch),
		TEST(a_pod_ahead_that_is_deleted),
		TEST(a_pod_ahead_of_a_list),
		TEST(a_pod_ahead_of_versions_that_go_backwards),
		TEST(its_objects_go_with_it_or_stay),
	};

	log_set_level(LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
