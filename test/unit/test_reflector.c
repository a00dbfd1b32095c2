// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_reflector.c - what is asked next, by scripts of answers, silence and time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "watch/kube/reflector.h"

#define CANCEL	    REFLECTOR_CANCEL
#define FORGET	    REFLECTOR_FORGET
#define COMMIT	    REFLECTOR_COMMIT
#define CREDENTIALS REFLECTOR_CREDENTIALS
#define RENEW	    REFLECTOR_RENEW
#define SEND	    REFLECTOR_SEND
#define DISTRUST    REFLECTOR_DISTRUST

static const struct api_status nothing;
static uint64_t now;

static int set_up(void **state)
{
	struct reflector *r = xcalloc(1, sizeof(*r));

	now = 1000 * USEC_PER_SEC;
	reflector_init(r, 42);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	reflector_done(*state);
	free(*state);
	return 0;
}

static void assert_path(struct reflector *r, const char *begins, const char *has, const char *lacks)
{
	_cleanup_(buf_done) struct buf b = {0};

	reflector_path(r, "/api/v1/pods", "spec.nodeName=n 1,x!=y", NULL, &b);
	if (!str_starts(b.data, begins) || (has && !strstr(b.data, has)) ||
	    (lacks && strstr(b.data, lacks)))
		fail_msg("%s", b.data);
	assert_non_null(strstr(b.data, "&fieldSelector=spec.nodeName%3Dn%201%2Cx%21%3Dy"));
}

static void assert_streams(struct reflector *r)
{
	assert_int_equal(r->state, REFLECTOR_STREAMING);
	assert_path(r, "/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=",
		    "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
		    "resourceVersion=");
}

static void assert_watches(struct reflector *r, const char *version)
{
	_cleanup_(freep) char *has = xasprintf("&resourceVersion=%s&", version);

	assert_int_equal(r->state, REFLECTOR_WATCHING);
	assert_path(r, "/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=", has,
		    "sendInitialEvents");
}

static unsigned int say_no(struct reflector *r, int code, uint32_t retry_after)
{
	const struct api_status s = {.code = code, .reason = "Reason", .message = "because"};

	return reflector_ended(
		r, &(struct reflector_end){.http = code, .status = &s, .retry_after = retry_after},
		now);
}

static unsigned int break_off(struct reflector *r)
{
	return reflector_ended(
		r, &(struct reflector_end){.error = -EIO, .text = "reset", .status = &nothing},
		now);
}

static unsigned int end_well(struct reflector *r)
{
	return reflector_ended(r, &(struct reflector_end){.http = 200, .status = &nothing}, now);
}

/* Streamed up to a version. */
static void get_synced(struct reflector *r, uint64_t version)
{
	assert_int_equal(reflector_start(r, now), FORGET | SEND);
	reflector_bytes(r, now);
	assert_int_equal(reflector_bookmark(r, version, true, now), COMMIT);
	assert_int_equal(r->state, REFLECTOR_WATCHING);
}

static void a_collection_that_need_not_be_there(void **state)
{
	static const int waits_in[] = {REFLECTOR_STREAMING, REFLECTOR_PAGING, REFLECTOR_WATCHING};
	struct reflector *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(waits_in); i++) {
		reflector_done(r);
		reflector_init(r, 42);
		r->optional = true;
		r->no_stream = waits_in[i] == REFLECTOR_PAGING;
		if (waits_in[i] == REFLECTOR_WATCHING)
			get_synced(r, 60);
		else
			assert_int_equal(reflector_start(r, now), FORGET | SEND);
		assert_int_equal(r->state, waits_in[i]);
		assert_int_equal(say_no(r, 404, 0), FORGET | COMMIT);
		assert_true(r->synced && r->absent && !r->troubled && !*r->problem);
		assert_int_equal(r->version, 0);
		assert_in_range(r->deadline - now, REFLECTOR_ABSENT_USEC,
				2 * REFLECTOR_ABSENT_USEC);
		assert_int_equal(reflector_timer(r, r->deadline), FORGET | SEND);
		assert_int_equal(say_no(r, 403, 0), FORGET); /* that is no such answer */
		assert_true(r->troubled && r->synced);
	}
}

static void a_404_of_what_must_be_there_is_a_failure(void **state)
{
	struct reflector *r = *state;

	r->no_stream = true;
	assert_int_equal(reflector_start(r, now), FORGET | SEND);
	assert_int_equal(say_no(r, 404, 0), FORGET);
	assert_true(r->troubled && !r->synced && !r->absent);
}

static void selectors_of_fields_and_labels(void **state)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct reflector *r = *state;

	r->state = REFLECTOR_PAGING;
	reflector_path(r, "/p", NULL, NULL, &b);
	assert_string_equal(b.data, "/p?limit=500&resourceVersion=0");
	b.len = 0;
	reflector_path(r, "/p", "a=b", "c in (d)", &b);
	assert_string_equal(b.data, "/p?limit=500&resourceVersion=0&fieldSelector=a%3Db"
				    "&labelSelector=c%20in%20%28d%29");
}

/* --- the way it should go ------------------------------------------------------------------------
 */

static void a_stream_goes_on_as_the_watch(void **state)
{
	struct reflector *r = *state;

	assert_int_equal(reflector_start(r, now), FORGET | SEND);
	assert_streams(r);
	reflector_bytes(r, now);
	/* Objects come in no order of versions. */
	assert_int_equal(reflector_event(r, 50, now), 0);
	assert_int_equal(reflector_event(r, 3, now), 0);
	assert_int_equal(reflector_bookmark(r, 51, false, now), 0);
	assert_false(r->synced);
	assert_int_equal(reflector_bookmark(r, 60, true, now), COMMIT);
	assert_true(r->synced);
	assert_int_equal(reflector_event(r, 61, now), 0);
	assert_int_equal(reflector_bookmark(r, 70, false, now), 0);
	assert_int_equal(r->version, 70);
	/* The server ends a watch after some minutes. */
	now += 400 * USEC_PER_SEC;
	assert_int_equal(end_well(r), SEND);
	assert_watches(r, "70");
	assert_int_equal(r->count.lists, 1);
	assert_int_equal(r->count.watches, 1);
	assert_int_equal(r->count.failures, 0);
}

static void pages_when_the_server_has_no_streams(void **state)
{
	struct reflector *r = *state;

	(void)reflector_start(r, now);
	assert_int_equal(say_no(r, 422, 0), FORGET | SEND);
	assert_int_equal(r->state, REFLECTOR_PAGING);
	assert_path(r, "/api/v1/pods?limit=500&resourceVersion=0&", NULL, "watch");
	assert_int_equal(reflector_page(r, 9, "a+b/c=", now), SEND);
	assert_path(r, "/api/v1/pods?limit=500&continue=a%2Bb%2Fc%3D&", NULL, "resourceVersion");
	assert_int_equal(reflector_page(r, 9, NULL, now), COMMIT | SEND);
	assert_watches(r, "9");
	assert_int_equal(r->count.lists, 2);
	/* It is not tried again. */
	assert_int_equal(say_no(r, 410, 0), FORGET | SEND);
	assert_int_equal(r->state, REFLECTOR_PAGING);
}

/* An old server takes the parameters for those of an ordinary watch. */
static void a_stream_that_never_says_that_was_all(void **state)
{
	struct reflector *r = *state;

	for (int i = 0; i < 2; i++) {
		(void)reflector_start(r, now);
		assert_streams(r);
		reflector_bytes(r, now);
		assert_int_equal(reflector_event(r, 5, now), 0);
		now += REFLECTOR_STREAM_IDLE_USEC - 1;
		assert_int_equal(reflector_timer(r, now), 0);
		now++;
		assert_int_equal(reflector_timer(r, now), CANCEL | FORGET | SEND);
		assert_int_equal(r->state, REFLECTOR_PAGING);
		assert_int_equal(reflector_page(r, 9, NULL, now), COMMIT | SEND);
	}
	(void)reflector_start(r, now);
	assert_int_equal(r->state, REFLECTOR_PAGING);
}

/* --- failures ----------------------------------------------------------------------------------
 */

static void a_list_that_is_cut_off_changes_nothing(void **state)
{
	struct reflector *r = *state;

	(void)reflector_start(r, now);
	reflector_bytes(r, now);
	assert_int_equal(break_off(r), FORGET);
	assert_false(r->synced);
	assert_string_equal(r->problem, "reset");
	assert_true(r->deadline - now < REFLECTOR_RETRY_MIN_USEC);
	now = r->deadline;
	assert_int_equal(reflector_timer(r, now), FORGET | SEND);
	assert_streams(r);
}

/* Also between its pages, and the next one begins at the beginning. */
static void a_page_that_is_cut_off(void **state)
{
	struct reflector *r = *state;

	(void)reflector_start(r, now);
	(void)say_no(r, 400, 0);
	assert_int_equal(reflector_page(r, 9, "more", now), SEND);
	assert_int_equal(break_off(r), FORGET);
	now = r->deadline;
	assert_int_equal(reflector_timer(r, now), FORGET | SEND);
	assert_path(r, "/api/v1/pods?limit=500&resourceVersion=0&", NULL, "continue");
}

static void a_watch_that_breaks_goes_on_where_it_was(void **state)
{
	struct reflector *r = *state;

	get_synced(r, 60);
	assert_int_equal(reflector_event(r, 65, now), 0);
	assert_int_equal(break_off(r), 0);
	assert_int_equal(r->state, REFLECTOR_WAITING);
	now = r->deadline;
	assert_int_equal(reflector_timer(r, now), SEND);
	assert_watches(r, "65");
	now += REFLECTOR_BRIEF_USEC;
	reflector_bytes(r, now);
	assert_string_equal(r->problem, "");
}

static void waits_are_random_and_their_bound_doubles(void **state)
{
	struct reflector *r = *state;
	uint64_t bound = REFLECTOR_RETRY_MIN_USEC, longest = 0, shortest = USEC_INFINITY;

	(void)reflector_start(r, now);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(break_off(r), FORGET);
		assert_true(r->deadline - now < bound);
		if (i > 10) {
			longest = MAX(longest, r->deadline - now);
			shortest = MIN(shortest, r->deadline - now);
		}
		bound = MIN(bound * 2, REFLECTOR_RETRY_MAX_USEC);
		now = r->deadline;
		assert_int_equal(reflector_timer(r, now), FORGET | SEND);
	}
	assert_true(longest > REFLECTOR_RETRY_MAX_USEC * 9 / 10);
	assert_true(shortest < REFLECTOR_RETRY_MAX_USEC / 10);
}

static void two_nodes_do_not_come_at_once(void **state)
{
	struct reflector *r = *state, other;

	reflector_init(&other, 43);
	(void)reflector_start(r, now);
	(void)reflector_start(&other, now);
	(void)break_off(r);
	(void)break_off(&other);
	assert_int_not_equal(r->deadline, other.deadline);
	reflector_done(&other);
}

static void the_server_says_when_to_come_again(void **state)
{
	struct reflector *r = *state;
	const struct api_status in_body = {.code = 503, .retry_after = 9};

	(void)reflector_start(r, now);
	assert_int_equal(say_no(r, 429, 7), FORGET);
	assert_true(r->deadline >= now + 7 * USEC_PER_SEC);
	assert_true(r->deadline < now + 8 * USEC_PER_SEC);
	assert_string_equal(r->problem, "HTTP 429 Reason: because");
	now = r->deadline;
	(void)reflector_timer(r, now);
	(void)reflector_ended(r, &(struct reflector_end){.http = 503, .status = &in_body}, now);
	assert_true(r->deadline >= now + 9 * USEC_PER_SEC);
	now = r->deadline;
	(void)reflector_timer(r, now);
	(void)say_no(r, 429, 1000000); /* a server that is wrong about the time */
	assert_true(r->deadline < now + 400 * USEC_PER_SEC);
}

static void credentials_are_read_anew(void **state)
{
	struct reflector *r = *state;

	get_synced(r, 60);
	assert_int_equal(say_no(r, 401, 0), CREDENTIALS);
	assert_int_equal(r->deadline, now); /* once at once */
	assert_int_equal(reflector_timer(r, now), SEND);
	assert_watches(r, "60");
	assert_int_equal(say_no(r, 401, 0), CREDENTIALS);
	assert_true(r->deadline > now);
}

/* --- refusals of streams -------------------------------------------------------------------------
 */

/* etcd 3.4 (Debian) has no progress notifications: the API server answers 500 InternalError. */
static void a_refused_stream_is_followed_by_a_plain_list(void **state)
{
	static const int codes[] = {400, 404, 405, 406, 415, 422, 500, 501, 503, 504};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct reflector *r = *state;

		print_message("%d\n", codes[i]);
		assert_int_equal(reflector_start(r, now), FORGET | SEND);
		assert_streams(r);
		assert_int_equal(say_no(r, codes[i], 0), FORGET | SEND);
		assert_int_equal(r->state, REFLECTOR_PAGING);
		assert_int_equal(reflector_page(r, 9, NULL, now), COMMIT | SEND);
		assert_watches(r, "9");
		assert_string_equal(r->problem, "");
		assert_false(r->troubled);
		tear_down(state);
		set_up(state);
	}
}

/* As an event of a stream that had begun, too. */
static void an_error_within_the_stream(void **state)
{
	const struct api_status internal = {.code = 500, .reason = "InternalError"};
	struct reflector *r = *state;

	(void)reflector_start(r, now);
	reflector_accepted(r);
	reflector_bytes(r, now);
	assert_int_equal(reflector_event(r, 3, now), 0);
	assert_int_equal(reflector_error(r, &internal, now), CANCEL | FORGET | SEND);
	assert_int_equal(r->state, REFLECTOR_PAGING);
}

/* Who is told to wait, or not let in, waits; then he asks for a plain list. */
static void a_refusal_of_the_caller_waits(void **state)
{
	static const struct {
		int code;
		uint32_t retry_after;
	} refusals[] = {{401, 0}, {403, 0}, {429, 0}, {429, 3}, {503, 3}, {500, 3}};

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct reflector *r = *state;

		(void)reflector_start(r, now);
		assert_int_equal(say_no(r, refusals[i].code, refusals[i].retry_after) & SEND, 0);
		assert_int_equal(r->state, REFLECTOR_WAITING);
		assert_true(r->deadline >= now + refusals[i].retry_after * USEC_PER_SEC);
		assert_true(r->deadline <= now + refusals[i].retry_after * USEC_PER_SEC +
						   REFLECTOR_RETRY_MIN_USEC);
		now = r->deadline;
		assert_int_equal(reflector_timer(r, now), FORGET | SEND);
		assert_int_equal(r->state, REFLECTOR_PAGING);
		tear_down(state);
		set_up(state);
	}
}

/* Each way, until one works. */
static void a_stream_that_always_breaks(void **state)
{
	struct reflector *r = *state;
	bool plain = false;

	(void)reflector_start(r, now);
	for (int i = 0; i < 3 && !plain; i++) {
		(void)break_off(r);
		now = r->deadline;
		(void)reflector_timer(r, now);
		plain = r->state == REFLECTOR_PAGING;
	}
	assert_true(plain);
	(void)break_off(r);
	now = r->deadline;
	(void)reflector_timer(r, now);
	assert_streams(r);
}

/*
 * The server was away for long; when it comes back its rights are not loaded yet, and every answer
 * is 403 for a second or two.
 */
static void a_server_that_has_just_come_back(void **state)
{
	static const int codes[] = {401, 403, 404, 429, 500, 503};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct reflector *r = *state;
		uint64_t back;

		get_synced(r, 60);
		for (int away = 0; away < 20; away++) {
			(void)break_off(r);
			now = r->deadline;
			(void)reflector_timer(r, now);
		}
		back = now;
		while (now - back < 2 * USEC_PER_SEC) {
			(void)reflector_answered(r);
			(void)say_no(r, codes[i], 0);
			now = r->deadline;
			(void)reflector_timer(r, now);
		}
		assert_true(now - back < 6 * USEC_PER_SEC);
		tear_down(state);
		set_up(state);
	}
}

/* --- versions that are gone ----------------------------------------------------------------------
 */

static void a_version_that_is_too_old(void **state)
{
	struct reflector *r = *state;
	const struct api_status expired = {.code = 410, .reason = "Expired"};

	get_synced(r, 60);
	assert_int_equal(reflector_error(r, &expired, now), CANCEL | FORGET | SEND);
	assert_streams(r);
	assert_true(r->synced);
	reflector_bytes(r, now);
	assert_int_equal(reflector_bookmark(r, 99, true, now), COMMIT);
	assert_int_equal(r->version, 99);
	assert_int_equal(r->count.expired, 1);
	/* As a plain answer, too. */
	now += REFLECTOR_BRIEF_USEC;
	assert_int_equal(end_well(r), SEND);
	assert_int_equal(say_no(r, 410, 0), FORGET | SEND);
	/* Again and again: not in a tight loop, and never from an old cache. */
	assert_int_equal(say_no(r, 410, 0), FORGET);
	assert_true(r->deadline > now);
}

static void a_list_after_that_is_not_an_old_one(void **state)
{
	struct reflector *r = *state;

	(void)reflector_start(r, now);
	(void)say_no(r, 422, 0);
	assert_int_equal(reflector_page(r, 9, NULL, now), COMMIT | SEND);
	assert_int_equal(say_no(r, 410, 0), FORGET | SEND);
	assert_path(r, "/api/v1/pods?limit=500&", NULL, "resourceVersion");
	assert_int_equal(reflector_page(r, 9, "gone soon", now), SEND);
	assert_int_equal(say_no(r, 410, 0), FORGET);
	now = r->deadline;
	assert_int_equal(reflector_timer(r, now), FORGET | SEND);
	assert_path(r, "/api/v1/pods?limit=500&", NULL, "continue");
	assert_int_equal(reflector_page(r, 9, NULL, now), COMMIT | SEND);
	/* The next first page may come from the cache again. */
	(void)reflector_start(r, now);
	assert_path(r, "/api/v1/pods?limit=500&resourceVersion=0", NULL, NULL);
}

/* etcd was restored from a snapshot. */
/* Of those that got no answer one is enough to find out; a server that said no is left alone. */
static void the_server_answers_others_again(void **state)
{
	struct reflector *r = *state;
	uint64_t deadline;

	get_synced(r, 10);
	assert_false(reflector_answered(r));
	(void)say_no(r, 503, 7);
	deadline = r->deadline;
	reflector_nudge(r, now);
	assert_int_equal(r->deadline, deadline);
	now = deadline;
	assert_int_equal(reflector_timer(r, now), SEND);
	(void)break_off(r);
	reflector_nudge(r, now);
	assert_int_equal(r->deadline, now);
	assert_int_equal(reflector_timer(r, now), SEND);
	assert_watches(r, "10");
	assert_true(reflector_answered(r));
	assert_false(reflector_answered(r));
	deadline = r->deadline;
	reflector_nudge(r, now);
	assert_int_equal(r->deadline, deadline);
}

static void versions_that_go_backwards(void **state)
{
	struct reflector *r = *state;
	const struct api_status ahead = {.code = 504, .too_large = true};
	const struct api_status slow = {.code = 504};

	get_synced(r, 60);
	assert_int_equal(reflector_error(r, &ahead, now), CANCEL | DISTRUST | FORGET | SEND);
	reflector_bytes(r, now);
	assert_int_equal(reflector_bookmark(r, 20, true, now), COMMIT);
	assert_int_equal(r->version, 20);
	now += REFLECTOR_BRIEF_USEC;
	reflector_bytes(r, now);
	assert_int_equal(reflector_event(r, 25, now), 0);
	assert_int_equal(reflector_event(r, 24, now), CANCEL | DISTRUST | FORGET | SEND);
	assert_streams(r);
	reflector_bytes(r, now);
	assert_int_equal(reflector_bookmark(r, 30, true, now), COMMIT);
	/* Again, before the watch has lasted: not in a tight loop. */
	assert_int_equal(reflector_bookmark(r, 29, false, now), CANCEL | DISTRUST);
	now = r->deadline;
	assert_int_equal(reflector_timer(r, now), FORGET | SEND);
	reflector_bytes(r, now);
	assert_int_equal(reflector_bookmark(r, 30, true, now), COMMIT);
	/* A server that is merely slow keeps the versions. */
	assert_int_equal(reflector_error(r, &slow, now), CANCEL);
	assert_int_equal(r->version, 30);
}

/* Nobody asked to wait: the pause is chance, from nothing on. */
static void versions_that_go_backwards_ask_for_no_delay(void **state)
{
	struct reflector *r = *state;
	uint64_t shortest = UINT64_MAX;

	for (uint64_t seed = 1; seed <= 30; seed++) {
		reflector_done(r);
		reflector_init(r, seed);
		get_synced(r, 60);
		assert_int_equal(reflector_event(r, 59, now), CANCEL | DISTRUST | FORGET | SEND);
		reflector_bytes(r, now);
		assert_int_equal(reflector_bookmark(r, 30, true, now), COMMIT);
		r->no_stream = true;
		assert_int_equal(reflector_event(r, 29, now), CANCEL | DISTRUST);
		shortest = MIN(shortest, r->deadline - now);
		assert_int_equal(reflector_timer(r, r->deadline), FORGET | SEND);
		assert_path(r, "/api/v1/pods?limit=500", NULL, "resourceVersion"); /* no old one */
	}
	assert_true(shortest < REFLECTOR_RETRY_MIN_USEC / 2);
}

/* --- silence -----------------------------------------------------------------------------------
 */

static void a_watch_that_goes_quiet_is_renewed(void **state)
{
	struct reflector *r = *state;

	get_synced(r, 60);
	now += 60 * USEC_PER_SEC;
	reflector_bytes(r, now);
	assert_int_equal(reflector_bookmark(r, 61, false, now), 0);
	now += REFLECTOR_WATCH_IDLE_USEC - 1;
	assert_int_equal(reflector_timer(r, now), 0);
	now++;
	assert_int_equal(reflector_timer(r, now), CANCEL | RENEW | SEND);
	assert_watches(r, "61");
}

static void a_page_that_never_comes(void **state)
{
	struct reflector *r = *state;

	(void)reflector_start(r, now);
	(void)say_no(r, 422, 0);
	for (int i = 0; i < 5; i++) { /* slowly, by the byte: that is an answer */
		now += REFLECTOR_LIST_IDLE_USEC - 1;
		assert_int_equal(reflector_timer(r, now), 0);
		reflector_bytes(r, now);
	}
	now += REFLECTOR_LIST_IDLE_USEC;
	assert_int_equal(reflector_timer(r, now), CANCEL | RENEW | FORGET);
	assert_string_equal(r->problem, "the API server does not answer");
	assert_int_equal(r->state, REFLECTOR_WAITING);
}

/* A server that ends each watch at once must not be asked in a tight loop. */
static void watches_that_end_at_once(void **state)
{
	struct reflector *r = *state;

	get_synced(r, 60);
	now += 400 * USEC_PER_SEC;
	assert_int_equal(end_well(r), SEND);
	assert_int_equal(end_well(r), 0);
	assert_int_equal(r->state, REFLECTOR_WAITING);
	now = r->deadline;
	assert_int_equal(reflector_timer(r, now), SEND);
	assert_watches(r, "60");
}

/* Nor one that says something first, or whose list is taken again and again. */
static void watches_that_end_soon(void **state)
{
	const struct api_status expired = {.code = 410};
	struct reflector *r = *state;
	uint64_t began = now;

	get_synced(r, 60);
	for (int i = 0; i < 30; i++) {
		reflector_accepted(r);
		reflector_bytes(r, now);
		(void)reflector_bookmark(r, r->version + 1, false, now);
		(void)end_well(r);
		now = r->deadline;
		(void)reflector_timer(r, now);
	}
	assert_true(now - began > 30 * USEC_PER_SEC);
	assert_true(r->troubled);
	assert_string_equal(r->problem, "the server ends each watch at once");
	tear_down(state);
	set_up(state);
	r = *state;
	began = now;
	get_synced(r, 60);
	for (int i = 0; i < 30; i++) {
		if (reflector_error(r, &expired, now) & SEND)
			(void)reflector_bookmark(r, 60, true, now);
		if (r->state != REFLECTOR_WAITING)
			continue;
		now = r->deadline;
		(void)reflector_timer(r, now);
		if (r->state == REFLECTOR_PAGING)
			(void)reflector_page(r, 60, NULL, now);
		else
			(void)reflector_bookmark(r, 60, true, now);
	}
	assert_true(now - began > 30 * USEC_PER_SEC);
}

/* In step is what lasts: a watch that the server has taken, and says nothing. */
static void a_silent_watch_after_a_failure(void **state)
{
	struct reflector *r = *state;

	get_synced(r, 60);
	now += 10 * USEC_PER_SEC;
	assert_int_equal(reflector_stale(r, now), 0);
	(void)say_no(r, 403, 0);
	assert_true(r->troubled);
	now = r->deadline;
	(void)reflector_timer(r, now);
	assert_true(reflector_stale(r, now) >= 10 * USEC_PER_SEC);
	reflector_accepted(r);
	assert_true(r->troubled);
	now = r->deadline;
	assert_int_equal(reflector_timer(r, now), 0);
	assert_false(r->troubled);
	assert_string_equal(r->problem, "");
	assert_int_equal(reflector_stale(r, now), 0);
	assert_int_equal(r->state, REFLECTOR_WATCHING);
	/* And it is renewed when it goes on to say nothing, as any other. */
	now += REFLECTOR_WATCH_IDLE_USEC;
	assert_int_equal(reflector_timer(r, now), CANCEL | RENEW | SEND);
}

/* What comes late, of a request that was given up, means nothing. */
static void late_news_count_for_nothing(void **state)
{
	struct reflector *r = *state;
	const struct api_status expired = {.code = 410};
	uint64_t deadline;

	get_synced(r, 60);
	(void)break_off(r);
	deadline = r->deadline;
	assert_int_equal(break_off(r), 0);
	assert_int_equal(reflector_error(r, &expired, now), 0);
	assert_int_equal(reflector_event(r, 1, now), 0);
	assert_int_equal(reflector_bookmark(r, 1, true, now), 0);
	reflector_bytes(r, now);
	assert_int_equal(r->deadline, deadline);
	assert_int_equal(r->version, 60);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_goes_on_as_the_watch),
		TEST(a_collection_that_need_not_be_there),
		TEST(a_404_of_what_must_be_there_is_a_failure),
		TEST(selectors_of_fields_and_labels),
		TEST(pages_when_the_server_has_no_streams),
		TEST(a_stream_that_never_says_that_was_all),
		TEST(a_list_that_is_cut_off_changes_nothing),
		TEST(a_page_that_is_cut_off),
		TEST(a_watch_that_breaks_goes_on_where_it_was),
		TEST(waits_are_random_and_their_bound_doubles),
		TEST(two_nodes_do_not_come_at_once),
		TEST(the_server_says_when_to_come_again),
		TEST(credentials_are_read_anew),
		TEST(a_refused_stream_is_followed_by_a_plain_list),
		TEST(an_error_within_the_stream),
		TEST(a_refusal_of_the_caller_waits),
		TEST(a_stream_that_always_breaks),
		TEST(a_server_that_has_just_come_back),
		TEST(watches_that_end_soon),
		TEST(a_silent_watch_after_a_failure),
		TEST(a_version_that_is_too_old),
		TEST(a_list_after_that_is_not_an_old_one),
		TEST(the_server_answers_others_again),
		TEST(versions_that_go_backwards),
		TEST(versions_that_go_backwards_ask_for_no_delay),
		TEST(a_watch_that_goes_quiet_is_renewed),
		TEST(a_page_that_never_comes),
		TEST(watches_that_end_at_once),
		TEST(late_news_count_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
