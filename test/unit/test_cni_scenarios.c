// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_cni_scenarios.c - CNI calls by the script: what comes, and what they have the agent do.
 *
 * A recorder is in the place of the agent (agent/cni/cni_ops.h): it writes down each effect, and
 * answers what is asked as the script has set it.  Nothing else of the system is reached: no
 * namespace, no kernel, no clock, no socket.
 *
 * Events of a script, by words:
 *   ADD|DEL|CHECK ID, GC ID..., STATUS   a call comes; calls are numbered from 1
 *   done N, failed N CODE, gone N        its caller answers, or goes away
 *   turn                                 the end of a turn
 *   +MS                                  time passes, and alarms go off
 *   flushed                              connections are forgotten
 *   link ID                              the kernel has taken the link of a pod
 *   WORD=VALUE                           what is answered from now on
 */
#include "agent/cni/calls.h"

#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/cni/cni_verbs.h"
#include "lib/log.h"
#include "watch/document/json.h"

#define CALLS_MAX 8
#define POD_WAIT  (2 * USEC_PER_SEC)

/* struct fake_call - one connection */
struct fake_call {
	int number;
	struct call_work *work;
	bool finished;
};

/*
 * struct world
 * @seen:    Effects since the last event
 * @waiting: Calls whose connections are being forgotten
 * @rules, @routes, @record: "wait", "ok" or why it is refused
 */
struct world {
	struct calls *calls;
	struct buf seen;
	uint64_t now;
	struct fake_call call[CALLS_MAX];
	int n_calls;
	struct cni_call *alarmed[CALLS_MAX], *waiting[CALLS_MAX];
	uint64_t at[CALLS_MAX];
	size_t n_waiting;
	VEC(struct attachment *) journal;
	char source[16], changes[16], known[16], blocked[32], ready[32], overridden[32], lost[16];
	char rules[32], routes[32], record[32], make[32], netns[32], network[16];
};

/* struct event - @effects: what it has the agent do, in order */
struct event {
	const char *what, *effects;
};

/* --- the recorder ------------------------------------------------------------------------------
 */

static void note(struct world *w, const char *what, const char *whom)
{
	buf_printf(&w->seen, "%s%s%s%s", w->seen.len ? "; " : "", what, *whom ? " " : "", whom);
}

static uint64_t now(void *arg)
{
	return ((struct world *)arg)->now;
}

static bool is_set(const char *value)
{
	return !streq(value, "no");
}

static bool source_known(void *arg)
{
	return is_set(((struct world *)arg)->source);
}

static bool changes_wait(void *arg)
{
	return is_set(((struct world *)arg)->changes);
}

static bool pod_known(void *arg, const struct attachment *at _unused_)
{
	return is_set(((struct world *)arg)->known);
}

static const char *text_or_null(const char *value)
{
	return is_set(value) ? value : NULL;
}

static const char *blocked(void *arg)
{
	return text_or_null(((struct world *)arg)->blocked);
}

static const char *not_ready(void *arg)
{
	return text_or_null(((struct world *)arg)->ready);
}

static const char *overridden(void *arg)
{
	return text_or_null(((struct world *)arg)->overridden);
}

static uint64_t pod_wait(void *arg _unused_)
{
	return POD_WAIT;
}

static uint32_t mtu(void *arg _unused_, const char *host_ifname)
{
	return host_ifname ? 1400 : 1500;
}

static const struct attachment *find(void *arg, const char *id, const char *ifname)
{
	struct world *w = arg;

	vec_foreach (at, &w->journal)
		if (streq((*at)->id, id) && streq((*at)->ifname, ifname))
			return *at;
	return NULL;
}

static const struct attachment *find_link(void *arg, const char *host_ifname)
{
	struct world *w = arg;

	vec_foreach (at, &w->journal)
		if (streq((*at)->host_ifname, host_ifname))
			return *at;
	return NULL;
}

static const struct attachment *next(void *arg, const struct attachment *before)
{
	struct world *w = arg;
	bool found = !before;

	vec_foreach (at, &w->journal) {
		if (found)
			return *at;
		found = *at == before;
	}
	return NULL;
}

static bool link_lost(void *arg, const struct attachment *at _unused_)
{
	return is_set(((struct world *)arg)->lost);
}

static enum cni_settled settled(const char *value, const char **ret_problem)
{
	*ret_problem = value;
	if (streq(value, "wait"))
		return CNI_IN_PROGRESS;
	return streq(value, "ok") ? CNI_IN_FORCE : CNI_REFUSED;
}

static enum cni_settled rules(void *arg, const struct attachment *at _unused_, const char **problem)
{
	return settled(((struct world *)arg)->rules, problem);
}

static enum cni_settled routes(void *arg, const struct attachment *at _unused_,
			       const char **problem)
{
	return settled(((struct world *)arg)->routes, problem);
}

static enum cni_settled record(void *arg, uint64_t seq _unused_, const char **problem)
{
	return settled(((struct world *)arg)->record, problem);
}

static void wake(void *arg)
{
	note(arg, "wake", "");
}

static void alarm_at(void *arg, struct cni_call *c, uint64_t at)
{
	struct world *w = arg;
	int slot = 0;

	while (slot < CALLS_MAX - 1 && w->alarmed[slot] && w->alarmed[slot] != c)
		slot++;
	if (at == USEC_INFINITY && w->alarmed[slot] == c)
		w->alarmed[slot] = NULL;
	if (at == USEC_INFINITY)
		return;
	w->alarmed[slot] = c;
	w->at[slot] = at;
}

static int make(void *arg, const struct cni_request *q, struct attachment **ret, uint64_t *ret_seq,
		struct err *reterr)
{
	struct world *w = arg;
	struct attachment *at;

	note(w, "make", q->id);
	if (!streq(w->make, "ok"))
		return err_set(reterr, -CNI_E_CONFIG, "%s", w->make);
	at = cni_attachment_new(q);
	at->n_addrs = 1;
	at->addrs[0] = (struct addr){.family = AF_INET, .b = {10, 0, 0, 1}};
	vec_push(&w->journal, at);
	*ret = attachment_copy(at);
	*ret_seq = w->journal.n;
	return 0;
}

static int moved(void *arg, const struct attachment *at, uint64_t *ret_seq _unused_,
		 struct err *reterr _unused_)
{
	note(arg, "move to", at->netns);
	return 0;
}

static void want_rules(void *arg, const struct attachment *at)
{
	note(arg, "rules", at->id);
}

static void want_routes(void *arg, const struct attachment *at)
{
	note(arg, "route", at->id);
}

static void unroute(void *arg, const struct attachment *at)
{
	note(arg, "unroute", at->id);
}

static void forget_rules(void *arg, const struct attachment *at)
{
	note(arg, "no rules", at->id);
}

static void release(void *arg, const struct attachment *at)
{
	struct world *w = arg;

	note(w, "release", at->id);
	for (size_t i = 0; i < w->journal.n; i++)
		if (streq(w->journal.v[i]->id, at->id)) {
			(void)attachment_free(w->journal.v[i]);
			w->journal.v[i] = w->journal.v[--w->journal.n];
		}
}

static void forget_ports(void *arg _unused_, const struct attachment *at _unused_)
{
}

static void flush(void *arg, struct cni_call *c, const struct addr *addrs _unused_, size_t n)
{
	struct world *w = arg;

	buf_printf(&w->seen, "%sflush %zu", w->seen.len ? "; " : "", n);
	w->waiting[w->n_waiting++] = c;
}

static void fetch_pod(void *arg, const char *ns _unused_, const char *pod)
{
	note(arg, "fetch", pod);
}

static void observe(void *arg _unused_, enum cni_verb verb _unused_, bool ok _unused_,
		    uint64_t usec _unused_)
{
}

static void listen_to(void *arg _unused_, struct call *call, struct call_work *work)
{
	((struct fake_call *)(void *)call)->work = work;
}

static struct value_doc *parse(const char *json)
{
	struct value_doc *doc = NULL;
	struct err e = {0};

	if (json_parse(json, strlen(json), &doc, &e) < 0)
		fail_msg("%s: %s", json, e.msg);
	return doc;
}

static void send_message(void *arg, struct call *call, const char *json)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = parse(json);
	const struct value *links = NULL;
	const char *what = "", *netns = "";
	struct world *w = arg;

	(void)value_get_str(value_root(doc), "", "do", &what, NULL);
	(void)value_get_str(value_root(doc), "", "netns", &netns, NULL);
	(void)value_get_seq(value_root(doc), "", "links", &links, NULL);
	buf_printf(&w->seen, "%sask %d to %s", w->seen.len ? "; " : "",
		   ((struct fake_call *)(void *)call)->number, what);
	if (links)
		buf_printf(&w->seen, " %u", links->n);
	else
		buf_printf(&w->seen, " in %s", netns);
}

static void finish(void *arg, struct call *call, const char *text, int exit_code)
{
	struct fake_call *f = (struct fake_call *)(void *)call;
	struct world *w = arg;

	assert_false(f->finished);
	f->finished = true;
	f->work = NULL;
	buf_printf(&w->seen, "%sanswer %d ", w->seen.len ? "; " : "", f->number);
	if (exit_code) {
		_cleanup_(value_doc_freep) struct value_doc *doc = parse(text);
		const char *msg = "";
		int64_t code = 0;

		(void)value_get_str(value_root(doc), "", "msg", &msg, NULL);
		(void)value_get_int(value_root(doc), "", "code", 0, 999, &code, NULL);
		buf_printf(&w->seen, "%d: %s", (int)code, msg);
	} else {
		buf_puts(&w->seen, *text ? "result" : "ok");
	}
}

static const struct cni_ops recorder = {
	.now = now,
	.source_known = source_known,
	.changes_wait = changes_wait,
	.pod_known = pod_known,
	.blocked = blocked,
	.not_ready = not_ready,
	.overridden = overridden,
	.pod_wait = pod_wait,
	.mtu = mtu,
	.find = find,
	.find_link = find_link,
	.next = next,
	.link_lost = link_lost,
	.rules = rules,
	.routes = routes,
	.record = record,
	.wake = wake,
	.alarm = alarm_at,
	.make = make,
	.moved = moved,
	.want_rules = want_rules,
	.want_routes = want_routes,
	.unroute = unroute,
	.forget_rules = forget_rules,
	.release = release,
	.forget_ports = forget_ports,
	.flush = flush,
	.fetch_pod = fetch_pod,
	.observe = observe,
	.listen = listen_to,
	.send = send_message,
	.finish = finish,
};

/* --- events ------------------------------------------------------------------------------------
 */

static void come(struct world *w, const char *verb, const char *ids)
{
	_cleanup_(freep) char *first = xstrndup(ids, strcspn(ids, " "));
	_cleanup_(buf_done) struct buf b = {0};
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct fake_call *f = &w->call[w->n_calls];
	bool gc = streq(verb, "GC");

	f->number = ++w->n_calls;
	buf_printf(&b, "{\"call\":\"cni\",\"env\":{\"CNI_COMMAND\":\"%s\"", verb);
	if (!gc && !streq(verb, "STATUS"))
		buf_printf(
			&b,
			",\"CNI_CONTAINERID\":\"%s\",\"CNI_IFNAME\":\"eth0\",\"CNI_NETNS\":\"%s\""
			",\"CNI_ARGS\":\"K8S_POD_NAMESPACE=default;K8S_POD_NAME=%s\"",
			first, w->netns, first);
	buf_printf(&b,
		   "},\"stdin\":\"{\\\"cniVersion\\\":\\\"1.1.0\\\",\\\"name\\\":\\\"%s\\\","
		   "\\\"type\\\":\\\"manx\\\"",
		   w->network);
	if (gc)
		buf_printf(&b,
			   ",\\\"cni.dev/valid-attachments\\\":[{\\\"containerID\\\":\\\"%s\\\","
			   "\\\"ifname\\\":\\\"eth0\\\"}]",
			   first);
	if (streq(verb, "CHECK"))
		buf_puts(&b, ",\\\"prevResult\\\":{\\\"interfaces\\\":[{\\\"name\\\":\\\"eth0\\\","
			     "\\\"sandbox\\\":\\\"/ns\\\"}],\\\"ips\\\":[{\\\"address\\\":"
			     "\\\"10.0.0.1/32\\\",\\\"interface\\\":0}]}");
	buf_puts(&b, "}\"}");
	doc = parse(b.data);
	calls_cni(w->calls, (struct call *)(void *)f, value_root(doc));
}

static void answer(struct world *w, int number, const char *json)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = parse(json);
	struct call_work *work = w->call[number - 1].work;

	assert_non_null(work);
	work->message(work, value_root(doc));
}

static void pass_time(struct world *w, int msec)
{
	w->now += (uint64_t)msec * USEC_PER_MSEC;
	for (int i = 0; i < CALLS_MAX; i++)
		if (w->alarmed[i] && w->at[i] <= w->now) {
			w->at[i] = USEC_INFINITY;
			calls_alarm(w->alarmed[i]);
		}
}

static void set(struct world *w, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *at;
	} words[] = {
		{"source", w->source},	 {"changes", w->changes}, {"known", w->known},
		{"blocked", w->blocked}, {"ready", w->ready},	  {"overridden", w->overridden},
		{"lost", w->lost},	 {"rules", w->rules},	  {"routes", w->routes},
		{"record", w->record},	 {"make", w->make},	  {"netns", w->netns},
		{"network", w->network},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(words[i].name, name)) {
			(void)sprintf(words[i].at, "%.15s", value);
			return;
		}
	fail_msg("no word %s", name);
}

static void flushed(struct world *w)
{
	assert_true(w->n_waiting > 0);
	while (w->n_waiting)
		calls_flushed(w->waiting[--w->n_waiting]);
}

static void link_gone(struct world *w, const char *id)
{
	char host_ifname[IFNAME_MAX + 1];

	attachment_host_ifname(w->network, id, "eth0", host_ifname);
	calls_link_gone(w->calls, host_ifname);
}

static void gone(struct world *w, int number)
{
	struct call_work *work = TAKE(w->call[number - 1].work, NULL);

	work->closed(work);
}

static void happen(struct world *w, const char *what)
{
	char word[32] = "", rest[64] = "";
	const char *equals = strchr(what, '=');
	int n = 0, code = 0;

	(void)sscanf(what, "%31s %63[^\n]", word, rest);
	if (equals) {
		(void)snprintf(word, sizeof(word), "%.*s", (int)(equals - what), what);
		set(w, word, equals + 1);
	} else if (*what == '+') {
		pass_time(w, (int)strtol(what + 1, NULL, 10));
	} else if (streq(word, "turn")) {
		calls_progress(w->calls);
	} else if (streq(word, "flushed")) {
		flushed(w);
	} else if (streq(word, "link")) {
		link_gone(w, rest);
	} else if (streq(word, "gone")) {
		gone(w, (int)strtol(rest, NULL, 10));
	} else if (streq(word, "done")) {
		answer(w, (int)strtol(rest, NULL, 10), "{\"done\":true}");
	} else if (sscanf(what, "failed %d %d", &n, &code) == 2) {
		_cleanup_(freep) char *json = xasprintf("{\"error\":\"oh\",\"code\":%d}", code);

		answer(w, n, json);
	} else {
		come(w, word, rest);
	}
}

static void play(const struct event *script)
{
	struct world w = {.now = USEC_PER_SEC};
	static const char *const as_usual[] = {
		"source=yes",	 "changes=no", "known=yes",   "blocked=no", "ready=no",
		"overridden=no", "lost=no",    "rules=ok",    "routes=ok",  "record=ok",
		"make=ok",	 "netns=/ns",  "network=manx"};

	w.calls = calls_new(&recorder, &w);
	for (size_t i = 0; i < ARRAY_SIZE(as_usual); i++)
		happen(&w, as_usual[i]);
	for (const struct event *e = script; e->what; e++) {
		buf_reset(&w.seen);
		buf_puts(&w.seen, "");
		happen(&w, e->what);
		if (!streq(w.seen.data, e->effects))
			fail_msg("at event %zu, '%s':\n  has    %s\n  wanted %s",
				 (size_t)(e - script) + 1, e->what, w.seen.data, e->effects);
	}
	assert_true(calls_idle(w.calls)); /* no script ends in the middle of something */
	vec_foreach (at, &w.journal)
		(void)attachment_free(*at);
	vec_done(&w.journal);
	buf_done(&w.seen);
	free(w.calls);
}

#define SCENARIO(name, ...)                                                       \
	static void name(void **state _unused_)                                   \
	{                                                                         \
		static const struct event script[] = {__VA_ARGS__, {NULL, NULL}}; \
                                                                                  \
		play(script);                                                     \
	}

/* --- ADD ---------------------------------------------------------------------------------------
 */

SCENARIO(an_add, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"},
	 {"turn", "answer 1 result"})

SCENARIO(an_add_waits_for_its_rules, {"rules=wait", ""}, {"ADD a", "make a"}, {"turn", ""},
	 {"turn", ""}, {"rules=ok", ""}, {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"},
	 {"turn", "answer 1 result"})

/* Route first, then disk, then the pod's object. */
SCENARIO(an_add_waits_for_route_and_disk, {"routes=wait", ""}, {"record=wait", ""},
	 {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"},
	 {"turn", ""}, {"routes=ok", ""}, {"turn", ""}, {"record=ok", ""},
	 {"turn", "answer 1 result"})

SCENARIO(the_pods_object_is_asked_for_once, {"known=no", ""}, {"ADD a", "make a"},
	 {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"}, {"turn", ""}, {"+99", ""},
	 {"+1", "fetch a"}, {"turn", ""}, {"known=yes", ""}, {"turn", "answer 1 result"})

SCENARIO(a_pod_without_an_object_is_isolated_in_the_end, {"known=no", ""}, {"ADD a", "make a"},
	 {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"}, {"+100", "fetch a"},
	 {"+1899", ""}, {"turn", ""}, {"+1", ""}, {"turn", "answer 1 result"})

SCENARIO(an_add_while_the_source_is_read, {"source=no", ""}, {"ADD a", ""}, {"turn", ""},
	 {"+5000", ""}, {"turn", ""}, {"source=yes", ""}, {"turn", "make a; wake"},
	 {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"}, {"turn", "answer 1 result"})

SCENARIO(an_add_whose_source_is_never_read, {"source=no", ""}, {"blocked=not read", ""},
	 {"ADD a", ""}, {"turn", ""}, {"+10000", ""}, {"turn", "answer 1 11: not read; wake"})

SCENARIO(an_add_waits_for_the_queue, {"changes=yes", ""}, {"ADD a", ""}, {"changes=no", ""},
	 {"turn", "make a; wake"}, {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"},
	 {"turn", "answer 1 result"})

SCENARIO(addresses_that_cannot_be_had, {"make=full", ""}, {"ADD a", "make a; answer 1 7: full"})

/* --- an ADD taken back -------------------------------------------------------------------------
 */

SCENARIO(rules_that_the_kernel_refuses, {"rules=bad", ""}, {"ADD a", "make a"},
	 {"turn", "unroute a; wake"}, {"turn", "no rules a; flush 1"}, {"turn", ""},
	 {"flushed", ""}, {"turn", "release a; answer 1 101: bad; wake"})

SCENARIO(a_link_that_cannot_be_made, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"},
	 {"failed 1 101", "unroute a; wake"}, {"turn", "no rules a; flush 1"}, {"flushed", ""},
	 {"turn", "release a; answer 1 101: oh; wake"})

/* Its routes may be on their way: then nothing goes before the kernel has answered. */
SCENARIO(a_route_that_the_kernel_refuses, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"},
	 {"routes=no way", ""}, {"done 1", "route a"}, {"turn", "unroute a; wake"},
	 {"routes=wait", ""}, {"turn", ""}, {"routes=ok", ""}, {"turn", "no rules a; flush 1"},
	 {"flushed", ""}, {"turn", "release a; answer 1 101: no way; wake"})

SCENARIO(a_plugin_that_goes_away, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"},
	 {"gone 1", "unroute a; wake"}, {"turn", "no rules a; flush 1"}, {"flushed", ""},
	 {"turn", "release a; wake"})

SCENARIO(a_disk_that_does_not_write, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"},
	 {"record=full", ""}, {"done 1", "route a"}, {"turn", "unroute a; wake"},
	 {"turn", "no rules a; flush 1"}, {"flushed", ""},
	 {"turn", "release a; answer 1 5: full; wake"})

/* --- one interface, several calls --------------------------------------------------------------
 */

SCENARIO(a_del_ends_the_add_before_it, {"ADD a", "make a"}, {"DEL a", ""},
	 {"turn", "unroute a; wake"}, {"turn", "no rules a; flush 1"}, {"flushed", ""},
	 {"turn", "release a; answer 1 11: a DEL of the same interface came; wake; "
		  "ask 2 to detach 1; wake"},
	 {"done 2", "no rules a; flush 0"}, {"flushed", ""},
	 {"turn", "release a; answer 2 ok; wake"})

SCENARIO(a_second_add_is_a_mistake, {"ADD a", "make a"},
	 {"ADD a", "answer 2 11: an ADD of the same interface is under way"},
	 {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"}, {"turn", "answer 1 result"})

/* The runtime lost the answer: the container may run, nothing is made again. */
SCENARIO(an_add_for_what_is_attached, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"},
	 {"done 1", "route a"}, {"turn", "answer 1 result"}, {"ADD a", "rules a"},
	 {"turn", "ask 2 to check in /ns"}, {"done 2", "wake"}, {"turn", "answer 2 result"})

SCENARIO(an_attached_link_that_is_gone_is_made_again, {"ADD a", "make a"},
	 {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"}, {"turn", "answer 1 result"},
	 {"netns=/other", ""}, {"ADD a", "rules a"}, {"turn", "ask 2 to check in /other"},
	 {"failed 2 102", "ask 2 to check in /ns"},
	 {"failed 2 102", "move to /other; unroute a; wake"}, {"routes=wait", ""}, {"turn", ""},
	 {"routes=ok", ""}, {"turn", "ask 2 to attach in /other"}, {"done 2", "route a"},
	 {"turn", "answer 2 result"})

SCENARIO(another_network_has_the_interface, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"},
	 {"done 1", "route a"}, {"turn", "answer 1 result"}, {"network=other", ""},
	 {"ADD a", "answer 2 4: interface eth0 of this container belongs to network manx"},
	 {"DEL a", "answer 3 ok"})

/* --- DEL, GC, CHECK, STATUS --------------------------------------------------------------------
 */

SCENARIO(a_del, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"}, {"done 1", "route a"},
	 {"turn", "answer 1 result"}, {"DEL a", "ask 2 to detach 1"}, {"turn", ""},
	 {"link a", "flush 1"}, {"flushed", ""}, {"turn", ""}, {"done 2", "no rules a"},
	 {"turn", "release a; answer 2 ok; wake"})

SCENARIO(a_del_whose_plugin_goes_away, {"ADD a", "make a"}, {"turn", "ask 1 to attach in /ns"},
	 {"done 1", "route a"}, {"turn", "answer 1 result"}, {"DEL a", "ask 2 to detach 1"},
	 {"link a", "flush 1"}, {"gone 2", "no rules a"}, {"flushed", ""},
	 {"turn", "release a; wake"})

SCENARIO(a_del_of_what_nobody_knows, {"DEL a", "ask 1 to detach 1"},
	 {"done 1", "no rules a; flush 0"}, {"flushed", ""},
	 {"turn", "release a; answer 1 ok; wake"})

SCENARIO(a_gc, {"ADD a", "make a"}, {"ADD b", "make b"},
	 {"turn", "ask 1 to attach in /ns; ask 2 to attach in /ns"}, {"done 1", "route a"},
	 {"done 2", "route b"}, {"turn", "answer 1 result; answer 2 result"},
	 {"GC b", "ask 3 to detach 1"}, {"done 3", "no rules a; flush 1"}, {"flushed", ""},
	 {"turn", "release a; answer 3 ok; wake"}, {"GC b", "ask 4 to detach 0"},
	 {"done 4", "flush 0"}, {"flushed", ""}, {"turn", "answer 4 ok; wake"})

SCENARIO(a_check, {"CHECK a", "answer 1 3: the container has no such interface of ours"},
	 {"ADD a", "make a"}, {"turn", "ask 2 to attach in /ns"}, {"done 2", "route a"},
	 {"turn", "answer 2 result"}, {"lost=yes", ""},
	 {"CHECK a", "answer 3 102: the interface was deleted; only a new pod gets one"},
	 {"lost=no", ""}, {"routes=bad", ""},
	 {"CHECK a", "answer 4 102: the route to the pod is missing"}, {"routes=ok", ""},
	 {"CHECK a", "ask 5 to check in /ns"}, {"failed 5 102", "answer 5 102: oh"})

SCENARIO(status, {"STATUS", "answer 1 ok"}, {"overridden=05-b", ""},
	 {"STATUS", "answer 2 51: 05-b"}, {"ready=starting", ""},
	 {"STATUS", "answer 3 50: starting"})

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_add),
		cmocka_unit_test(an_add_waits_for_its_rules),
		cmocka_unit_test(an_add_waits_for_route_and_disk),
		cmocka_unit_test(the_pods_object_is_asked_for_once),
		cmocka_unit_test(a_pod_without_an_object_is_isolated_in_the_end),
		cmocka_unit_test(an_add_while_the_source_is_read),
		cmocka_unit_test(an_add_whose_source_is_never_read),
		cmocka_unit_test(an_add_waits_for_the_queue),
		cmocka_unit_test(addresses_that_cannot_be_had),
		cmocka_unit_test(rules_that_the_kernel_refuses),
		cmocka_unit_test(a_link_that_cannot_be_made),
		cmocka_unit_test(a_route_that_the_kernel_refuses),
		cmocka_unit_test(a_plugin_that_goes_away),
		cmocka_unit_test(a_disk_that_does_not_write),
		cmocka_unit_test(a_del_ends_the_add_before_it),
		cmocka_unit_test(a_second_add_is_a_mistake),
		cmocka_unit_test(an_add_for_what_is_attached),
		cmocka_unit_test(an_attached_link_that_is_gone_is_made_again),
		cmocka_unit_test(another_network_has_the_interface),
		cmocka_unit_test(a_del),
		cmocka_unit_test(a_del_whose_plugin_goes_away),
		cmocka_unit_test(a_del_of_what_nobody_knows),
		cmocka_unit_test(a_gc),
		cmocka_unit_test(a_check),
		cmocka_unit_test(status),
	};

	log_set_level(LOG_LEVEL_ERR);
	return cmocka_run_group_tests_name("cni scenarios", tests, NULL, NULL);
}
