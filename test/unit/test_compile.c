// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_compile.c - policies to allowances, read in their canonical text; random policies against
 * a table of who may use which port.
 *
 * A policy is the text of its spec in flow style without the outer braces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/policy/compile.h"
#include "test/unit/decoding.h"

enum { POLICIES_MAX = 8 };

#define APP(name)	  "{podSelector: {matchLabels: {app: " name "}}}"
#define BLOCK(cidr)	  "{ipBlock: {cidr: '" cidr "'}}"
#define BUT(cidr, except) "{ipBlock: {cidr: '" cidr "', except: [" except "]}}"
#define FROM(peers)	  "ingress: [{from: [" peers "]}]"
#define OPEN(ports)	  "ingress: [{ports: [" ports "]}]"
#define RULE(peer, ports) "{from: [" peer "], ports: [" ports "]}"
#define WEB		  "app=web of ns shop; "
#define DB		  "app=db of ns shop; "

/* A pod whose ports have the names that tests use. */
static const char pod_yaml[] =
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: target, namespace: shop}\n"
	"spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080},\n"
	"  {name: dns, containerPort: 53, protocol: UDP}]}]}\n";

/* The pod, then the policies; @specs NULL-terminated. */
static struct decoded decode_specs(const char *const *specs)
{
	_cleanup_(buf_done) struct buf b = {0};

	buf_puts(&b, pod_yaml);
	for (int i = 0; specs[i]; i++)
		buf_printf(&b,
			   "---\n"
			   "apiVersion: networking.k8s.io/v1\n"
			   "kind: NetworkPolicy\n"
			   "metadata: {name: p%d, namespace: shop}\n"
			   "spec: {podSelector: {}, %s}\n",
			   i, specs[i]);
	return decode(b.data);
}

/* Compile what was decoded; @pod: with the pod's port names. */
static void compile(struct allowance *a, enum direction d, const struct decoded *from, bool pod)
{
	const struct netpol *policies[POLICIES_MAX];
	size_t n = from->o.n - 1;

	assert_true(n <= POLICIES_MAX);
	for (size_t i = 0; i < n; i++) {
		assert_no_problem(from->o.v[i + 1]);
		policies[i] = as_netpol(from->o.v[i + 1]);
	}
	*a = (struct allowance){0};
	allowance_compile(a, d, policies, n, pod ? as_pod(from->o.v[0]) : NULL);
	assert_int_equal(a->direction, d);
}

static char *text_of(const struct allowance *a)
{
	struct buf b = {0};

	allowance_text(a, &b);
	return buf_take(&b);
}

static char *compiled(enum direction d, const char *const *specs, bool pod)
{
	struct decoded from = decode_specs(specs);
	struct allowance a;
	char *text;

	compile(&a, d, &from, pod);
	text = text_of(&a);
	allowance_done(&a);
	decoded_done(&from);
	return text;
}

#define SPECS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect(enum direction d, const char *const *specs, const char *text)
{
	_cleanup_(freep) char *is = compiled(d, specs, true);

	if (!streq(is, text))
		fail_msg("%s\n  gives:   %s\n  not:     %s", specs[0], is, text);
}

/* struct check - one policy and what it allows towards the pod */
struct check {
	const char *spec, *text;
};

static void expect_all(const struct check *checks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect(INGRESS, SPECS(checks[i].spec), checks[i].text);
}

/* --- rules -------------------------------------------------------------------------------------
 */

static void empty_and_missing(void **state _unused_)
{
	static const struct check checks[] = {
		{"ingress: []", "ingress any{} named{}"},
		{"ingress: [{}]", "ingress any{everyone} named{}"},
		{"ingress: [{from: []}]", "ingress any{everyone} named{}"},
		{"ingress: [{ports: []}]", "ingress any{everyone} named{}"},
		{"ingress: [{from: [], ports: []}]", "ingress any{everyone} named{}"},
		{"ingress: [{from: null, ports: null}]", "ingress any{everyone} named{}"},
		{FROM(APP("web")), "ingress any{" WEB "} named{}"},
		{"ingress: [{from: [" APP("web") "], ports: []}]", "ingress any{" WEB "} named{}"},
		{OPEN("{port: 80}"), "ingress any{} named{} TCP:80-80{everyone}"},
		{"ingress: [{from: [], ports: [{port: 80}]}]",
		 "ingress any{} named{} TCP:80-80{everyone}"},
	};

	expect_all(checks, ARRAY_SIZE(checks));
	expect(INGRESS, (const char *const[]){NULL}, "ingress any{} named{}");
	expect(EGRESS, SPECS("egress: [{to: []}]"), "egress any{everyone} named{}");
}

/* A direction does not see the rules of the other. */
static void directions(void **state _unused_)
{
	static const char spec[] = "ingress: [{ports: [{port: 80}]}], "
				   "egress: [{to: [" APP("db") "], ports: [{port: 5432}]}]";

	expect(INGRESS, SPECS(spec), "ingress any{} named{} TCP:80-80{everyone}");
	expect(EGRESS, SPECS(spec), "egress any{} named{} TCP:5432-5432{" DB "}");
}

static void peers_of_pods(void **state _unused_)
{
	static const struct check checks[] = {
		{FROM("{podSelector: {}}"), "ingress any{all of ns shop; } named{}"},
		{FROM("{namespaceSelector: {}}"), "ingress any{all of ns(all); } named{}"},
		{FROM("{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: "
		      "{app: web}}}"),
		 "ingress any{app=web of ns(team=x); } named{}"},
		{FROM(APP("web") ", " APP("db") ", " APP("web")),
		 "ingress any{" DB WEB "} named{}"},
		{FROM(APP("web") ", " BLOCK("10.1.0.0/16")),
		 "ingress any{" WEB "10.1.0.0-10.1.255.255; } named{}"},
	};

	expect_all(checks, ARRAY_SIZE(checks));
}

static void blocks(void **state _unused_)
{
	static const struct check checks[] = {
		{FROM(BLOCK("10.0.0.0/24")), "ingress any{10.0.0.0-10.0.0.255; } named{}"},
		{FROM(BUT("10.0.0.0/24", "10.0.0.64/26")),
		 "ingress any{10.0.0.0-10.0.0.63; 10.0.0.128-10.0.0.255; } named{}"},
		{FROM(BUT("10.0.0.0/24", "10.0.0.0/25, 10.0.0.192/26")),
		 "ingress any{10.0.0.128-10.0.0.191; } named{}"},
		/* One peer opens what is an exception of another. */
		{FROM(BUT("10.0.0.0/24", "10.0.0.64/26") ", " BLOCK("10.0.0.96/27")),
		 "ingress any{10.0.0.0-10.0.0.63; 10.0.0.96-10.0.0.255; } named{}"},
		{FROM(BLOCK("10.0.1.0/24") ", " BLOCK("10.0.0.0/24")),
		 "ingress any{10.0.0.0-10.0.1.255; } named{}"},
		{FROM(BLOCK("10.0.0.0/8") ", " BLOCK("10.1.0.0/16")),
		 "ingress any{10.0.0.0-10.255.255.255; } named{}"},
		{FROM(BLOCK("fd00::/126") ", " BLOCK("10.0.0.0/31")),
		 "ingress any{10.0.0.0-10.0.0.1; fd00::-fd00::3; } named{}"},
		{FROM(BLOCK("0.0.0.0/0")), "ingress any{0.0.0.0-255.255.255.255; } named{}"},
	};

	expect_all(checks, ARRAY_SIZE(checks));
}

/* --- ports -------------------------------------------------------------------------------------
 */

static void ports(void **state _unused_)
{
	static const struct check checks[] = {
		{OPEN("{port: 1}, {port: 65535}"),
		 "ingress any{} named{} TCP:1-1{everyone} TCP:65535-65535{as 0}"},
		{OPEN("{port: 80, endPort: 90}"), "ingress any{} named{} TCP:80-90{everyone}"},
		{OPEN("{port: 80, endPort: 80}"), "ingress any{} named{} TCP:80-80{everyone}"},
		{OPEN("{protocol: UDP}"), "ingress any{} named{} UDP:0-65535{everyone}"},
		{OPEN("{protocol: SCTP, port: 9}, {protocol: UDP, port: 53}, {port: 53}"),
		 "ingress any{} named{} TCP:53-53{everyone} UDP:53-53{as 0} "
		 "SCTP:9-9{as 0}"},
		{OPEN("{port: 80}, {port: 80}"), "ingress any{} named{} TCP:80-80{everyone}"},
		{OPEN("{port: 82}, {port: 81}, {port: 80}"),
		 "ingress any{} named{} TCP:80-82{everyone}"},
		{OPEN("{port: 80, endPort: 90}, {port: 85, endPort: 99}"),
		 "ingress any{} named{} TCP:80-99{everyone}"},
		{OPEN("{port: 65535}, {protocol: UDP, port: 1}"),
		 "ingress any{} named{} TCP:65535-65535{everyone} UDP:1-1{as 0}"},
	};

	expect_all(checks, ARRAY_SIZE(checks));
}

#define TWO(web, db) "ingress: [" RULE(APP("web"), web) ", " RULE(APP("db"), db) "]"

/* Where ranges overlap, the peers of both rules are in. */
static void ranges_are_cut(void **state _unused_)
{
	static const struct check checks[] = {
		{TWO("{port: 80, endPort: 90}", "{port: 85, endPort: 99}"),
		 "ingress any{} named{} TCP:80-84{" WEB "} TCP:85-90{" DB WEB "} TCP:91-99{" DB
		 "}"},
		{TWO("{port: 80, endPort: 90}", "{port: 83}"),
		 "ingress any{} named{} TCP:80-82{" WEB "} TCP:83-83{" DB WEB "} TCP:84-90{as 0}"},
		{TWO("{port: 80, endPort: 90}", "{port: 80}"),
		 "ingress any{} named{} TCP:80-80{" DB WEB "} TCP:81-90{" WEB "}"},
		{TWO("{port: 80, endPort: 90}", "{port: 90}"),
		 "ingress any{} named{} TCP:80-89{" WEB "} TCP:90-90{" DB WEB "}"},
		{TWO("{port: 80}", "{port: 81}"),
		 "ingress any{} named{} TCP:80-80{" WEB "} TCP:81-81{" DB "}"},
		{TWO("{port: 80}", "{port: 80}"), "ingress any{} named{} TCP:80-80{" DB WEB "}"},
		{TWO("{}", "{port: 65535}"),
		 "ingress any{} named{} TCP:0-65534{" WEB "} TCP:65535-65535{" DB WEB "}"},
		{TWO("{port: 80}", "{port: 80, protocol: UDP}"),
		 "ingress any{} named{} TCP:80-80{" WEB "} UDP:80-80{" DB "}"},
		{TWO("{port: 1, endPort: 9}, {port: 20}", "{port: 9, endPort: 20}"),
		 "ingress any{} named{} TCP:1-8{" WEB "} TCP:9-9{" DB WEB "} TCP:10-19{" DB
		 "} TCP:20-20{as 1}"},
	};

	expect_all(checks, ARRAY_SIZE(checks));
}

/* Segments with the same peers refer to one group. */
static void equal_groups_are_one(void **state _unused_)
{
	struct decoded from =
		decode_specs(SPECS(TWO("{port: 1}, {port: 5}, {port: 9}", "{port: 5}")));
	struct allowance a;

	compile(&a, INGRESS, &from, true);
	assert_int_equal(a.segments.n, 3);
	assert_int_equal(a.groups.n, 2);
	assert_int_equal(a.segments.v[0].group, a.segments.v[2].group);
	assert_int_not_equal(a.segments.v[0].group, a.segments.v[1].group);
	allowance_done(&a);
	decoded_done(&from);
}

/* --- adding up ---------------------------------------------------------------------------------
 */

static void policies_add_up(void **state _unused_)
{
	expect(INGRESS, SPECS(FROM(APP("web")), FROM(APP("db")), FROM(APP("web"))),
	       "ingress any{" DB WEB "} named{}");
	expect(INGRESS, SPECS("ingress: []", OPEN("{port: 80}")),
	       "ingress any{} named{} TCP:80-80{everyone}");
	expect(INGRESS,
	       SPECS("ingress: [" RULE(APP("web"), "{port: 80}") "]",
		     "ingress: [" RULE(APP("db"), "{port: 80}") "]",
		     "ingress: [" RULE(BLOCK("10.0.0.0/8"), "{port: 80}") "]"),
	       "ingress any{} named{} TCP:80-80{" DB WEB "10.0.0.0-10.255.255.255; }");
}

/* Whoever may use every port needs no place among those of one port. */
static void any_port_covers_each(void **state _unused_)
{
	expect(INGRESS, SPECS(FROM(APP("web")), TWO("{port: 80}", "{port: 80}")),
	       "ingress any{" WEB "} named{} TCP:80-80{" DB "}");
	expect(INGRESS, SPECS(FROM(APP("web")), "ingress: [" RULE(APP("web"), "{port: 80}") "]"),
	       "ingress any{" WEB "} named{}");
	expect(INGRESS, SPECS(FROM(APP("db") ", " APP("mail")), TWO("{port: 80}", "{port: 80}")),
	       "ingress any{" DB "app=mail of ns shop; } named{} TCP:80-80{" WEB "}");
	expect(INGRESS, SPECS("ingress: [{}]", TWO("{port: 80}", "{port: 443}")),
	       "ingress any{everyone} named{}");
}

static void everyone_needs_no_names(void **state _unused_)
{
	expect(INGRESS, SPECS(FROM(APP("web") ", " BLOCK("10.0.0.0/8")), "ingress: [{}]"),
	       "ingress any{everyone} named{}");
	expect(INGRESS,
	       SPECS(OPEN("{port: 80}"), TWO("{port: 80, endPort: 81}", "{port: 80, endPort: 81}")),
	       "ingress any{} named{} TCP:80-80{everyone} TCP:81-81{" DB WEB "}");
	expect(INGRESS, SPECS(FROM(APP("web")), OPEN("{port: 80}")),
	       "ingress any{" WEB "} named{} TCP:80-80{everyone}");
}

/* --- named ports -------------------------------------------------------------------------------
 */

/* Towards the pod a name is the number that it has there. */
static void names_of_the_pod(void **state _unused_)
{
	static const struct check checks[] = {
		{OPEN("{port: http}"), "ingress any{} named{} TCP:8080-8080{everyone}"},
		{OPEN("{port: dns, protocol: UDP}"), "ingress any{} named{} UDP:53-53{everyone}"},
		{OPEN("{port: dns}"), "ingress any{} named{}"}, /* TCP */
		{OPEN("{port: http, protocol: UDP}"), "ingress any{} named{}"},
		{OPEN("{port: ftp}"), "ingress any{} named{}"},
		{OPEN("{port: ftp}, {port: http}"),
		 "ingress any{} named{} TCP:8080-8080{everyone}"},
		{TWO("{port: http}", "{port: 8080}"),
		 "ingress any{} named{} TCP:8080-8080{" DB WEB "}"},
	};
	_cleanup_(freep) char *no_pod =
		compiled(INGRESS, SPECS(OPEN("{port: http}, {port: 80}")), false);

	expect_all(checks, ARRAY_SIZE(checks));
	assert_string_equal(no_pod, "ingress any{} named{} TCP:80-80{everyone}");
}

#define TO(peers, ports) "egress: [{to: [" peers "], ports: [" ports "]}]"

/* Towards others a name goes with the peers; addresses outside of pods have none. */
static void names_of_others(void **state _unused_)
{
	expect(EGRESS, SPECS(TO(APP("web"), "{port: http}")),
	       "egress any{} named{app=web of ns shop at TCP:http; }");
	expect(EGRESS, SPECS("egress: [{ports: [{port: dns, protocol: UDP}]}]"),
	       "egress any{} named{all of any ns at UDP:dns; }");
	expect(EGRESS, SPECS(TO(BLOCK("10.0.0.0/8"), "{port: http}")), "egress any{} named{}");
	expect(EGRESS, SPECS(TO(BLOCK("10.0.0.0/8") ", " APP("db"), "{port: http}, {port: 80}")),
	       "egress any{} named{app=db of ns shop at TCP:http; } "
	       "TCP:80-80{" DB "10.0.0.0-10.255.255.255; }");
	expect(EGRESS,
	       SPECS(TO(APP("web"), "{port: http}, {port: dns}"), TO(APP("web"), "{port: http}"),
		     TO(APP("db"), "{port: http}")),
	       "egress any{} named{app=db of ns shop at TCP:http; app=web of ns shop at TCP:dns; "
	       "app=web of ns shop at TCP:http; }");
}

/* --- one form ----------------------------------------------------------------------------------
 */

static void shuffle(const char **v, size_t n, unsigned int *seed)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = (size_t)rand_r(seed) % (i + 1);
		const char *t = v[i];

		v[i] = v[j];
		v[j] = t;
	}
}

static void order_does_not_matter(void **state _unused_)
{
	const char *specs[] = {
		FROM(BLOCK("10.0.1.0/24") ", " APP("mail")),
		TWO("{port: 80, endPort: 90}", "{port: 85, endPort: 99}"),
		TWO("{port: 443}, {port: 80}", "{port: 53, protocol: UDP}"),
		OPEN("{port: 88}, {protocol: SCTP}"),
		FROM(BLOCK("10.0.0.0/24")),
		"ingress: [" RULE(APP("cache") ", " APP("web"), "{port: 70, endPort: 95}") "]",
		NULL};
	_cleanup_(freep) char *first = compiled(INGRESS, specs, true);
	unsigned int seed = 17;

	assert_non_null(strstr(first, "TCP:88-88{everyone}"));
	for (int i = 0; i < 50; i++) {
		shuffle(specs, ARRAY_SIZE(specs) - 1, &seed);
		expect(INGRESS, specs, first);
	}
	expect(INGRESS, SPECS(TWO("{port: 1}", "{port: 2}")),
	       "ingress any{} named{} TCP:1-1{" WEB "} TCP:2-2{" DB "}");
	expect(INGRESS,
	       SPECS("ingress: [" RULE(APP("db"), "{port: 2}") ", " RULE(APP("web"),
									 "{port: 1}") "]"),
	       "ingress any{} named{} TCP:1-1{" WEB "} TCP:2-2{" DB "}");
}

/* --- random policies ---------------------------------------------------------------------------
 */

enum { PORTS = 14, APPS = 3, EVERYONE = 1 << APPS };

/* struct wanted - who may use a port, as bits: pods of app=a, b, c; or EVERYONE */
struct wanted {
	unsigned int any, port[2][PORTS]; /* TCP, UDP */
};

static const char *const protocols[] = {"TCP", "UDP"};

static unsigned int random_peers(struct buf *b, unsigned int *seed)
{
	unsigned int who = (unsigned int)rand_r(seed) % EVERYONE;

	buf_puts(b, "{from: [");
	for (int i = 0; i < APPS; i++)
		if (who & 1u << i)
			buf_printf(b, "{podSelector: {matchLabels: {app: %c}}}, ", 'a' + i);
	buf_puts(b, "], ports: [");
	return who ? who : EVERYONE;
}

static void random_rule(struct buf *b, struct wanted *w, unsigned int *seed)
{
	unsigned int who = random_peers(b, seed);
	int n = rand_r(seed) % 4;

	if (n == 0)
		w->any |= who;
	for (int i = 0; i < n; i++) {
		int udp = rand_r(seed) % 2, first = rand_r(seed) % (PORTS - 2) + 1;
		int last = first + rand_r(seed) % (PORTS - first);

		buf_printf(b, "{protocol: %s, port: %d, endPort: %d}, ", protocols[udp], first,
			   last);
		for (int port = first; port <= last; port++)
			w->port[udp][port] |= who;
	}
	buf_puts(b, "]}, ");
}

static unsigned int who_of(const struct group *g)
{
	unsigned int who = g->everyone ? EVERYONE : 0;

	vec_foreach (t, &g->terms.t)
		who |= 1u << (t->text[strlen("app=")] - 'a');
	return who;
}

static unsigned int who_at(const struct allowance *a, int udp, int port)
{
	unsigned int who = 0;

	vec_foreach (s, &a->segments) {
		if (s->protocol != (udp ? PROTO_UDP : PROTO_TCP) || s->first > port ||
		    s->last < port)
			continue;
		assert_int_equal(who, 0); /* segments are disjoint */
		who = who_of(&a->groups.v[s->group]);
	}
	return who;
}

/* Of the wanted: everyone stands alone, and whoever has every port is not named again. */
static unsigned int left_of(unsigned int who, unsigned int any)
{
	if (any & EVERYONE)
		return 0;
	return who & EVERYONE ? EVERYONE : who & ~any;
}

static void compare(const struct allowance *a, const struct wanted *w)
{
	unsigned int any = w->any & EVERYONE ? EVERYONE : w->any;

	assert_int_equal(who_of(&a->any), any);
	for (int udp = 0; udp < 2; udp++)
		for (int port = 0; port < PORTS; port++)
			if (who_at(a, udp, port) != left_of(w->port[udp][port], any))
				fail_msg("%s %d is open to %x, not %x", protocols[udp], port,
					 who_at(a, udp, port), left_of(w->port[udp][port], any));
}

/* Sorted, and no two that could be one. */
static void check_form(const struct allowance *a)
{
	for (size_t i = 1; i < a->segments.n; i++) {
		const struct segment *s = &a->segments.v[i - 1], *next = s + 1;

		assert_true(s->protocol < next->protocol ||
			    (s->protocol == next->protocol && s->last < next->first));
		assert_false(s->protocol == next->protocol && s->group == next->group &&
			     s->last + 1 == next->first);
	}
	for (size_t i = 0; i < a->groups.n; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(who_of(&a->groups.v[i]), who_of(&a->groups.v[j]));
}

static void one_random(unsigned int *seed)
{
	char *specs[POLICIES_MAX] = {NULL};
	struct wanted w = {0};
	struct allowance a;
	struct decoded d;

	for (int i = 0, n = rand_r(seed) % 4; i < n; i++) {
		struct buf b = {0};

		buf_puts(&b, "ingress: [");
		for (int rules = rand_r(seed) % 4; rules > 0; rules--)
			random_rule(&b, &w, seed);
		buf_puts(&b, "]");
		specs[i] = buf_take(&b);
	}
	d = decode_specs((const char *const *)specs);
	compile(&a, INGRESS, &d, true);
	compare(&a, &w);
	check_form(&a);
	allowance_done(&a);
	decoded_done(&d);
	for (int i = 0; specs[i]; i++)
		free(specs[i]);
}

static void random_policies(void **state _unused_)
{
	unsigned int seed = 19;

	for (int i = 0; i < 500; i++)
		one_random(&seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_and_missing),
		cmocka_unit_test(directions),
		cmocka_unit_test(peers_of_pods),
		cmocka_unit_test(blocks),
		cmocka_unit_test(ports),
		cmocka_unit_test(ranges_are_cut),
		cmocka_unit_test(equal_groups_are_one),
		cmocka_unit_test(policies_add_up),
		cmocka_unit_test(any_port_covers_each),
		cmocka_unit_test(everyone_needs_no_names),
		cmocka_unit_test(names_of_the_pod),
		cmocka_unit_test(names_of_others),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(random_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
