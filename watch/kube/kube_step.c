// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube_step.c - is what is in force as the server has it?  For the log in words, once each; and for
 * whoever must not go on with what is too old.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/log.h"
#include "watch/kube/kube_internal.h"

/* struct stale - the collection that decides and has been out of step for longest */
struct stale {
	uint64_t since;
	const struct feed *feed;
};

static void find_troubled(void *arg, struct feed *f)
{
	*(bool *)arg |= feed_reflector(f)->troubled;
}

static void say_trouble(struct kube *k, const struct feed *f)
{
	const struct reflector *r = feed_reflector(f);
	const char *server = kube_credentials_server(k->credentials)->url;

	if (!k->step.since)
		k->step.since = monotonic_usec();
	if (r->refused) {
		log_warn("api",
			 "the API server does not give this collection, what is in force stays; "
			 "will ask again",
			 "of=\"%s\" server=%s err=\"%s\"", feed_name(f), server, r->problem);
	} else if (!k->step.away) {
		k->step.away = true;
		log_warn("api",
			 "no connection to the API server, what is in force stays; will try again",
			 "server=%s err=\"%s\"", server, r->problem);
	}
}

/**
 * kube_step() - A feed got out of step, or is in step again
 * @arg: Source
 * @f:   Feed
 */
void kube_step(void *arg, struct feed *f)
{
	struct kube *k = arg;
	bool troubled = false;

	if (feed_reflector(f)->troubled) {
		say_trouble(k, f);
	} else {
		kube_each(k, find_troubled, &troubled);
		k->step.away &= troubled;
		if (!troubled && k->step.since)
			log_info("api", "everything is in step with the API server again",
				 "server=%s after_s=%llu",
				 kube_credentials_server(k->credentials)->url,
				 (unsigned long long)((monotonic_usec() - TAKE(k->step.since, 0)) /
						      USEC_PER_SEC));
	}
	if (k->on_step)
		k->on_step(k->step_arg);
}

/**
 * kube_step_reachable() - The server answers again, whatever it says
 * @k: Source
 */
void kube_step_reachable(struct kube *k)
{
	k->step.away = false;
}

/**
 * kube_on_step() - Have somebody told when a collection gets out of step, or is in step again
 * @k:   Source
 * @fn:  Called then
 * @arg: Its first argument
 */
void kube_on_step(struct kube *k, kube_step_fn *fn, void *arg)
{
	k->on_step = fn;
	k->step_arg = arg;
}

static void find_stale(void *arg, struct feed *f)
{
	const struct reflector *r = feed_reflector(f);
	struct stale *s = arg;

	if (r->troubled && feed_decides(f) && r->in_step < s->since)
		*s = (struct stale){r->in_step, f};
}

/**
 * kube_stale_since() - Since when is something not known that decides who may talk?
 * @k:        Source
 * @ret_what: What, and why: "networkpolicies: HTTP 403 ..."; untouched if nothing is; may be NULL
 *
 * Return: monotonic time, microseconds; USEC_INFINITY: all is in step.  Time: O(collections),
 * which are few
 */
uint64_t kube_stale_since(const struct kube *k, struct err *ret_what)
{
	struct stale s = {.since = USEC_INFINITY};

	kube_each(k, find_stale, &s);
	if (s.feed && ret_what)
		(void)err_set(ret_what, -ESTALE, "%s: %s", feed_name(s.feed),
			      feed_reflector(s.feed)->problem);
	return s.since;
}
