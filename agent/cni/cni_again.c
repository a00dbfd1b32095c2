// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_again.c - an ADD for an interface that has an attachment already: the runtime lost the
 * answer, or made a mistake.
 *
 * The container may be running: what it has is looked at first, and stays if it is as it must be;
 * then the answer is what it was.  Only a link that is gone, or not what it was, is made anew.  An
 * ADD that fails here takes nothing back: the DEL that follows it does.
 */
#include "agent/cni/cni_verbs.h"

/**
 * again_begin() - ADD for what is attached
 * @s:   Calls
 * @c:   Call
 * @old: Its attachment in the journal
 */
void again_begin(struct calls *s, struct cni_call *c, const struct attachment *old)
{
	c->again = AGAIN_LOOK;
	c->at = attachment_copy(old);
	s->ops->want_rules(s->arg, old);
}

/**
 * again_ask() - When the rules are in the kernel: have the link looked at, or made
 * @s: Calls
 * @c: Call of again_begin()
 */
void again_ask(struct calls *s, struct cni_call *c)
{
	if (c->again == AGAIN_MAKE)
		cni_call_ask_link(s, c, "attach", c->request->netns);
	else
		cni_call_ask_link(s, c, "check",
				  c->again == AGAIN_LOOK ? c->request->netns : c->at->netns);
}

/* The link that is to come has the same name: what led to the old one goes first. */
static void make(struct calls *s, struct cni_call *c)
{
	struct err e = {0};

	if (!streq(c->at->netns, c->request->netns)) {
		free(c->at->netns);
		c->at->netns = xstrdup(c->request->netns);
		if (s->ops->moved(s->arg, c->at, &c->seq, &e) < 0) {
			cni_call_fail(s, c, CNI_E_IO, e.msg);
			return;
		}
	}
	c->again = AGAIN_MAKE;
	c->step = STEP_KERNEL;
	s->ops->unroute(s->arg, c->at);
	s->ops->wake(s->arg);
}

static void in_use_elsewhere(struct calls *s, struct cni_call *c)
{
	_cleanup_(freep) char *message =
		xasprintf("CNI_NETNS: interface %s of this container is in use in %s",
			  c->at->ifname, c->at->netns);

	cni_call_fail(s, c, CNI_E_ENVIRONMENT, message);
}

/**
 * again_looked() - The plugin has looked at the link
 * @s:       Calls
 * @c:       Call of again_begin() that asked it to; freed if it fails
 * @code:    0: it is as it must be; else why it is not
 * @message: Then: in words
 */
void again_looked(struct calls *s, struct cni_call *c, enum cni_code code, const char *message)
{
	bool elsewhere = !streq(c->at->netns, c->request->netns);
	const char *problem;

	if (!code && c->again == AGAIN_LOOK_THERE) {
		in_use_elsewhere(s, c);
	} else if (!code) {
		c->step = STEP_FINISH;
		if (s->ops->routes(s->arg, c->at, &problem) != CNI_IN_FORCE)
			s->ops->want_routes(s->arg, c->at);
		s->ops->wake(s->arg);
	} else if (code != CNI_E_MISMATCH && c->again == AGAIN_LOOK) {
		cni_call_fail(s, c, code, message); /* the namespace that is named now is none */
	} else if (elsewhere && c->again == AGAIN_LOOK) {
		c->again = AGAIN_LOOK_THERE;
		again_ask(s, c);
	} else {
		make(s, c);
	}
}
