// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_args.c - CNI_ARGS, and the addresses that it and the configuration ask for.  Pure.
 */
#include <assert.h>
#include <stdio.h>
#include <strings.h>

#include "agent/cni/cni_internal.h"
#include "watch/object/decode_internal.h"

#define UID_MAX 128 /* bytes; Kubernetes uses 36 */

/* --- addresses asked for --------------------------------------------------------------------- */

/* "10.1.2.3", or with the length of its network, which is not looked at */
static bool parse_address(const char *text, struct addr *ret)
{
	const char *slash = strchr(text, '/');
	char bare[ADDR_STR_MAX];
	struct prefix p;

	if (!slash)
		return addr_parse(text, ret) == 0;
	if (prefix_parse(text, &p) < 0)
		return false;
	(void)snprintf(bare, sizeof(bare), "%.*s", (int)(slash - text), text);
	return addr_parse(bare, ret) == 0;
}

/**
 * cni_want_address() - Note an address asked for
 * @q:      Request
 * @code:   What a bad one is answered with
 * @path:   Where it stands, for the message
 * @text:   Address, with or without a prefix length
 * @reterr: What is wrong with it
 *
 * Return: 0, also if it was asked for already; -@code
 */
int cni_want_address(struct cni_request *q, enum cni_code code, const char *path, const char *text,
		     struct err *reterr)
{
	char shown[CNI_SHOWN_MAX];
	struct addr a;

	if (!parse_address(text, &a))
		return err_set(reterr, -(int)code, "%s: '%s' is not an address", path,
			       cni_shown(text, shown));
	for (uint32_t i = 0; i < q->n_want; i++) {
		if (addr_eq(&q->want[i], &a))
			return 0;
		if (q->want[i].family == a.family)
			return err_set(reterr, -(int)code,
				       "%s: '%s' is a second address of the family", path,
				       cni_shown(text, shown));
	}
	assert(q->n_want < ARRAY_SIZE(q->want)); /* one a family */
	q->want[q->n_want++] = a;
	return 0;
}

/**
 * cni_want_mac() - Note a MAC address asked for
 * @q:      Request
 * @code:   What a bad one is answered with
 * @path:   Where it stands, for the message
 * @text:   MAC address
 * @reterr: What is wrong with it
 *
 * Return: 0, also if it was asked for already; -@code
 */
int cni_want_mac(struct cni_request *q, enum cni_code code, const char *path, const char *text,
		 struct err *reterr)
{
	static const struct mac zero;
	char shown[CNI_SHOWN_MAX];
	struct mac m;

	if (mac_parse(text, &m) < 0 || (m.b[0] & 1) || memcmp(&m, &zero, sizeof(m)) == 0)
		return err_set(reterr, -(int)code, "%s: '%s' is not a unicast MAC address", path,
			       cni_shown(text, shown));
	if (q->has_mac && memcmp(&m, &q->mac, sizeof(m)) != 0)
		return err_set(reterr, -(int)code, "%s: '%s' is a second MAC address", path,
			       cni_shown(text, shown));
	q->mac = m;
	q->has_mac = true;
	return 0;
}

/* --- CNI_ARGS -------------------------------------------------------------------------------- */

static int bad_environment(struct err *reterr, const char *what, const char *value)
{
	char shown[CNI_SHOWN_MAX];

	return err_set(reterr, -CNI_E_ENVIRONMENT, "%s: '%s'", what, cni_shown(value, shown));
}

static bool is_uid(const char *s)
{
	return cni_is_identifier(s, UID_MAX);
}

/* The keys that name the pod; a name said twice must be the same. */
static const struct pod_key {
	const char *key;
	size_t member;
	bool (*is_valid)(const char *s);
	const char *form;
} pod_keys[] = {
	{"K8S_POD_NAMESPACE", offsetof(struct cni_request, ns), is_dns_label, "a DNS-1123 label"},
	{"K8S_POD_NAME", offsetof(struct cni_request, pod), is_dns_subdomain, "a DNS-1123 name"},
	{"K8S_POD_UID", offsetof(struct cni_request, uid), is_uid, "a UID"},
};

static int parse_pod_key(struct cni_request *q, const struct pod_key *k, const char *value,
			 struct err *reterr)
{
	char **member = (char **)((char *)q + k->member);
	char shown[CNI_SHOWN_MAX];

	if (!*value)
		return 0;
	if (!k->is_valid(value))
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_ARGS %s: '%s' is not %s", k->key,
			       cni_shown(value, shown), k->form);
	if (**member && !streq(*member, value))
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_ARGS %s: given twice", k->key);
	free(*member);
	*member = xstrdup(value);
	return 0;
}

static int parse_ignore(const char *value, bool *ret, struct err *reterr)
{
	bool yes = streq(value, "1") || strcasecmp(value, "true") == 0;

	if (!yes && !streq(value, "0") && strcasecmp(value, "false") != 0)
		return bad_environment(reterr, "CNI_ARGS IgnoreUnknown: not 1, 0, true or false",
				       value);
	*ret = yes;
	return 0;
}

/* @ret_unknown: the first key that is not known, borrowed */
static int parse_arg(struct cni_request *q, const char *key, const char *value, bool *ret_ignore,
		     const char **ret_unknown, struct err *reterr)
{
	for (size_t i = 0; i < ARRAY_SIZE(pod_keys); i++)
		if (streq(key, pod_keys[i].key))
			return parse_pod_key(q, &pod_keys[i], value, reterr);
	if (streq(key, "IP"))
		return cni_want_address(q, CNI_E_ENVIRONMENT, "CNI_ARGS IP", value, reterr);
	if (streq(key, "MAC"))
		return cni_want_mac(q, CNI_E_ENVIRONMENT, "CNI_ARGS MAC", value, reterr);
	if (streq(key, "IgnoreUnknown"))
		return parse_ignore(value, ret_ignore, reterr);
	if (!streq(key, "K8S_POD_INFRA_CONTAINER_ID") && !*ret_unknown)
		*ret_unknown = key;
	return 0;
}

static int parse_pairs(const char *args, struct cni_request *q, struct err *reterr)
{
	_cleanup_(freep) char *copy = xstrdup(args ? args : "");
	const char *unknown = NULL;
	bool ignore = false;
	char *save = NULL;

	for (char *pair = strtok_r(copy, ";", &save); pair; pair = strtok_r(NULL, ";", &save)) {
		char *equals = strchr(pair, '=');
		int r;

		if (!equals)
			return bad_environment(reterr, "CNI_ARGS: not KEY=VALUE", pair);
		*equals = '\0';
		r = parse_arg(q, pair, equals + 1, &ignore, &unknown, reterr);
		if (r < 0)
			return r;
	}
	if (unknown && !ignore)
		return bad_environment(reterr,
				       "CNI_ARGS: key not known, and IgnoreUnknown=1 is not given",
				       unknown);
	return 0;
}

static int require_pod(const struct cni_request *q, struct err *reterr)
{
	const char *missing = !*q->ns ? "K8S_POD_NAMESPACE" : !*q->pod ? "K8S_POD_NAME" : NULL;

	if (q->verb != CNI_ADD || !missing)
		return 0;
	return err_set(reterr, -CNI_E_ENVIRONMENT,
		       "CNI_ARGS: %s is required, to know the pod's policies", missing);
}

/**
 * cni_args_parse() - Read CNI_ARGS
 * @args:   "KEY=VALUE;KEY=VALUE" or NULL
 * @q:      Request whose verb is known
 * @reterr: What is wrong
 *
 * An ADD must name its pod.  Keys not known need IgnoreUnknown=1.
 * Source: CNI CONVENTIONS.md, "CNI_ARGS".
 *
 * Return: 0; -CNI_E_ENVIRONMENT, and a part may have been read
 */
int cni_args_parse(const char *args, struct cni_request *q, struct err *reterr)
{
	int r = parse_pairs(args, q, reterr);

	return r < 0 ? r : require_pod(q, reterr);
}
