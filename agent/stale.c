// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stale.c - see stale.h.
 */
#include "agent/stale.h"

#include <stdio.h>

#include "agent/agent.h"
#include "lib/log.h"

/**
 * stale_now() - Must new pods wait, because what decides is not known?
 * @a:       Agent
 * @ret_why: If so, why: the collection, since when, and the error; borrowed until the next call
 *
 * Return: true if so
 */
bool stale_now(struct agent *a, const char **ret_why)
{
	uint64_t now = monotonic_usec(), since = USEC_INFINITY;
	struct stale *s = &a->stale;
	struct err what = {0};

	if (a->source.kube)
		since = kube_stale_since(a->source.kube, &what);
	if (!a->source_synced)
		(void)snprintf(s->why, sizeof(s->why),
			       "the source has not been read completely yet%s%s",
			       *what.msg ? ": " : "", what.msg);
	else if (since != USEC_INFINITY && now - since > a->config->stale_limit_usec)
		(void)snprintf(s->why, sizeof(s->why),
			       "not in step with the API server for %llu s (stale-limit): %s",
			       (unsigned long long)((now - since) / USEC_PER_SEC), what.msg);
	else
		return false;
	*ret_why = s->why;
	return true;
}

/**
 * stale_seconds() - For how long has something not been known that decides?
 * @a: Agent
 *
 * Return: seconds; 0: all is known
 */
double stale_seconds(const struct agent *a)
{
	uint64_t since = a->source.kube ? kube_stale_since(a->source.kube, NULL) : USEC_INFINITY;

	return since == USEC_INFINITY ? 0 : (double)(monotonic_usec() - since) / USEC_PER_SEC;
}

/**
 * stale_follow() - Say in the log when pods begin to wait, and when they need not any more
 * @agent: struct agent; called when a collection gets out of step or is in step again, when the
 *         limit is reached, and when it is configured
 */
void stale_follow(void *agent)
{
	struct agent *a = agent;
	uint64_t since = kube_stale_since(a->source.kube, NULL);
	struct stale *s = &a->stale;
	const char *why;
	bool stale = a->source_synced && stale_now(a, &why);

	if (stale && !s->said)
		log_warn("agent", "pods cannot be added, existing ones keep their rules",
			 "err=\"%s\"", why);
	else if (!stale && s->said)
		log_info("agent", "pods can be added again", NULL);
	s->said = stale;
	loop_timer_at(s->timer, stale || since == USEC_INFINITY
					? USEC_INFINITY
					: since + a->config->stale_limit_usec + 1);
}

/**
 * stale_watch() - Begin to look at the source
 * @a: Agent, whose source is an API server
 */
void stale_watch(struct agent *a)
{
	a->stale.timer = loop_timer(a->loop, "stale", stale_follow, a);
	agent_add_source(a, a->stale.timer);
	kube_on_step(a->source.kube, stale_follow, a);
}
