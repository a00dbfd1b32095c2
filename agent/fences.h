/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fences.h - interfaces whose name is one of ours are held, whether a pod explains them or not: an
 * ADD whose plugin was killed may leave one, and nothing that it sends may pass.
 */
#pragma once

#include <stdint.h>

struct agent;
struct link_names;
struct fence;

void fences_seen(struct agent *a, const char *ifname);
uint32_t fences_mtu(const struct agent *a, const char *ifname);
void fences_set_mtu(struct agent *a, const char *ifname, uint32_t mtu);
void fences_gone(struct agent *a, const char *ifname);
void fences_compare(struct agent *a, const struct link_names *links);
