// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * datapath.c - see datapath.h.
 */
#include "datapath/datapath.h"

#include "datapath/service/service.h"

/* The parts, in the order in which they are told and settled, and packets enter them: here a part
 * is registered. */
static const struct part_ops *const parts[] = {
	&nodes_part,
	&service_part,
	&policy_part,
};

static void want_base(struct datapath *d)
{
	VEC(struct base_entry) entries = {0};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (size_t e = 0; e < parts[i]->n_entries; e++)
			vec_push(&entries, parts[i]->entries[e]);
	base_want(d->table, entries.v, entries.n, &d->base);
	vec_done(&entries);
}

/**
 * datapath_new() - Make the parts and want the fixed program
 * @node:     Name of this node
 * @need:     Told of which namespaces the pods on other nodes are needed; NULL: all are known
 * anyway
 * @need_arg: Its first argument
 *
 * Return: the data path, to be freed
 */
struct datapath *datapath_new(const char *node, need_fn *need, void *need_arg)
{
	struct datapath *d = xcalloc(1, sizeof(*d) + sizeof(parts));
	const struct part_place where = {
		.table = d->table = table_new(TABLE_NAME),
		.pods = &d->pods,
		.masquerade = &d->masquerade,
		.routes = d->routes = routes_new(),
		.node = node,
		.need = need,
		.need_arg = need_arg,
	};

	want_base(d);
	masquerade_init(&d->masquerade, d->table, &d->base);
	localpods_init(&d->pods, d->table, &d->base, &d->masquerade);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		d->parts[i] = parts[i]->make(&where);
		d->parts[i]->ops = parts[i];
		if (parts[i] == &policy_part)
			d->policy = policy_of(d->parts[i]);
		else if (parts[i] == &nodes_part)
			d->nodes = nodes_of(d->parts[i]);
	}
	return d;
}

/**
 * datapath_free() - Free everything; every object and attachment must have been removed
 * @d: Data path or NULL
 *
 * Return: NULL
 */
struct datapath *datapath_free(struct datapath *d)
{
	if (!d)
		return NULL;
	for (size_t i = ARRAY_SIZE(parts); i-- > 0;)
		parts[i]->free(d->parts[i]);
	localpods_done(&d->pods);
	masquerade_done(&d->masquerade);
	(void)routes_free(d->routes);
	(void)table_free(d->table);
	free(d);
	return NULL;
}

/**
 * datapath_configure() - Take the configuration, at start and at a reload
 * @d: Data path
 * @c: Configuration, borrowed for the call
 */
void datapath_configure(struct datapath *d, const struct part_config *c)
{
	masquerade_configure(&d->masquerade, c->masquerade, c->exclude, c->n_exclude);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->configure)
			parts[i]->configure(d->parts[i], c);
}

/**
 * datapath_object() - An object appeared, changed or went
 * @d:   Data path
 * @old: Version before, the one that was given as @now; readable until it is settled; NULL: none
 * @now: Version now, borrowed until it is given as @old; NULL: none
 */
void datapath_object(struct datapath *d, const struct object *old, const struct object *now)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->kinds >> (now ? now : old)->kind & 1)
			parts[i]->object(d->parts[i], old, now);
}

static void tell_attached(struct datapath *d, const struct attachment *old,
			  const struct attachment *now)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->attached)
			parts[i]->attached(d->parts[i], old, now);
}

/**
 * datapath_attach() - A local pod got its addresses
 * @d: Data path
 * @a: Attachment; copied.  One of the same container and interface is replaced.
 */
void datapath_attach(struct datapath *d, const struct attachment *a)
{
	_cleanup_(attachment_freep) struct attachment *old =
		localpods_remove(&d->pods, a->id, a->ifname);

	tell_attached(d, old, localpods_add(&d->pods, a));
}

/**
 * datapath_detach() - A local pod's interface is going
 * @d:      Data path
 * @id:     Container
 * @ifname: Interface; nothing happens if they are not attached
 */
void datapath_detach(struct datapath *d, const char *id, const char *ifname)
{
	_cleanup_(attachment_freep) struct attachment *old = localpods_remove(&d->pods, id, ifname);

	if (old)
		tell_attached(d, old, NULL);
}

/**
 * datapath_settle() - Recompute what the changes since the last call have marked
 * @d: Data path
 */
void datapath_settle(struct datapath *d)
{
	while (datapath_settle_piece(d, SIZE_MAX))
		;
}

/**
 * datapath_settle_piece() - As datapath_settle(), but go on with what is large for some time only
 * @d:     Data path
 * @steps: How long; DATAPATH_PIECE is some 3 ms
 *
 * Return: true if there is more to do
 */
bool datapath_settle_piece(struct datapath *d, size_t steps)
{
	bool more = false;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->settle && parts[i]->settle(d->parts[i], steps))
			more = true;
	return more;
}

/**
 * datapath_settled() - Is all that is wanted for an attachment in the kernel's table?
 * @d:           Data path
 * @a:           Attachment
 * @ret_problem: What the kernel said, if it refused some of it; untouched otherwise
 *
 * Return: of its rows the worst; NFT_KEY_REFUSED is worse than NFT_IN_PROGRESS
 */
enum nft_settled datapath_settled(struct datapath *d, const struct attachment *a,
				  const char **ret_problem)
{
	enum nft_settled state = localpods_settled(&d->pods, a, ret_problem);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		enum nft_settled of_part;

		if (!parts[i]->settled)
			continue;
		of_part = parts[i]->settled(d->parts[i], a, ret_problem);
		state = MAX(state, of_part);
	}
	return state;
}

/**
 * datapath_blame() - Which objects wanted what the kernel refuses?
 * @d:   Data path
 * @op:  What it refuses
 * @fn:  Called for each, perhaps more than once
 * @arg: Its first argument
 */
void datapath_blame(struct datapath *d, const struct nft_op *op, blame_fn *fn, void *arg)
{
	uint8_t owner = op->set ? op->set->owner : op->chain ? op->chain->owner : NFT_OWNER_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->blame && parts[i]->owner == owner)
			parts[i]->blame(d->parts[i], op, fn, arg);
}
