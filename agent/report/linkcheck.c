// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * linkcheck.c - a job of the waiter that looks at every pod's link: up, MTU, neighbour entries.
 *
 * Costs three requests a pod, when somebody asks for it.  A link that is gone is no business of
 * this (`manx ipam check` compares the lists before).
 */
#include "agent/report/linkcheck.h"

#include <errno.h>

#include "agent/agent.h"
#include "datapath/route/podlink.h"

struct check_job {
	struct waiter_job job;
	struct agent *agent;
	VEC(struct attachment *) pods;
	VEC(uint32_t) mtu; /* by pod */
	size_t problems;
	struct buf text;
	linkcheck_fn *fn;
	void *arg;
};

static void check_run(struct waiter_job *j)
{
	struct check_job *p = container_of(j, struct check_job, job);

	for (size_t i = 0; i < p->pods.n; i++) {
		const struct attachment *at = p->pods.v[i];
		const struct podlink l = {.host_ifname = at->host_ifname,
					  .mac = at->mac,
					  .mtu = p->mtu.v[i],
					  .n_addrs = at->n_addrs,
					  .addrs = {at->addrs[0], at->addrs[1]}};
		struct err e = {0};
		int r = rtnl_link_check(p->agent->rtnl, &l, &e);

		if (r == 0 || r == -ENODEV)
			continue;
		buf_printf(&p->text, "%s/%s: %s\n", at->ns, at->pod, e.msg);
		p->problems++;
	}
}

static void check_done(struct waiter_job *j)
{
	struct check_job *p = container_of(j, struct check_job, job);

	p->fn(p->arg, p->problems, &p->text);
	vec_foreach (at, &p->pods)
		(void)attachment_free(*at);
	vec_done(&p->pods);
	vec_done(&p->mtu);
	buf_done(&p->text);
	free(p);
}

/**
 * linkcheck() - Look at the host's end of every pod's interface
 * @a:   Agent
 * @fn:  Called with what differs, later
 * @arg: Its first argument
 */
void linkcheck(struct agent *a, linkcheck_fn *fn, void *arg)
{
	struct check_job *p = xcalloc(1, sizeof(*p));
	const struct attachment *at = NULL;

	*p = (struct check_job){
		.job = {check_run, check_done, NULL}, .agent = a, .fn = fn, .arg = arg};
	while ((at = journal_next(a->journal, at))) {
		vec_push(&p->pods, attachment_copy(at));
		vec_push(&p->mtu, fences_mtu(&a->fences, at->host_ifname));
	}
	waiter_submit(a->routing.waiter, &p->job);
}
