/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * namespace.h - Namespace: its labels, and whether its pods are isolated.
 */
#pragma once

#include "watch/object/object.h"

/* The annotation by which a Namespace isolated its pods before there were policies that do. */
#define NAMESPACE_ANNOTATION "net.beta.kubernetes.io/network-policy"

/*
 * struct namespace
 * @labels:       kubernetes.io/metadata.name is filled in as the API server does
 * @labels_known: They are what the Namespace has; false: some could not be read
 * @isolated:     By NAMESPACE_ANNOTATION, or by one that cannot be read: no pod of it receives
 *                anything that no policy allows
 */
struct namespace
{
	struct object o;
	struct labels labels;
	bool labels_known, isolated;
};

extern const struct kind_info kind_namespace;

static inline const struct namespace *as_namespace(const struct object *o)
{
	return (const struct namespace *)o;
}
