// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * subject.c - the data path under test, and a kernel that follows its table.  Pure.
 */
#include "subject.h"

#include <assert.h>
#include <errno.h>

#include "datapath/nft/simulate.h"
#include "inflight.h"
#include "watch/object/pod.h"

/**
 * subject_init() - A data path that knows nothing, an empty kernel
 * @s: Filled in; subject_done() frees what it holds
 */
void subject_init(struct subject *s)
{
	*s = (struct subject){.datapath = datapath_new("", NULL, NULL)};
	s->table = s->datapath->table;
}

/* --- what it is told ---------------------------------------------------------------------------
 */

static struct object *take_copy(struct subject *s, const struct object *original)
{
	vec_foreach (twin, &s->twins) {
		struct object *copy = twin->copy;

		if (twin->original != original)
			continue;
		*twin = s->twins.v[--s->twins.n];
		return copy;
	}
	abort();
}

/**
 * subject_object() - An object came, changed or went
 * @s:   Subject
 * @old: As it was told before, or NULL
 * @new: As it is now, or NULL
 */
void subject_object(struct subject *s, const struct object *old, const struct object *new)
{
	struct object *before = old ? take_copy(s, old) : NULL;
	struct object *after = new ? object_copy(new) : NULL;

	datapath_object(s->datapath, before, after);
	if (after)
		vec_push(&s->twins, (struct twin){new, after});
	if (before)
		vec_push(&s->gone, before);
}

/* A call that ends frees its attachment, whatever became of the pod. */
static void attach(struct subject *s, const struct attachment *a)
{
	_cleanup_(attachment_freep) struct attachment *copy = attachment_copy(a);

	datapath_attach(s->datapath, copy);
}

/**
 * subject_change() - One step of a timeline
 * @s: Subject
 * @c: What happened
 */
void subject_change(struct subject *s, const struct change *c)
{
	if (c->kind == CHANGE_OBJECT)
		subject_object(s, c->old, c->new);
	else if (c->kind == CHANGE_ATTACH)
		attach(s, c->attachment);
	else if (c->kind == CHANGE_DETACH)
		datapath_detach(s->datapath, c->attachment->id, c->attachment->ifname);
}

/* --- the kernel --------------------------------------------------------------------------------
 */

static int compare_kernel(const struct subject *s, struct err *reterr)
{
	struct buf wanted = {0}, installed = {0};
	int r = 0;

	table_render(s->table, &wanted);
	shadow_render(&s->kernel, TABLE_NAME, &installed);
	if (!streq(wanted.data, installed.data))
		r = err_set(reterr, -EINVAL, "the operations do not add up to the table");
	buf_done(&wanted);
	buf_done(&installed);
	return r;
}

static const char *op_name(const struct nft_op *op)
{
	return op->set ? op->set->name : op->chain->name;
}

/* Objects of another shape are replaced: that cannot be done without a gap. */
static bool replaces(const struct nft_ops *ops)
{
	vec_foreach (del, &ops->op)
		if (del->verb == NFT_DEL && (del->what == NFT_OP_SET || del->what == NFT_OP_CHAIN))
			vec_foreach (add, &ops->op)
				if (add->verb == NFT_ADD && add->what == del->what &&
				    op_name(add) == op_name(del))
					return true;
	return false;
}

static int apply(struct subject *s, const struct nft_ops *ops, bool steps, struct err *reterr)
{
	struct inflight f = {0};
	int r;

	if (!steps || replaces(ops))
		return shadow_apply(&s->kernel, ops, reterr);
	inflight_begin(&f, &s->kernel);
	r = shadow_apply(&s->kernel, ops, reterr);
	if (r == 0)
		r = inflight_check(&f, &s->kernel, reterr);
	inflight_done(&f);
	return r;
}

/* The kernel refuses one element, by chance: it is left out of what comes next. */
static bool refuse(struct subject *s, struct rng *r, const struct nft_ops *ops)
{
	return ops->op.n && chance(r, 5) &&
	       table_refuse(s->table, &ops->op.v[below(r, (uint32_t)ops->op.n)], "refused");
}

static int commit(struct subject *s, const struct nft_ops *ops, size_t max, struct err *reterr)
{
	int r = apply(s, ops, max > 0, reterr);

	if (r == 0)
		table_committed(s->table, ops);
	return r;
}

/*
 * One transaction of at most about @max operations, all at once if it is 0; @ret_all: nothing was
 * left over.
 */
static int transact(struct subject *s, struct rng *rng, size_t max, bool *ret_all,
		    struct err *reterr)
{
	struct nft_ops ops = {0};
	bool all = table_ops(s->table, max, &ops);
	int r = 0;

	if (!all && !ops.op.n)
		r = err_set(reterr, -EINVAL, "more is pending, but there is no operation");
	else if (refuse(s, rng, &ops))
		all = false;
	else
		r = commit(s, &ops, max, reterr);
	nft_ops_done(&ops);
	*ret_all = all;
	return r;
}

static int check_quiet(struct nft_table *t, struct err *reterr)
{
	struct nft_ops ops = {0};
	bool all = table_ops(t, 0, &ops), quiet = all && !ops.op.n && !table_pending(t);

	nft_ops_done(&ops);
	return quiet ? 0 : err_set(reterr, -EINVAL, "operations are left where nothing differs");
}

/**
 * subject_settle() - Let the engine recompute, and the kernel follow
 * @s:      Subject
 * @r:      Chance decides whether it is one transaction, one of each step, or many; and whether the
 *          kernel follows only when all is settled, or from piece to piece
 * @reterr: What the kernel refused, or what is not as it is wanted afterwards
 *
 * Return: 0; an error of shadow_apply(); -EINVAL
 */
int subject_settle(struct subject *s, struct rng *r, struct err *reterr)
{
	size_t max = chance(r, 15) ? 1 + below(r, 12) : chance(r, 80) ? SIZE_MAX : 0;
	size_t steps = chance(r, 30) ? 1 + below(r, 300) : SIZE_MAX;
	bool more = true, all;
	int status = 0;

	while (status == 0 && more) {
		more = datapath_settle_piece(s->datapath, steps);
		vec_foreach (o, &s->gone)
			(void)object_free(*o);
		s->gone.n = 0;
		for (all = false; status == 0 && !all;) {
			status = transact(s, r, max, &all, reterr);
			if (!all || !table_refused(s->table))
				continue;
			table_retry(s->table);
			all = false;
		}
	}
	if (status == 0)
		status = check_quiet(s->table, reterr);
	return status == 0 ? compare_kernel(s, reterr) : status;
}

/* --- packets -----------------------------------------------------------------------------------
 */

static const struct attachment *attachment_with(const struct timeline *t, const struct addr *a)
{
	vec_foreach (at, &t->attachments)
		for (uint32_t i = 0; i < (*at)->n_addrs; i++)
			if (addr_eq(&(*at)->addrs[i], a))
				return *at;
	return NULL;
}

/**
 * subject_allows() - Send a packet through the table, from the interface that it would come from
 * @s: Subject, settled
 * @t: Whose attachments they are
 * @p: First packet of a connection
 *
 * Return: true if it passes all hooks on its way
 */
bool subject_allows(const struct subject *s, const struct timeline *t, const struct packet *p)
{
	const struct attachment *from = attachment_with(t, &p->src);
	const struct attachment *to = attachment_with(t, &p->dst);
	const struct sim_packet sim = {
		.src = p->src,
		.dst = p->dst,
		.protocol = p->protocol,
		.dport = p->dport,
		.iifname = p->path == FROM_NODE ? ""
			   : from		? from->host_ifname
						: "eth0",
		.oifname = p->path == TO_NODE ? ""
			   : to		      ? to->host_ifname
					      : "eth0",
		.mac = from ? from->mac : (struct mac){{2, 1}},
	};

	if (p->path == FROM_NODE)
		return simulate_hook(s->table, NFT_HOOK_OUTPUT, &sim) &&
		       simulate_hook(s->table, NFT_HOOK_POSTROUTING, &sim);
	if (!simulate_hook(s->table, NFT_HOOK_PREROUTING, &sim))
		return false;
	if (p->path == TO_NODE)
		return simulate_hook(s->table, NFT_HOOK_INPUT, &sim);
	return simulate_hook(s->table, NFT_HOOK_FORWARD, &sim) &&
	       simulate_hook(s->table, NFT_HOOK_POSTROUTING, &sim);
}

/* --- the same world at once --------------------------------------------------------------------
 */

static const struct object *current_of(const struct timeline *t, const struct pod *pod)
{
	vec_foreach (o, &t->world.objects)
		if ((*o)->kind == KIND_POD && streq((*o)->ns, pod->o.ns) &&
		    streq((*o)->name, pod->o.name))
			return *o;
	return NULL;
}

/*
 * Endpoints that remember an older object than the present one must meet the older one first.
 * @told: By endpoint; those of the same object are told together
 */
static void tell_past(struct subject *s, const struct timeline *t, size_t first, bool *told)
{
	const struct pod *last = t->world.endpoints.v[first].object;
	const struct object *now = last ? current_of(t, last) : NULL;

	if (told[first] || !last || now == &last->o)
		return;
	subject_object(s, NULL, &last->o);
	for (size_t i = first; i < t->attachments.n; i++) {
		if (t->world.endpoints.v[i].object != last)
			continue;
		attach(s, t->attachments.v[i]);
		told[i] = true;
	}
	subject_object(s, &last->o, now);
}

static bool is_told(const struct subject *s, const struct object *o)
{
	vec_foreach (twin, &s->twins)
		if (twin->original == o)
			return true;
	return false;
}

/**
 * subject_build() - Tell everything at once, in another order
 * @s: Subject that knows nothing
 * @t: What to tell
 * @r: For the order
 *
 * It is not settled in between.
 */
void subject_build(struct subject *s, const struct timeline *t, struct rng *r)
{
	_cleanup_(freep) bool *told = xcalloc(t->attachments.n + 1, sizeof(*told));
	VEC(const struct object *) objects = {0};
	size_t next = 0;

	for (size_t i = 0; i < t->attachments.n; i++)
		tell_past(s, t, i, told);
	vec_foreach (o, &t->world.objects)
		if (!is_told(s, *o))
			vec_push(&objects, *o);
	while (objects.n || next < t->attachments.n) {
		size_t i = below(r, (uint32_t)(objects.n + t->attachments.n - next));

		if (i < objects.n) {
			subject_object(s, NULL, objects.v[i]);
			objects.v[i] = objects.v[--objects.n];
		} else if (!told[next++]) {
			attach(s, t->attachments.v[next - 1]);
		}
	}
	vec_done(&objects);
}

/**
 * subject_empty() - Take everything back that subject_build() told
 * @s: Subject
 * @t: The same timeline, unchanged
 */
void subject_empty(struct subject *s, const struct timeline *t)
{
	vec_foreach (a, &t->attachments)
		datapath_detach(s->datapath, (*a)->id, (*a)->ifname);
	while (s->twins.n)
		subject_object(s, s->twins.v[0].original, NULL);
}

/**
 * subject_done() - Free everything
 * @s: Subject; it must know nothing any more
 */
void subject_done(struct subject *s)
{
	assert(!s->twins.n);
	datapath_settle(s->datapath);
	vec_foreach (o, &s->gone)
		(void)object_free(*o);
	(void)datapath_free(s->datapath);
	shadow_done(&s->kernel);
	vec_done(&s->twins);
	vec_done(&s->gone);
}
