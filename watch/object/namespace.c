// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * namespace.c - Namespace.  Pure.
 *
 * Until Kubernetes 1.6 a Namespace said in an annotation that its pods are isolated:
 *
 *	net.beta.kubernetes.io/network-policy: |
 *	  {"ingress": {"isolation": "DefaultDeny"}}
 *
 * The text is JSON.  What is not exactly that form isolates as well, and is a problem.
 *
 * Source: Kubernetes 1.3 to 1.6, user guide "Network Policies", "Configuring Namespace Isolation".
 */
#include "watch/object/namespace.h"

#include <errno.h>

#include "watch/document/json.h"
#include "watch/document/place.h"
#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"

static const struct field isolation[] = {FIELD("isolation"), FIELDS_END};
static const struct field annotation[] = {FIELD_IN("ingress", isolation), FIELDS_END};

/* What the text of the annotation asks for. */
static int read_isolation(const char *text, bool *ret, struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	const struct value *root, *ingress = NULL;
	const char *how = NULL;

	if (json_parse(text, strlen(text), &doc, reterr) < 0)
		return -EINVAL;
	root = value_root(doc);
	if (root->type != VALUE_MAP)
		return err_set(reterr, -EINVAL, "expected a map, found %s",
			       value_type_str(root->type));
	if (fields_check(root, annotation, reterr) < 0 ||
	    value_get_map(root, "", "ingress", &ingress, reterr) < 0)
		return -EINVAL;
	if (ingress && value_get_str(ingress, "ingress", "isolation", &how, reterr) < 0)
		return -EINVAL;
	if (how && !streq(how, "DefaultDeny"))
		return err_set(reterr, -EINVAL, "ingress.isolation: '%.*s' is not DefaultDeny",
			       SHOWN(how));
	*ret = how;
	return 0;
}

static int decode_isolation(const struct value *meta, bool *ret, struct err *reterr)
{
	const struct value *annotations = NULL;
	const char *text = NULL;
	struct err e = {0};

	if (value_get_map(meta, "metadata", "annotations", &annotations, &e) < 0)
		return err_set(reterr, -EINVAL, "%s; its pods are isolated", e.msg);
	if (!annotations)
		return 0;
	if (value_get_str(annotations, "metadata.annotations", NAMESPACE_ANNOTATION, &text, &e) < 0)
		return err_set(reterr, -EINVAL, "%s; its pods are isolated", e.msg);
	if (!text || read_isolation(text, ret, &e) == 0)
		return 0;
	(void)place_take_line(e.msg); /* which is one of the annotation's */
	return err_set(reterr, -EINVAL,
		       "metadata.annotations." NAMESPACE_ANNOTATION ": %s; its pods are isolated",
		       e.msg);
}

/*
 * The label kubernetes.io/metadata.name is set whatever the document says: who writes a namespace
 * could take another one's name otherwise, and with it whatever policies allow that one.
 * Source: pkg/apis/core/v1 SetDefaults_Namespace; KEP-2161.
 */
static int decode_namespace(const struct value *root, struct object *o, struct err *reterr)
{
	const struct value *meta = value_get(root, "metadata");
	struct namespace *n = (struct namespace *)o;
	int r = decode_labels(meta, "metadata", "labels", &n->labels, reterr);

	n->labels_known = r == 0;
	labels_set(&n->labels, "kubernetes.io/metadata.name", n->o.name);
	if (keep_error(&r, decode_isolation(meta, &n->isolated, unless_told(r, reterr))) < 0)
		n->isolated = true;
	return r;
}

/* --- the row -----------------------------------------------------------------------------------
 */

static const struct field annotations[] = {FIELD(NAMESPACE_ANNOTATION), FIELDS_END};
static const struct field metadata[] = {FIELDS_METADATA, FIELD_IN("annotations", annotations),
					FIELDS_METADATA_UNREAD, FIELDS_END};
static const struct field fields[] = {FIELDS_HEAD, FIELD_IN("metadata", metadata), FIELDS_END};

SHAPE(static const, shape, struct namespace, sizeof(struct object),
      SHAPE_LABELS(struct namespace, labels), SHAPE_BYTES(struct namespace, labels_known),
      SHAPE_BYTES(struct namespace, isolated));

static const struct kind_form forms[] = {{"v1", "Namespace", decode_namespace}, {0}};

static void isolate(struct object *o)
{
	struct namespace *n = (struct namespace *)o;

	n->labels_known = false;
	n->isolated = true;
}

static bool isolates(const struct object *o)
{
	return as_namespace(o)->isolated;
}

const struct kind_info kind_namespace = {
	.kind = KIND_NAMESPACE,
	.forms = forms,
	.resource = "namespaces",
	.reach = REACH_ALL,
	.name_form = NAME_LABEL,
	.metadata_only = true,
	.decides = true,
	.close = isolate,
	.closed = isolates,
	.shape = &shape,
	.fields = fields,
	.reason = "InvalidNamespace",
	.effect = "",
};
