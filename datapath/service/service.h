/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.h - the part for Services.  Pure.
 *
 * It has its place: packets enter it, and it is told of Services.  It wants nothing yet, so that
 * something else has to make Services work, as kube-proxy.
 */
#pragma once

#include "datapath/part.h"

extern const struct part_ops service_part;
