// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * health.c - what the states of the parts mean for the whole, and what follows when it is ready.
 */
#include "agent/health.h"

#include <assert.h>
#include <inttypes.h>
#include <malloc.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/command/install.h"
#include "lib/log.h"
#include "lib/notify.h"

/**
 * agent_add_source() - Have a source of the loop freed at the end
 * @a: Agent
 * @s: Source
 */
void agent_add_source(struct agent *a, struct loop_source *s)
{
	assert(a->n_sources < ARRAY_SIZE(a->sources));
	a->sources[a->n_sources++] = s;
}

/**
 * agent_ready() - Can ADD be served, and does the kernel agree with us?
 * @a:       Agent
 * @ret_why: If not, why not; borrowed until the next turn
 *
 * What is a problem (status, metrics), but no reason to keep pods from this node: a route to
 * another node that cannot be made, an element that the kernel refuses.
 *
 * Return: true if so
 */
bool agent_ready(struct agent *a, const char **ret_why)
{
	*ret_why = NULL;
	if (stale_now(&a->stale, ret_why))
		return false;
	*ret_why = effects_problem(&a->effects);
	if (*ret_why)
		return false;
	if (!ipam_has_family(a->ipam, AF_INET) && !ipam_has_family(a->ipam, AF_INET6))
		*ret_why = "this node has no pod range: no spec.podCIDRs in its Node, no ranges in "
			   "the configuration";
	else
		*ret_why = forwarding_problem(&a->forwarding);
	return !*ret_why;
}

/**
 * agent_count_latency() - A change of the source is in the kernel
 * @a:     Agent
 * @since: When it came, monotonic
 */
void agent_count_latency(struct agent *a, uint64_t since)
{
	histogram_observe(&a->count.event_to_kernel,
			  (double)(monotonic_usec() - since) / USEC_PER_SEC);
}

/**
 * agent_install_when_ready() - Tell the container runtime about us, once we can serve it
 * @a: Agent
 */
void agent_install_when_ready(struct agent *a)
{
	struct err e = {0};
	const char *why;

	/*
	 * A node without pod ranges is started as well as it can be: systemd need not wait.  Nor
	 * for an API server that may be started by this very node.
	 */
	if (!a->notified && a->server &&
	    ((a->source_synced && a->table_sync.ok) ||
	     loop_now(a->loop) >= a->started + PATIENCE_USEC)) {
		a->notified = true;
		notify_say(a->notify, "READY=1");
	}
	if (a->installed || !a->server || !agent_ready(a, &why))
		return;
	a->installed = true;
	if (*a->config->cni_bin_dir && install_plugin(NULL, a->config->cni_bin_dir, &e) < 0)
		log_err("agent", "the runtime cannot find us", "err=\"%s\"", e.msg);
	else
		cniconf_begin(&a->cniconf, a->loop, a->config);
	log_info("agent", "ready", "node=%s pods=%zu ms=%" PRIu64, a->config->node,
		 journal_count(a->journal),
		 (uint64_t)((monotonic_usec() - a->started) / USEC_PER_MSEC));
	(void)malloc_trim(0); /* what only the start needed */
}
