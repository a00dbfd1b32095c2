// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy_kernel.c - what the kernel's answers mean for policies: is a pod under them, and which of
 * them wanted what it refuses?  Pure.
 */
#include "datapath/policy/policy_internal.h"

/**
 * policy_settled() - Is an attachment under its policies, in the kernel?
 * @p:           Part
 * @a:           Attachment
 * @ret_problem: As of table_settled()
 *
 * Return: NFT_IN_PROGRESS also while the program of its policies is not complete: it is under what
 *         was before, or isolated if it is new
 */
enum nft_settled policy_settled(struct part *p, const struct attachment *a,
				const char **ret_problem)
{
	const struct policy_engine *e = policy_of(p);
	const struct endpoint *ep = endpoints_find(&e->endpoints, a->id, a->ifname);

	if (!ep)
		return NFT_IN_FORCE;
	if (ep->dirty || ep->awaiting)
		return NFT_IN_PROGRESS;
	return verdicts_settled(&e->verdicts, ep, ret_problem);
}

/*
 * An address that a peer set lacks is not allowed, which costs one pod; that is no reason to close
 * others.
 */
static bool is_peer(const struct nft_op *op)
{
	return op->what == NFT_OP_ELEM && op->verb == NFT_ADD && !op->set->interval &&
	       op->set->data[0] == NFT_TYPE_NONE;
}

static void blame_direction(const struct policy_engine *e, const struct endpoint *ep,
			    enum direction d, blame_fn *fn, void *arg)
{
	struct policy_list l = {0};

	policy_find(e, ep->pod->object, d, &l);
	vec_foreach (policy, &l.p)
		fn(arg, &(*policy)->o);
	vec_done(&l.p);
}

/**
 * policy_blame() - Which policies wanted what an operation is about?
 * @p:   Part
 * @op:  Operation on a set or chain of policies
 * @fn:  Called for each, perhaps more than once; not at all for what concerns a pod and no policy
 * @arg: Its first argument
 *
 * Time: O(local pods * sets of their programs)
 */
void policy_blame(struct part *p, const struct nft_op *op, blame_fn *fn, void *arg)
{
	const char *name = op->set ? op->set->name : op->chain->name;
	const struct policy_engine *e = policy_of(p);
	const struct endpoint *ep;

	if (is_peer(op))
		return;
	for (ep = e->endpoints.all; ep; ep = ep->hh.next)
		for (int d = 0; d < _DIRECTION_MAX; d++)
			if (ep->pod && (program_has(ep->program[d], name) ||
					program_has(ep->next_program[d], name)))
				blame_direction(e, ep, (enum direction)d, fn, arg);
}
