// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * api_wanted.c - the trees of keys.  Pure.
 */
#include "watch/kube/api_wanted.h"

const struct wanted wanted_all[] = {{0}};

#define IN(key, inside)                       \
	{                                     \
		key, sizeof(key) - 1, inside, \
	}
#define ALL(key) IN(key, wanted_all)
#define END       \
	{         \
		0 \
	}

static const struct wanted metadata[] = {
	ALL("name"), ALL("namespace"), ALL("uid"), ALL("resourceVersion"), ALL("labels"), END,
};

/* --- Node ------------------------------------------------------------------------------------ */

static const struct wanted node_metadata[] = {
	ALL("name"), ALL("uid"), ALL("resourceVersion"), ALL("labels"), ALL("creationTimestamp"),
	END,
};
static const struct wanted node_spec[] = {ALL("podCIDR"), ALL("podCIDRs"), END};
static const struct wanted node_status[] = {ALL("addresses"), END};
static const struct wanted node[] = {IN("metadata", node_metadata), IN("spec", node_spec),
				     IN("status", node_status), END};

/* --- Namespace: metadata alone is asked for -------------------------------------------------- */

static const struct wanted namespace[] = {IN("metadata", metadata), END};

/* --- Pod ------------------------------------------------------------------------------------- */

static const struct wanted pod_annotations[] = {ALL("kubernetes.io/config.hash"), END};
static const struct wanted pod_metadata[] = {
	ALL("name"),   ALL("namespace"),
	ALL("uid"),    ALL("resourceVersion"),
	ALL("labels"), IN("annotations", pod_annotations),
	END,
};
static const struct wanted container[] = {ALL("ports"), END};
static const struct wanted pod_spec[] = {
	ALL("nodeName"),
	ALL("hostNetwork"),
	IN("containers", container),
	IN("initContainers", container),
	END,
};
static const struct wanted pod_status[] = {ALL("phase"), ALL("podIP"), ALL("podIPs"), END};
static const struct wanted pod[] = {IN("metadata", pod_metadata), IN("spec", pod_spec),
				    IN("status", pod_status), END};

/* --- NetworkPolicy --------------------------------------------------------------------------- */

static const struct wanted policy[] = {IN("metadata", metadata), ALL("spec"), END};

/* --- what is no object ------------------------------------------------------------------------ */

const struct wanted wanted_of_status[] = {ALL("code"), ALL("reason"), ALL("message"),
					  ALL("details"), END};

static const struct wanted bookmark_metadata[] = {ALL("resourceVersion"), ALL("annotations"), END};
const struct wanted wanted_of_bookmark[] = {IN("metadata", bookmark_metadata), END};

/**
 * wanted_of_kind() - The fields of a kind
 * @kind: Kind
 *
 * Return: the tree
 */
const struct wanted *wanted_of_kind(enum kind kind)
{
	static const struct wanted *const trees[] = {
		[KIND_NODE] = node,
		[KIND_NAMESPACE] = namespace,
		[KIND_POD] = pod,
		[KIND_NETPOL] = policy,
	};

	_Static_assert(ARRAY_SIZE(trees) == _KIND_MAX, "a tree for every kind");
	return trees[kind];
}

/**
 * wanted_find() - Is a key of a map kept, and what inside?
 * @w:   What is wanted in the map
 * @key: Key, not NUL-terminated
 * @n:   Its bytes
 *
 * Return: what is wanted inside its value; NULL: it is dropped
 */
const struct wanted *wanted_find(const struct wanted *w, const char *key, size_t n)
{
	if (w == wanted_all)
		return w;
	for (; w->key; w++)
		if (w->n == n && memcmp(w->key, key, n) == 0)
			return w->inside;
	return NULL;
}
