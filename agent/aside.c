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

/* struct accusation - of @among, those that an operation is to be blamed on */
struct accusation {
	const struct aside *s;
	const struct policies *among; /* NULL: all */
	struct policies blamed;
};

static bool has(const struct policies *list, const struct object *o)
{
	vec_foreach (p, list)
		if (*p == o)
			return true;
	return false;
}

static void accuse(void *arg, const struct object *o)
{
	struct accusation *a = arg;

	for (const struct fenced *f = a->s->fenced; f; f = f->hh.next)
		if (f->fence == o) /* it allows nothing any more */
			return;
	if (!has(&a->blamed, o) && (!a->among || has(a->among, o)))
		vec_push(&a->blamed, o);
}

static struct policies blame(const struct aside *s, const struct nft_op *op,
			     const struct policies *among)
{
	struct accusation a = {.s = s, .among = among};

	if (op)
		datapath_blame(s->datapath, op, accuse, &a);
	return a.blamed;
}

/*
 * Who is to be fenced next: of those that the operation is to be blamed on what changed, or all of
 * them; if it cannot be blamed, what changed.
 */
static struct policies suspects(const struct aside *s, const struct nft_op *op)
{
	struct policies l = blame(s, op, &s->changed);

	if (!l.n)
		l = blame(s, op, NULL);
	if (!l.n)
		vec_foreach (p, &s->changed)
			if (!find(s, *p))
				vec_push(&l, *p);
	return l;
}

static int bring_back(struct aside *s, const struct object **real, size_t n);

/* One of @n is to be blamed: all others may be tried together. */
static int bring_back_others(struct aside *s, const struct object **real, size_t n,
			     const struct object *guilty, const struct err *e)
{
	size_t i = 0;

	while (real[i] != guilty)
		i++;
	real[i] = real[n - 1];
	real[n - 1] = guilty;
	set_aside(s, guilty, e);
	return bring_back(s, real, n - 1);
}

/* All @n are fenced; bring back those that the kernel takes.  -errno: it could not be asked. */
static int bring_back(struct aside *s, const struct object **real, size_t n)
{
	const struct policies those = {.v = real, .n = n};
	const struct nft_op *op = NULL;
	struct policies guilty;
	struct err e = {0};
	int r;

	for (size_t i = 0; i < n; i++)
		unfence(s, real[i]);
	r = n ? s->apply(s->arg, &op, &e) : 0;
	if (r == 0)
		return 0;
	guilty = blame(s, op, &those);
	for (size_t i = 0; i < n; i++)
		fence(s, real[i]);
	if (r > 0 && (n == 1 || guilty.n == 1)) {
		r = bring_back_others(s, real, n, n == 1 ? real[0] : guilty.v[0], &e);
	} else if (r > 0) {
		r = bring_back(s, real, n / 2);
		if (r == 0)
			r = bring_back(s, real + n / 2, n - n / 2);
	}
	vec_done(&guilty);
	return r;
}

/* Fence whoever may be at fault until the kernel takes the rest. */
static int fence_suspects(struct aside *s, const struct nft_op *op, struct policies *fenced)
{
	int r = NFT_REFUSED;

	while (r == NFT_REFUSED) {
		struct policies l = suspects(s, op);
		struct err e = {0};

		if (!l.n)
			return r;
		vec_foreach (p, &l) {
			fence(s, *p);
			vec_push(fenced, *p);
		}
		vec_done(&l);
		r = s->apply(s->arg, &op, &e);
	}
	return r;
}

static void release_suspects(struct aside *s, const struct policies *fenced)
{
	vec_foreach (p, fenced) {
		const struct fenced *f = find(s, *p);

		if (f && !f->problem)
			unfence(s, *p);
	}
}

/**
 * aside_guilty() - A transaction was refused: was it for a policy?
 * @s:       Module
 * @op:      What the kernel refused; NULL: it did not say
 * @refusal: What it said
 *
 * One that the operation is to be blamed on is fenced at once.  Among several, and where nothing is
 * to be blamed among those that changed, costs O(g log n) transactions for g guilty ones of n.
 *
 * Return: true if the guilty ones are set aside and all else is in force; false if the kernel
 *         refuses without them too, or cannot be asked
 */
bool aside_guilty(struct aside *s, const struct nft_op *op, const struct err *refusal)
{
	struct policies blamed = blame(s, op, NULL), fenced = {0};
	struct err e = {0};
	int r;

	if (!blamed.n && !s->changed.n)
		return false;
	log_warn("nft", "transaction refused, looking for the policy at fault",
		 "blamed=%zu changed=%zu err=\"%s\"", blamed.n, s->changed.n, refusal->msg);
	r = fence_suspects(s, op, &fenced);
	if (r == 0 && fenced.n == 1 && blamed.n == 1 && fenced.v[0] == blamed.v[0])
		set_aside(s, fenced.v[0], refusal);
	else if (r == 0)
		r = bring_back(s, fenced.v, fenced.n);
	if (r == 0)
		r = s->apply(s->arg, &op, &e);
	if (r != 0)
		release_suspects(s, &fenced);
	vec_done(&blamed);
	vec_done(&fenced);
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
