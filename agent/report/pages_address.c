// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pages_address.c - read the address that the HTTP server listens on.  Host names are refused:
 * resolving one would make the start depend on DNS.  Pure.
 */
#include "agent/report/pages_address.h"

#include <errno.h>

static int parse_port(const char *s, uint16_t *ret)
{
	uint32_t port = 0;

	if (!*s || strlen(s) > 5 || (s[0] == '0' && s[1]))
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		port = port * 10 + (uint32_t)(*s - '0');
	}
	if (port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* An IPv6 address stands in brackets (RFC 3986), an IPv4 address never does. */
static int parse_host(const char *s, size_t len, struct addr *ret)
{
	bool bracket = len >= 2 && s[0] == '[' && s[len - 1] == ']';
	char host[ADDR_STR_MAX];
	struct addr a;

	if (bracket) {
		s++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, len);
	host[len] = '\0';
	if (addr_parse(host, &a) < 0 || bracket != (addr_len(&a) == 16))
		return -EINVAL;
	*ret = a;
	return 0;
}

/**
 * pages_address_parse() - Read "ADDRESS:PORT", "[ADDRESS]:PORT", ":PORT" or ""
 * @s:      Text
 * @ret:    Address; untouched on failure
 * @reterr: Message
 *
 * Return: 0, -EINVAL
 */
int pages_address_parse(const char *s, struct pages_address *ret, struct err *reterr)
{
	const char *colon = strrchr(s, ':');
	struct pages_address a = {0};

	if (!*s) {
		*ret = (struct pages_address){.off = true};
		return 0;
	}
	if (!colon)
		return err_set(reterr, -EINVAL, "'%.100s' has no port; write it as 127.0.0.1:9109",
			       s);
	if (parse_port(colon + 1, &a.port) < 0)
		return err_set(reterr, -EINVAL,
			       "'%.100s': the port is not a number from 0 to 65535", s);
	a.any = colon == s;
	if (!a.any && parse_host(s, (size_t)(colon - s), &a.addr) < 0)
		return err_set(reterr, -EINVAL,
			       "'%.100s' is not an address and port; write 127.0.0.1:9109, "
			       "[::1]:9109, :9109 for every address, or nothing to turn it off",
			       s);
	*ret = a;
	return 0;
}
