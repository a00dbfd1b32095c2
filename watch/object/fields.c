// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields.c - trees of the fields of each kind, and documents compared with them.  Pure.
 *
 * Source: k8s.io/api networking/v1, core/v1; k8s.io/apimachinery meta/v1 ObjectMeta.
 */
#include "watch/object/fields.h"

#include <errno.h>

#include "lib/near.h"
#include "watch/object/decode_internal.h"

#define SLIPS_MAX 2 /* for "did you mean"; nothing is meant by a word that is all slips */

/*
 * struct field - a list of them ends with one whose @key is NULL
 * @inside: Fields of the map that is its value, of a list those of each item; NULL: not looked at
 */
struct field {
	const char *key;
	const struct field *inside;
};

#define ANY(key)          \
	{                 \
		key, NULL \
	}
#define IN(key, inside)     \
	{                   \
		key, inside \
	}
#define END                \
	{                  \
		NULL, NULL \
	}

/* clusterName and selfLink were there in versions that clusters still run. */
static const struct field metadata[] = {
	ANY("name"),
	ANY("generateName"),
	ANY("namespace"),
	ANY("selfLink"),
	ANY("uid"),
	ANY("resourceVersion"),
	ANY("generation"),
	ANY("creationTimestamp"),
	ANY("deletionTimestamp"),
	ANY("deletionGracePeriodSeconds"),
	ANY("labels"),
	ANY("annotations"),
	ANY("ownerReferences"),
	ANY("finalizers"),
	ANY("clusterName"),
	ANY("managedFields"),
	END,
};

/* --- NetworkPolicy: all that there is ----------------------------------------------------------
 */

static const struct field expression[] = {ANY("key"), ANY("operator"), ANY("values"), END};
static const struct field selector[] = {ANY("matchLabels"), IN("matchExpressions", expression),
					END};
static const struct field block[] = {ANY("cidr"), ANY("except"), END};
static const struct field peer[] = {IN("podSelector", selector), IN("namespaceSelector", selector),
				    IN("ipBlock", block), END};
static const struct field port[] = {ANY("protocol"), ANY("port"), ANY("endPort"), END};
static const struct field ingress_rule[] = {IN("ports", port), IN("from", peer), END};
static const struct field egress_rule[] = {IN("ports", port), IN("to", peer), END};
static const struct field policy_spec[] = {
	IN("podSelector", selector),
	ANY("policyTypes"),
	IN("ingress", ingress_rule),
	IN("egress", egress_rule),
	END,
};
static const struct field policy[] = {
	ANY("apiVersion"),
	ANY("kind"),
	IN("metadata", metadata),
	IN("spec", policy_spec),
	ANY("status"), /* there was one for a while, networking.k8s.io/v1 of 1.24 */
	END,
};

/* --- the others: what is read -------------------------------------------------------------------
 */

static const struct field namespace[] = {ANY("apiVersion"), ANY("kind"), IN("metadata", metadata),
					 END};

static const struct field node_spec[] = {ANY("podCIDR"), ANY("podCIDRs"), END};
static const struct field node_address[] = {ANY("type"), ANY("address"), END};
static const struct field node_status[] = {IN("addresses", node_address), END};
static const struct field node[] = {ANY("apiVersion"),	       ANY("kind"),
				    IN("metadata", metadata),  IN("spec", node_spec),
				    IN("status", node_status), END};

static const struct field container_port[] = {ANY("name"), ANY("protocol"), ANY("containerPort"),
					      END};
static const struct field container[] = {IN("ports", container_port), END};
static const struct field pod_spec[] = {ANY("nodeName"), ANY("hostNetwork"),
					IN("containers", container),
					IN("initContainers", container), END};
static const struct field pod_ip[] = {ANY("ip"), END};
static const struct field pod_status[] = {ANY("phase"), ANY("podIP"), IN("podIPs", pod_ip), END};
static const struct field pod[] = {ANY("apiVersion"),	     ANY("kind"),
				   IN("metadata", metadata), IN("spec", pod_spec),
				   IN("status", pod_status), END};

/* --- comparing ---------------------------------------------------------------------------------
 */

static const struct field *find(const struct field *fields, const char *key)
{
	for (; fields->key; fields++)
		if (streq(fields->key, key))
			return fields;
	return NULL;
}

/* The field that was meant, at most @slips away; NULL if none is near enough. */
static const char *meant(const struct field *fields, const char *key, unsigned int slips)
{
	unsigned int best = slips + 1;
	const char *found = NULL;

	for (; fields->key; fields++) {
		unsigned int d = near_distance(fields->key, key);

		if (d >= best || d >= strlen(fields->key))
			continue;
		best = d;
		found = fields->key;
	}
	return found;
}

/* struct walk - @open: unknown fields are nothing, those that are near a known one go to @fn */
struct walk {
	bool open;
	field_fn *fn;
	void *arg;
	struct err *reterr;
};

static int unknown(const struct walk *w, const struct value_entry *e, const struct field *fields,
		   const char *path)
{
	const char *guess = meant(fields, e->key, w->open ? 1 : SLIPS_MAX);
	const char *dot = *path ? "." : "";
	_cleanup_(freep) char *text = NULL;

	if (!w->open)
		return err_set(w->reterr, -EINVAL, "%s%s%.*s: unknown field%s%s%s (line %u)", path,
			       dot, SHOWN(e->key), guess ? ", did you mean '" : "", guess ?: "",
			       guess ? "'?" : "", e->line);
	if (!guess)
		return 0;
	text = xasprintf("%s%s%.*s: not a field that is read, did you mean '%s'?", path, dot,
			 SHOWN(e->key), guess);
	w->fn(w->arg, text, e->line);
	return 0;
}

static int check_map(const struct walk *w, const struct value *map, const struct field *fields,
		     const char *path);

static int check_inside(const struct walk *w, const struct value_entry *e,
			const struct field *inside, const char *path)
{
	const struct value *v = e->value;
	struct decode_path here;
	int r = 0;

	if (v->type != VALUE_SEQ) {
		(void)decode_path(&here, path, e->key);
		return check_map(w, v, inside, *path ? here.s : e->key);
	}
	for (uint32_t i = 0; i < v->n && r == 0; i++) {
		decode_path_item(&here, path, e->key, i);
		r = check_map(w, v->items[i], inside, here.s);
	}
	return r;
}

/* What is no map has no fields: its type is the decoder's business. */
static int check_map(const struct walk *w, const struct value *map, const struct field *fields,
		     const char *path)
{
	if (map->type != VALUE_MAP)
		return 0;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct value_entry *e = &map->entry[i];
		const struct field *f = find(fields, e->key);
		int r = 0;

		if (!f)
			r = unknown(w, e, fields, path);
		else if (f->inside)
			r = check_inside(w, e, f->inside, path);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * fields_check_policy() - Look for fields that no NetworkPolicy has
 * @root:   Document, a map
 * @reterr: "spec.ingress[0].form: unknown field, did you mean 'from'? (line 9)": the first of them
 *
 * Return: 0, -EINVAL
 */
int fields_check_policy(const struct value *root, struct err *reterr)
{
	return check_map(&(struct walk){.reterr = reterr}, root, policy, "");
}

/**
 * fields_known_policy_spec() - Test whether the spec of a policy itself has known fields only
 * @spec: spec, a map; what is inside of its fields is not looked at
 *
 * Return: true if so; false: an unknown one may be meant to be any
 */
bool fields_known_policy_spec(const struct value *spec)
{
	for (uint32_t i = 0; i < spec->n; i++)
		if (!find(policy_spec, spec->entry[i].key))
			return false;
	return true;
}

/**
 * fields_check_namespace() - Look for a misspelled metadata.namespace
 * @map:    metadata
 * @reterr: What is wrong
 *
 * Return: 0; -EINVAL if a field may be meant to be the namespace, which is not there itself
 */
int fields_check_namespace(const struct value *map, struct err *reterr)
{
	if (value_get(map, "namespace"))
		return 0;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct value_entry *e = &map->entry[i];
		const char *guess = find(metadata, e->key) ? NULL
							   : meant(metadata, e->key, SLIPS_MAX);

		if (guess && streq(guess, "namespace"))
			return unknown(&(struct walk){.reterr = reterr}, e, metadata, "metadata");
	}
	return 0;
}

/**
 * fields_each_near() - Go through fields that look like one that is read, misspelled
 * @root: Document, a map
 * @kind: Its kind; in a NetworkPolicy such are errors, and are not told here
 * @fn:   Takes each
 * @arg:  For @fn
 */
void fields_each_near(const struct value *root, enum kind kind, field_fn *fn, void *arg)
{
	static const struct field *const trees[] = {
		[KIND_NODE] = node,
		[KIND_NAMESPACE] = namespace,
		[KIND_POD] = pod,
		[KIND_NETPOL] = NULL,
	};

	_Static_assert(ARRAY_SIZE(trees) == _KIND_MAX, "a tree for every kind");
	if (trees[kind])
		(void)check_map(&(struct walk){.open = true, .fn = fn, .arg = arg}, root,
				trees[kind], "");
}
