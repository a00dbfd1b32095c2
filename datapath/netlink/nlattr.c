// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlattr.c - attributes of netlink messages: find them, numbers, texts and addresses in them.
 * Pure.
 */
#include "datapath/netlink/nlattr.h"

#include <arpa/inet.h>

/**
 * nl_put_addr() - Append an address as an attribute
 * @h:    Message
 * @type: Attribute
 * @a:    Address
 */
void nl_put_addr(struct nlmsghdr *h, uint16_t type, const struct addr *a)
{
	mnl_attr_put(h, type, addr_len(a), a->b);
}

/**
 * nl_find() - Find an attribute of a message
 * @h:      Message
 * @header: Bytes of the header before the attributes
 * @type:   Attribute
 *
 * Return: the first one of that type, borrowed; NULL if there is none
 */
const struct nlattr *nl_find(const struct nlmsghdr *h, size_t header, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, header)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

/**
 * nl_find_nested() - Find an attribute inside another one
 * @nest: The outer one, or NULL
 * @type: Attribute
 *
 * Return: the first one of that type, borrowed; NULL if there is none
 */
const struct nlattr *nl_find_nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

/**
 * nl_u32() - The number that an attribute holds
 * @attr: Attribute or NULL
 *
 * Return: the number, in the order in which it stands there; 0 if it is none of 4 bytes
 */
uint32_t nl_u32(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attr) : 0;
}

/**
 * nl_be32() - The number that an attribute holds in network byte order
 * @attr: Attribute or NULL
 *
 * Return: the number; 0 if it is none of 4 bytes
 */
uint32_t nl_be32(const struct nlattr *attr)
{
	return ntohl(nl_u32(attr));
}

/**
 * nl_string() - The text that an attribute holds
 * @attr: Attribute or NULL
 *
 * Return: the text, borrowed; NULL if it does not end with NUL
 */
const char *nl_string(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(attr);
}

/**
 * nl_text() - The text that an attribute holds, for those to whom none is as good as an empty one
 * @attr: Attribute or NULL
 *
 * Return: the text, borrowed; "" if it does not end with NUL
 */
const char *nl_text(const struct nlattr *attr)
{
	return nl_string(attr) ?: "";
}

/**
 * nl_addr_is() - Does an attribute hold this address?
 * @attr: Attribute or NULL
 * @a:    Address
 *
 * Return: true if so
 */
bool nl_addr_is(const struct nlattr *attr, const struct addr *a)
{
	return attr && mnl_attr_get_payload_len(attr) == addr_len(a) &&
	       memcmp(mnl_attr_get_payload(attr), a->b, addr_len(a)) == 0;
}
