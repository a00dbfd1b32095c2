// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stale.c - see stale.h.
 */
#include "agent/stale.h"

#include <stdio.h>

#include "lib/log.h"

/**
 * stale_now() - Must new pods wait, because what decides is not known?
 * @s:       Object
 * @ret_why: If so, why: the collection, since when, and the error; borrowed until the next call
 *
 * Return: true if so
 */
bool stale_now(struct stale *s, const char **ret_why)
{
	uint64_t now = monotonic_usec(), since = USEC_INFINITY;
	struct err what = {0};

	if (s->kube)
		since = kube_stale_since(s->kube, &what);
	if (!*s->use.source_known)
		(void)snprintf(s->why, sizeof(s->why),
			       "the source has not been read completely yet%s%s",
			       *what.msg ? ": " : "", what.msg);
	else if (since != USEC_INFINITY && now - since > s->use.config->stale_limit_usec)
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
 * @s: Object
 *
 * Return: seconds; 0: all is known
 */
double stale_seconds(const struct stale *s)
{
	uint64_t since = s->kube ? kube_stale_since(s->kube, NULL) : USEC_INFINITY;

	return since == USEC_INFINITY ? 0 : (double)(monotonic_usec() - since) / USEC_PER_SEC;
}

/**
 * stale_follow() - Say in the log when pods begin to wait, and when they need not any more
 * @stale: struct stale; called when a collection gets out of step or is in step again, when the
 *         limit is reached, and when it is configured
 */
void stale_follow(void *stale)
{
	struct stale *s = stale;
	uint64_t since = kube_stale_since(s->kube, NULL);
	const char *why;
	bool late = *s->use.source_known && stale_now(s, &why);

	if (late && !s->said)
		log_warn("agent", "pods cannot be added, existing ones keep their rules",
			 "err=\"%s\"", why);
	else if (!late && s->said)
		log_info("agent", "pods can be added again", NULL);
	s->said = late;
	loop_timer_at(s->timer, late || since == USEC_INFINITY
					? USEC_INFINITY
					: since + s->use.config->stale_limit_usec + 1);
}

/**
 * stale_open() - Begin
 * @s: Zeroed
 * @u: What it uses; copied
 */
void stale_open(struct stale *s, const struct stale_uses *u)
{
	s->use = *u;
}

/**
 * stale_watch() - Look at a source
 * @s: Object
 * @k: The source, an API server
 */
void stale_watch(struct stale *s, struct kube *k)
{
	s->kube = k;
	s->timer = loop_timer(s->use.loop, "stale", stale_follow, s);
	kube_on_step(k, stale_follow, s);
}

/**
 * stale_close() - Look no more
 * @s: Object
 */
void stale_close(struct stale *s)
{
	s->timer = loop_source_free(s->timer);
}
