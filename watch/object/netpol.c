// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * netpol.c - NetworkPolicy with the checks and defaults of the API server.  Pure.
 *
 * A field that is unknown is an error, whatever the source: what it is meant to narrow would be
 * allowed otherwise.  The API server gives only fields of its own version, so that a policy of a
 * cluster newer than Manx is concerned when it uses a field that is new, and only then.
 *
 * A policy that is wrong fails closed: it keeps what it selects and the directions it isolates, as
 * far as those can be read (else every pod of its namespace, both directions), and allows nothing.
 *
 * extensions/v1beta1, which API servers had from 1.3 to 1.15, is read as they read it: it differs
 * in that a protocol may be in lower case, and has no endPort.
 *
 * Source: networking.k8s.io/v1 types; pkg/apis/networking validation (ValidateNetworkPolicySpec)
 * and defaults (SetDefaults_NetworkPolicy); API reference of 1.15, NetworkPolicySpec v1beta1.
 */
#include <errno.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"
#include "watch/object/netpol.h"
#include "watch/object/policy_size.h"

#define OLD_API "extensions/v1beta1"

/* --- fields: all that there is ------------------------------------------------------------------
 */

static const struct field expression_fields[] = {FIELD("key"), FIELD("operator"), FIELD("values"),
						 FIELDS_END};
static const struct field selector_fields[] = {
	FIELD("matchLabels"), FIELD_IN("matchExpressions", expression_fields), FIELDS_END};
static const struct field block_fields[] = {FIELD("cidr"), FIELD("except"), FIELDS_END};
static const struct field peer_fields[] = {FIELD_IN("podSelector", selector_fields),
					   FIELD_IN("namespaceSelector", selector_fields),
					   FIELD_IN("ipBlock", block_fields), FIELDS_END};
static const struct field port_fields[] = {FIELD("protocol"), FIELD("port"), FIELD("endPort"),
					   FIELDS_END};
static const struct field ingress_rule[] = {FIELD_IN("ports", port_fields),
					    FIELD_IN("from", peer_fields), FIELDS_END};
static const struct field egress_rule[] = {FIELD_IN("ports", port_fields),
					   FIELD_IN("to", peer_fields), FIELDS_END};
static const struct field spec_fields[] = {
	FIELD_IN("podSelector", selector_fields),
	FIELD("policyTypes"),
	FIELD_IN("ingress", ingress_rule),
	FIELD_IN("egress", egress_rule),
	FIELDS_END,
};
static const struct field fields[] = {
	FIELDS_HEAD,
	FIELD_IN("metadata", fields_metadata),
	FIELD_WHOLE("spec", spec_fields),
	FIELD_KNOWN("status"), /* there was one for a while, networking.k8s.io/v1 of 1.24 */
	FIELDS_END,
};

/* --- ports -------------------------------------------------------------------------------------
 */

static int decode_port_number(const struct value *v, const char *path, bool old,
			      struct policy_port *p, struct err *reterr)
{
	int64_t port = 0, end = 0;
	int r;

	if (value_get_int(v, path, "port", 1, 65535, &port, reterr) < 0)
		return -EINVAL;
	p->kind = PORT_NUMBER;
	p->port = p->end_port = (uint16_t)port;
	r = value_get_int(v, path, "endPort", 1, 65535, &end, reterr);
	if (r <= 0)
		return r;
	if (old)
		return err_set(reterr, -EINVAL, "%s.endPort: " OLD_API " has no such field", path);
	if (end < port)
		return err_set(reterr, -EINVAL, "%s.endPort: %d is below port %d", path, (int)end,
			       (int)port);
	p->end_port = (uint16_t)end;
	return 0;
}

static int decode_port(const struct value *v, const char *path, bool old, struct policy_port *p,
		       struct err *reterr)
{
	const struct value *port;

	if (expect_map(v, path, reterr) < 0)
		return -EINVAL;
	if (decode_protocol(v, path, old, &p->protocol, reterr) < 0)
		return -EINVAL;
	port = value_get(v, "port");
	if (port && port->type == VALUE_INT)
		return decode_port_number(v, path, old, p, reterr);
	if (value_get(v, "endPort") && value_get(v, "endPort")->type != VALUE_NULL)
		return err_set(reterr, -EINVAL, "%s.endPort: needs a numeric port", path);
	if (!port || port->type == VALUE_NULL)
		return 0; /* PORT_ALL */
	if (port->type != VALUE_STRING || !is_service_name(port->text))
		return err_set(reterr, -EINVAL,
			       "%s.port: neither a number from 1 to 65535 nor a port name", path);
	p->kind = PORT_NAME;
	p->name = intern(port->text);
	return 0;
}

static int decode_ports(const struct value *rule, const char *path, bool old, struct policy_rule *r,
			struct err *reterr)
{
	const struct value *list = NULL;
	int result = MIN(decode_list(rule, path, "ports", &list, reterr), 0);

	if (!list)
		return result;
	r->ports = xcalloc(list->n, sizeof(*r->ports));
	for (uint32_t i = 0; i < list->n && result == 0; i++) {
		struct decode_path here;

		decode_path_item(&here, path, "ports", i);
		result = decode_port(list->items[i], here.s, old, &r->ports[r->n_ports++], reterr);
	}
	return result;
}

/* --- peers -------------------------------------------------------------------------------------
 */

static int decode_except(const struct value *list, const char *path, struct policy_peer *p,
			 struct err *reterr)
{
	char text[PREFIX_STR_MAX];

	p->except = xcalloc(list->n, sizeof(*p->except));
	for (uint32_t i = 0; i < list->n; i++) {
		struct prefix *e = &p->except[p->n_except];
		const struct value *v = list->items[i];

		if (v->type != VALUE_STRING || prefix_parse(v->text, e) < 0)
			return err_set(reterr, -EINVAL, "%s.except[%u]: not a CIDR", path, i);
		if (!prefix_covers(&p->cidr, e) || prefix_eq(&p->cidr, e))
			return err_set(reterr, -EINVAL,
				       "%s.except[%u]: '%.*s' is not strictly inside cidr %s", path,
				       i, SHOWN(v->text), prefix_str(&p->cidr, text));
		p->n_except++;
	}
	return 0;
}

static int decode_block(const struct value *b, const char *path, struct policy_peer *p,
			struct err *reterr)
{
	const struct value *list = NULL;
	const char *cidr = NULL;

	p->kind = PEER_BLOCK;
	if (value_get_str(b, path, "cidr", &cidr, reterr) < 0)
		return -EINVAL;
	if (!cidr)
		return err_set(reterr, -EINVAL, "%s.cidr: required", path);
	if (prefix_parse(cidr, &p->cidr) < 0)
		return err_set(reterr, -EINVAL, "%s.cidr: '%.*s' is not a CIDR", path, SHOWN(cidr));
	if (decode_list(b, path, "except", &list, reterr) < 0)
		return -EINVAL;
	return list ? decode_except(list, path, p, reterr) : 0;
}

static int decode_peer(const struct value *v, const char *path, struct policy_peer *p,
		       struct err *reterr)
{
	const struct value *block = NULL;
	struct decode_path here;
	bool pods_given;

	if (expect_map(v, path, reterr) < 0)
		return -EINVAL;
	if (value_get_map(v, path, "ipBlock", &block, reterr) < 0 ||
	    decode_selector(v, path, "podSelector", &pods_given, &p->pods, reterr) < 0 ||
	    decode_selector(v, path, "namespaceSelector", &p->ns_given, &p->namespaces, reterr) < 0)
		return -EINVAL;
	if (block && (pods_given || p->ns_given))
		return err_set(reterr, -EINVAL,
			       "%s: ipBlock excludes podSelector and namespaceSelector", path);
	if (!block && !pods_given && !p->ns_given)
		return err_set(reterr, -EINVAL,
			       "%s: podSelector, namespaceSelector or ipBlock is required", path);
	(void)decode_path(&here, path, "ipBlock");
	return block ? decode_block(block, here.s, p, reterr) : 0;
}

static int decode_peers(const struct value *rule, const char *path, const char *key,
			struct policy_rule *r, struct err *reterr)
{
	const struct value *list = NULL;
	int result = MIN(decode_list(rule, path, key, &list, reterr), 0);

	if (!list)
		return result;
	r->peers = xcalloc(list->n, sizeof(*r->peers));
	for (uint32_t i = 0; i < list->n && result == 0; i++) {
		struct decode_path here;

		decode_path_item(&here, path, key, i);
		result = decode_peer(list->items[i], here.s, &r->peers[r->n_peers++], reterr);
	}
	return result;
}

/* --- rules -------------------------------------------------------------------------------------
 */

static int decode_rule(const struct value *v, const char *path, bool old, enum direction d,
		       struct policy_rule *r, struct err *reterr)
{
	if (expect_map(v, path, reterr) < 0)
		return -EINVAL;
	if (decode_ports(v, path, old, r, reterr) < 0)
		return -EINVAL;
	return decode_peers(v, path, d == INGRESS ? "from" : "to", r, reterr);
}

static int decode_rules(const struct value *spec, bool old, enum direction d, struct netpol *p,
			struct err *reterr)
{
	const char *key = d == INGRESS ? "ingress" : "egress";
	const struct value *list = NULL;
	int result = MIN(decode_list(spec, "spec", key, &list, reterr), 0);

	if (!list)
		return result;
	p->rules[d] = xcalloc(list->n, sizeof(*p->rules[d]));
	for (uint32_t i = 0; i < list->n && result == 0; i++) {
		struct decode_path path;

		decode_path_item(&path, "spec", key, i);
		result = decode_rule(list->items[i], path.s, old, d, &p->rules[d][p->n_rules[d]++],
				     reterr);
	}
	return result;
}

static int decode_type(const struct value *v, uint32_t i, struct netpol *p, struct err *reterr)
{
	if (v->type == VALUE_STRING && streq(v->text, "Ingress"))
		p->isolates[INGRESS] = true;
	else if (v->type == VALUE_STRING && streq(v->text, "Egress"))
		p->isolates[EGRESS] = true;
	else
		return err_set(reterr, -EINVAL, "spec.policyTypes[%u]: neither Ingress nor Egress",
			       i);
	return 0;
}

/* Default: always Ingress, and Egress if there are egress rules. */
static int decode_types(const struct value *spec, struct netpol *p, struct err *reterr)
{
	const struct value *list = NULL, *egress = value_get(spec, "egress");
	int r = value_get_seq(spec, "spec", "policyTypes", &list, reterr);

	if (r < 0)
		return r;
	if (!list || !list->n) {
		p->isolates[INGRESS] = true;
		p->isolates[EGRESS] = egress && (egress->type != VALUE_SEQ || egress->n) &&
				      egress->type != VALUE_NULL;
		return 0;
	}
	if (list->n > _DIRECTION_MAX)
		return err_set(reterr, -EINVAL, "spec.policyTypes: at most 2 entries");
	r = 0;
	for (uint32_t i = 0; i < list->n && r == 0; i++)
		r = decode_type(list->items[i], i, p, reterr);
	return r;
}

static void isolate_all(struct netpol *p)
{
	p->isolates[INGRESS] = p->isolates[EGRESS] = true;
}

/* No policyTypes, and the rules cannot be trusted: whoever wrote "egress:" meant egress too, and
 * who wrote something unknown may have meant either. */
static void isolate_more(const struct value *spec, struct netpol *p)
{
	const struct value *types = value_get(spec, "policyTypes");

	if (types && types->type == VALUE_SEQ && types->n)
		return;
	if (value_get(spec, "egress") || !fields_known(spec, spec_fields))
		p->isolates[EGRESS] = true;
}

/* Free the rules: nothing is allowed. */
static void close_policy(struct object *o)
{
	struct netpol *husk = xcalloc(1, sizeof(*husk)), *p = (struct netpol *)o;

	husk->o.kind = KIND_NETPOL;
	memcpy(husk->rules, p->rules, sizeof(p->rules));
	memcpy(husk->n_rules, p->n_rules, sizeof(p->n_rules));
	memset(p->rules, 0, sizeof(p->rules));
	memset(p->n_rules, 0, sizeof(p->n_rules));
	(void)object_free(&husk->o);
}

/* Fails closed when something is wrong. */
static int decode_form(const struct value *root, bool old, struct object *o, struct err *reterr)
{
	struct netpol *p = (struct netpol *)o;
	const struct value *spec = NULL;
	bool given;
	int r = value_get_map(root, "", "spec", &spec, reterr), types;

	if (r <= 0) {
		isolate_all(p);
		return r < 0 ? r : err_set(reterr, -EINVAL, "spec: required");
	}
	r = decode_selector(spec, "spec", "podSelector", &given, &p->selects, reterr);
	types = decode_types(spec, p, unless_told(r, reterr));
	if (types < 0)
		isolate_all(p);
	if (r == 0 && types == 0)
		r = decode_rules(spec, old, INGRESS, p, reterr);
	if (r == 0 && types == 0)
		r = decode_rules(spec, old, EGRESS, p, reterr);
	if (r == 0 && types == 0)
		r = policy_check_size(p, reterr);
	if (r == 0 && types == 0)
		r = fields_check(root, fields, reterr);
	if (r == 0 && types == 0)
		return 0;
	isolate_more(spec, p);
	close_policy(o);
	return -EINVAL;
}

static int decode_policy(const struct value *root, struct object *o, struct err *reterr)
{
	return decode_form(root, false, o, reterr);
}

static int decode_old(const struct value *root, struct object *o, struct err *reterr)
{
	return decode_form(root, true, o, reterr);
}

/* --- the row -----------------------------------------------------------------------------------
 */

SHAPE(static const, shape_port, struct policy_port, 0, SHAPE_BYTES(struct policy_port, protocol),
      SHAPE_BYTES(struct policy_port, kind), SHAPE_BYTES(struct policy_port, port),
      SHAPE_BYTES(struct policy_port, end_port), SHAPE_NAME(struct policy_port, name));
SHAPE(static const, shape_peer, struct policy_peer, 0, SHAPE_BYTES(struct policy_peer, kind),
      SHAPE_BYTES(struct policy_peer, ns_given), SHAPE_SELECTOR(struct policy_peer, namespaces),
      SHAPE_SELECTOR(struct policy_peer, pods), SHAPE_BYTES(struct policy_peer, cidr),
      SHAPE_LIST(struct policy_peer, n_except, except, shape_prefix));
SHAPE(static const, shape_rule, struct policy_rule, 0,
      SHAPE_LIST(struct policy_rule, n_ports, ports, shape_port),
      SHAPE_LIST(struct policy_rule, n_peers, peers, shape_peer));
SHAPE(static const, shape, struct netpol, sizeof(struct object),
      SHAPE_SELECTOR(struct netpol, selects), SHAPE_BYTES(struct netpol, isolates),
      SHAPE_LIST(struct netpol, n_rules[INGRESS], rules[INGRESS], shape_rule),
      SHAPE_LIST(struct netpol, n_rules[EGRESS], rules[EGRESS], shape_rule));

static const struct kind_form forms[] = {
	{"networking.k8s.io/v1", "NetworkPolicy", decode_policy},
	{OLD_API, "NetworkPolicy", decode_old},
	{0},
};

static bool is_closed(const struct object *o _unused_)
{
	return true;
}

const struct kind_info kind_netpol = {
	.kind = KIND_NETPOL,
	.forms = forms,
	.resource = "networkpolicies",
	.reach = REACH_ALL,
	.namespaced = true,
	.decides = true,
	.fails_closed = true,
	.close = close_policy,
	.closed = is_closed,
	.shape = &shape,
	.fields = fields,
	.reason = "InvalidNetworkPolicy",
	.effect = "; set aside: the pods it selects are isolated",
};
