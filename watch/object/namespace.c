// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * namespace.c - Namespace.  Pure.
 */
#include "watch/object/namespace.h"

#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"

/*
 * The label kubernetes.io/metadata.name is set whatever the document says: who writes a namespace
 * could take another one's name otherwise, and with it whatever policies allow that one.
 * Source: pkg/apis/core/v1 SetDefaults_Namespace; KEP-2161.
 */
static int decode_namespace(const struct value *root, struct object *o, struct err *reterr)
{
	struct namespace *n = (struct namespace *)o;
	int r = decode_labels(value_get(root, "metadata"), "metadata", "labels", &n->labels,
			      reterr);

	labels_set(&n->labels, "kubernetes.io/metadata.name", n->o.name);
	return r;
}

/* --- the row -----------------------------------------------------------------------------------
 */

static const struct field fields[] = {FIELDS_HEAD, FIELD_IN("metadata", fields_metadata),
				      FIELDS_END};

SHAPE(static const, shape, struct namespace, sizeof(struct object),
      SHAPE_LABELS(struct namespace, labels));

static const struct kind_form forms[] = {{"v1", "Namespace", decode_namespace}, {0}};

const struct kind_info kind_namespace = {
	.kind = KIND_NAMESPACE,
	.forms = forms,
	.resource = "namespaces",
	.reach = REACH_ALL,
	.name_form = NAME_LABEL,
	.metadata_only = true,
	.decides = true,
	.shape = &shape,
	.fields = fields,
	.reason = "InvalidNamespace",
	.effect = "",
};
