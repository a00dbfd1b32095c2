/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode_internal.h - shared by the decoders of the kinds.
 *
 * A decoder fills its object as far as it can and tells the first thing that is wrong; what it
 * cannot read stays empty.  The limits lie far above what an object of the API server's usual
 * 1.5 MiB holds in practice; a document has at most VALUE_NODES_MAX values besides.
 */
#pragma once

#include "lib/utf8.h"
#include "watch/document/value.h"
#include "watch/object/labels.h"
#include "watch/object/object.h"

#define DECODE_ENTRIES_MAX                                                                      \
	10000			/* of one list or map: rules, ports, peers, labels, values, ... \
				 */
#define DECODE_ADDRESSES_MAX 64 /* podCIDRs, and InternalIPs, of a node */
#define DECODE_SHOWN_MAX     80 /* bytes of a text from outside that a message quotes */

/* struct decode_path - of a field, for messages */
struct decode_path {
	char s[256];
};

/* SHOWN() - the two arguments of "%.*s" that quote a text from outside */
#define SHOWN(s) (int)utf8_cut((s), strlen(s), DECODE_SHOWN_MAX), (s)

/* keep_error() - note the result of one step among several that are all taken */
static inline int keep_error(int *r, int result)
{
	if (result < 0)
		*r = result;
	return result < 0 ? result : 0;
}

/* unless_told() - where the next step's message goes: nowhere once something was wrong */
static inline struct err *unless_told(int r, struct err *reterr)
{
	return r < 0 ? NULL : reterr;
}

size_t decode_path(struct decode_path *ret, const char *parent, const char *key);
void decode_path_item(struct decode_path *ret, const char *parent, const char *key, uint32_t index);
int decode_labels(const struct value *map, const char *path, const char *key, struct labels *ret,
		  struct err *reterr);
void labels_set(struct labels *l, const char *key, const char *value);
int decode_selector(const struct value *map, const char *path, const char *key, bool *ret_given,
		    struct selector *ret, struct err *reterr);
int decode_name(const struct value *map, const char *path, const char *key, const char **ret,
		struct err *reterr);
int decode_list(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr);
int decode_protocol(const struct value *map, const char *path, bool lower, uint8_t *ret,
		    struct err *reterr);
int expect_map(const struct value *v, const char *path, struct err *reterr);
bool is_dns_subdomain(const char *s);
bool is_dns_label(const char *s);
bool is_service_name(const char *s);
bool is_label_key(const char *s);
bool is_label_value(const struct value *v);
const char *intern_label_value(const struct value *v);

int decode_guess_kind(const char *h_kind, const char *api_version, uint32_t line, enum kind *ret,
		      struct err *reterr);
bool is_list_kind(const char *kind);
