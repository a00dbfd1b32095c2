// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * culprits.c - who changed what is ours, and how often.
 */
#include "agent/culprits.h"

#include <stdio.h>

#include "agent/report/metrics.h"

/**
 * culprits_count() - Somebody did something
 * @c:    Culprits
 * @name: Program
 */
void culprits_count(struct culprits *c, const char *name)
{
	size_t i = 0;

	while (i < CULPRITS_MAX - 1 && *c->all[i].name && !streq(c->all[i].name, name))
		i++;
	(void)snprintf(c->all[i].name, sizeof(c->all[i].name), "%s",
		       i < CULPRITS_MAX - 1 ? name : "others");
	c->all[i].n++;
}

/**
 * culprits_put_metrics() - How often, by program
 * @c:      Culprits
 * @metric: Name of a counter whose head was written
 * @out:    Appended to
 */
void culprits_put_metrics(const struct culprits *c, const char *metric, struct buf *out)
{
	for (size_t i = 0; i < CULPRITS_MAX && *c->all[i].name; i++)
		metric_count(out, metric, METRIC_LABELS({"process", c->all[i].name}), c->all[i].n);
}
