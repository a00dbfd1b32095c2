/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nlattr.h - what netlink messages hold, whatever their family.  Pure.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "lib/addr.h"

void nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a);
const struct nlattr *nl_find(const struct nlmsghdr *h, size_t header, uint16_t type);
const struct nlattr *nl_find_nested(const struct nlattr *nest, uint16_t type);
uint32_t nl_u32(const struct nlattr *attr);
uint32_t nl_be32(const struct nlattr *attr);
const char *nl_string(const struct nlattr *attr);
const char *nl_text(const struct nlattr *attr);
bool nl_addr_is(const struct nlattr *attr, const struct addr *a);

/* Does a message hold the header that its type says? */
static inline bool nl_holds(const struct nlmsghdr *h, size_t header)
{
	return mnl_nlmsg_get_payload_len(h) >= header;
}
