/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample_attachment.h - attachments for tests, each told from the others by a number, and a
 * comparison of every field.
 */
#pragma once

#include <stdio.h>
#include <sys/socket.h>

#include "ipam/attachment.h"

static inline struct attachment *sample_attachment(unsigned int n)
{
	struct attachment *a = xcalloc(1, sizeof(*a));
	char host_ifname[IFNAME_MAX + 1];

	a->id = xasprintf("container-%08x", n);
	a->ifname = xstrdup("eth0");
	a->network = n % 3 ? xasprintf("net-%u", n % 3) : NULL; /* of an earlier version */
	a->netns = xasprintf("/run/netns/cni-%u", n);
	a->ns = xstrdup("shop");
	a->pod = xasprintf("web-%u", n);
	a->uid = xasprintf("7c9e6679-7425-40de-944b-%012u", n);
	attachment_host_ifname(DEFAULT_NETWORK, a->id, a->ifname, host_ifname);
	a->host_ifname = xstrdup(host_ifname);
	a->mac = (struct mac){{2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
	a->n_addrs = 1 + n % 2;
	a->addrs[0] = (struct addr){AF_INET, {10, 1, (uint8_t)(n >> 8), (uint8_t)n}};
	if (n % 2)
		a->addrs[1] = (struct addr){AF_INET6, {0xfd, [14] = (uint8_t)(n >> 8), (uint8_t)n}};
	a->n_ports = n % 3;
	a->ports = xcalloc(a->n_ports, sizeof(*a->ports));
	for (uint32_t i = 0; i < a->n_ports; i++)
		a->ports[i] = (struct host_port){.protocol = i ? 17 : 6,
						 .host_port = (uint16_t)(8000 + n % 1000),
						 .container_port = 80,
						 .has_ip = i,
						 .host_ip = i ? a->addrs[0] : (struct addr){0}};
	return a;
}

static inline bool same_ports(const struct attachment *a, const struct attachment *b)
{
	for (uint32_t i = 0; i < a->n_ports; i++) {
		const struct host_port *p = &a->ports[i], *q = &b->ports[i];

		if (p->protocol != q->protocol || p->host_port != q->host_port ||
		    p->container_port != q->container_port || p->has_ip != q->has_ip ||
		    (p->has_ip && !addr_eq(&p->host_ip, &q->host_ip)))
			return false;
	}
	return true;
}

static inline bool same_attachment(const struct attachment *a, const struct attachment *b)
{
	if (!streq(a->id, b->id) || !streq(a->ifname, b->ifname) || !streq(a->netns, b->netns) ||
	    !streq(a->network, b->network) || !streq(a->ns, b->ns) || !streq(a->pod, b->pod) ||
	    !streq(a->uid, b->uid) || !streq(a->host_ifname, b->host_ifname) ||
	    a->n_addrs != b->n_addrs || a->n_ports != b->n_ports ||
	    memcmp(&a->mac, &b->mac, sizeof(a->mac)) != 0)
		return false;
	for (uint32_t i = 0; i < a->n_addrs; i++)
		if (!addr_eq(&a->addrs[i], &b->addrs[i]))
			return false;
	return same_ports(a, b);
}
