/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fences.h - interfaces whose name is one of ours are held, whether a pod explains them or not: an
 * ADD whose plugin was killed may leave one, and nothing that it sends may pass.
 */
#pragma once

#include <stdint.h>

struct fence;
struct link_names;
struct localpods;

/* struct fences - @pods: whose base holds the interfaces; @all: by name */
struct fences {
	struct localpods *pods;
	struct fence *all;
};

void fences_seen(struct fences *s, const char *ifname);
uint32_t fences_mtu(const struct fences *s, const char *ifname);
void fences_set_mtu(struct fences *s, const char *ifname, uint32_t mtu);
void fences_gone(struct fences *s, const char *ifname);
void fences_compare(struct fences *s, const struct link_names *links);
