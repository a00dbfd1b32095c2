// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link_names.c - a sorted list of names of interfaces.  Pure.
 */
#include "agent/link_names.h"

/**
 * link_names_add() - Note a name; fits rtnl_each_pod_link()
 * @names:  struct link_names
 * @ifname: Name; copied
 */
void link_names_add(void *names, const char *ifname)
{
	struct link_names *n = names;

	vec_push(&n->v, xstrdup(ifname));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/**
 * link_names_sort() - Make names ready for link_names_have()
 * @n: Names
 */
void link_names_sort(struct link_names *n)
{
	vec_sort(&n->v, compare_names);
}

/**
 * link_names_have() - Is a name among them?
 * @sorted: Names
 * @ifname: Name
 *
 * Return: true if so
 */
bool link_names_have(const struct link_names *sorted, const char *ifname)
{
	return sorted->v.n &&
	       bsearch(&ifname, sorted->v.v, sorted->v.n, sizeof(*sorted->v.v), compare_names);
}

/**
 * link_names_done() - Free the names
 * @n: Names
 */
void link_names_done(struct link_names *n)
{
	vec_foreach (s, &n->v)
		free(*s);
	vec_done(&n->v);
}
