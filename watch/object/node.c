// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * node.c - Node.  Pure.
 *
 * Source: core/v1 NodeSpec, NodeStatus.
 */
#include <errno.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"
#include "watch/object/node.h"

static int add_cidr(struct node *n, const struct value *v, const char *path, struct err *reterr)
{
	struct prefix p;

	if (v->type != VALUE_STRING)
		return err_set(reterr, -EINVAL, "%s: expected a string, found %s (line %u)", path,
			       value_type_str(v->type), v->line);
	if (prefix_parse(v->text, &p) < 0)
		return err_set(reterr, -EINVAL, "%s: '%.*s' is not a CIDR", path, SHOWN(v->text));
	n->pod_cidrs[n->n_pod_cidrs++] = p;
	return 0;
}

static int decode_one_cidr(const struct value *spec, struct node *n, struct err *reterr)
{
	const char *text = "";
	int r = value_get_str(spec, "spec", "podCIDR", &text, reterr);

	if (r <= 0 || !*text)
		return r < 0 ? r : 0;
	n->pod_cidrs = xcalloc(1, sizeof(*n->pod_cidrs));
	return add_cidr(n, value_get(spec, "podCIDR"), "spec.podCIDR", reterr);
}

static int decode_cidrs(const struct value *spec, struct node *n, struct err *reterr)
{
	const struct value *list = NULL;
	int r = value_get_seq(spec, "spec", "podCIDRs", &list, reterr);

	if (r < 0)
		return r;
	if (!list || !list->n)
		return decode_one_cidr(spec, n, reterr);
	if (list->n > DECODE_ADDRESSES_MAX)
		return err_set(reterr, -EINVAL,
			       "spec.podCIDRs: %u entries, at most %d are supported", list->n,
			       DECODE_ADDRESSES_MAX);
	n->pod_cidrs = xcalloc(list->n, sizeof(*n->pod_cidrs));
	r = 0;
	for (uint32_t i = 0; i < list->n; i++) {
		struct decode_path path;

		decode_path_item(&path, "spec", "podCIDRs", i);
		(void)keep_error(&r, add_cidr(n, list->items[i], path.s, unless_told(r, reterr)));
	}
	return r;
}

static int decode_address(const struct value *v, uint32_t i, struct node *n, struct err *reterr)
{
	const char *type = "", *text = "";
	struct decode_path path;
	struct addr a;

	decode_path_item(&path, "status", "addresses", i);
	if (expect_map(v, path.s, reterr) < 0 ||
	    value_get_str(v, path.s, "type", &type, reterr) < 0 ||
	    value_get_str(v, path.s, "address", &text, reterr) < 0)
		return -EINVAL;
	if (!streq(type, "InternalIP"))
		return 0;
	if (addr_parse(text, &a) < 0)
		return err_set(reterr, -EINVAL, "%s.address: '%.*s' is not an address", path.s,
			       SHOWN(text));
	if (n->n_internal_ips == DECODE_ADDRESSES_MAX)
		return err_set(
			reterr, -EINVAL,
			"status.addresses: more than %d of type InternalIP are not supported",
			DECODE_ADDRESSES_MAX);
	n->internal_ips[n->n_internal_ips++] = a;
	return 0;
}

static int decode_addresses(const struct value *status, struct node *n, struct err *reterr)
{
	const struct value *list = NULL;
	int r = decode_list(status, "status", "addresses", &list, reterr);

	if (r <= 0)
		return r;
	n->internal_ips = xcalloc(MIN(list->n, DECODE_ADDRESSES_MAX), sizeof(*n->internal_ips));
	r = 0;
	for (uint32_t i = 0; i < list->n; i++)
		(void)keep_error(&r, decode_address(list->items[i], i, n, unless_told(r, reterr)));
	return r;
}

/*
 * RFC 3339 as the API server writes it, "2026-11-30T12:00:00Z": its digits as one number are as
 * good for comparing.  It decides nothing but which of two Nodes is older, so what does not read
 * like that is as if it were not there.
 */
static uint64_t decode_created(const struct value *meta)
{
	const struct value *v = meta ? value_get(meta, "creationTimestamp") : NULL;
	static const char form[] = "0000-00-00T00:00:00Z";
	uint64_t created = 0;

	if (!v || v->type != VALUE_STRING || strlen(v->text) != sizeof(form) - 1)
		return 0;
	for (size_t i = 0; form[i]; i++) {
		char c = v->text[i];

		if (form[i] == '0' ? c < '0' || c > '9' : c != form[i])
			return 0;
		if (form[i] == '0')
			created = created * 10 + (uint64_t)(c - '0');
	}
	return created;
}

static int decode_node(const struct value *root, struct object *o, struct err *reterr)
{
	struct node *n = (struct node *)o;
	const struct value *meta = value_get(root, "metadata"), *spec = NULL, *status = NULL;
	int r = 0;

	n->created = decode_created(meta);
	(void)keep_error(&r, decode_labels(meta, "metadata", "labels", &n->labels, reterr));
	(void)keep_error(&r, value_get_map(root, "", "spec", &spec, unless_told(r, reterr)));
	if (spec)
		(void)keep_error(&r, decode_cidrs(spec, n, unless_told(r, reterr)));
	(void)keep_error(&r, value_get_map(root, "", "status", &status, unless_told(r, reterr)));
	if (status)
		(void)keep_error(&r, decode_addresses(status, n, unless_told(r, reterr)));
	return r;
}

/* --- the row -----------------------------------------------------------------------------------
 */

static const struct field metadata[] = {FIELDS_METADATA, FIELD("creationTimestamp"),
					FIELDS_METADATA_UNREAD, FIELDS_END};
static const struct field spec[] = {FIELD("podCIDR"), FIELD("podCIDRs"), FIELDS_END};
static const struct field address[] = {FIELD("type"), FIELD("address"), FIELDS_END};
static const struct field status[] = {FIELD_IN("addresses", address), FIELDS_END};
static const struct field fields[] = {FIELDS_HEAD, FIELD_IN("metadata", metadata),
				      FIELD_IN("spec", spec), FIELD_IN("status", status),
				      FIELDS_END};

SHAPE(static const, shape, struct node, sizeof(struct object), SHAPE_LABELS(struct node, labels),
      SHAPE_LIST(struct node, n_pod_cidrs, pod_cidrs, shape_prefix),
      SHAPE_LIST(struct node, n_internal_ips, internal_ips, shape_addr),
      SHAPE_BYTES(struct node, created));

static const struct kind_form forms[] = {{"v1", "Node", decode_node}, {0}};

static const char *node_of(const struct object *o)
{
	return o->name;
}

const struct kind_info kind_node = {
	.kind = KIND_NODE,
	.forms = forms,
	.resource = "nodes",
	.reach = REACH_NODE | REACH_ALL,
	.node_field = "metadata.name",
	.own = "this node",
	.shape = &shape,
	.fields = fields,
	.reason = "InvalidNode",
	.effect = "",
	.node_of = node_of,
};
