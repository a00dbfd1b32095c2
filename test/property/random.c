// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * random.c - objects, addresses and packets by chance.  Pure.
 */
#include "random.h"

#include <stdio.h>
#include <sys/socket.h>

#include "lib/intern.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

static const char *const keys[] = {"a", "b", "c"};
static const char *const values[] = {"", "x", "y", "z"};
static const char *const port_names[] = {"dns", "http", "metrics"};
static const uint8_t protocols[] = {PROTO_TCP, PROTO_UDP, PROTO_SCTP};
static const uint16_t ports[] = {1, 53, 80, 81, 82, 443, 8080, 8081, 8090, 65534, 65535};

#define PICK(r, array) ((array)[below((r), ARRAY_SIZE(array))])

/* --- numbers -----------------------------------------------------------------------------------
 */

static uint64_t take_bytes(struct rng *r, size_t n)
{
	uint64_t v = 0;

	for (; n && r->left; n--, r->left--)
		v = v << 8 | *r->bytes++;
	return v;
}

/**
 * rng_next() - Next 64 bits
 * @r: Generator
 *
 * Return: evenly spread, unless its bytes are given
 */
uint64_t rng_next(struct rng *r)
{
	uint64_t z;

	if (r->bytes)
		return take_bytes(r, sizeof(z));
	z = (r->state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/**
 * below() - A number below another
 * @r: Generator
 * @n: 1 or more
 *
 * Return: 0 to @n - 1
 */
uint32_t below(struct rng *r, uint32_t n)
{
	if (r->bytes)
		return (uint32_t)(take_bytes(r, n <= 1 << 8 ? 1 : n <= 1 << 16 ? 2 : 4) % n);
	return (uint32_t)(rng_next(r) % n);
}

/**
 * chance() - Perhaps
 * @r:       Generator
 * @percent: How often, 0 to 100
 *
 * Return: true that often
 */
bool chance(struct rng *r, uint32_t percent)
{
	return below(r, 100) < percent;
}

/* --- addresses ---------------------------------------------------------------------------------
 */

/**
 * place_addr() - An address of a supply
 * @p:      Supply
 * @six:    IPv6
 * @number: Which, 0 to 255; those from 1 to PLACE_SIZE get drawn
 *
 * Return: address
 */
struct addr place_addr(enum place p, bool six, uint32_t number)
{
	static const struct addr bases[_PLACE_MAX][2] = {
		[PLACE_LOCAL] = {{AF_INET, {10, 1}}, {AF_INET6, {0xfd, 0, 0, 1}}},
		[PLACE_REMOTE] = {{AF_INET, {10, 2}}, {AF_INET6, {0xfd, 0, 0, 2}}},
		[PLACE_NODES] = {{AF_INET, {192, 168}}, {AF_INET6, {0xfd, 0, 0, 9}}},
		[PLACE_OUTSIDE] = {{AF_INET, {192, 0, 2}}, {AF_INET6, {0x20, 1, 0xd, 0xb8}}},
	};

	return addr_add(&bases[p][six], number);
}

/**
 * random_addr() - Any address of any supply, more often one of a pod
 * @r:   Generator
 * @six: IPv6
 *
 * Return: address
 */
struct addr random_addr(struct rng *r, bool six)
{
	static const enum place often[] = {PLACE_LOCAL,	 PLACE_LOCAL, PLACE_LOCAL,  PLACE_REMOTE,
					   PLACE_REMOTE, PLACE_NODES, PLACE_OUTSIDE};

	return place_addr(PICK(r, often), six, 1 + below(r, PLACE_SIZE));
}

static struct prefix cut(const struct addr *a, uint8_t len)
{
	struct prefix p = {*a, len};

	for (size_t bit = len; bit < 8 * addr_len(a); bit++)
		p.addr.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return p;
}

/* --- labels and selectors ----------------------------------------------------------------------
 */

static struct labels random_labels(struct rng *r)
{
	struct labels l = {.v = xcalloc(ARRAY_SIZE(keys) + 1, sizeof(*l.v))};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (chance(r, 50))
			l.v[l.n++] = (struct label){intern(keys[i]), intern(PICK(r, values))};
	return l;
}

/* In the order of the supplies, which is that of strcmp; no term twice since no key is. */
static struct requirement random_requirement(struct rng *r, const char *key, enum selector_op op)
{
	struct requirement q = {.key = intern(key), .op = op};
	uint32_t chosen = 1 + below(r, (1 << ARRAY_SIZE(values)) - 1);

	q.values = xcalloc(ARRAY_SIZE(values), sizeof(*q.values));
	if (q.op != SELECTOR_IN && q.op != SELECTOR_NOT_IN)
		return q;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (chosen & 1U << i)
			q.values[q.n_values++] = intern(values[i]);
	return q;
}

static struct selector random_selector(struct rng *r, uint32_t percent)
{
	struct selector s = {.v = xcalloc(2 * ARRAY_SIZE(keys), sizeof(*s.v))};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!chance(r, percent))
			continue;
		s.v[s.n++] = random_requirement(r, keys[i], below(r, _SELECTOR_MAX));
		/* Two terms about one key; IN sorts first. */
		if (s.v[s.n - 1].op == SELECTOR_IN && chance(r, 20))
			s.v[s.n++] = random_requirement(r, keys[i], SELECTOR_NOT_IN);
	}
	return s;
}

/* --- namespaces and pods -----------------------------------------------------------------------
 */

/**
 * random_namespace() - A namespace with labels by chance
 * @r:    Generator
 * @name: Its name
 *
 * Return: object, to be freed
 */
struct object *random_namespace(struct rng *r, const char *name)
{
	struct namespace *n = xcalloc(1, sizeof(*n));

	n->o = (struct object){.kind = KIND_NAMESPACE, .name = intern(name)};
	n->labels = random_labels(r);
	n->labels.v[n->labels.n++] =
		(struct label){intern("kubernetes.io/metadata.name"), intern(name)};
	n->labels_known = true;
	n->isolated = chance(r, 15);
	return &n->o;
}

static void random_ips(struct rng *r, struct pod *p)
{
	enum place place = chance(r, 30) ? PLACE_LOCAL : PLACE_REMOTE;

	if (p->host_network)
		place = PLACE_NODES;
	if (chance(r, 80))
		p->ips[p->n_ips++] = place_addr(place, false, 1 + below(r, 20));
	if (chance(r, 40))
		p->ips[p->n_ips++] = place_addr(place, true, 1 + below(r, 20));
}

static void random_named_ports(struct rng *r, struct pod *p)
{
	p->ports = xcalloc(ARRAY_SIZE(port_names) * ARRAY_SIZE(protocols), sizeof(*p->ports));
	for (size_t i = 0; i < ARRAY_SIZE(port_names); i++)
		for (size_t j = 0; j < ARRAY_SIZE(protocols); j++)
			if (chance(r, j ? 15 : 40))
				p->ports[p->n_ports++] = (struct container_port){
					intern(port_names[i]), protocols[j], PICK(r, ports)};
}

/**
 * random_pod() - A pod with everything about it by chance but its names
 * @r:          Generator
 * @ns:         Namespace
 * @name:       Name
 * @generation: Pods of one name follow each other: part of the UID
 *
 * The UID that the runtime knows is "uid-@ns-@name-@generation"; every third name is a static pod,
 * whose mirror pod has another UID and that one as annotation.
 *
 * Return: object, to be freed
 */
struct object *random_pod(struct rng *r, const char *ns, const char *name, uint32_t generation)
{
	bool mirror = name[strlen(name) - 1] % 3 == 0;
	struct pod *p = xcalloc(1, sizeof(*p));
	char uid[64];

	p->o = (struct object){.kind = KIND_POD, .ns = intern(ns), .name = intern(name)};
	(void)snprintf(uid, sizeof(uid), "uid-%s-%s-%u", ns, name, generation);
	if (mirror)
		p->mirror_of = intern(uid);
	(void)snprintf(uid, sizeof(uid), "%s-%s-%s-%u", mirror ? "mirror" : "uid", ns, name,
		       generation);
	p->o.uid = intern(uid);
	p->labels = random_labels(r);
	p->node = chance(r, 80) ? intern("node") : NULL;
	p->host_network = chance(r, 8);
	p->finished = chance(r, 12);
	random_ips(r, p);
	random_named_ports(r, p);
	return &p->o;
}

/* --- policies ----------------------------------------------------------------------------------
 */

static struct policy_port random_port(struct rng *r)
{
	struct policy_port p = {.protocol = chance(r, 60) ? PROTO_TCP : PICK(r, protocols)};

	p.kind = chance(r, 50) ? PORT_NUMBER : below(r, 2) ? PORT_NAME : PORT_ALL;
	if (p.kind == PORT_NAME)
		p.name = intern(PICK(r, port_names));
	if (p.kind != PORT_NUMBER)
		return p;
	p.port = p.end_port = PICK(r, ports);
	if (chance(r, 40))
		p.end_port = PICK(r, ports);
	if (p.port > p.end_port) {
		uint16_t first = p.end_port;

		p.end_port = p.port;
		p.port = first;
	}
	return p;
}

/* What is excepted lies inside and is smaller, as the API server demands. */
static void random_block(struct rng *r, struct policy_peer *p)
{
	static const uint8_t cidr_lens[] = {0, 8, 16, 24, 25, 26, 27, 28, 29, 30, 31, 32};
	bool six = chance(r, 40);
	struct addr at = random_addr(r, six);
	uint8_t bits = six ? 128 : 32, len = PICK(r, cidr_lens);

	p->kind = PEER_BLOCK;
	p->cidr = cut(&at, six && len >= 24 ? (uint8_t)(96 + len) : len);
	p->except = xcalloc(4, sizeof(*p->except));
	for (uint32_t n = chance(r, 60) ? below(r, 5) : 0; n > 0; n--) {
		struct addr in = random_addr(r, six);
		uint8_t except_len = (uint8_t)(bits - below(r, 9));

		if (except_len > p->cidr.len && prefix_contains(&p->cidr, &in))
			p->except[p->n_except++] = cut(&in, except_len);
	}
}

static struct policy_peer random_peer(struct rng *r)
{
	struct policy_peer p = {.kind = PEER_PODS};

	if (chance(r, 35)) {
		random_block(r, &p);
		return p;
	}
	p.ns_given = chance(r, 50);
	if (p.ns_given)
		p.namespaces = random_selector(r, 25);
	if (!p.ns_given || chance(r, 60))
		p.pods = random_selector(r, 25);
	return p;
}

static struct policy_rule random_rule(struct rng *r)
{
	struct policy_rule rule = {.ports = xcalloc(4, sizeof(*rule.ports)),
				   .peers = xcalloc(4, sizeof(*rule.peers))};

	for (uint32_t n = chance(r, 65) ? 1 + below(r, 4) : 0; n > 0; n--)
		rule.ports[rule.n_ports++] = random_port(r);
	for (uint32_t n = chance(r, 80) ? 1 + below(r, 4) : 0; n > 0; n--)
		rule.peers[rule.n_peers++] = random_peer(r);
	return rule;
}

/**
 * random_policy() - A policy by chance; sometimes one that was set aside
 * @r:    Generator
 * @ns:   Namespace
 * @name: Name
 *
 * Return: object, to be freed
 */
struct object *random_policy(struct rng *r, const char *ns, const char *name)
{
	struct netpol *p = xcalloc(1, sizeof(*p));
	uint32_t types = 1 + below(r, 3);

	p->o = (struct object){.kind = KIND_NETPOL, .ns = intern(ns), .name = intern(name)};
	p->selects = random_selector(r, 20);
	if (chance(r, 5))
		p->o.problem = xstrdup("spec.ingress[0]: set aside by chance");
	for (int d = 0; d < _DIRECTION_MAX; d++) {
		p->isolates[d] = types & 1U << d;
		if (!p->isolates[d] || p->o.problem)
			continue;
		p->rules[d] = xcalloc(3, sizeof(*p->rules[d]));
		for (uint32_t n = below(r, 4); n > 0; n--)
			p->rules[d][p->n_rules[d]++] = random_rule(r);
	}
	return &p->o;
}

/* --- packets -----------------------------------------------------------------------------------
 */

static const struct object *random_object(struct rng *r, const struct world *w)
{
	return w->objects.n ? w->objects.v[below(r, (uint32_t)w->objects.n)] : NULL;
}

/* An edge of a block of a policy, or the address beside it. */
static bool edge_addr(struct rng *r, const struct netpol *p, struct addr *ret)
{
	enum direction d = below(r, _DIRECTION_MAX);
	const struct policy_rule *rule;
	const struct policy_peer *peer;
	const struct prefix *block;

	if (!p->n_rules[d])
		return false;
	rule = &p->rules[d][below(r, p->n_rules[d])];
	if (!rule->n_peers)
		return false;
	peer = &rule->peers[below(r, rule->n_peers)];
	if (peer->kind != PEER_BLOCK)
		return false;
	block = peer->n_except && chance(r, 50) ? &peer->except[below(r, peer->n_except)]
						: &peer->cidr;
	*ret = chance(r, 50) ? block->addr : prefix_last(block);
	if (chance(r, 40))
		(void)(chance(r, 50) ? addr_next(ret) : addr_prev(ret));
	return true;
}

static bool object_addr(struct rng *r, const struct object *o, struct addr *ret)
{
	if (o && o->kind == KIND_NETPOL)
		return edge_addr(r, as_netpol(o), ret);
	if (!o || o->kind != KIND_POD || !as_pod(o)->n_ips)
		return false;
	*ret = as_pod(o)->ips[below(r, as_pod(o)->n_ips)];
	return true;
}

static struct addr packet_addr(struct rng *r, const struct world *w, bool six)
{
	for (int attempt = 0; attempt < 8; attempt++) {
		struct addr a = {0};

		if (w->endpoints.n && chance(r, 60)) {
			const struct reference_endpoint *e =
				&w->endpoints.v[below(r, (uint32_t)w->endpoints.n)];

			a = e->addrs[below(r, e->n_addrs)];
		} else if (!object_addr(r, random_object(r, w), &a)) {
			continue;
		}
		if (a.family == (six ? AF_INET6 : AF_INET))
			return a;
	}
	return random_addr(r, six);
}

/**
 * random_packet() - A packet, mostly between addresses and to ports that something speaks of
 * @r: Generator
 * @w: World
 *
 * Return: packet
 */
struct packet random_packet(struct rng *r, const struct world *w)
{
	static const uint8_t others[] = {1, 33, 47, 58};
	bool six = chance(r, 35);
	struct packet p = {.src = packet_addr(r, w, six), .dst = packet_addr(r, w, six)};

	p.protocol = chance(r, 50) ? PROTO_TCP : PICK(r, protocols);
	if (chance(r, 8))
		p.protocol = PICK(r, others);
	p.dport = PICK(r, ports);
	if (chance(r, 25))
		p.dport = (uint16_t)(p.dport + below(r, 3) - 1);
	if (chance(r, 3))
		p.dst = p.src;
	if (chance(r, 15)) {
		p.path = TO_NODE;
		p.dst = place_addr(PLACE_NODES, six, 1 + below(r, 20));
	} else if (chance(r, 4)) {
		p.path = FROM_NODE;
		p.src = place_addr(PLACE_NODES, six, 1 + below(r, 20));
	}
	return p;
}
