/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster.h - manifests and attached pods as a world for the reference.  Pure.
 */
#pragma once

#include "lib/err.h"
#include "reference.h"

/* struct cluster - owns what @world refers to; the names of its endpoints are interned */
struct cluster {
	VEC(struct object *) objects;
	struct world world;
};

/* struct wire_port - protocol and port of a packet; @port is 0 where there are none */
struct wire_port {
	uint8_t protocol;
	uint16_t port;
};

int cluster_add(struct cluster *c, const char *name, const char *text, struct err *reterr);
int cluster_attach(struct cluster *c, const char *text, struct err *reterr);
void cluster_done(struct cluster *c);
int wire_port_parse(const char *text, struct wire_port *ret, struct err *reterr);
