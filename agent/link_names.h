/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link_names.h - names of interfaces, to be compared with others.  Pure.
 */
#pragma once

#include "lib/vec.h"

/* struct link_names - owned by who has it; starts zeroed */
struct link_names {
	VEC(char *) v;
};

void link_names_add(void *names, const char *ifname);
void link_names_sort(struct link_names *n);
bool link_names_have(const struct link_names *sorted, const char *ifname);
void link_names_done(struct link_names *n);
