// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attach.c - make an attachment out of a request and put it into force; take it out again.
 */
#include "agent/attach.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "lib/log.h"

static const struct addr *wanted_address(const struct cni_request *q, uint8_t family)
{
	for (uint32_t i = 0; i < q->n_want; i++)
		if (q->want[i].family == family)
			return &q->want[i];
	return NULL;
}

/* The route to an address leads to the link of the pod that has it. */
static int address_taken(const struct agent *a, const struct addr *want, const char *text,
			 struct err *reterr)
{
	const struct prefix dst = prefix_host(want);
	const struct route *r = routes_wanted(a->routes, &dst);
	const struct attachment *at = r ? journal_find_link(a->journal, r->ifname) : NULL;

	if (!at)
		return err_set(reterr, -CNI_E_CONFIG, "address %s belongs to another pod", text);
	return err_set(reterr, -CNI_E_CONFIG, "address %s belongs to pod %s/%s (container %.13s)",
		       text, at->ns, at->pod, at->id);
}

static int allocation_error(struct agent *a, enum ipam_outcome outcome, uint8_t family,
			    const struct addr *want, struct err *reterr)
{
	_cleanup_(buf_done) struct buf use = {0};
	char text[ADDR_STR_MAX] = "";

	if (want)
		(void)addr_str(want, text);
	ipam_describe(a->ipam, family, &use);
	switch (outcome) {
	case IPAM_TAKEN:
		return address_taken(a, want, text, reterr);
	case IPAM_RECENT:
		return err_set(reterr, -CNI_E_TRY_AGAIN,
			       "address %s was another pod's until a moment ago; it is given out "
			       "again after address-cooldown (%" PRIu64 " s)",
			       text, (uint64_t)(a->config->address_cooldown_usec / USEC_PER_SEC));
	case IPAM_OUTSIDE:
	case IPAM_NO_RANGE:
		return err_set(reterr, -CNI_E_CONFIG, "address %s is in no range of this node: %s",
			       text, use.data ? use.data : "there is none");
	case IPAM_FULL:
	case IPAM_OK:
	case _IPAM_OUTCOME_MAX:
		break;
	}
	return err_set(reterr, -CNI_E_FULL, "no free address: %s", use.data ? use.data : "");
}

static int allocate(struct agent *a, const struct cni_request *q, struct attachment *at,
		    struct err *reterr)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct addr *want = wanted_address(q, families[i]);
		enum ipam_outcome r;

		if (!want && !ipam_has_family(a->ipam, families[i]))
			continue;
		r = ipam_alloc(a->ipam, families[i], want, attachment_owner(at), loop_now(a->loop),
			       &at->addrs[at->n_addrs]);
		if (r != IPAM_OK)
			return allocation_error(a, r, families[i], want, reterr);
		at->n_addrs++;
	}
	if (at->n_addrs)
		return 0;
	return err_set(reterr, -CNI_E_TRY_AGAIN,
		       "node %s has no pod range yet: neither spec.podCIDRs nor ranges in the "
		       "configuration",
		       a->config->node);
}

/* Host ports are exclusive: two pods cannot have the same one. */
static int check_host_ports(const struct agent *a, const struct attachment *at, struct err *reterr)
{
	for (uint32_t i = 0; i < at->n_ports; i++) {
		const struct host_port *p = &at->ports[i];
		const struct attachment *o = journal_find_port(a->journal, p);

		if (o)
			return err_set(reterr, -CNI_E_CONFIG,
				       "host port %u/%s belongs to pod %s/%s", p->host_port,
				       protocol_str(p->protocol), o->ns, o->pod);
	}
	return 0;
}

/**
 * attach_rules() - Want the rules of a pod; again if they are wanted already
 * @a:  Agent
 * @at: Attachment
 */
void attach_rules(struct agent *a, const struct attachment *at)
{
	datapath_attach(a->datapath, at);
}

/* What stood in for the record of this interface is needed no more: its link is made again. */
static void forget_unexplained(struct agent *a, const char *host_ifname)
{
	_cleanup_(attachment_freep) struct attachment *copy = NULL;
	const struct attachment *at = journal_find_link(a->journal, host_ifname);

	if (!at || !attachment_is_unexplained(at))
		return;
	copy = attachment_copy(at);
	attach_forget(a, copy);
	attach_release(a, copy);
}

/**
 * attach_make() - Give a container addresses, on disk soon, and want its rules
 * @a:       Agent
 * @q:       ADD request
 * @ret:     Attachment, a copy to be freed; untouched on failure
 * @ret_seq: Journal record that makes it durable; untouched on failure
 * @reterr:  What is wrong
 *
 * Return: 0; the negative of an enum cni_code, and nothing is left
 */
int attach_make(struct agent *a, const struct cni_request *q, struct attachment **ret,
		uint64_t *ret_seq, struct err *reterr)
{
	_cleanup_(attachment_freep) struct attachment *at = cni_attachment_new(q);
	int r = check_host_ports(a, at, reterr);

	forget_unexplained(a, at->host_ifname);
	if (r == 0)
		r = hostaddrs_check(&a->hostaddrs, at, reterr);
	if (r == 0)
		r = allocate(a, q, at, reterr);
	if (r == 0 && journal_put(a->journal, at, ret_seq, reterr) < 0)
		r = -CNI_E_IO;
	if (r < 0) {
		for (uint32_t i = 0; i < at->n_addrs; i++)
			(void)ipam_release(a->ipam, &at->addrs[i], attachment_owner(at),
					   loop_now(a->loop));
		return r;
	}
	attach_rules(a, at);
	*ret = TAKE(at, NULL);
	return 0;
}

static struct claimant owner_of(const struct attachment *at)
{
	return (struct claimant){.rank = ROUTE_OF_POD, .name = at->host_ifname};
}

/**
 * attach_want_routes() - Want the routes to a pod
 * @a:  Agent
 * @at: Attachment whose link exists; it may be another link than before, of the same name
 */
void attach_want_routes(struct agent *a, const struct attachment *at)
{
	const struct claimant owner = owner_of(at);

	for (uint32_t i = 0; i < at->n_addrs; i++) {
		struct route r = {
			.dst = prefix_host(&at->addrs[i]), .kind = ROUTE_DEV, .neigh = at->mac};

		(void)snprintf(r.ifname, sizeof(r.ifname), "%s", at->host_ifname);
		routes_lost(a->routes, &r.dst);
		routes_want(a->routes, &owner, &r);
	}
	links_made(a, at->host_ifname);
}

/**
 * attach_routed() - Has the kernel acknowledged the routes to a pod?
 * @a:  Agent
 * @at: Attachment
 *
 * Return: true if so
 */
bool attach_routed(const struct agent *a, const struct attachment *at)
{
	for (uint32_t i = 0; i < at->n_addrs; i++) {
		struct prefix dst = prefix_host(&at->addrs[i]);

		if (!routes_in_kernel(a->routes, &dst))
			return false;
	}
	return true;
}

/**
 * attach_under_way() - Does the kernel still have to answer for a pod's routes?
 * @a:  Agent
 * @at: Attachment
 *
 * Return: true if so
 */
bool attach_under_way(const struct agent *a, const struct attachment *at)
{
	for (uint32_t i = 0; i < at->n_addrs; i++) {
		struct prefix dst = prefix_host(&at->addrs[i]);

		if (routes_under_way(a->routes, &dst))
			return true;
	}
	return false;
}

/**
 * attach_unroute() - Want no routes to a pod any more
 * @a:  Agent
 * @at: Attachment
 *
 * As long as a packet can reach the pod, it is held to the pod's rules: they go later.
 */
void attach_unroute(struct agent *a, const struct attachment *at)
{
	const struct claimant owner = owner_of(at);

	for (uint32_t i = 0; i < at->n_addrs; i++) {
		struct prefix dst = prefix_host(&at->addrs[i]);

		routes_drop(a->routes, &owner, &dst);
	}
}

/**
 * attach_forget() - Want neither rules nor routes of a pod any more
 * @a:  Agent
 * @at: Attachment that no packet reaches: its link is gone, or its routes are
 */
void attach_forget(struct agent *a, const struct attachment *at)
{
	datapath_detach(a->datapath, at->id, at->ifname);
	attach_unroute(a, at);
	links_made(a, at->host_ifname);
}

/**
 * attach_link_names() - The host's ends of all pods' interfaces
 * @a:   Agent
 * @ret: Zeroed; sorted; to be freed
 */
void attach_link_names(const struct agent *a, struct link_names *ret)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(a->journal, at)))
		link_names_add(ret, at->host_ifname);
	link_names_sort(ret);
}

/**
 * attach_release() - Free the addresses of a pod, in the journal too
 * @a:  Agent
 * @at: Attachment, a copy; nothing happens if it was released before
 */
void attach_release(struct agent *a, const struct attachment *at)
{
	struct err e = {0};
	uint64_t seq;

	if (!journal_find(a->journal, at->id, at->ifname))
		return;
	for (uint32_t i = 0; i < at->n_addrs; i++)
		(void)ipam_release(a->ipam, &at->addrs[i], attachment_owner(at), loop_now(a->loop));
	if (journal_remove(a->journal, at->id, at->ifname, &seq, &e) < 0)
		log_warn("cni", "release not written, found again at the next start", "err=\"%s\"",
			 e.msg);
}
