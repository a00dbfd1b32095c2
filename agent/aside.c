// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * aside.c - bisection over the policies of a turn.  It decides by asking: the kernel, behind
 * aside_apply_fn, is the judge, so a test can be the judge as well.
 */
#include "agent/aside.h"

#include <uthash.h>

#include "lib/log.h"
#include "lib/vec.h"
#include "watch/object/kind.h"

#define PAUSE_MIN_USEC (30 * USEC_PER_SEC)
#define PAUSE_MAX_USEC (3600 * USEC_PER_SEC)

/* struct fenced - @fence is what the engine has in place of @real */
struct fenced {
	const struct object *real;
	struct object *fence;
	char *problem; /* NULL while it is only under suspicion */
	UT_hash_handle hh;
};

/* struct policies - their real versions */
struct policies {
	const struct object **v;
	size_t n, cap;
};

struct aside {
	struct datapath *datapath;
	aside_apply_fn *apply;
	aside_told_fn *told;
	void *arg;
	struct fenced *fenced; /* by address of the real version */
	uint64_t now, pause, retry_at;
	struct policies changed, retried;
	VEC(struct fenced *) retired; /* freed when the engine has settled without them */
};

/**
 * aside_new() - Create the module
 * @d:     Data path
 * @apply: Settles it and sends what is pending
 * @told:  Called when a policy is set aside, and when it is in force after all
 * @arg:   Their first argument
 *
 * Return: the module, to be freed
 */
struct aside *aside_new(struct datapath *d, aside_apply_fn *apply, aside_told_fn *told, void *arg)
{
	struct aside *s = xcalloc(1, sizeof(*s));

	s->datapath = d;
	s->apply = apply;
	s->told = told;
	s->arg = arg;
	return s;
}

static void free_retired(struct aside *s)
{
	vec_foreach (f, &s->retired) {
		(void)object_free((*f)->fence);
		free((*f)->problem);
		free(*f);
	}
	s->retired.n = 0;
}

/**
 * aside_free() - Free the module; every policy must have been removed
 * @s: Module or NULL
 *
 * Return: NULL
 */
struct aside *aside_free(struct aside *s)
{
	if (!s)
		return NULL;
	free_retired(s);
	vec_done(&s->retired);
	vec_done(&s->changed);
	vec_done(&s->retried);
	free(s);
	return NULL;
}

/**
 * aside_begin() - A turn begins
 * @s:       Module
 * @settled: The kernel took everything: nothing is under suspicion
 * @now:     Monotonic time, microseconds
 */
void aside_begin(struct aside *s, bool settled, uint64_t now)
{
	s->now = now;
	if (settled) {
		s->changed.n = 0;
		s->retried.n = 0;
	}
	free_retired(s);
}

static struct fenced *find(const struct aside *s, const struct object *real)
{
	struct fenced *f;

	HASH_FIND_PTR(s->fenced, &real, f);
	return f;
}

/* The version of a policy that the engine knows. */
static const struct object *in_force(const struct aside *s, const struct object *real)
{
	const struct fenced *f = real ? find(s, real) : NULL;

	return f ? f->fence : real;
}

static void retire(struct aside *s, struct fenced *f)
{
	HASH_DEL(s->fenced, f);
	vec_push(&s->retired, f);
}

static void forget(struct policies *list, const struct object *real)
{
	size_t n = 0;

	vec_foreach (p, list)
		if (*p != real)
			list->v[n++] = *p;
	list->n = n;
}

/**
 * aside_object() - An object appeared, changed or went
 * @s:   Module
 * @old: Version before, NULL: none
 * @new: Version now, NULL: none
 */
void aside_object(struct aside *s, const struct object *old, const struct object *new)
{
	struct fenced *f = old ? find(s, old) : NULL;

	if (!kinds[(new ? new : old)->kind]->close) {
		datapath_object(s->datapath, old, new);
		return;
	}
	datapath_object(s->datapath, in_force(s, old), new);
	if (old) { /* it goes: whatever it did is over */
		forget(&s->changed, old);
		forget(&s->retried, old);
	}
	if (f)
		retire(s, f);
	if (new)
		vec_push(&s->changed, new);
}

static void fence(struct aside *s, const struct object *real)
{
	struct fenced *f = xcalloc(1, sizeof(*f));

	f->real = real;
	f->fence = object_copy(real);
	kinds[real->kind]->close(f->fence);
	datapath_object(s->datapath, real, f->fence);
	HASH_ADD_PTR(s->fenced, real, f);
}

static void unfence(struct aside *s, const struct object *real)
{
	struct fenced *f = find(s, real);

	datapath_object(s->datapath, f->fence, real);
	retire(s, f);
}

static void set_aside(struct aside *s, const struct object *real, const struct err *e)
{
	struct fenced *f = find(s, real);

	f->problem = xasprintf("the kernel refused it: %s", e->msg);
	if (!s->retried.n) {
		s->pause = PAUSE_MIN_USEC;
		s->retry_at = s->now + s->pause;
	}
	log_err("nft", "policy set aside, its pods are isolated", "policy=\"%s/%s\" err=\"%s\"",
		real->ns, real->name, e->msg);
	s->told(s->arg, real, f->problem);
}

/* All @n are fenced; bring back those that the kernel takes.  -errno: it could not be asked. */
static int bring_back(struct aside *s, const struct object *const *real, size_t n)
{
	struct err e = {0};
	int r;

	for (size_t i = 0; i < n; i++)
		unfence(s, real[i]);
	r = n ? s->apply(s->arg, &e) : 0;
	if (r == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		fence(s, real[i]);
	if (r < 0)
		return r;
	if (n == 1) {
		set_aside(s, real[0], &e);
		return s->apply(s->arg, &e);
	}
	r = bring_back(s, real, n / 2);
	return r < 0 ? r : bring_back(s, real + n / 2, n - n / 2);
}

/* Those that were set aside in an earlier turn are no suspects. */
static void fence_suspects(struct aside *s)
{
	size_t n = 0;

	vec_foreach (p, &s->changed)
		if (!find(s, *p))
			s->changed.v[n++] = *p;
	s->changed.n = n;
	vec_foreach (p, &s->changed)
		fence(s, *p);
}

static void release_suspects(struct aside *s)
{
	vec_foreach (p, &s->changed) {
		const struct fenced *f = find(s, *p);

		if (f && !f->problem)
			unfence(s, *p);
	}
}

/**
 * aside_guilty() - The transaction of this turn was refused: was it for a policy?
 * @s:       Module
 * @refusal: What the kernel said
 *
 * Costs O(g log n) transactions for g guilty policies among the n that changed.
 *
 * Return: true if the guilty ones are set aside and all else is in force; false if the kernel
 *         refuses without them too, or cannot be asked
 */
bool aside_guilty(struct aside *s, const struct err *refusal)
{
	struct err e = {0};
	int r;

	if (!s->changed.n)
		return false;
	log_warn("nft", "transaction refused, looking for the policy at fault",
		 "policies=%zu err=\"%s\"", s->changed.n, refusal->msg);
	fence_suspects(s);
	r = s->apply(s->arg, &e);
	if (r == 0)
		r = bring_back(s, s->changed.v, s->changed.n);
	if (r == 0)
		r = s->apply(s->arg, &e);
	if (r != 0)
		release_suspects(s);
	return r == 0;
}

/**
 * aside_retry() - Try those set aside again when it is time: the kernel's reason may be gone, as a
 *                 want of memory is
 * @s: Module; the kernel took everything last
 *
 * The pauses double, from half a minute to an hour.
 *
 * Return: true if the engine has changed: settle and send
 */
bool aside_retry(struct aside *s)
{
	struct fenced *f, *next;

	if (!s->fenced || s->now < s->retry_at)
		return false;
	HASH_ITER (hh, s->fenced, f, next) {
		vec_push(&s->changed, f->real);
		vec_push(&s->retried, f->real);
		unfence(s, f->real);
	}
	s->pause = MIN(s->pause * 2, PAUSE_MAX_USEC);
	s->retry_at = s->now + s->pause;
	return true;
}

/**
 * aside_settled() - The kernel took everything, or all but those that were set aside now
 * @s: Module
 */
void aside_settled(struct aside *s)
{
	vec_foreach (p, &s->retried) {
		if (find(s, *p))
			continue;
		log_info("nft", "the kernel takes the policy now", "policy=\"%s/%s\"", (*p)->ns,
			 (*p)->name);
		s->told(s->arg, *p, NULL);
	}
}

/**
 * aside_retry_at() - When is it time for aside_retry()?
 * @s: Module
 *
 * Return: monotonic time, microseconds; USEC_INFINITY: nothing is set aside
 */
uint64_t aside_retry_at(const struct aside *s)
{
	return s->fenced ? s->retry_at : USEC_INFINITY;
}

/**
 * aside_count() - Policies set aside
 * @s: Module
 *
 * Return: their number
 */
size_t aside_count(const struct aside *s)
{
	return HASH_COUNT(s->fenced);
}

/**
 * aside_each() - Walk the policies set aside
 * @s:   Module
 * @fn:  Called for each; @problem is NULL while it is only under suspicion
 * @arg: Its first argument
 */
void aside_each(const struct aside *s, aside_told_fn *fn, void *arg)
{
	for (const struct fenced *f = s->fenced; f; f = f->hh.next)
		fn(arg, f->real, f->problem);
}
