/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni_verbs.h - a CNI request under way; shared by calls.c and cni_verbs.c.
 */
#pragma once

#include "agent/cni/cni_ops.h"
#include "agent/cni/complaints.h"
#include "lib/buf.h"
#include "lib/vec.h"

enum step {
	STEP_WAIT,   /* for an earlier call about the same interface to end */
	STEP_KERNEL, /* until our changes are in the kernel */
	STEP_CALLER, /* until the caller has done its part */
	STEP_FINISH, /* ADD: until route, disk and pod object are there */
	STEP_FLUSH,  /* DEL, GC, an ADD taken back: until the connections are forgotten */
};

enum again {
	AGAIN_NO,	  /* it is new */
	AGAIN_LOOK,	  /* at the link, in the namespace that the request names */
	AGAIN_LOOK_THERE, /* and in that of the first ADD */
	AGAIN_MAKE,	  /* it is gone or not what it was: made anew */
};

/*
 * struct cni_call
 * @at:      ADD, CHECK: the attachment
 * @going:   DEL, GC, an ADD taken back: copies of what goes
 * @seq:     ADD: journal record to be on disk before the result
 * @again:   ADD: the attachment existed before, and how far it was looked at (cni_again.c)
 * @doomed:  ADD: a DEL of the same interface came
 * @undone:  ADD: it has failed or its caller went away, and what it did is being taken back
 * @failure: What the plugin prints then
 * @asked:   ADD: the source was asked for the pod, or told of it in time
 * @beside:  ADD: of each address: another interface of the pod has the default route
 * @flushing, @flushed: Of what goes, connections are being forgotten; they are
 */
struct cni_call {
	struct call_work work;
	struct calls *calls;
	struct call *call; /* NULL: the caller went away, but the call goes on to its end */
	struct cni_request *request;
	enum step step;
	uint64_t started, pod_deadline;
	struct attachment *at;
	VEC(struct attachment *) going;
	void *alarm; /* of cni_ops.alarm() */
	uint64_t seq;
	enum again again;
	bool beside[2];
	bool doomed, undone, asked, flushing, flushed;
	struct buf failure;
	struct cni_call *prev, *next;
};

/* The calls under way, oldest first. */
struct calls {
	const struct cni_ops *ops;
	void *arg;
	struct cni_call *all;
	struct complaints complaints;
};

void cni_call_finish(struct calls *s, struct cni_call *c, const char *text);
void cni_call_fail(struct calls *s, struct cni_call *c, int code, const char *message);
void cni_call_abandon(struct calls *s, struct cni_call *c);
void cni_call_ask_link(struct calls *s, struct cni_call *c, const char *what, const char *netns);

/*
 * struct verb_ops - what differs from verb to verb; each may end the call
 * @begin:    Its turn has come; NULL: the agent has nothing to do with it
 * @answered: The caller has done what it was asked for
 */
struct verb_ops {
	void (*begin)(struct calls *s, struct cni_call *c);
	void (*answered)(struct calls *s, struct cni_call *c);
};

extern const struct verb_ops verbs[_CNI_VERB_MAX];

void add_alarm(struct calls *s, struct cni_call *c);
void add_finish(struct calls *s, struct cni_call *c);
void again_begin(struct calls *s, struct cni_call *c, const struct attachment *old);
void again_ask(struct calls *s, struct cni_call *c);
void again_looked(struct calls *s, struct cni_call *c, enum cni_code code, const char *message);
void detach_link_gone(struct calls *s, struct cni_call *c);
void detach_go_on(struct calls *s, struct cni_call *c);
void detach_finish(struct calls *s, struct cni_call *c);
