/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode_internal.h - shared by the decoders of the kinds.
 *
 * A decoder fills its object as far as it can and tells the first thing that is wrong; what it
 * cannot read stays empty.  Limits are those that the API server's 1.5 MiB an object implies,
 * written down so that a file cannot exceed them either.
 */
#pragma once

#include "watch/object.h"
#include "watch/value.h"

#define DECODE_PATH_MAX	    256
#define DECODE_RULES_MAX    10000 /* rules of a policy in one direction */
#define DECODE_ENTRIES_MAX  10000 /* ports, peers, exceptions, labels, values, containers of one list */
#define DECODE_ADDRESSES_MAX 64	  /* podCIDRs and addresses of a node */

int decode_labels(const struct value *map, const char *path, const char *key, struct labels *ret,
		  struct err *reterr);
void labels_add(struct labels *l, const char *key, const char *value);
int decode_selector(const struct value *map, const char *path, const char *key, bool *ret_given,
		    struct selector *ret, struct err *reterr);
int decode_name(const struct value *map, const char *path, const char *key, const char **ret,
		struct err *reterr);
int decode_list(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr);
int decode_protocol(const struct value *map, const char *path, uint8_t *ret, struct err *reterr);
bool is_dns_subdomain(const char *s);
bool is_dns_label(const char *s);
bool is_service_name(const char *s);

int decode_pod(const struct value *root, struct pod *p, struct err *reterr);
int decode_node(const struct value *root, struct node *n, struct err *reterr);
int decode_namespace(const struct value *root, struct namespace *n, struct err *reterr);
int decode_policy(const struct value *root, struct policy *p, struct err *reterr);
