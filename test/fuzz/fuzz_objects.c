// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_objects.c - any YAML into the decoders; every object that comes out has to keep the promises
 * of watch/object/object.h, because everything behind relies on them without looking again.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "lib/intern.h"
#include "lib/utf8.h"
#include "test/fuzz/must.h"
#include "watch/document/yaml.h"
#include "watch/folder/copy.h"
#include "watch/folder/manifests.h"
#include "watch/object/decode.h"
#include "watch/object/kind.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/node.h"
#include "watch/object/pod.h"
#include "watch/object/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const char *s)
{
	must(*s && utf8_valid(s, strlen(s)));
	for (; *s; s++)
		must((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void check_labels(const struct labels *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		must(i == 0 || strcmp(l->v[i - 1].key, l->v[i].key) < 0);
		must(strlen(l->v[i].key) <= 253 + 1 + 63 && strlen(l->v[i].value) <= 63);
		must(labels_get(l, l->v[i].key) == l->v[i].value);
	}
}

static void check_requirement(const struct requirement *r)
{
	bool needs_values = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;

	must(r->key && r->op < _SELECTOR_MAX && needs_values == (r->n_values > 0));
	for (uint32_t i = 1; i < r->n_values; i++)
		must(strcmp(r->values[i - 1], r->values[i]) < 0);
}

static void check_selector(const struct selector *s)
{
	static const struct labels none;
	bool demands = false;

	for (uint32_t i = 0; i < s->n; i++) {
		check_requirement(&s->v[i]);
		must(i == 0 || strcmp(s->v[i - 1].key, s->v[i].key) <= 0);
		demands |= s->v[i].op == SELECTOR_IN || s->v[i].op == SELECTOR_EXISTS;
	}
	must(selector_equal(s, s));
	must(selector_matches(s, &none) == !demands);
}

static void check_port(const struct policy_port *p)
{
	must(p->protocol == PROTO_TCP || p->protocol == PROTO_UDP || p->protocol == PROTO_SCTP);
	if (p->kind == PORT_NUMBER)
		must(p->port >= 1 && p->end_port >= p->port);
	else
		must(p->port == 0 && p->end_port == 0);
	must((p->kind == PORT_NAME) == (p->name != NULL));
}

static void check_peer(const struct policy_peer *p)
{
	check_selector(&p->namespaces);
	check_selector(&p->pods);
	must(p->kind == PEER_PODS || p->kind == PEER_BLOCK);
	if (p->kind == PEER_PODS) {
		must(p->n_except == 0 && (p->ns_given || p->namespaces.n == 0));
		return;
	}
	must(!p->ns_given && p->pods.n == 0);
	for (uint32_t i = 0; i < p->n_except; i++)
		must(prefix_covers(&p->cidr, &p->except[i]) && p->except[i].len > p->cidr.len);
}

static void check_policy(const struct netpol *p)
{
	check_selector(&p->selects);
	must(p->isolates[INGRESS] || p->isolates[EGRESS]);
	for (int d = 0; d < _DIRECTION_MAX; d++) {
		must(!p->o.problem || p->n_rules[d] == 0); /* fails closed */
		for (uint32_t i = 0; i < p->n_rules[d]; i++) {
			const struct policy_rule *r = &p->rules[d][i];

			for (uint32_t j = 0; j < r->n_ports; j++)
				check_port(&r->ports[j]);
			for (uint32_t j = 0; j < r->n_peers; j++)
				check_peer(&r->peers[j]);
		}
	}
}

static void check_pod(const struct pod *p)
{
	check_labels(&p->labels);
	must(p->n_ips <= 2);
	if (p->n_ips == 2)
		must(p->ips[0].family == AF_INET && p->ips[1].family == AF_INET6);
	for (uint32_t i = 0; i < p->n_ports; i++) {
		const struct container_port *a = &p->ports[i], *before = a - 1;
		int c = i ? strcmp(before->name, a->name) : -1;

		must(a->name && a->port >= 1);
		must(c < 0 || (c == 0 && before->protocol < a->protocol));
	}
}

static void check_namespace(const struct namespace *n)
{
	check_labels(&n->labels);
	must(labels_get(&n->labels, "kubernetes.io/metadata.name") == n->o.name);
	must(n->o.problem || n->labels_known);
	must(!n->o.problem || n->isolated || !n->labels_known);
}

static void check_service(const struct service *s)
{
	must(s->n_ips <= 2 && (s->n_ips < 2 || s->ips[0].family != s->ips[1].family));
	for (uint32_t i = 0; i < s->n_ports; i++)
		must(s->ports[i].port >= 1);
}

/* What a kind promises beyond what its row says. */
static void check_content(const struct object *o)
{
	if (o->kind == KIND_NODE)
		check_labels(&as_node(o)->labels);
	else if (o->kind == KIND_NAMESPACE)
		check_namespace(as_namespace(o));
	else if (o->kind == KIND_POD)
		check_pod(as_pod(o));
	else if (o->kind == KIND_NETPOL)
		check_policy(as_netpol(o));
	else if (o->kind == KIND_SERVICE)
		check_service(as_service(o));
}

/* It allows nothing and isolates somebody. */
static void check_stand_in(const struct netpol *p)
{
	must(p->o.kind == KIND_NETPOL && p->o.ns && p->o.problem && !p->o.name);
	must(p->isolates[INGRESS] || p->isolates[EGRESS]);
	must(!p->n_rules[INGRESS] && !p->n_rules[EGRESS]);
}

static void take_object(void *arg _unused_, enum decode_outcome outcome, struct object *o,
			const struct value *at)
{
	_cleanup_(object_freep) struct object *copy = NULL;

	must((outcome != DECODE_UNKNOWN_KIND) == (o != NULL) && at->line >= 1);
	if (!o)
		return;
	if (outcome == DECODE_STAND_IN) {
		check_stand_in(as_netpol(o));
		(void)object_free(o);
		return;
	}
	must(*o->name && strlen(o->name) <= 253);
	must((o->ns != NULL) == kinds[o->kind]->namespaced);
	must(!o->ns || (*o->ns && strlen(o->ns) <= 63));
	if (o->problem)
		check_message(o->problem);
	check_content(o);
	copy = object_copy(o);
	must(object_equal(o, o) && object_equal(o, copy) && object_equal(copy, o));
	(void)object_free(o);
	check_content(copy); /* it shares nothing with the original */
}

static int take_document(void *arg _unused_, const struct value_doc *d)
{
	struct err err = {0};

	if (decode_document(value_root(d), take_object, NULL, &err) < 0)
		check_message(err.msg);
	else
		must(err.code == 0);
	must(intern_count() == 0);
	return 0;
}

/* Whom a file isolates when it cannot be taken: stand-ins alone; all, when it is not known. */
static void check_suspects(const char *name, const char *text, size_t size)
{
	struct manifest m = {0};

	manifest_suspect(name, text, size, &m);
	vec_foreach (e, &m.entries)
		must(is_stand_in(e->o) && e->o->ns && e->o->problem);
	manifest_done(&m);
	manifest_suspect(name, NULL, 0, &m);
	must(m.entries.n == 1 && streq(m.entries.v[0].o->ns, NS_EVERY));
	manifest_done(&m);
	must(intern_count() == 0);
}

/* The input as a copy, and as a text of one. */
static void check_copy(const char *text, size_t size)
{
	_cleanup_(copy_done) struct copy c = {0}, one = {0}, back = {0};
	_cleanup_(buf_done) struct buf b = {0};

	(void)copy_unpack(text, size, &c);
	(void)copy_append(&one, text, size);
	copy_pack(&one, &b);
	must(copy_unpack(b.data, b.len, &back) == 0 && back.texts.n == 1);
	must(back.texts.v[0].len == size && memcmp(back.texts.v[0].s, text, size) == 0);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	(void)yaml_parse(text, size, take_document, NULL, NULL);
	check_suspects("a.yaml", text, size);
	check_suspects("a.json", text, size);
	check_copy(text, size);
	return 0;
}
