/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostports.h - which attachment has a host port.  Pure.
 *
 * TCP, UDP and SCTP ports of one number are three.  One number may be bound to several addresses.
 */
#pragma once

#include "ipam/attachment.h"

/* struct hostports - starts zeroed */
struct hostports {
	struct hostport_number *numbers;
};

void hostports_add(struct hostports *x, const struct attachment *a);
void hostports_remove(struct hostports *x, const struct attachment *a);
const struct attachment *hostports_owner(const struct hostports *x, const struct host_port *p);
