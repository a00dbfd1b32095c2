// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * judge.c - compare table and reference about one packet, and make a world smaller.  Pure.
 */
#include "judge.h"

#include "subject.h"

/**
 * judge_expected() - What the reference says of a packet in a world with set-aside objects
 * @w: World
 * @p: First packet of a connection
 *
 * An allowance must not rest on labels that may be missing: a pod that was set aside counts as not
 * known, and its endpoint as one whose object was never seen.  Namespaces, which know what they do
 * not know, and policies speak for themselves.
 *
 * Return: true if it may pass
 */
bool judge_expected(const struct world *w, const struct packet *p)
{
	struct world known = {0};
	bool allowed;

	vec_foreach (o, &w->objects)
		if ((*o)->kind != KIND_POD || !(*o)->problem)
			vec_push(&known.objects, *o);
	vec_foreach (e, &w->endpoints) {
		vec_push(&known.endpoints, *e);
		if (e->object && e->object->o.problem)
			known.endpoints.v[known.endpoints.n - 1].object = NULL;
	}
	allowed = reference_allows(&known, p);
	vec_done(&known.objects);
	vec_done(&known.endpoints);
	return allowed;
}

/**
 * judge_differs() - Is a world, told at once, judged otherwise by the table than by the reference?
 * @t: World and its attachments
 * @p: Packet
 *
 * Return: true if so
 */
bool judge_differs(const struct timeline *t, const struct packet *p)
{
	struct subject s;
	struct rng r = {.state = 1};
	bool differs;

	subject_init(&s);
	subject_build(&s, t, &r);
	datapath_settle(s.datapath);
	differs = subject_allows(&s, t, p) != judge_expected(&t->world, p);
	subject_empty(&s, t);
	subject_done(&s);
	return differs;
}

/* Leave out object after object as long as the verdicts still differ.  Forgets what it left out. */
static void leave_out_objects(struct timeline *t, const struct packet *p)
{
	for (size_t i = t->world.objects.n; i-- > 0;) {
		const struct object *o = t->world.objects.v[i];

		t->world.objects.v[i] = t->world.objects.v[t->world.objects.n - 1];
		t->world.objects.n--;
		if (!judge_differs(t, p)) {
			t->world.objects.v[t->world.objects.n++] = t->world.objects.v[i];
			t->world.objects.v[i] = o;
		}
	}
}

/* Take endpoint @i out, or put it back there: their order matters. */
static void take_endpoint(struct timeline *t, size_t i, struct attachment **a,
			  struct reference_endpoint *e)
{
	size_t behind = --t->attachments.n - i;

	t->world.endpoints.n--;
	*a = t->attachments.v[i];
	*e = t->world.endpoints.v[i];
	memmove(&t->attachments.v[i], &t->attachments.v[i + 1], behind * sizeof(*a));
	memmove(&t->world.endpoints.v[i], &t->world.endpoints.v[i + 1], behind * sizeof(*e));
}

static void put_endpoint(struct timeline *t, size_t i, struct attachment *a,
			 const struct reference_endpoint *e)
{
	size_t behind = t->attachments.n++ - i;

	t->world.endpoints.n++;
	memmove(&t->attachments.v[i + 1], &t->attachments.v[i], behind * sizeof(a));
	memmove(&t->world.endpoints.v[i + 1], &t->world.endpoints.v[i], behind * sizeof(*e));
	t->attachments.v[i] = a;
	t->world.endpoints.v[i] = *e;
}

static void leave_out_endpoints(struct timeline *t, const struct packet *p)
{
	for (size_t i = t->attachments.n; i-- > 0;) {
		struct reference_endpoint e;
		struct attachment *a;

		take_endpoint(t, i, &a, &e);
		if (!judge_differs(t, p))
			put_endpoint(t, i, a, &e);
	}
}

/**
 * judge_shrink() - Leave out whatever the difference does not need
 * @t: World for which judge_differs(); what is left out is forgotten, not freed
 * @p: Packet
 *
 * Time: O((objects + endpoints) * world)
 */
void judge_shrink(struct timeline *t, const struct packet *p)
{
	leave_out_endpoints(t, p);
	leave_out_objects(t, p);
}
