// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events.c - from what is set aside to what is told of it.
 *
 * Nothing is told before the source is complete: until then it is not known how many nodes see the
 * same, and what is half known may look wrong.
 */
#include "agent/events.h"

#include "agent/agent.h"
#include "agent/aside.h"
#include "watch/object/kind.h"

/* What one node has is reported by that; what all nodes see, by one of them. */
static bool is_ours(const struct agent *a, const struct object *o)
{
	const struct kind_info *info = kinds[o->kind];

	return !info->node_of || streq(info->node_of(o), a->config->node);
}

static void tell(struct agent *a, const struct object *o, const char *reason, const char *problem)
{
	_cleanup_(freep) char *note = xasprintf("%s%s", problem, kinds[o->kind]->effect);
	const struct event e = {o->kind, o->ns, o->name, o->uid, reason, note};

	kube_events_tell(a->source.events, &e, !kinds[o->kind]->node_of);
}

/**
 * events_node() - Another Node claims what a Node has; a node_problem_fn
 * @agent:   struct agent
 * @node:    The Node that does not get it
 * @problem: Why; NULL: nothing is wrong any more
 */
void events_node(void *agent, const struct node *node, const char *problem)
{
	const struct event e = {node->o.kind,	   NULL,   node->o.name, node->o.uid,
				"ConflictingNode", problem};
	struct agent *a = agent;

	if (!a->telling || node->o.problem)
		return;
	if (problem)
		kube_events_tell(a->source.events, &e, true);
	else
		kube_events_right(a->source.events, &node->o);
}

static void tell_object(void *agent, const struct object *o)
{
	struct agent *a = agent;

	if (o->problem && is_ours(a, o))
		tell(a, o, kinds[o->kind]->reason, o->problem);
}

/**
 * events_refused() - The kernel refuses a policy; an aside_told_fn
 * @agent:   struct agent
 * @policy:  Policy
 * @problem: Why; NULL: it does not, or not any more
 */
void events_refused(void *agent, const struct object *policy, const char *problem)
{
	struct agent *a = agent;

	if (a->telling && problem)
		tell(a, policy, "RefusedByKernel", problem);
	else if (a->telling)
		kube_events_right(a->source.events, policy);
}

/**
 * events_configure() - Begin or end to write events, as the configuration says
 * @a: Agent
 *
 * Time: O(all objects) when it begins.
 */
void events_configure(struct agent *a)
{
	bool wanted = a->config->events && a->source.events && a->source_synced;

	if (wanted == a->telling)
		return;
	a->telling = wanted;
	if (!wanted) {
		kube_events_clear(a->source.events);
		return;
	}
	for (int k = 0; k < _KIND_MAX; k++)
		store_each(a->source.store, (enum kind)k, tell_object, a);
	aside_each(a->aside, events_refused, a);
	nodes_each_problem(a->nodes, events_node, a);
}

/**
 * events_object() - An object appeared, changed or went
 * @a:   Agent
 * @old: Version before, NULL: none
 * @new: Version now, NULL: none
 */
void events_object(struct agent *a, const struct object *old, const struct object *new)
{
	const struct object *o = new ?: old;

	if (!a->telling || !is_ours(a, o))
		return;
	if (!new || (old && old->uid != new->uid))
		kube_events_gone(a->source.events, o);
	if (new &&new->problem)
		tell_object(a, new);
	else if (new && !(new->kind == kind_node.kind &&nodes_problem(a->nodes, new->name)))
		kube_events_right(a->source.events, new);
}
