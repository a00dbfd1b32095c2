// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * timeline.c - a small cluster that changes by chance.  Pure.
 */
#include "timeline.h"

#include <assert.h>
#include <stdio.h>

#include "lib/intern.h"
#include "watch/object/pod.h"

/* --- objects -----------------------------------------------------------------------------------
 */

static size_t find_object(const struct world *w, enum kind kind, const char *ns, const char *name)
{
	size_t i;

	for (i = 0; i < w->objects.n; i++) {
		const struct object *o = w->objects.v[i];

		if (o->kind == kind && streq(o->ns, ns) && streq(o->name, name))
			break;
	}
	return i;
}

/* "UID is the unique in time and space value": it says whose object it is, not the name. */
static bool belongs(const struct reference_endpoint *e, const struct pod *p)
{
	return streq(e->ns, p->o.ns) && streq(e->name, p->o.name) &&
	       (!e->uid || streq(e->uid, p->o.uid) || streq(e->uid, p->mirror_of));
}

/* Put @new in the place of object @i, or behind all; NULL removes it. */
static struct change put_object(struct timeline *t, size_t i, struct object *new)
{
	struct world *w = &t->world;
	struct change c = {.kind = CHANGE_OBJECT, .new = new};

	if (i < w->objects.n) {
		c.old = w->objects.v[i];
		w->objects.v[i] = w->objects.v[--w->objects.n];
		vec_push(&t->gone, (struct object *)c.old);
	}
	if (!new)
		return c;
	vec_push(&w->objects, new);
	vec_foreach (e, &w->endpoints)
		if (new->kind == KIND_POD && belongs(e, as_pod(new)))
			e->object = as_pod(new);
	return c;
}

static struct object *new_pod(struct timeline *t, const char *ns, const char *name,
			      const struct object *old)
{
	uint32_t generation = 0;

	if (old)
		(void)sscanf(strrchr(old->uid, '-'), "-%u", &generation);
	if (!old || chance(&t->rng, 15))
		generation = ++t->generation;
	return random_pod(&t->rng, ns, name, generation);
}

static struct change change_object(struct timeline *t, enum kind kind, uint32_t remove_percent)
{
	struct rng *r = &t->rng;
	const char *ns, *name;
	char ns_text[16], name_text[16];
	struct object *new = NULL;
	size_t i;

	(void)snprintf(ns_text, sizeof(ns_text), "n%u", below(r, t->n_namespaces));
	(void)snprintf(name_text, sizeof(name_text), "%c%u", kind == KIND_POD ? 'p' : 'q',
		       below(r, kind == KIND_POD ? t->pods_a_namespace : 4));
	ns = kind == KIND_NAMESPACE ? NULL : ns_text;
	name = kind == KIND_NAMESPACE ? ns_text : name_text;
	i = find_object(&t->world, kind, ns, name);
	if (i < t->world.objects.n && chance(r, remove_percent))
		return put_object(t, i, NULL);
	if (kind == KIND_NAMESPACE)
		new = random_namespace(r, name);
	else if (kind == KIND_NETPOL)
		new = random_policy(r, ns, name);
	else
		new = new_pod(t, ns, name, i < t->world.objects.n ? t->world.objects.v[i] : NULL);
	return put_object(t, i, new);
}

/* --- attachments -------------------------------------------------------------------------------
 */

static bool is_attached(const struct world *w, const struct addr *a)
{
	vec_foreach (e, &w->endpoints)
		for (uint32_t i = 0; i < e->n_addrs; i++)
			if (addr_eq(&e->addrs[i], a))
				return true;
	return false;
}

/* As IPAM gives them: one a family, no address twice; sometimes what a status tells already. */
static bool pick_addrs(struct timeline *t, struct attachment *a)
{
	uint32_t families = 1 + below(&t->rng, 3);

	for (int six = 0; six < 2; six++) {
		struct addr addr = place_addr(PLACE_LOCAL, six, 1 + below(&t->rng, PLACE_SIZE));

		if (!(families & 1U << six))
			continue;
		if (is_attached(&t->world, &addr))
			return false;
		a->addrs[a->n_addrs++] = addr;
	}
	return true;
}

static struct attachment *new_attachment(struct timeline *t, const char *ns, const char *name,
					 const struct pod *pod)
{
	struct attachment *a = xcalloc(1, sizeof(*a));
	char host_ifname[IFNAME_MAX + 1];
	uint32_t n = ++t->containers;

	a->id = xasprintf("container-%u", n);
	a->ifname = xstrdup("eth0");
	a->netns = xasprintf("/run/netns/%u", n);
	a->ns = xstrdup(ns);
	a->pod = xstrdup(name);
	if (chance(&t->rng, 10))
		a->uid = xstrdup("");
	else if (pod && chance(&t->rng, 90))
		a->uid = xstrdup(pod->mirror_of ?: pod->o.uid);
	else
		a->uid = xasprintf("uid-%s-%s-%u", ns, name, t->generation + 1);
	attachment_host_ifname(DEFAULT_NETWORK, a->id, a->ifname, host_ifname);
	a->host_ifname = xstrdup(host_ifname);
	a->mac = (struct mac){{2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
	return a;
}

static struct change attach(struct timeline *t, struct attachment *a, const struct pod *pod)
{
	struct reference_endpoint e = {.ns = intern(a->ns),
				       .name = intern(a->pod),
				       .uid = *a->uid ? intern(a->uid) : NULL,
				       .n_addrs = a->n_addrs};

	memcpy(e.addrs, a->addrs, sizeof(e.addrs));
	if (pod && belongs(&e, pod))
		e.object = pod;
	vec_push(&t->world.endpoints, e);
	vec_push(&t->attachments, a);
	return (struct change){.kind = CHANGE_ATTACH, .attachment = a};
}

static struct change detach(struct timeline *t, size_t i)
{
	struct reference_endpoint e = t->world.endpoints.v[i];

	intern_put(e.ns);
	intern_put(e.name);
	intern_put(e.uid);
	t->left = t->attachments.v[i];
	t->world.endpoints.v[i] = t->world.endpoints.v[--t->world.endpoints.n];
	t->attachments.v[i] = t->attachments.v[--t->attachments.n];
	return (struct change){.kind = CHANGE_DETACH, .attachment = t->left};
}

/* Attach a pod that has no endpoint, whether its object is known or not. */
static struct change attach_any(struct timeline *t)
{
	const struct pod *pod = NULL;
	struct attachment *a;
	char ns[16], name[16];
	size_t i;

	(void)snprintf(ns, sizeof(ns), "n%u", below(&t->rng, t->n_namespaces));
	(void)snprintf(name, sizeof(name), "p%u", below(&t->rng, t->pods_a_namespace));
	vec_foreach (e, &t->world.endpoints)
		if (streq(e->ns, ns) && streq(e->name, name))
			return (struct change){0};
	i = find_object(&t->world, KIND_POD, ns, name);
	if (i < t->world.objects.n)
		pod = as_pod(t->world.objects.v[i]);
	else if (chance(&t->rng, 80))
		return (struct change){0};
	a = new_attachment(t, ns, name, pod);
	if (!pick_addrs(t, a)) {
		(void)attachment_free(a);
		return (struct change){0};
	}
	return attach(t, a, pod);
}

static struct change detach_any(struct timeline *t)
{
	if (!t->world.endpoints.n)
		return (struct change){0};
	return detach(t, below(&t->rng, (uint32_t)t->world.endpoints.n));
}

/* --- steps -------------------------------------------------------------------------------------
 */

/**
 * timeline_init() - A world with its first objects
 * @t:    Filled in; timeline_done() frees what it holds
 * @seed: The same seed gives the same timeline
 *
 * The world is empty: its first steps fill it.
 */
void timeline_init(struct timeline *t, uint64_t seed)
{
	*t = (struct timeline){.rng = {.state = seed}};
	(void)rng_next(&t->rng);
	t->n_namespaces = 3 + below(&t->rng, 3);
	t->pods_a_namespace = 2 + below(&t->rng, 5);
}

/**
 * timeline_step() - One thing happens
 * @t: Timeline
 *
 * Return: what; CHANGE_NONE now and then
 */
struct change timeline_step(struct timeline *t)
{
	uint32_t what = below(&t->rng, 100);

	assert(!t->left);
	if (what < 12)
		return change_object(t, KIND_NAMESPACE, 25);
	if (what < 45)
		return change_object(t, KIND_POD, 25);
	if (what < 70)
		return change_object(t, KIND_NETPOL, 30);
	if (what < 92)
		return attach_any(t);
	return detach_any(t);
}

/**
 * timeline_remove_any() - One thing goes
 * @t: Timeline
 *
 * Return: what; CHANGE_NONE when nothing is left
 */
struct change timeline_remove_any(struct timeline *t)
{
	size_t n = t->world.objects.n + t->world.endpoints.n, i;

	if (!n)
		return (struct change){0};
	i = below(&t->rng, (uint32_t)n);
	if (i < t->world.objects.n)
		return put_object(t, i, NULL);
	return detach(t, i - t->world.objects.n);
}

static bool is_kept(const struct world *w, const struct object *o)
{
	vec_foreach (e, &w->endpoints)
		if (e->object && &e->object->o == o)
			return true;
	return false;
}

/**
 * timeline_reap() - Free what the steps so far have removed and no endpoint refers to
 * @t: Timeline
 */
void timeline_reap(struct timeline *t)
{
	t->left = attachment_free(t->left);
	for (size_t i = t->gone.n; i-- > 0;) {
		if (is_kept(&t->world, t->gone.v[i]))
			continue;
		(void)object_free(t->gone.v[i]);
		t->gone.v[i] = t->gone.v[--t->gone.n];
	}
}

/**
 * timeline_done() - Free everything
 * @t: Timeline
 */
void timeline_done(struct timeline *t)
{
	timeline_reap(t);
	while (timeline_remove_any(t).kind != CHANGE_NONE)
		timeline_reap(t);
	vec_done(&t->world.objects);
	vec_done(&t->world.endpoints);
	vec_done(&t->attachments);
	vec_done(&t->gone);
}
