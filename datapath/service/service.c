// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * service.c - see service.h.
 */
#include "datapath/service/service.h"

#include <assert.h>

/* struct services - @known: their number */
struct services {
	struct part part;
	size_t known;
};

static struct services *services_of(struct part *p)
{
	return container_of(p, struct services, part);
}

static struct part *make(const struct part_place *where _unused_)
{
	struct services *s = xcalloc(1, sizeof(*s));

	return &s->part;
}

static void free_services(struct part *p)
{
	struct services *s = services_of(p);

	assert(!s->known);
	free(s);
}

static void object(struct part *p, const struct object *old, const struct object *now)
{
	struct services *s = services_of(p);

	s->known += now ? 1 : 0;
	s->known -= old ? 1 : 0;
}

static const struct base_entry entries[] = {
	{BASE_PRE_NAT, "svc_nat", "destinations of Services"},
	{BASE_OUT_NAT, "svc_nat", "destinations of Services"},
	{BASE_INPUT, "svc_filter", "Services without endpoints"},
	{BASE_FORWARD, "svc_filter", "Services without endpoints"},
	{BASE_POST_NAT, "svc_source", "source addresses towards endpoints"},
};

const struct part_ops service_part = {
	.kinds = 1u << KIND_SERVICE,
	.n_entries = ARRAY_SIZE(entries),
	.entries = entries,
	.make = make,
	.free = free_services,
	.object = object,
};
