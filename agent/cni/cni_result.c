// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_result.c - results, errors and versions in the words of the caller's CNI version.  Pure.
 */
#include <inttypes.h>
#include <sys/socket.h>

#include "agent/cni/cni_internal.h"
#include "datapath/route/podlink.h"
#include "watch/document/value_write.h"

#define NEWEST "1.1.0"

/* "0.3.1" before "1.0.0": the supported versions compare as text. */
static bool before(const char *version, const char *than)
{
	return strcmp(version, than) < 0;
}

/* --- values of a previous plugin, written again ---------------------------------------------- */

static void put_items(struct jsonw *w, const struct value *v)
{
	for (uint32_t i = 0; v && i < v->n; i++)
		value_write(w, NULL, v->items[i]);
}

static const struct value *prev_list(const struct cni_result *r, const char *key)
{
	const struct value *v = r->prev ? value_get(r->prev, key) : NULL;

	return v && v->type == VALUE_SEQ ? v : NULL;
}

/* --- result ---------------------------------------------------------------------------------- */

static void put_interface(struct jsonw *w, const char *version, const struct cni_result *r,
			  bool host)
{
	char mac[MAC_STR_MAX];

	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "name", host ? r->at->host_ifname : r->at->ifname);
	jsonw_str(w, "mac", mac_str(host ? &r->host_mac : &r->at->mac, mac));
	if (!before(version, "1.1.0"))
		jsonw_uint(w, "mtu", r->mtu);
	if (!host)
		jsonw_str(w, "sandbox", r->at->netns);
	jsonw_end(w, '}');
}

static const char *gateway(const struct addr *a)
{
	return a->family == AF_INET ? PODLINK_GATEWAY4 : PODLINK_GATEWAY6;
}

static void put_address(struct jsonw *w, const char *version, const struct addr *a,
			uint32_t interface)
{
	struct prefix host = prefix_host(a);
	char text[PREFIX_STR_MAX];

	jsonw_begin(w, NULL, '{');
	if (before(version, "1.0.0"))
		jsonw_str(w, "version", a->family == AF_INET ? "4" : "6");
	jsonw_uint(w, "interface", interface);
	jsonw_str(w, "address", prefix_str(&host, text));
	jsonw_str(w, "gateway", gateway(a));
	jsonw_end(w, '}');
}

static void put_route(struct jsonw *w, const struct addr *a)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "dst", a->family == AF_INET ? "0.0.0.0/0" : "::/0");
	jsonw_str(w, "gw", gateway(a));
	jsonw_end(w, '}');
}

/**
 * cni_result_print() - Write the result of ADD
 * @version: cniVersion of the configuration
 * @r:       What was made; after another plugin, its result comes first and indexes follow on
 * @out:     Appended to: one JSON object
 *
 * Source: CNI specification 1.1.0, section 5, "ADD Success"; 0.3.x and 0.4.0 have the family in
 * ips[].version.
 */
void cni_result_print(const char *version, const struct cni_result *r, struct buf *out)
{
	const struct value *interfaces = prev_list(r, "interfaces");
	uint32_t ours = (interfaces ? interfaces->n : 0) + 1; /* the pod's end, behind the host's */
	const struct value *dns = r->prev ? value_get(r->prev, "dns") : NULL;
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "cniVersion", version);
	jsonw_begin(&w, "interfaces", '[');
	put_items(&w, interfaces);
	put_interface(&w, version, r, true);
	put_interface(&w, version, r, false);
	jsonw_end(&w, ']');
	jsonw_begin(&w, "ips", '[');
	put_items(&w, prev_list(r, "ips"));
	for (uint32_t i = 0; i < r->at->n_addrs; i++)
		put_address(&w, version, &r->at->addrs[i], ours);
	jsonw_end(&w, ']');
	jsonw_begin(&w, "routes", '[');
	put_items(&w, prev_list(r, "routes"));
	for (uint32_t i = 0; i < r->at->n_addrs; i++)
		if (!r->beside || !r->beside[i])
			put_route(&w, &r->at->addrs[i]);
	jsonw_end(&w, ']');
	if (dns && dns->type == VALUE_MAP)
		value_write(&w, "dns", dns);
	else
		jsonw_raw(&w, "dns", "{}");
	jsonw_end(&w, '}');
}

/**
 * cni_error_print() - Write an error
 * @version: cniVersion of the configuration; NULL when it is not known
 * @code:    enum cni_code
 * @msg:     What is wrong
 * @details: More about it, or NULL
 * @out:     Appended to: one JSON object
 *
 * Source: CNI specification 1.1.0, section 5, "Error".
 */
void cni_error_print(const char *version, int code, const char *msg, const char *details,
		     struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "cniVersion", version ? version : NEWEST);
	jsonw_int(&w, "code", code);
	jsonw_str(&w, "msg", msg);
	if (details)
		jsonw_str(&w, "details", details);
	jsonw_end(&w, '}');
}

/**
 * cni_versions_print() - Write the answer to VERSION
 * @version: cniVersion asked with; NULL when it was not given
 * @out:     Appended to: one JSON object
 */
void cni_versions_print(const char *version, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "cniVersion", version ? version : NEWEST);
	jsonw_begin(&w, "supportedVersions", '[');
	for (size_t i = 0; cni_versions[i]; i++)
		jsonw_str(&w, NULL, cni_versions[i]);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
}

/* --- CHECK ----------------------------------------------------------------------------------- */

static const struct value *prev_items(const struct value *prev, const char *key)
{
	const struct value *list = value_get(prev, key);

	return list && list->type == VALUE_SEQ ? list : NULL;
}

/* The pod's end: of our name, and in a sandbox.  @ret_index: its place in the list. */
static const struct value *find_interface(const struct value *prev, const struct attachment *at,
					  uint32_t *ret_index)
{
	const struct value *list = prev_items(prev, "interfaces");

	for (uint32_t i = 0; list && i < list->n; i++) {
		const char *name = NULL, *sandbox = "";

		(void)value_get_str(list->items[i], "", "name", &name, NULL);
		(void)value_get_str(list->items[i], "", "sandbox", &sandbox, NULL);
		if (!streq(name, at->ifname) || !*sandbox)
			continue;
		*ret_index = i;
		return list->items[i];
	}
	return NULL;
}

static int check_mac(const struct value *interface, const struct attachment *at, struct err *reterr)
{
	const char *given = "";
	char text[MAC_STR_MAX], shown[CNI_SHOWN_MAX];
	struct mac mac;

	(void)value_get_str(interface, "", "mac", &given, NULL);
	if (!*given)
		return 0;
	if (mac_parse(given, &mac) == 0 && memcmp(&mac, &at->mac, sizeof(mac)) == 0)
		return 0;
	return err_set(reterr, -CNI_E_MISMATCH,
		       "prevResult.interfaces: %s has MAC %s, but it is %s", at->ifname,
		       cni_shown(given, shown), mac_str(&at->mac, text));
}

/* Which of our addresses an entry of prevResult.ips is; -1 if it is none */
static int which_address(const struct value *entry, const struct attachment *at)
{
	const char *text = NULL;
	struct prefix p;

	if (value_get_str(entry, "", "address", &text, NULL) <= 0 || prefix_parse(text, &p) < 0)
		return -1;
	for (uint32_t i = 0; i < at->n_addrs; i++) {
		struct prefix host = prefix_host(&at->addrs[i]);

		if (prefix_eq(&p, &host))
			return (int)i;
	}
	return -1;
}

/* Addresses of other interfaces of a chain, or of none, are not ours to judge. */
static int check_addresses(const struct cni_request *q, const struct attachment *at,
			   uint32_t interface, struct err *reterr)
{
	const struct value *list = prev_items(q->prev, "ips");
	bool seen[ARRAY_SIZE(at->addrs)] = {false};
	char text[ADDR_STR_MAX];

	for (uint32_t i = 0; list && i < list->n; i++) {
		int which = which_address(list->items[i], at);
		int64_t index = -1;

		(void)value_get_int(list->items[i], "", "interface", 0, UINT32_MAX, &index, NULL);
		if (which >= 0)
			seen[which] = true;
		else if (index == interface)
			return err_set(reterr, -CNI_E_MISMATCH,
				       "prevResult.ips[%u]: %s has no such address", i, at->ifname);
	}
	for (uint32_t i = 0; i < at->n_addrs; i++)
		if (!seen[i])
			return err_set(reterr, -CNI_E_MISMATCH, "prevResult.ips: %s is missing",
				       addr_str(&at->addrs[i], text));
	return 0;
}

/**
 * cni_check_prev() - Does prevResult name what ADD had made?
 * @q:      CHECK request
 * @at:     What ADD had made
 * @reterr: What differs
 *
 * Its interface, its MAC address if one is given, and exactly its addresses.
 *
 * Return: 0; -CNI_E_MISMATCH
 */
int cni_check_prev(const struct cni_request *q, const struct attachment *at, struct err *reterr)
{
	const struct value *interface;
	uint32_t index = 0;
	int r;

	interface = find_interface(q->prev, at, &index);
	if (!interface)
		return err_set(reterr, -CNI_E_MISMATCH, "prevResult.interfaces: %s is missing",
			       at->ifname);
	r = check_mac(interface, at, reterr);
	return r < 0 ? r : check_addresses(q, at, index, reterr);
}
