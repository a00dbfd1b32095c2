// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_decode_policy.c - NetworkPolicy: every check of the API server, and what is left of a policy
 * that fails one: nothing is allowed, for whom and where as far as that could be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "test/unit/decoding.h"
#include "watch/object/decode_internal.h"
#include "watch/object/netpol.h"

/* A policy with this spec, in flow style. */
static struct decoded policy(const char *spec)
{
	_cleanup_(freep) char *yaml = xasprintf("apiVersion: networking.k8s.io/v1\n"
						"kind: NetworkPolicy\n"
						"metadata: {name: p, namespace: ns}\n"
						"spec: %s\n",
						spec);

	return decode_one(yaml);
}

static const struct netpol *good(const struct decoded *d)
{
	assert_no_problem(d->o.v[0]);
	return as_netpol(d->o.v[0]);
}

static const struct netpol *bad(const struct decoded *d, const char *problem)
{
	const struct netpol *p = as_netpol(d->o.v[0]);

	assert_problem(&p->o, problem);
	for (int i = 0; i < _DIRECTION_MAX; i++) {
		assert_int_equal(p->n_rules[i], 0);
		assert_null(p->rules[i]);
	}
	assert_true(p->isolates[INGRESS] || p->isolates[EGRESS]);
	return p;
}

/* struct check - a spec and what is said about it; NULL: nothing */
struct check {
	const char *spec, *problem;
};

static void expect(const struct check *checks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct decoded d = policy(checks[i].spec);

		if (checks[i].problem)
			(void)bad(&d, checks[i].problem);
		else
			(void)good(&d);
		decoded_done(&d);
	}
}

#define PORT(rest)   "{ingress: [{ports: [{" rest "}]}]}"
#define PORT_AT	     "spec.ingress[0].ports[0]"
#define NO_PORT	     PORT_AT ".port: neither a number from 1 to 65535 nor a port name"
#define FROM(rest)   "{ingress: [{from: [{" rest "}]}]}"
#define FROM_AT	     "spec.ingress[0].from[0]"
#define BLOCK(rest)  FROM("ipBlock: {" rest "}")
#define BLOCK_AT     FROM_AT ".ipBlock"
#define SELECT(rest) "{podSelector: {" rest "}}"
#define TERM(rest)   SELECT("matchExpressions: [{" rest "}]")
#define TERM_AT	     "spec.podSelector.matchExpressions[0]"

static void ports(void **state _unused_)
{
	static const struct check checks[] = {
		{PORT("port: 1"), NULL},
		{PORT("port: 65535"), NULL},
		{PORT("port: 0"), PORT_AT ".port: 0 is below 1 (line 4)"},
		{PORT("port: -5"), PORT_AT ".port: -5 is below 1 (line 4)"},
		{PORT("port: 65536"), PORT_AT ".port: 65536 is above 65535 (line 4)"},
		{PORT("port: 4294967376"), PORT_AT ".port: 4294967376 is above 65535 (line 4)"},
		{PORT("port: 80.5"), NO_PORT},
		{PORT("port: 99999999999999999999"), NO_PORT},
		{PORT("port: '80'"), NO_PORT}, /* a name has a letter */
		{PORT("port: ''"), NO_PORT},
		{PORT("port: [80]"), NO_PORT},
		{PORT("port: true"), NO_PORT},
		{PORT("port: a"), NULL},
		{PORT("port: abcde-fghij-123"), NULL},	   /* 15 bytes */
		{PORT("port: abcde-fghij-1234"), NO_PORT}, /* 16 */
		{PORT("port: -a"), NO_PORT},
		{PORT("port: a-"), NO_PORT},
		{PORT("port: a--b"), NO_PORT},
		{PORT("port: Http"), NO_PORT},
		{PORT("port: a_b"), NO_PORT},
		{PORT("port: 80, endPort: 80"), NULL},
		{PORT("port: 80, endPort: null"), NULL},
		{PORT("port: 80, endPort: 79"), PORT_AT ".endPort: 79 is below port 80"},
		{PORT("port: 80, endPort: 65536"),
		 PORT_AT ".endPort: 65536 is above 65535 (line 4)"},
		{PORT("port: 80, endPort: http"),
		 PORT_AT ".endPort: expected an integer, found a string (line 4)"},
		{PORT("port: http, endPort: 80"), PORT_AT ".endPort: needs a numeric port"},
		{PORT("endPort: 80"), PORT_AT ".endPort: needs a numeric port"},
		{PORT("port: null, endPort: 80"), PORT_AT ".endPort: needs a numeric port"},
		{PORT("protocol: TCP"), NULL},
		{PORT("protocol: UDP"), NULL},
		{PORT("protocol: SCTP"), NULL},
		{PORT("protocol: null"), NULL},
		{PORT("protocol: tcp"), PORT_AT ".protocol: 'tcp' is not TCP, UDP or SCTP"},
		{PORT("protocol: ''"), PORT_AT ".protocol: '' is not TCP, UDP or SCTP"},
		{PORT("protocol: 6"),
		 PORT_AT ".protocol: expected a string, found an integer (line 4)"},
		{"{ingress: [{ports: [80]}]}",
		 PORT_AT ": expected a map, found an integer (line 4)"},
		{"{ingress: [{ports: {port: 80}}]}",
		 "spec.ingress[0].ports: expected a list, found a map (line 4)"},
		{"{egress: [{}, {ports: [{}, {port: 0}]}]}",
		 "spec.egress[1].ports[1].port: 0 is below 1 (line 4)"},
	};

	expect(checks, ARRAY_SIZE(checks));
}

static void peers(void **state _unused_)
{
	static const struct check checks[] = {
		{FROM("podSelector: {}"), NULL},
		{FROM("namespaceSelector: {}"), NULL},
		{FROM("podSelector: {}, namespaceSelector: {}"), NULL},
		{FROM("podSelector: null, namespaceSelector: {}"), NULL},
		{FROM(""), FROM_AT ": podSelector, namespaceSelector or ipBlock is required"},
		{FROM("podSelector: null"),
		 FROM_AT ": podSelector, namespaceSelector or ipBlock is required"},
		{"{ingress: [{from: [null]}]}",
		 FROM_AT ": podSelector, namespaceSelector or ipBlock is required"},
		{"{ingress: [{from: [10.0.0.0/8]}]}",
		 FROM_AT ": expected a map, found a string (line 4)"},
		{FROM("podSelector: web"),
		 FROM_AT ".podSelector: expected a map, found a string (line 4)"},
		{FROM("namespaceSelector: {matchLabels: {a: '?'}}"),
		 FROM_AT ".namespaceSelector.matchLabels.a: '?' is not a label value"},
		{FROM("ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}"),
		 FROM_AT ": ipBlock excludes podSelector and namespaceSelector"},
		{FROM("ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}"),
		 FROM_AT ": ipBlock excludes podSelector and namespaceSelector"},
		{"{egress: [{to: [{podSelector: {}}, {}]}]}",
		 "spec.egress[0].to[1]: podSelector, namespaceSelector or ipBlock is required"},
	};

	expect(checks, ARRAY_SIZE(checks));
}

static void blocks(void **state _unused_)
{
	static const struct check checks[] = {
		{BLOCK("cidr: 0.0.0.0/0"), NULL},
		{BLOCK("cidr: '::/0'"), NULL},
		{BLOCK("cidr: 192.0.2.1/32"), NULL},
		{BLOCK("cidr: 10.1.2.3/8"), NULL}, /* host bits are cleared */
		{BLOCK(""), BLOCK_AT ".cidr: required"},
		{BLOCK("cidr: null"), BLOCK_AT ".cidr: required"},
		{BLOCK("cidr: ''"), BLOCK_AT ".cidr: '' is not a CIDR"},
		{BLOCK("cidr: 10.0.0.1"), BLOCK_AT ".cidr: '10.0.0.1' is not a CIDR"},
		{BLOCK("cidr: 10.0.0.0/33"), BLOCK_AT ".cidr: '10.0.0.0/33' is not a CIDR"},
		{BLOCK("cidr: 'fd00::/129'"), BLOCK_AT ".cidr: 'fd00::/129' is not a CIDR"},
		{BLOCK("cidr: 10.0.0.0/-1"), BLOCK_AT ".cidr: '10.0.0.0/-1' is not a CIDR"},
		{BLOCK("cidr: 10.0.0/24"), BLOCK_AT ".cidr: '10.0.0/24' is not a CIDR"},
		{BLOCK("cidr: 5"), BLOCK_AT ".cidr: expected a string, found an integer (line 4)"},
		{BLOCK("cidr: 10.0.0.0/8, except: []"), NULL},
		{BLOCK("cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.255.255.255/32]"), NULL},
		{BLOCK("cidr: 'fd00::/8', except: ['fd00::/64']"), NULL},
		{BLOCK("cidr: 10.0.0.0/8, except: [10.0.0.0/8]"),
		 BLOCK_AT ".except[0]: '10.0.0.0/8' is not strictly inside cidr 10.0.0.0/8"},
		{BLOCK("cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.0.0.0/7]"),
		 BLOCK_AT ".except[1]: '10.0.0.0/7' is not strictly inside cidr 10.0.0.0/8"},
		{BLOCK("cidr: 10.0.0.0/8, except: [11.0.0.0/16]"),
		 BLOCK_AT ".except[0]: '11.0.0.0/16' is not strictly inside cidr 10.0.0.0/8"},
		{BLOCK("cidr: 0.0.0.0/0, except: ['fd00::/64']"),
		 BLOCK_AT ".except[0]: 'fd00::/64' is not strictly inside cidr 0.0.0.0/0"},
		{BLOCK("cidr: '::/0', except: [10.0.0.0/8]"),
		 BLOCK_AT ".except[0]: '10.0.0.0/8' is not strictly inside cidr ::/0"},
		{BLOCK("cidr: 10.0.0.0/8, except: [10.0.0.1]"), BLOCK_AT ".except[0]: not a CIDR"},
		{BLOCK("cidr: 10.0.0.0/8, except: [1]"), BLOCK_AT ".except[0]: not a CIDR"},
		{BLOCK("cidr: 10.0.0.0/8, except: 10.1.0.0/16"),
		 BLOCK_AT ".except: expected a list, found a string (line 4)"},
	};

	expect(checks, ARRAY_SIZE(checks));
}

#define S63 "a23456789012345678901234567890123456789012345678901234567890123"
#define S253                    \
	S63 "." S63 "." S63 "." \
	    "a234567890123456789012345678901234567890123456789012345678901"

static void selectors(void **state _unused_)
{
	static const struct check checks[] = {
		{SELECT(""), NULL},
		{"{}", NULL}, /* no podSelector selects all */
		{SELECT("matchLabels: {A_b.c-9: Z_y.x-1}"), NULL},
		{SELECT("matchLabels: {a: ''}"), NULL},
		{SELECT("matchLabels: {a: null}"), NULL}, /* "" */
		{SELECT("matchLabels: {" S63 ": " S63 "}"), NULL},
		{SELECT("matchLabels: {" S253 "/" S63 ": b}"), NULL},
		{SELECT("matchLabels: {x" S63 ": b}"),
		 "spec.podSelector.matchLabels: 'x" S63 "' is not a label key"},
		{SELECT("matchLabels: {a: x" S63 "}"),
		 "spec.podSelector.matchLabels.a: 'x" S63 "' is not a label value"},
		{SELECT("matchLabels: {'': b}"),
		 "spec.podSelector.matchLabels: '' is not a label key"},
		{SELECT("matchLabels: {/a: b}"),
		 "spec.podSelector.matchLabels: '/a' is not a label key"},
		{SELECT("matchLabels: {a/: b}"),
		 "spec.podSelector.matchLabels: 'a/' is not a label key"},
		{SELECT("matchLabels: {a/b/c: d}"),
		 "spec.podSelector.matchLabels: 'a/b/c' is not a label key"},
		{SELECT("matchLabels: {A/b: d}"),
		 "spec.podSelector.matchLabels: 'A/b' is not a label key"},
		{SELECT("matchLabels: {a..b/c: d}"),
		 "spec.podSelector.matchLabels: 'a..b/c' is not a label key"},
		{SELECT("matchLabels: {-a: d}"),
		 "spec.podSelector.matchLabels: '-a' is not a label key"},
		{SELECT("matchLabels: {a.: d}"),
		 "spec.podSelector.matchLabels: 'a.' is not a label key"},
		{SELECT("matchLabels: {a: .b}"),
		 "spec.podSelector.matchLabels.a: '.b' is not a label value"},
		{SELECT("matchLabels: {a: b c}"),
		 "spec.podSelector.matchLabels.a: 'b c' is not a label value"},
		{SELECT("matchLabels: {a: é}"),
		 "spec.podSelector.matchLabels.a: 'é' is not a label value"},
		{SELECT("matchLabels: {a: true}"),
		 "spec.podSelector.matchLabels.a: expected a string, found a boolean (line 4)"},
		{SELECT("matchLabels: [a]"),
		 "spec.podSelector.matchLabels: expected a map, found a list (line 4)"},
		{SELECT("matchExpressions: {}"),
		 "spec.podSelector.matchExpressions: expected a list, found a map (line 4)"},
		{SELECT("matchExpressions: [a]"),
		 TERM_AT ": expected a map, found a string (line 4)"},
		{SELECT("matchExpressions: [null]"), TERM_AT ".key: required"},
		/* A term that is cut short beside whole ones. */
		{SELECT("matchLabels: {a: b}, matchExpressions: [{operator: Exists}]"),
		 TERM_AT ".key: required"},
		{SELECT("matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}, {}]"),
		 "spec.podSelector.matchExpressions[1].key: required"},
		{SELECT("matchLabels: {a: b}, matchExpressions: [{key: a, operator: In, values: "
			"[b, '!']}]"),
		 TERM_AT ".values[1]: not a label value"},
		{TERM("key: a, operator: In, values: [b, '']"), NULL},
		{TERM("key: a, operator: NotIn, values: [b]"), NULL},
		{TERM("key: a, operator: Exists"), NULL},
		{TERM("key: a, operator: Exists, values: []"), NULL},
		{TERM("key: a, operator: DoesNotExist"), NULL},
		{TERM("operator: Exists"), TERM_AT ".key: required"},
		{TERM("key: 'a b', operator: Exists"), TERM_AT ".key: 'a b' is not a label key"},
		{TERM("key: '', operator: Exists"), TERM_AT ".key: '' is not a label key"},
		{TERM("key: a"), TERM_AT ".operator: '' is not In, NotIn, Exists or DoesNotExist"},
		{TERM("key: a, operator: in, values: [b]"),
		 TERM_AT ".operator: 'in' is not In, NotIn, Exists or DoesNotExist"},
		{TERM("key: a, operator: In"), TERM_AT ".values: required for In and NotIn"},
		{TERM("key: a, operator: In, values: []"),
		 TERM_AT ".values: required for In and NotIn"},
		{TERM("key: a, operator: NotIn"), TERM_AT ".values: required for In and NotIn"},
		{TERM("key: a, operator: Exists, values: [b]"),
		 TERM_AT ".values: forbidden for Exists and DoesNotExist"},
		{TERM("key: a, operator: DoesNotExist, values: [b]"),
		 TERM_AT ".values: forbidden for Exists and DoesNotExist"},
		{TERM("key: a, operator: In, values: [b, c!]"),
		 TERM_AT ".values[1]: not a label value"},
		{TERM("key: a, operator: In, values: [1]"),
		 TERM_AT ".values[0]: not a label value"},
		{TERM("key: a, operator: In, values: b"),
		 TERM_AT ".values: expected a list, found a string (line 4)"},
	};

	expect(checks, ARRAY_SIZE(checks));
}

static void the_rest_of_the_spec(void **state _unused_)
{
	static const struct check checks[] = {
		{"null", "spec: required"},
		{"[]", "spec: expected a map, found a list (line 4)"},
		{"{ingress: {}}", "spec.ingress: expected a list, found a map (line 4)"},
		{"{egress: all}", "spec.egress: expected a list, found a string (line 4)"},
		{"{ingress: [all]}", "spec.ingress[0]: expected a map, found a string (line 4)"},
		{"{ingress: null, egress: null, policyTypes: null}", NULL},
		{"{policyTypes: [Ingress, Egress]}", NULL},
		{"{policyTypes: [Ingress, Ingress]}", NULL},
		{"{policyTypes: [Ingress, Egress, Ingress]}",
		 "spec.policyTypes: at most 2 entries"},
		{"{policyTypes: Ingress}",
		 "spec.policyTypes: expected a list, found a string (line 4)"},
		{"{policyTypes: [ingress]}", "spec.policyTypes[0]: neither Ingress nor Egress"},
		{"{policyTypes: [Egress, '']}", "spec.policyTypes[1]: neither Ingress nor Egress"},
		{"{policyTypes: [null]}", "spec.policyTypes[0]: neither Ingress nor Egress"},
		{"{podSelectr: {}}",
		 "spec.podSelectr: unknown field, did you mean 'podSelector'? (line 4)"},
	};

	expect(checks, ARRAY_SIZE(checks));
}

static void directions_default_as_in_the_api_server(void **state _unused_)
{
	static const struct {
		const char *spec;
		bool in, out;
	} cases[] = {
		{"{}", true, false},
		{"{ingress: [{}]}", true, false},
		{"{egress: null}", true, false},
		{"{egress: []}", true, false},
		{"{egress: [{}]}", true, true},
		{"{egress: [null]}", true, true},
		{"{egress: [{}], policyTypes: []}", true, true},
		{"{egress: [{}], policyTypes: null}", true, true},
		{"{egress: [{}], policyTypes: [Ingress]}", true, false},
		{"{policyTypes: [Egress], ingress: [{}]}", false, true},
		{"{policyTypes: [Egress, Ingress]}", true, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = policy(cases[i].spec);
		const struct netpol *p = good(&d);

		if (p->isolates[INGRESS] != cases[i].in || p->isolates[EGRESS] != cases[i].out)
			fail_msg("%s: ingress %d, egress %d", cases[i].spec, p->isolates[INGRESS],
				 p->isolates[EGRESS]);
		decoded_done(&d);
	}
}

/* struct closed - a wrong spec, and what remains of it */
struct closed {
	const char *spec;
	uint32_t terms;
	bool in, out;
};

static void what_is_wrong_fails_closed(void **state _unused_)
{
#define WRONG "ingress: [{}, {ports: [{port: 0}]}]"
	static const struct closed cases[] = {
		/* What it selects, and where, holds when those can be read. */
		{SELECT("matchLabels: {app: web}}, policyTypes: [Egress], " WRONG ", x: {"), 1,
		 false, true},
		{SELECT("matchLabels: {app: web}}, policyTypes: [Ingress], egress: [{}], " WRONG
			", x: {"),
		 1, true, false},
		/* A selector that cannot be read whole is not used at all: the namespace. */
		{SELECT("matchLabels: {app: web, tier: '!'}}, policyTypes: [Egress], x: {"), 0,
		 false, true},
		{SELECT("matchLabels: {app: web}, matchExpressions: [{key: a}]"), 0, true, false},
		{"{podSelector: web}", 0, true, false},
		/* Directions that cannot be read: both. */
		{SELECT("matchLabels: {app: web}}, policyTypes: [Ingress, x], y: {"), 1, true,
		 true},
		{"{policyTypes: [x]}", 0, true, true},
		{"{policyTypes: Ingress}", 0, true, true},
		{"null", 0, true, true},
		{"text", 0, true, true},
		/* Without policyTypes: whoever wrote "egress" meant egress too, in whatever state.
		 */
		{"{" WRONG "}", 0, true, false},
		{"{" WRONG ", policyTypes: []}", 0, true, false},
		{"{" WRONG ", egress: []}", 0, true, true},
		{"{" WRONG ", egress: null}", 0, true, true},
		{"{" WRONG ", egress: all}", 0, true, true},
		{"{" WRONG ", egress: [], policyTypes: []}", 0, true, true},
		{"{" WRONG ", egress: [], policyTypes: [Ingress]}", 0, true, false},
		{"{egress: [{ports: [{port: 0}]}]}", 0, true, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = policy(cases[i].spec);
		const struct netpol *p =
			bad(&d, d.o.v[0]->problem ? d.o.v[0]->problem : "a problem");

		if (p->selects.n != cases[i].terms || p->isolates[INGRESS] != cases[i].in ||
		    p->isolates[EGRESS] != cases[i].out)
			fail_msg("%s: %u terms, ingress %d, egress %d", cases[i].spec, p->selects.n,
				 p->isolates[INGRESS], p->isolates[EGRESS]);
		decoded_done(&d);
	}
}

/* Empty and missing differ, null entries are empty maps: as the API server reads them. */
static void empty_missing_and_null(void **state _unused_)
{
	struct decoded d =
		policy("{ingress: [{}, {from: [], ports: []}, {from: null, ports: null}, "
		       "null, {ports: [null, {}]}]}");
	const struct netpol *p = good(&d);
	const struct policy_rule *r = p->rules[INGRESS];

	assert_int_equal(p->n_rules[INGRESS], 5);
	for (int i = 0; i < 4; i++)
		assert_int_equal(r[i].n_ports + r[i].n_peers, 0);
	assert_int_equal(r[4].n_ports, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r[4].ports[i].kind, PORT_ALL);
		assert_int_equal(r[4].ports[i].protocol, PROTO_TCP);
	}
	decoded_done(&d);
}

static void peers_keep_what_was_given(void **state _unused_)
{
	struct decoded d =
		policy("{egress: [{to: [{podSelector: {matchLabels: {a: b}}}, "
		       "{namespaceSelector: {matchLabels: {c: d}}}, "
		       "{podSelector: {}, namespaceSelector: {}}, "
		       "{ipBlock: {cidr: 10.9.9.9/8, except: [10.1.1.1/16, 10.2.0.0/16]}}]}]}");
	const struct policy_peer *peer = good(&d)->rules[EGRESS][0].peers;
	char text[PREFIX_STR_MAX];

	assert_false(peer[0].ns_given);
	assert_int_equal(peer[0].pods.n, 1);
	assert_int_equal(peer[0].namespaces.n, 0);
	assert_true(peer[1].ns_given);
	assert_int_equal(peer[1].pods.n, 0);
	assert_string_equal(peer[1].namespaces.v[0].key, "c");
	assert_true(peer[2].ns_given);
	assert_int_equal(peer[2].kind, PEER_PODS);
	assert_int_equal(peer[3].kind, PEER_BLOCK);
	assert_string_equal(prefix_str(&peer[3].cidr, text), "10.0.0.0/8");
	assert_int_equal(peer[3].n_except, 2);
	assert_string_equal(prefix_str(&peer[3].except[0], text), "10.1.0.0/16");
	decoded_done(&d);
}

static void terms_are_sorted_and_none_stands_twice(void **state _unused_)
{
	struct decoded d = policy(
		"{podSelector: {matchLabels: {b: x, a: z}, matchExpressions: ["
		"{key: b, operator: DoesNotExist}, {key: a, operator: NotIn, values: [q, p, q]}, "
		"{key: a, operator: In, values: [z]}, {key: a, operator: In, values: [z, c]}, "
		"{key: b, operator: DoesNotExist}]}}");
	const struct selector *s = &good(&d)->selects;

	assert_int_equal(s->n, 5);
	assert_string_equal(s->v[0].key, "a"); /* In [c, z] */
	assert_int_equal(s->v[0].n_values, 2);
	assert_string_equal(s->v[0].values[0], "c");
	assert_int_equal(s->v[1].n_values, 1); /* In [z], by matchLabels and by an expression */
	assert_int_equal(s->v[2].op, SELECTOR_NOT_IN);
	assert_int_equal(s->v[2].n_values, 2);
	assert_string_equal(s->v[2].values[0], "p");
	assert_string_equal(s->v[3].key, "b");
	assert_int_equal(s->v[3].op, SELECTOR_IN);
	assert_int_equal(s->v[4].op, SELECTOR_NOT_EXISTS);
	decoded_done(&d);
}

/* @n times the same text */
static char *repeated(const char *item, size_t n)
{
	size_t len = strlen(item);
	char *s = xmalloc(n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(s + i * len, item, len);
	s[n * len] = '\0';
	return s;
}

static void expect_limit(const char *before, const char *item, const char *after,
			 const char *problem)
{
	for (int over = 0; over < 2; over++) {
		_cleanup_(freep) char *list = repeated(item, (size_t)(DECODE_ENTRIES_MAX + over));
		_cleanup_(freep) char *spec = xasprintf("%s%s%s", before, list, after);
		struct decoded d = policy(spec);

		if (over)
			(void)bad(&d, problem);
		else
			(void)good(&d);
		decoded_done(&d);
	}
}

static void limits(void **state _unused_)
{
	expect_limit(
		"{podSelector: {matchExpressions: [{key: a, operator: In, values: [", "b,", "]}]}}",
		"spec.podSelector.matchExpressions[0].values: 10001 entries, at most 10000 are "
		"supported");
	expect_limit("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [", "10.0.0.0/9,",
		     "]}}]}]}",
		     "spec.ingress[0].from[0].ipBlock.except: 10001 entries, at most 10000 are "
		     "supported");
	expect_limit("{ingress: [", "{},", "]}",
		     "spec.ingress: 10001 entries, at most 10000 are supported");
	expect_limit("{ingress: [{ports: [", "{},", "]}]}",
		     "spec.ingress[0].ports: 10001 entries, at most 10000 are supported");
	expect_limit("{egress: [", "{},", "]}",
		     "spec.egress: 10001 entries, at most 10000 are supported");
}

/* A name that is far too long, of characters of two bytes: the message is cut between two. */
static void long_texts_are_cut_in_messages(void **state _unused_)
{
	for (int shift = 0; shift < 2; shift++) {
		_cleanup_(freep) char *text = repeated("é", 400);
		_cleanup_(freep) char *spec = xasprintf("{podSelector: {matchLabels: {%s%s: b}}}",
							shift ? "a" : "", text);
		struct decoded d = policy(spec);

		assert_non_null(d.o.v[0]->problem);
		assert_true(utf8_valid(d.o.v[0]->problem, strlen(d.o.v[0]->problem)));
		assert_true(strlen(d.o.v[0]->problem) < 200);
		decoded_done(&d);
	}
}

/* A field that is not known is not one that is not there. */
static void unknown_fields_are_errors(void **state _unused_)
{
	static const struct check checks[] = {
		{"{ingress: [{form: []}]}",
		 "spec.ingress[0].form: unknown field, did you mean 'from'? (line 4)"},
		{"{egress: [{}, {from: []}]}", "spec.egress[1].from: unknown field (line 4)"},
		{"{ingress: [{to: []}]}", "spec.ingress[0].to: unknown field (line 4)"},
		{PORT("port: 1, protocl: UDP"),
		 PORT_AT ".protocl: unknown field, did you mean 'protocol'? (line 4)"},
		{PORT("Port: 1"), PORT_AT ".Port: unknown field, did you mean 'port'? (line 4)"},
		{PORT("port: 1, endport: 2"),
		 PORT_AT ".endport: unknown field, did you mean 'endPort'? (line 4)"},
		{"{policytypes: [Egress]}",
		 "spec.policytypes: unknown field, did you mean 'policyTypes'? (line 4)"},
		{"{podSelector: {matchlabels: {a: b}}}",
		 "spec.podSelector.matchlabels: unknown field, did you mean 'matchLabels'? "
		 "(line 4)"},
		{"{podSelector: {a: b}}", "spec.podSelector.a: unknown field (line 4)"},
		{TERM("key: a, operator: Exists, value: b"),
		 TERM_AT ".value: unknown field, did you mean 'values'? (line 4)"},
		{FROM("podSelector: {}, namespaceselector: {}"),
		 FROM_AT ".namespaceselector: unknown field, did you mean 'namespaceSelector'? "
			 "(line 4)"},
		{FROM("namespaceSelector: {match: {a: b}}"),
		 FROM_AT ".namespaceSelector.match: unknown field (line 4)"},
		{BLOCK("cidr: 10.0.0.0/8, expect: [10.1.0.0/16]"),
		 BLOCK_AT ".expect: unknown field, did you mean 'except'? (line 4)"},
		{FROM("podSelector: {}, fqdn: example.org"),
		 FROM_AT ".fqdn: unknown field (line 4)"},
		/* What is wrong besides is told first. */
		{"{ingress: [{form: [], ports: 5}]}",
		 "spec.ingress[0].ports: expected a list, found an integer (line 4)"},
		/* Maps of labels have whatever keys they like. */
		{"{podSelector: {matchLabels: {form: a, policytypes: b}}}", NULL},
	};

	expect(checks, ARRAY_SIZE(checks));
}

static void unknown_fields_beside_the_spec(void **state _unused_)
{
	static const char format[] = "apiVersion: networking.k8s.io/v1\n"
				     "kind: NetworkPolicy\n"
				     "metadata: {name: p, %s}\n"
				     "spec: {}\n%s";
	static const struct {
		const char *metadata, *root, *problem;
	} cases[] = {
		{"lables: {}", "",
		 "metadata.lables: unknown field, did you mean 'labels'? (line 3)"},
		{"namespace: a, namspace: b", "",
		 "metadata.namspace: unknown field, did you mean 'namespace'? (line 3)"},
		{"namespace: a", "Spec: {}\n",
		 "Spec: unknown field, did you mean 'spec'? (line 5)"},
		/* As kubectl get -o yaml prints it. */
		{"namespace: a, generateName: b, selfLink: c, uid: d, resourceVersion: '5', "
		 "generation: 6, creationTimestamp: null, labels: {x: y}, annotations: {z: z}, "
		 "ownerReferences: [], finalizers: [], deletionTimestamp: null, "
		 "deletionGracePeriodSeconds: 5, managedFields: [{manager: m, fieldsV1: {'f:spec': "
		 "{'f:unknown': {}}}}]",
		 "status: {conditions: []}\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *text = xasprintf(format, cases[i].metadata, cases[i].root);
		struct decoded d = decode_one(text);

		if (cases[i].problem)
			assert_problem(d.o.v[0], cases[i].problem);
		else
			assert_no_problem(d.o.v[0]);
		decoded_done(&d);
	}
}

/* Whom and where: as far as what is known says so. */
static void unknown_fields_fail_closed(void **state _unused_)
{
	static const struct {
		const char *spec;
		uint32_t terms;
		bool ingress, egress;
	} cases[] = {
		{SELECT("matchLabels: {a: b}}, policytypes: [Egress], x: {"), 1, true, true},
		{SELECT("matchLabels: {a: b}}, policyTypes: [Egress], x: {"), 1, false, true},
		{SELECT("matchLabels: {a: b}}, policyTypes: [Ingress], egres: [], x: {"), 1, true,
		 false},
		{"{egres: [{}]}", 0, true, true},
		{"{podselector: {matchLabels: {a: b}}}", 0, true, true},
		{"{ingress: [{form: []}]}", 0, true, false},
		{"{egress: [{form: []}]}", 0, true, true},
		{"{podSelector: {matchLabels: {a: b}, matchLabel: {c: d}}}", 1, true, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decoded d = policy(cases[i].spec);
		const struct netpol *p = as_netpol(d.o.v[0]);

		assert_non_null(p->o.problem);
		if (p->selects.n != cases[i].terms || p->isolates[INGRESS] != cases[i].ingress ||
		    p->isolates[EGRESS] != cases[i].egress ||
		    p->n_rules[INGRESS] + p->n_rules[EGRESS])
			fail_msg("%s", cases[i].spec);
		decoded_done(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_fields_are_errors),
		cmocka_unit_test(unknown_fields_beside_the_spec),
		cmocka_unit_test(unknown_fields_fail_closed),
		cmocka_unit_test(ports),
		cmocka_unit_test(peers),
		cmocka_unit_test(blocks),
		cmocka_unit_test(selectors),
		cmocka_unit_test(the_rest_of_the_spec),
		cmocka_unit_test(directions_default_as_in_the_api_server),
		cmocka_unit_test(what_is_wrong_fails_closed),
		cmocka_unit_test(empty_missing_and_null),
		cmocka_unit_test(peers_keep_what_was_given),
		cmocka_unit_test(terms_are_sorted_and_none_stands_twice),
		cmocka_unit_test(limits),
		cmocka_unit_test(long_texts_are_cut_in_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
