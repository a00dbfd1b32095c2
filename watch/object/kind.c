// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kind.c - the rows, and what follows from any of them.
 */
#include "watch/object/kind.h"

#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/node.h"
#include "watch/object/pod.h"
#include "watch/object/service.h"

const struct kind_info *const kinds[] = {
	[KIND_NODE] = &kind_node,     [KIND_NAMESPACE] = &kind_namespace, [KIND_POD] = &kind_pod,
	[KIND_NETPOL] = &kind_netpol, [KIND_SERVICE] = &kind_service,
};
_Static_assert(ARRAY_SIZE(kinds) == _KIND_MAX, "a row for every kind");

/**
 * kind_str() - Name of a kind as manifests spell it
 * @k: Kind
 *
 * Return: "Pod", "NetworkPolicy", ...
 */
const char *kind_str(enum kind k)
{
	return kinds[k]->forms->kind;
}

/**
 * kind_api_version() - Version of the API in which a kind is asked for
 * @k: Kind
 *
 * Return: "v1", "networking.k8s.io/v1"
 */
const char *kind_api_version(enum kind k)
{
	return kinds[k]->forms->api_version;
}

/**
 * kind_find() - Kind of a document
 * @kind:        As it spells it
 * @api_version: As it spells it
 * @ret:         Kind; untouched if no row has that
 *
 * Return: the spelling, if both are right; NULL
 */
const struct kind_form *kind_find(const char *kind, const char *api_version, enum kind *ret)
{
	for (int k = 0; k < _KIND_MAX; k++)
		for (const struct kind_form *f = kinds[k]->forms; f->kind; f++)
			if (streq(kind, f->kind) && streq(api_version, f->api_version)) {
				*ret = (enum kind)k;
				return f;
			}
	return NULL;
}

/**
 * kind_path() - Where the API server has a collection of a kind
 * @info: Kind
 * @ns:   Namespace; NULL: all
 * @out:  Appended to: "/apis/networking.k8s.io/v1/networkpolicies"
 */
void kind_path(const struct kind_info *info, const char *ns, struct buf *out)
{
	const char *version = info->forms->api_version;

	buf_printf(out, "/%s/%s", strchr(version, '/') ? "apis" : "api", version);
	if (ns)
		buf_printf(out, "/namespaces/%s", ns);
	buf_printf(out, "/%s", info->resource);
}
