// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode_stand_in.c - what cannot be identified, and may be a policy: whom does it isolate?  Also
 * kinds that are misspelled.  Pure.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/intern.h"
#include "lib/near.h"
#include "watch/object/decode.h"
#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"
#include "watch/object/netpol.h"

#define SHORT_NAME_MAX 8 /* bytes of a kind; JobList is two slips away from PodList */
#define SLIPS_SHORT    1
#define SLIPS_LONG     3 /* NetworkPolicies */

/**
 * is_list_kind() - Is it the kind of a list?
 * @kind: Kind
 *
 * Return: true for List, PodList, ...
 */
bool is_list_kind(const char *kind)
{
	size_t n = strlen(kind);

	return n >= 4 && streq(kind + n - 4, "List");
}

static bool is_near(const char *kind, const char *ours)
{
	return near_distance(kind, ours) <=
	       (strlen(ours) <= SHORT_NAME_MAX ? SLIPS_SHORT : SLIPS_LONG);
}

static bool is_near_list(const char *kind, enum kind of)
{
	char list[NEAR_WORD_MAX];

	(void)snprintf(list, sizeof(list), "%sList", kind_str(of));
	return is_near(kind, list);
}

/* The kind that is meant, as itself or as a list; _KIND_MAX: a list of any; false: none of ours. */
static bool guess(const char *kind, enum kind *ret)
{
	for (int k = 0; k < _KIND_MAX; k++) {
		if (!is_near(kind, kind_str((enum kind)k)))
			continue;
		*ret = (enum kind)k;
		return true;
	}
	if (is_list_kind(kind))
		return false;
	*ret = _KIND_MAX;
	for (int k = 0; k < _KIND_MAX; k++)
		if (is_near_list(kind, (enum kind)k))
			return true;
	return is_near(kind, "List");
}

static const char *group_end(const char *api_version)
{
	return strchr(api_version, '/') ?: api_version;
}

/* Of another group of the API, where a kind of that name is something else. */
static bool is_namesake(const char *kind, const char *api_version, enum kind k)
{
	const char *ours;
	size_t len;

	if (k == _KIND_MAX || !kinds[k]->namesakes || !streq(kind, kind_str(k)))
		return false;
	ours = kind_api_version(k);
	len = (size_t)(group_end(ours) - ours);
	return (size_t)(group_end(api_version) - api_version) != len ||
	       memcmp(ours, api_version, len) != 0;
}

/**
 * decode_guess_kind() - Is a kind that is not known one of ours, misspelled?
 * @h_kind:      As the document spells it
 * @api_version: As the document spells it; kind_find() knows no such
 * @line:        Of the document
 * @ret:         What is meant; _KIND_MAX: a list
 * @reterr:      What is wrong
 *
 * A kind of ours in another version of the API is one of those: it may mean something else there,
 * and it is certainly not nothing.  In another group of the API a kind is somebody else's, unless
 * it is one that has to fail closed (a Service of serving.knative.dev/v1, and none of v2).
 *
 * Return: 1; 0 if it is somebody else's, @ret and @reterr untouched
 */
int decode_guess_kind(const char *h_kind, const char *api_version, uint32_t line, enum kind *ret,
		      struct err *reterr)
{
	enum kind k;

	if (!guess(h_kind, &k) || is_namesake(h_kind, api_version, k))
		return 0;
	*ret = k;
	if (k == _KIND_MAX)
		(void)err_set(reterr, -EINVAL, "kind: '%.*s' is unknown, is it a List? (line %u)",
			      SHOWN(h_kind), line);
	else if (!streq(h_kind, kind_str(k)))
		(void)err_set(reterr, -EINVAL,
			      "kind: '%.*s' is unknown, did you mean %s? (line %u)", SHOWN(h_kind),
			      kind_str(k), line);
	else
		(void)err_set(reterr, -EINVAL,
			      "apiVersion: '%.*s' is not one that is supported for %s, use %s "
			      "(line %u)",
			      SHOWN(api_version), h_kind, kind_api_version(k), line);
	return 1;
}

/**
 * stand_in_new() - A policy in the place of one that cannot be read
 * @ns: Namespace, or NS_EVERY
 *
 * Return: a policy without a name that selects every pod there and allows nothing
 */
struct object *stand_in_new(const char *ns)
{
	struct netpol *p = xcalloc(1, sizeof(*p));

	p->o.kind = KIND_NETPOL;
	p->o.ns = intern(ns);
	p->isolates[INGRESS] = p->isolates[EGRESS] = true;
	return &p->o;
}

static const char *text_of(const struct value *map, const char *key, const char *otherwise)
{
	const char *s = otherwise;

	(void)value_get_str(map, "", key, &s, NULL);
	return s;
}

/* Certainly not a policy: another kind of ours, or somebody else's. */
static bool is_other(const char *kind)
{
	enum kind k;

	if (!*kind || streq(kind, "List") || streq(kind, "NetworkPolicyList"))
		return false;
	return !guess(kind, &k) || (k != KIND_NETPOL && k != _KIND_MAX);
}

static const char *namespace_of(const struct value *root, bool cut)
{
	const struct value *meta = value_get(root, "metadata"), *ns = value_get(meta, "namespace");

	if (ns && ns->type == VALUE_STRING && is_dns_label(ns->text))
		return ns->text;
	if (cut || !meta || meta->type != VALUE_MAP || fields_check_namespace(meta, NULL) < 0)
		return NS_EVERY;
	return !ns || ns->type == VALUE_NULL || (ns->type == VALUE_STRING && !*ns->text) ? "default"
											 : NS_EVERY;
}

/**
 * decode_stand_in() - What may be a policy isolates whom it may be for
 * @root: Document, or item of a list
 * @kind: Its kind when it does not say itself; "": it is not known
 * @cut:  The document is only its beginning
 *
 * Namespace, podSelector and policyTypes count as far as they are known: of a policy that lacks
 * nothing but a name they all are.
 *
 * Return: a stand-in without a name; NULL if it is certainly no policy
 */
struct object *decode_stand_in(const struct value *root, const char *kind, bool cut)
{
	struct object *o;

	if (root->type == VALUE_MAP)
		kind = text_of(root, "kind", kind);
	if (is_other(kind))
		return NULL;
	o = stand_in_new(namespace_of(root, cut));
	if (!cut && root->type == VALUE_MAP && streq(kind, kind_str(KIND_NETPOL))) {
		struct netpol *p = (struct netpol *)o;

		p->isolates[INGRESS] = p->isolates[EGRESS] = false;
		(void)kind_netpol.forms->decode(root, o, NULL);
		kind_netpol.close(o);
	}
	return o;
}
