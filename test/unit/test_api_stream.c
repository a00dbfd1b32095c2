// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_api_stream.c - lists and watches in pieces of every size; and what hostile answers give.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/intern.h"
#include "lib/vec.h"
#include "watch/document/json.h"
#include "watch/kube/api_stream.h"
#include "watch/object/decode.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"

/* struct heard - what a stream told; @enough: items after which the taker stops it, 0: never */
struct heard {
	VEC(struct api_item) items;
	struct api_status status;
	size_t enough;
};

static bool take(void *arg, const struct api_item *item)
{
	struct heard *h = arg;

	vec_push(&h->items, *item);
	if (item->event == API_ERROR)
		h->status = *item->status;
	return h->items.n != h->enough;
}

static void heard_done(struct heard *h)
{
	vec_foreach (i, &h->items)
		(void)object_free(i->object);
	vec_done(&h->items);
}

static void stream_done(struct api_stream **s)
{
	(void)api_stream_free(*s);
}

/* struct answer - one answer read; starts with @shape, @kind and @piece set */
struct answer {
	enum api_shape shape;
	enum kind kind;
	size_t piece; /* bytes fed at once; 0: all */
	struct heard heard;
	struct api_list_end end;
	char *continue_from;
	uint64_t unknown;
	int r;
	struct err err;
};

static void read_answer(struct answer *a, const char *text, size_t len)
{
	_cleanup_(stream_done) struct api_stream *s =
		api_stream_new(a->shape, a->kind, take, &a->heard);

	a->r = 0;
	for (size_t i = 0, n; i < len && a->r == 0; i += n) {
		n = a->piece ? MIN(a->piece, len - i) : len;
		a->r = api_stream_feed(s, text + i, n, &a->err);
	}
	if (a->r == 0)
		a->r = api_stream_end(s, &a->end, &a->err);
	if (a->end.continue_from)
		a->continue_from = xstrdup(a->end.continue_from);
	a->unknown = api_stream_take_unknown(s);
}

static void answer_done(struct answer *a)
{
	heard_done(&a->heard);
	free(a->continue_from);
}

/* Read a whole answer of a kind. */
#define READ(name, shape_, kind_, text)                                                   \
	_cleanup_(answer_done) struct answer name = {.shape = (shape_), .kind = (kind_)}; \
	read_answer(&name, text, strlen(text))

/* --- objects -----------------------------------------------------------------------------------
 */

#define JUNK                                                                                      \
	"\"managedFields\":[{\"manager\":\"kubelet\",\"fieldsV1\":{\"f:metadata\":{\"f:labels\":" \
	"{\".\":{},\"f:app\":{}}}}}],\"annotations\":{\"a\":\"b\\u0041\",\"x/y\":\"[{}]\"},"

static const char *const objects[_KIND_MAX] = {
	[KIND_NODE] =
		"{\"metadata\":{" JUNK "\"name\":\"n1\",\"uid\":\"u1\",\"resourceVersion\":\"7\","
		"\"labels\":{\"zone\":\"a\"}},\"spec\":{\"podCIDR\":\"10.1.0.0/24\",\"podCIDRs\":"
		"[\"10.1.0.0/24\",\"fd00:1::/64\"],\"taints\":[{\"key\":\"k\"}]},\"status\":"
		"{\"capacity\":{\"cpu\":\"2\"},\"addresses\":[{\"type\":\"InternalIP\",\"address\":"
		"\"192.0.2.1\"},{\"type\":\"Hostname\",\"address\":\"n1\"}],\"images\":[{\"names\":"
		"[\"a\",\"b\"],\"sizeBytes\":12}]}}",
	[KIND_NAMESPACE] = "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/"
			   "v1\",\"metadata\":{" JUNK
			   "\"name\":\"shop\",\"uid\":\"u2\",\"resourceVersion\":\"8\",\"labels\":"
			   "{\"kubernetes.io/metadata.name\":\"shop\",\"team\":\"a\"}}}",
	[KIND_POD] =
		"{\"metadata\":{" JUNK "\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u3\","
		"\"resourceVersion\":\"9\",\"labels\":{\"app\":\"web\"}},\"spec\":{\"volumes\":[{}]"
		","
		"\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"ports\",\"value\":\"x\"}],"
		"\"ports\":[{\"name\":\"http\",\"containerPort\":80,\"protocol\":\"TCP\"}]},{}],"
		"\"initContainers\":[{\"ports\":[{\"name\":\"dns\",\"containerPort\":53,"
		"\"protocol\":\"UDP\"}]}],\"nodeName\":\"n1\",\"hostNetwork\":false,"
		"\"tolerations\":"
		"[[[]]]},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.1.0.5\",\"podIPs\":"
		"[{\"ip\":\"10.1.0.5\"},{\"ip\":\"fd00:1::5\"}],\"conditions\":[{\"type\":"
		"\"Ready\"}],"
		"\"containerStatuses\":[{\"name\":\"c\",\"restartCount\":0,\"ready\":true}]}}",
	[KIND_NETPOL] =
		"{\"metadata\":{" JUNK "\"name\":\"p\",\"namespace\":\"shop\",\"uid\":\"u4\","
		"\"resourceVersion\":\"10\"},\"spec\":{\"podSelector\":{\"matchExpressions\":[{"
		"\"key\":"
		"\"app\",\"operator\":\"In\",\"values\":[\"web\",\"db\"]}]},\"ingress\":[{\"from\":"
		"[{\"ipBlock\":{\"cidr\":\"192.0.2.0/24\",\"except\":[\"192.0.2.7/32\"]}},"
		"{\"namespaceSelector\":{},\"podSelector\":{\"matchLabels\":{\"a\":\"b\"}}}],"
		"\"ports\":[{\"protocol\":\"TCP\",\"port\":80,\"endPort\":90},{\"port\":\"http\"}]}"
		"],"
		"\"egress\":[{}],\"policyTypes\":[\"Ingress\",\"Egress\"]}}",
	[KIND_SERVICE] =
		"{\"metadata\":{" JUNK "\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u5\","
		"\"resourceVersion\":\"11\"},\"spec\":{\"clusterIP\":\"10.96.0.7\",\"clusterIPs\":"
		"[\"10.96.0.7\",\"fd00:96::7\"],\"selector\":{\"app\":\"web\"},\"ports\":[{"
		"\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\",\"targetPort\":8080}]},"
		"\"status\":{\"loadBalancer\":{}}}",
};

/* The object as the decoders see it with nothing left out. */
static struct object *decode_whole(enum kind kind, const char *text)
{
	_cleanup_(value_doc_freep) struct value_doc *d = NULL;
	struct object *o = NULL;
	struct err e = {0};

	assert_int_equal(json_parse(text, strlen(text), &d, &e), 0);
	if (decode_kind(value_root(d), kind, &o, &e) < 0)
		fail_msg("%s", e.msg);
	return o;
}

static void nothing_that_a_decoder_reads_is_left_out(void **state _unused_)
{
	for (int k = 0; k < _KIND_MAX; k++) {
		_cleanup_(object_freep) struct object *whole =
			decode_whole((enum kind)k, objects[k]);
		_cleanup_(freep) char *text =
			xasprintf("{\"kind\":\"L\",\"apiVersion\":\"v1\",\"metadata\":"
				  "{\"resourceVersion\":\"99\"},\"items\":[%s]}\n",
				  objects[k]);

		READ(a, API_LIST, (enum kind)k, text);
		assert_int_equal(a.r, 0);
		assert_int_equal(a.heard.items.n, 1);
		assert_null(whole->problem);
		assert_non_null(whole->uid);
		assert_true(object_equal(a.heard.items.v[0].object, whole));
		assert_int_equal(a.heard.items.v[0].version, 7 + k);
		assert_int_equal(a.end.version, 99);
		assert_null(a.end.continue_from);
	}
}

static char *list_of_pods(int n)
{
	struct buf b = {0};

	buf_puts(&b, "{\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"more\","
		     "\"remainingItemCount\":3},\"items\":[");
	for (int i = 0; i < n; i++)
		buf_printf(&b,
			   "%s{\"metadata\":{\"name\":\"p%d\",\"namespace\":\"n\"},\"spec\":"
			   "{\"containers\":[{\"image\":\"\\u20ac\\n\"}]}}",
			   i ? "," : "", i);
	buf_puts(&b, "]}");
	return buf_take(&b);
}

static void pieces_of_every_size(void **state _unused_)
{
	_cleanup_(freep) char *text = list_of_pods(5);

	for (size_t piece = 1; piece <= 64; piece++) {
		_cleanup_(answer_done) struct answer a = {
			.shape = API_LIST, .kind = KIND_POD, .piece = piece};

		read_answer(&a, text, strlen(text));
		assert_int_equal(a.r, 0);
		assert_int_equal(a.heard.items.n, 5);
		assert_string_equal(a.heard.items.v[4].object->name, "p4");
		assert_string_equal(a.continue_from, "more");
	}
}

static void an_empty_list(void **state _unused_)
{
	READ(a, API_LIST, KIND_POD, "{\"items\":null,\"metadata\":{\"resourceVersion\":\"3\"}}");
	READ(b, API_LIST, KIND_POD,
	     "{\"items\":[],\"metadata\":{\"resourceVersion\":\"4\",\"continue\":\"\"}}");

	assert_int_equal(a.r, 0);
	assert_int_equal(a.end.version, 3);
	assert_int_equal(a.heard.items.n, 0);
	assert_int_equal(b.r, 0);
	assert_int_equal(b.end.version, 4);
	assert_null(b.end.continue_from);
}

/* Whatever is missing at the end: a list that was cut off is no list. */
static void a_list_that_is_cut_off(void **state _unused_)
{
	_cleanup_(freep) char *text = list_of_pods(2);

	for (size_t len = 0; len < strlen(text); len++) {
		_cleanup_(answer_done) struct answer a = {.shape = API_LIST, .kind = KIND_POD};

		read_answer(&a, text, len);
		assert_int_equal(a.r, -EPROTO);
	}
}

/* --- watches -----------------------------------------------------------------------------------
 */

#define POD(name, version)                                                                        \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"n\",\"resourceVersion\":\"" version \
	"\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"

static const char watch[] = EVENT("ADDED", POD("a", "11")) EVENT("MODIFIED", POD("a", "12"))
	EVENT("BOOKMARK",
	      "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"13\",\"annotations\":"
	      "{\"k8s.io/initial-events-end\":\"true\"}},\"spec\":{\"containers\":null}}")
		EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"14\"}}")
			EVENT("DELETED", POD("a", "15"));

static void events_in_order(void **state _unused_)
{
	static const enum api_event order[] = {API_ADDED, API_MODIFIED, API_BOOKMARK, API_BOOKMARK,
					       API_DELETED};

	for (size_t piece = 0; piece < 40; piece++) {
		_cleanup_(answer_done) struct answer a = {
			.shape = API_WATCH, .kind = KIND_POD, .piece = piece};

		read_answer(&a, watch, strlen(watch));
		assert_int_equal(a.r, 0);
		assert_int_equal(a.heard.items.n, 5);
		for (size_t i = 0; i < 5; i++) {
			const struct api_item *item = &a.heard.items.v[i];

			assert_int_equal(item->event, order[i]);
			assert_int_equal(item->version, 11 + i);
			assert_int_equal(item->initial_end, i == 2);
			assert_int_equal(item->object != NULL, order[i] != API_BOOKMARK);
		}
	}
}

static void an_error_says_why(void **state _unused_)
{
	READ(a, API_WATCH, KIND_POD,
	     EVENT("ERROR",
		   "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"too old resource "
		   "version: 1 (9)\",\"reason\":\"Expired\",\"code\":410,\"metadata\":{}}"));
	READ(b, API_WATCH, KIND_POD,
	     EVENT("ERROR",
		   "{\"message\":\"Too large resource version\\u0007\",\"reason\":\"Timeout\","
		   "\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}],"
		   "\"retryAfterSeconds\":1},\"code\":504}"));

	assert_int_equal(a.r, 0);
	assert_int_equal(a.heard.status.code, 410);
	assert_string_equal(a.heard.status.reason, "Expired");
	assert_string_equal(a.heard.status.message, "too old resource version: 1 (9)");
	assert_false(a.heard.status.too_large);
	assert_int_equal(b.heard.status.code, 504);
	assert_true(b.heard.status.too_large);
	assert_int_equal(b.heard.status.retry_after, 1);
	assert_string_equal(b.heard.status.message, "Too large resource version ");
}

static void a_type_that_is_not_known_is_left_out(void **state _unused_)
{
	READ(a, API_WATCH, KIND_POD,
	     EVENT("ADDED", POD("a", "1")) EVENT("EXPLODED", POD("b", "2"))
		     EVENT("ADDED", POD("c", "3")));

	assert_int_equal(a.r, 0);
	assert_int_equal(a.heard.items.n, 2);
	assert_string_equal(a.heard.items.v[1].object->name, "c");
	assert_int_equal(a.unknown, 1);
}

static void an_object_without_a_name_is_left_out(void **state _unused_)
{
	READ(a, API_LIST, KIND_POD,
	     "{\"metadata\":{\"resourceVersion\":\"1\"},"
	     "\"items\":[{},{\"metadata\":{\"name\":\"UPPER\"}}," POD("a", "1") "]}");
	READ(b, API_WATCH, KIND_POD, EVENT("ADDED", "{}") EVENT("ADDED", POD("a", "1")));

	assert_int_equal(a.r, 0);
	assert_int_equal(a.heard.items.n, 1);
	assert_int_equal(a.unknown, 2);
	assert_int_equal(b.r, 0);
	assert_int_equal(b.heard.items.n, 1);
	assert_int_equal(b.unknown, 1);
}

static void the_taker_has_enough(void **state _unused_)
{
	for (size_t enough = 1; enough < 5; enough++) {
		_cleanup_(answer_done) struct answer a = {
			.shape = API_WATCH, .kind = KIND_POD, .heard.enough = enough};

		read_answer(&a, watch, strlen(watch));
		assert_int_equal(a.r, 1);
		assert_int_equal(a.heard.items.n, enough);
	}
}

/* --- limits ------------------------------------------------------------------------------------
 */

static char *repeat(const char *before, const char *text, size_t n, const char *after)
{
	struct buf b = {0};

	buf_puts(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_puts(&b, text);
	buf_puts(&b, after);
	return buf_take(&b);
}

#define POLICY_HEAD                                                                               \
	"{\"metadata\":{\"resourceVersion\":\"1\"},"                                              \
	"\"items\":[{\"metadata\":{\"name\":\"big\",\"namespace\":\"n\",\"uid\":\"u\"},\"spec\":" \
	"{\"podSelector\":"
#define POLICY_TAIL                                                          \
	"}},{\"metadata\":{\"name\":\"next\",\"namespace\":\"n\"},\"spec\":" \
	"{\"podSelector\":{}}}],\"metadata\":{}}"

/* It fails closed by its name, and those behind it are read. */
static void assert_set_aside(const char *text, const char *why)
{
	const struct netpol *p;

	READ(a, API_LIST, KIND_NETPOL, text);
	if (a.r)
		fail_msg("%s", a.err.msg);
	assert_int_equal(a.heard.items.n, 2);
	p = as_netpol(a.heard.items.v[0].object);
	assert_string_equal(p->o.name, "big");
	assert_string_equal(p->o.uid, "u");
	assert_true(p->isolates[INGRESS] && p->isolates[EGRESS]);
	assert_int_equal(p->selects.n, 0);
	if (!p->o.problem || !strstr(p->o.problem, why))
		fail_msg("%s", p->o.problem ?: "no problem");
	assert_null(strstr(p->o.problem, "line 0"));
	assert_null(a.heard.items.v[1].object->problem);
}

static void an_object_that_breaks_a_limit_is_set_aside(void **state _unused_)
{
	_cleanup_(freep) char *deep = repeat(POLICY_HEAD, "{\"a\":", 70, "1");
	_cleanup_(freep) char *closed = repeat(deep, "}", 70, POLICY_TAIL);
	_cleanup_(freep) char *text = repeat(POLICY_HEAD "{\"matchLabels\":{\"a\":\"", "x",
					     (1 << 20) + 1, "\"}}" POLICY_TAIL);

	assert_set_aside(closed, "nested deeper than 64 levels");
	assert_set_aside(text, "1048576");
	assert_set_aside(POLICY_HEAD "{\"matchLabels\":{\"a\":\"b\",\"a\":\"c\"}}" POLICY_TAIL,
			 "a");
	assert_set_aside(POLICY_HEAD "{\"matchLabels\":{\"a\":\"\xff\"}}" POLICY_TAIL, "UTF-8");
}

/* What it was annotated with is not known, and so is not nothing. */
static void a_namespace_that_breaks_a_limit_isolates_its_pods(void **state _unused_)
{
	READ(a, API_LIST, KIND_NAMESPACE,
	     "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"a\","
	     "\"labels\":{\"a\":\"b\",\"a\":\"c\"}}}],\"metadata\":{}}");
	const struct namespace *n = as_namespace(a.heard.items.v[0].object);

	assert_int_equal(a.r, 0);
	assert_non_null(strstr(n->o.problem, "the object breaks a limit"));
	assert_true(n->isolated && !n->labels_known);
}

/* A wrong field is the decoder's business; the message has no line. */
static void an_object_with_a_wrong_field_is_set_aside(void **state _unused_)
{
	READ(a, API_LIST, KIND_POD,
	     "{\"metadata\":{\"resourceVersion\":\"1\"},"
	     "\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"},\"spec\":{"
	     "\"nodeName\":"
	     "5}}],\"metadata\":{}}");

	assert_int_equal(a.r, 0);
	assert_string_equal(a.heard.items.v[0].object->problem,
			    "spec.nodeName: expected a string, found an integer");
}

/* The limits hold for what is kept: the rest may be as it likes. */
static void what_is_dropped_may_be_large(void **state _unused_)
{
	_cleanup_(freep) char *deep = repeat("", "[", 100000, ""),
			      *shallow = repeat("", "]", 100000, "");
	_cleanup_(freep) char *text = xasprintf(
		"{\"metadata\":{\"resourceVersion\":\"1\"},"
		"\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"},\"other\":%s%s,"
		"\"status\":{\"x\":\"\xff\",\"x\":1}}],\"metadata\":{}}",
		deep, shallow);

	READ(a, API_LIST, KIND_POD, text);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.heard.items.n, 1);
	assert_null(a.heard.items.v[0].object->problem);
}

static int feed_forever(const char *head, const char *text, struct err *e, size_t *ret_fed)
{
	struct heard h = {0};
	_cleanup_(stream_done) struct api_stream *s = api_stream_new(API_LIST, KIND_POD, take, &h);
	int r = api_stream_feed(s, head, strlen(head), e);

	for (*ret_fed = 0; r == 0 && *ret_fed < 64u << 20; *ret_fed += strlen(text))
		r = api_stream_feed(s, text, strlen(text), e);
	heard_done(&h);
	return r;
}

static void an_endless_text_is_refused(void **state _unused_)
{
	_cleanup_(freep) char *text = repeat("", "x", 65536, "");
	_cleanup_(freep) char *list = repeat("", "1,", 32768, "");
	struct err e = {0};
	size_t fed;

	assert_int_equal(feed_forever("{\"items\":[{\"spec\":\"", text, &e, &fed), -EPROTO);
	assert_non_null(strstr(e.msg, "longer than 4 MiB"));
	assert_in_range(fed, API_TOKEN_MAX, API_TOKEN_MAX + 2 * 65536);
	assert_int_equal(feed_forever("{\"items\":[{\"other\":[", list, &e, &fed), -EPROTO);
	assert_non_null(strstr(e.msg, "larger than 16 MiB"));
	assert_in_range(fed, API_OBJECT_MAX, API_OBJECT_MAX + 2 * 65536);
}

/* --- what is no such answer ----------------------------------------------------------------------
 */

static void answers_of_another_shape(void **state _unused_)
{
	static const struct {
		enum api_shape shape;
		const char *text;
	} cases[] = {
		{API_LIST, ""},
		{API_LIST, "<html>"},
		{API_LIST, "[]"},
		{API_LIST, "7"},
		{API_LIST, "\"items\""},
		{API_LIST, "{\"items\":{}}"},
		{API_LIST, "{\"items\":[[]]}"},
		{API_LIST, "{\"metadata\":[]}"},
		{API_LIST, "{\"metadata\":{\"resourceVersion\":{}}}"},
		{API_LIST, "{}{}"},
		{API_WATCH, "{}"},
		{API_WATCH, "[]"},
		{API_WATCH, "null"},
		{API_WATCH, "{\"type\":\"ADDED\"}"},
		{API_WATCH, "{\"object\":" POD("a", "1") ",\"type\":\"ADDED\"}"},
		{API_WATCH, "{\"type\":\"ADDED\",\"object\":7}"},
		{API_WATCH, "{\"type\":{},\"object\":{}}"},
		{API_WATCH, "{\"type\":\"ADDED\",\"object\":" POD("a", "1") ",\"object\":{}}"},
		{API_WATCH, EVENT("ADDED", POD("a", "1")) "{\"type\":"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		READ(a, cases[i].shape, KIND_POD, cases[i].text);
		if (a.r != -EPROTO)
			fail_msg("%s: %d", cases[i].text, a.r);
		assert_true(str_starts(a.err.msg, "the API server's answer: "));
	}
}

static void a_status_in_an_answer_that_says_no(void **state _unused_)
{
	static const char body[] = "{\"kind\":\"Status\",\"message\":\"pods is forbidden: User "
				   "\\\"x\\\" cannot list\","
				   "\"reason\":\"Forbidden\",\"code\":403}";
	struct api_status st;

	api_status_parse(body, strlen(body), &st);
	assert_int_equal(st.code, 403);
	assert_string_equal(st.message, "pods is forbidden: User \"x\" cannot list");
	api_status_parse("<html>Bad Gateway", 17, &st);
	assert_int_equal(st.code, 0);
	assert_string_equal(st.message, "");
	api_status_parse("[1]", 3, &st);
	assert_int_equal(st.code, 0);
}

static int nothing_is_left(void **state _unused_)
{
	return intern_count() == 0 ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_teardown(f, nothing_is_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_that_a_decoder_reads_is_left_out),
		TEST(pieces_of_every_size),
		TEST(an_empty_list),
		TEST(a_list_that_is_cut_off),
		TEST(events_in_order),
		TEST(an_error_says_why),
		TEST(a_type_that_is_not_known_is_left_out),
		TEST(an_object_without_a_name_is_left_out),
		TEST(the_taker_has_enough),
		TEST(an_object_that_breaks_a_limit_is_set_aside),
		TEST(a_namespace_that_breaks_a_limit_isolates_its_pods),
		TEST(an_object_with_a_wrong_field_is_set_aside),
		TEST(what_is_dropped_may_be_large),
		TEST(an_endless_text_is_refused),
		TEST(answers_of_another_shape),
		TEST(a_status_in_an_answer_that_says_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
