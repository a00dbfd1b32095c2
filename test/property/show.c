// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * show.c - worlds and packets as text.  Pure.
 */
#include "show.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/pod.h"

#include <assert.h>

static const char *const op_names[] = {"In", "NotIn", "Exists", "DoesNotExist"};
static_assert(ARRAY_SIZE(op_names) == _SELECTOR_MAX, "a name for each operator");

/* --- parts -------------------------------------------------------------------------------------
 */

static void put_labels(const struct labels *l, struct buf *out)
{
	buf_puts(out, "{");
	for (uint32_t i = 0; i < l->n; i++)
		buf_printf(out, "%s%s: \"%s\"", i ? ", " : "", l->v[i].key, l->v[i].value);
	buf_puts(out, "}");
}

static void put_requirement(const struct requirement *r, struct buf *out)
{
	buf_printf(out, "{key: %s, operator: %s", r->key, op_names[r->op]);
	for (uint32_t i = 0; i < r->n_values; i++)
		buf_printf(out, "%s\"%s\"", i ? ", " : ", values: [", r->values[i]);
	buf_puts(out, r->n_values ? "]}" : "}");
}

static void put_selector(const struct selector *s, struct buf *out)
{
	if (!s->n) {
		buf_puts(out, "{}");
		return;
	}
	buf_puts(out, "{matchExpressions: [");
	for (uint32_t i = 0; i < s->n; i++) {
		buf_puts(out, i ? ", " : "");
		put_requirement(&s->v[i], out);
	}
	buf_puts(out, "]}");
}

static void put_port(const struct policy_port *p, struct buf *out)
{
	buf_printf(out, "{protocol: %s", protocol_str(p->protocol));
	if (p->kind == PORT_NAME)
		buf_printf(out, ", port: %s", p->name);
	if (p->kind == PORT_NUMBER)
		buf_printf(out, ", port: %u", p->port);
	if (p->kind == PORT_NUMBER && p->end_port != p->port)
		buf_printf(out, ", endPort: %u", p->end_port);
	buf_puts(out, "}");
}

static void put_block(const struct policy_peer *p, struct buf *out)
{
	char text[PREFIX_STR_MAX];

	buf_printf(out, "{ipBlock: {cidr: \"%s\"", prefix_str(&p->cidr, text));
	for (uint32_t i = 0; i < p->n_except; i++)
		buf_printf(out, "%s\"%s\"", i ? ", " : ", except: [",
			   prefix_str(&p->except[i], text));
	buf_puts(out, p->n_except ? "]}}" : "}}");
}

static void put_peer(const struct policy_peer *p, struct buf *out)
{
	if (p->kind == PEER_BLOCK) {
		put_block(p, out);
		return;
	}
	buf_puts(out, "{");
	if (p->ns_given) {
		buf_puts(out, "namespaceSelector: ");
		put_selector(&p->namespaces, out);
	}
	if (!p->ns_given || p->pods.n) {
		buf_printf(out, "%spodSelector: ", p->ns_given ? ", " : "");
		put_selector(&p->pods, out);
	}
	buf_puts(out, "}");
}

static void put_rule(const struct policy_rule *r, const char *peers, struct buf *out)
{
	buf_puts(out, "  - {");
	for (uint32_t i = 0; i < r->n_ports; i++) {
		buf_puts(out, i ? ", " : "ports: [");
		put_port(&r->ports[i], out);
	}
	buf_puts(out, r->n_ports ? r->n_peers ? "],\n     " : "]" : "");
	for (uint32_t i = 0; i < r->n_peers; i++) {
		buf_printf(out, "%s%s", i ? ", " : peers, i ? "" : ": [");
		put_peer(&r->peers[i], out);
	}
	buf_puts(out, r->n_peers ? "]}\n" : "}\n");
}

/* --- objects -----------------------------------------------------------------------------------
 */

static void put_namespace(const struct namespace *n, struct buf *out)
{
	buf_printf(out,
		   "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels: ", n->o.name);
	put_labels(&n->labels, out);
	buf_puts(out, "\n");
	if (n->isolated)
		buf_puts(out, "  annotations:\n    " NAMESPACE_ANNOTATION
			      ": '{\"ingress\": {\"isolation\": \"DefaultDeny\"}}'\n");
}

static void put_pod_spec(const struct pod *p, struct buf *out)
{
	buf_printf(out, "spec:\n  hostNetwork: %s\n", p->host_network ? "true" : "false");
	if (p->node)
		buf_printf(out, "  nodeName: %s\n", p->node);
	buf_puts(out, "  containers:\n  - {name: c, ports: [");
	for (uint32_t i = 0; i < p->n_ports; i++)
		buf_printf(out, "%s{name: %s, protocol: %s, containerPort: %u}", i ? ", " : "",
			   p->ports[i].name, protocol_str(p->ports[i].protocol), p->ports[i].port);
	buf_puts(out, "]}\n");
}

static void put_pod(const struct pod *p, struct buf *out)
{
	char text[ADDR_STR_MAX];

	buf_printf(out, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: %s\n",
		   p->o.name, p->o.ns);
	if (p->o.uid)
		buf_printf(out, "  uid: %s\n", p->o.uid);
	if (p->mirror_of)
		buf_printf(out, "  annotations: {kubernetes.io/config.hash: %s}\n", p->mirror_of);
	buf_puts(out, "  labels: ");
	put_labels(&p->labels, out);
	buf_puts(out, "\n");
	put_pod_spec(p, out);
	buf_printf(out, "status:\n  phase: %s\n  podIPs: [", p->finished ? "Succeeded" : "Running");
	for (uint32_t i = 0; i < p->n_ips; i++)
		buf_printf(out, "%s{ip: \"%s\"}", i ? ", " : "", addr_str(&p->ips[i], text));
	buf_puts(out, "]\n");
}

static void put_policy(const struct netpol *p, struct buf *out)
{
	static const char *const types[] = {"Ingress", "Egress"};
	static const char *const fields[] = {"ingress", "egress"}, *const peers[] = {"from", "to"};

	static_assert(ARRAY_SIZE(types) == _DIRECTION_MAX, "a name for each direction");
	buf_printf(out,
		   "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
		   "{name: %s, namespace: %s}\nspec:\n  podSelector: ",
		   p->o.name, p->o.ns);
	put_selector(&p->selects, out);
	buf_printf(out, "\n  policyTypes: [%s%s%s]\n", p->isolates[INGRESS] ? types[0] : "",
		   p->isolates[INGRESS] && p->isolates[EGRESS] ? ", " : "",
		   p->isolates[EGRESS] ? types[1] : "");
	for (int d = 0; d < _DIRECTION_MAX; d++) {
		if (p->n_rules[d])
			buf_printf(out, "  %s:\n", fields[d]);
		for (uint32_t i = 0; i < p->n_rules[d]; i++)
			put_rule(&p->rules[d][i], peers[d], out);
	}
}

/**
 * show_object() - One object as a YAML document, with the separator in front
 * @o:   Object; nodes have no part in verdicts and are left out
 * @out: Text is appended
 */
void show_object(const struct object *o, struct buf *out)
{
	if (o->kind == KIND_NODE)
		return;
	buf_puts(out, "---\n");
	if (o->problem)
		buf_printf(out, "# set aside: %s\n", o->problem);
	if (o->kind == KIND_NAMESPACE)
		put_namespace(as_namespace(o), out);
	else if (o->kind == KIND_POD)
		put_pod(as_pod(o), out);
	else
		put_policy(as_netpol(o), out);
}

static bool is_present(const struct world *w, const struct pod *pod)
{
	vec_foreach (o, &w->objects)
		if (*o == &pod->o)
			return true;
	return false;
}

static void put_endpoint(const struct world *w, const struct reference_endpoint *e, struct buf *out)
{
	char text[ADDR_STR_MAX];

	buf_printf(out, "# --attach %s/%s=", e->ns, e->name);
	for (uint32_t i = 0; i < e->n_addrs; i++)
		buf_printf(out, "%s%s", i ? "," : "", addr_str(&e->addrs[i], text));
	buf_printf(out, " (uid %s)", e->uid ? e->uid : "not told");
	if (!e->object)
		buf_puts(out, " never saw an object of its own\n");
	else if (is_present(w, e->object))
		buf_printf(out, " is pod uid %s\n", e->object->o.uid);
	else
		buf_printf(out, " keeps the last object of pod uid %s, not shown elsewhere\n",
			   e->object->o.uid);
}

/**
 * show_world() - Everything, as manifests; local pods as comments
 * @w:   World
 * @out: Text is appended
 *
 * An object that is kept for an endpoint only is written behind a '#' at each line.
 */
void show_world(const struct world *w, struct buf *out)
{
	vec_foreach (e, &w->endpoints) {
		struct buf kept = {0};

		put_endpoint(w, e, out);
		if (e->object && !is_present(w, e->object))
			show_object(&e->object->o, &kept);
		for (char *line = kept.data; line && *line;) {
			size_t len = strcspn(line, "\n");

			buf_printf(out, "#\t%.*s\n", (int)len, line);
			line += len + 1;
		}
		buf_done(&kept);
	}
	vec_foreach (o, &w->objects)
		show_object(*o, out);
}

/**
 * show_packet() - One packet on one line
 * @p:   Packet
 * @out: Text is appended, without a newline
 */
void show_packet(const struct packet *p, struct buf *out)
{
	static const char *const paths[] = {[FORWARDED] = "forwarded",
					    [FROM_NODE] = "from the node",
					    [TO_NODE] = "to the node"};
	char src[ADDR_STR_MAX], dst[ADDR_STR_MAX];

	buf_printf(out, "%s -> %s, protocol %u, port %u, %s", addr_str(&p->src, src),
		   addr_str(&p->dst, dst), p->protocol, p->dport, paths[p->path]);
}
