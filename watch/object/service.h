/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.h - Service: under which addresses and ports it is reached.
 */
#pragma once

#include "watch/object/object.h"

/* struct service_port - @name: interned; NULL: the only port need not have one */
struct service_port {
	const char *name;
	uint16_t port;
	uint8_t protocol; /* PROTO_x */
};

/* struct service - @ips: none of a headless Service, else one or two */
struct service {
	struct object o;
	uint32_t n_ips, n_ports;
	struct addr ips[2];
	struct service_port *ports; /* in the order of the document */
};

extern const struct kind_info kind_service;

static inline const struct service *as_service(const struct object *o)
{
	return (const struct service *)o;
}
