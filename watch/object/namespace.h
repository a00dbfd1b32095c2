/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * namespace.h - Namespace: its labels.
 */
#pragma once

#include "watch/object/object.h"

struct namespace
{
	struct object o;
	struct labels labels; /* kubernetes.io/metadata.name is filled in as the API server does */
};

extern const struct kind_info kind_namespace;

static inline const struct namespace *as_namespace(const struct object *o)
{
	return (const struct namespace *)o;
}
