// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode_node.c - Node and Namespace.  Pure.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/intern.h"
#include "watch/decode_internal.h"

static int add_cidr(struct node *n, const char *text, const char *path, struct err *reterr)
{
	struct prefix p;

	if (prefix_parse(text, &p) < 0)
		return err_set(reterr, -EINVAL, "%s: '%.60s' is not a CIDR", path, text);
	n->pod_cidrs[n->n_pod_cidrs++] = p;
	return 0;
}

static int decode_cidrs(const struct value *spec, struct node *n, struct err *reterr)
{
	const struct value *list = NULL;
	const char *one = NULL;
	int r = value_get_seq(spec, "spec", "podCIDRs", &list, reterr);

	if (r < 0 || value_get_str(spec, "spec", "podCIDR", &one, reterr) < 0)
		return -EINVAL;
	n->pod_cidrs = xcalloc(DECODE_ADDRESSES_MAX, sizeof(*n->pod_cidrs));
	if (!list || !list->n)
		return one && *one ? add_cidr(n, one, "spec.podCIDR", reterr) : 0;
	if (list->n > DECODE_ADDRESSES_MAX)
		return err_set(reterr, -EINVAL, "spec.podCIDRs: %u entries, at most %d", list->n,
			       DECODE_ADDRESSES_MAX);
	for (uint32_t i = 0; i < list->n; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "spec.podCIDRs[%u]", i);
		if (list->items[i]->type != VALUE_STRING)
			return err_set(reterr, -EINVAL, "%s: expected a string, found %s (line %u)",
				       path, value_type_str(list->items[i]->type),
				       list->items[i]->line);
		if (add_cidr(n, list->items[i]->text, path, reterr) < 0)
			return -EINVAL;
	}
	return 0;
}

static int decode_address(const struct value *v, uint32_t i, struct node *n, struct err *reterr)
{
	const char *type = "", *text = "";
	char path[64];
	struct addr a;

	(void)snprintf(path, sizeof(path), "status.addresses[%u]", i);
	if (v->type != VALUE_MAP || value_get_str(v, path, "type", &type, reterr) < 0 ||
	    value_get_str(v, path, "address", &text, reterr) < 0)
		return err_set(reterr, -EINVAL, "%s: type and address are strings", path);
	if (!streq(type, "InternalIP"))
		return 0;
	if (addr_parse(text, &a) < 0)
		return err_set(reterr, -EINVAL, "%s.address: '%.60s' is not an address", path,
			       text);
	if (n->n_internal_ips < DECODE_ADDRESSES_MAX)
		n->internal_ips[n->n_internal_ips++] = a;
	return 0;
}

/**
 * decode_node() - Read a Node
 * @root:   Document
 * @n:      Node, filled as far as possible
 * @reterr: What is wrong
 *
 * Return: 0, -EINVAL
 */
int decode_node(const struct value *root, struct node *n, struct err *reterr)
{
	const struct value *meta = value_get(root, "metadata"), *spec = NULL, *status = NULL;
	const struct value *list = NULL;
	int r = decode_labels(meta, "metadata", "labels", &n->labels, reterr);

	if (r == 0)
		r = MIN(value_get_map(root, "", "spec", &spec, reterr), 0);
	if (r == 0 && spec)
		r = decode_cidrs(spec, n, reterr);
	if (r == 0)
		r = MIN(value_get_map(root, "", "status", &status, reterr), 0);
	if (r == 0 && status)
		r = MIN(decode_list(status, "status", "addresses", &list, reterr), 0);
	if (list)
		n->internal_ips = xcalloc(DECODE_ADDRESSES_MAX, sizeof(*n->internal_ips));
	for (uint32_t i = 0; r == 0 && list && i < list->n; i++)
		r = decode_address(list->items[i], i, n, reterr);
	return r;
}

/**
 * decode_namespace() - Read a Namespace
 * @root:   Document
 * @n:      Namespace, filled as far as possible
 * @reterr: What is wrong
 *
 * Source: the API server sets the label kubernetes.io/metadata.name (KEP-2161).
 *
 * Return: 0, -EINVAL
 */
int decode_namespace(const struct value *root, struct namespace *n, struct err *reterr)
{
	int r = decode_labels(value_get(root, "metadata"), "metadata", "labels", &n->labels, reterr);

	labels_add(&n->labels, "kubernetes.io/metadata.name", n->o.name);
	return r;
}
