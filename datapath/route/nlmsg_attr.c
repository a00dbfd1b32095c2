// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlmsg_attr.c - attributes of netlink messages: find them, addresses in them.
 */
#include "datapath/route/nlmsg.h"

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
 * @nest: The outer one
 * @type: Attribute
 *
 * Return: the first one of that type, borrowed; NULL if there is none
 */
const struct nlattr *nl_find_nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
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
