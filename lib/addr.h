/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr.h - IP addresses, prefixes and address ranges of both families, in network byte order.
 */
#pragma once

#include "lib/util.h"

#define ADDR_STR_MAX   46 /* longest text of an address, with NUL */
#define PREFIX_STR_MAX 50 /* longest text of a prefix, with NUL */
#define MAC_LEN	       6
#define MAC_STR_MAX    18

/* struct addr - one address; @family is AF_INET (4 bytes used, the rest zero) or AF_INET6 */
struct addr {
	uint8_t family;
	uint8_t b[16];
};

/* struct prefix - a block of addresses; bits of @addr beyond @len are zero */
struct prefix {
	struct addr addr;
	uint8_t len;
};

/* struct addr_range - @first to @last, both included, of one family */
struct addr_range {
	struct addr first, last;
};

struct mac {
	uint8_t b[MAC_LEN];
};

size_t addr_len(const struct addr *a);
int addr_parse(const char *s, struct addr *ret);
const char *addr_str(const struct addr *a, char buf[static ADDR_STR_MAX]);
int addr_cmp(const struct addr *a, const struct addr *b);
bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *a);
bool addr_is_zero(const struct addr *a);
bool addr_next(struct addr *a);
bool addr_prev(struct addr *a);
struct addr addr_add(const struct addr *a, uint64_t offset);

int prefix_parse(const char *s, struct prefix *ret);
const char *prefix_str(const struct prefix *p, char buf[static PREFIX_STR_MAX]);
struct prefix prefix_around(const struct addr *a, uint8_t len);
bool prefix_contains(const struct prefix *p, const struct addr *a);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_eq(const struct prefix *a, const struct prefix *b);
int prefix_cmp(const struct prefix *a, const struct prefix *b);
struct addr prefix_last(const struct prefix *p);
uint64_t prefix_size(const struct prefix *p);
struct prefix prefix_host(const struct addr *a);

int mac_parse(const char *s, struct mac *ret);
const char *mac_str(const struct mac *m, char buf[static MAC_STR_MAX]);
