// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * restore.c - what an earlier agent, a crash or a reboot left behind.
 *
 * An attachment whose link is gone is released.  A link of ours that no attachment knows is
 * deleted, unless the journal is missing or was damaged: then it may be a running pod's, stays
 * isolated, and keeps its addresses.  Everything else is put back into force as it was.  Blocking:
 * it runs before the loop.
 */
#include "agent/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/command/instance.h"
#include "lib/log.h"

/* Whoever gets the address next must not inherit its connections. */
static void forget_connections(struct agent *a, const struct attachment *at)
{
	struct err e = {0};

	if (conntrack_flush(a->routing.conntrack, at->addrs, at->n_addrs, &e) < 0)
		log_warn("ipam", "connections of a pod that went may be left",
			 "pod=\"%s/%s\" err=\"%s\"", at->ns, at->pod, e.msg);
}

static void release_gone(struct agent *a, const struct link_names *links)
{
	const struct attachment *at = NULL;
	VEC(struct attachment *) gone = {0};

	while ((at = journal_next(a->journal, at)))
		if (!link_names_have(links, at->host_ifname))
			vec_push(&gone, attachment_copy(at));
	vec_foreach (g, &gone) {
		log_info("ipam", "the link is gone, releasing", "pod=\"%s/%s\" ifname=%s", (*g)->ns,
			 (*g)->pod, (*g)->host_ifname);
		forget_connections(a, *g);
		attach_release(a, *g);
		(void)attachment_free(*g);
	}
	vec_done(&gone);
}

static void delete_orphans(struct agent *a, const struct link_names *links)
{
	struct link_names known = {0};
	struct err e = {0};

	attach_link_names(a, &known);
	vec_foreach (l, &links->v) {
		if (link_names_have(&known, *l))
			continue;
		log_info("ipam", "deleting a link that nobody knows", "ifname=%s", *l);
		if (rtnl_link_delete(a->rtnl, *l, &e) < 0)
			log_warn("ipam", "cannot delete it", "ifname=%s err=\"%s\"", *l, e.msg);
	}
	link_names_done(&known);
}

static void keep_address(struct agent *a, struct attachment *at, const struct addr *addr)
{
	if (at->n_addrs == ARRAY_SIZE(at->addrs) ||
	    (at->n_addrs && at->addrs[0].family >= addr->family) || !ipam_adopt(a->ipam, addr))
		return;
	at->addrs[at->n_addrs++] = *addr;
}

/* The kernel's routes tell which addresses a link has. */
static void fence(struct agent *a, const char *ifname, const struct route_list *routes)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	_cleanup_(attachment_freep) struct attachment *at = attachment_unexplained(ifname);
	char text[ADDR_STR_MAX] = "?";
	struct err e = {0};
	uint64_t seq;

	for (size_t f = 0; f < ARRAY_SIZE(families); f++)
		vec_foreach (r, &routes->v)
			if (r->kind == ROUTE_DEV && streq(r->ifname, ifname) &&
			    r->dst.addr.family == families[f] &&
			    r->dst.len == 8 * addr_len(&r->dst.addr))
				keep_address(a, at, &r->dst.addr);
	if (at->n_addrs)
		(void)addr_str(&at->addrs[0], text);
	log_err("ipam",
		"the journal lost the record of a pod's interface: it is isolated; delete the pod "
		"that "
		"has this address",
		"ifname=%s address=%s", ifname, text);
	if (journal_put(a->journal, at, &seq, &e) < 0)
		log_warn("ipam", "not written, seen again at the next start",
			 "ifname=%s err=\"%s\"", ifname, e.msg);
}

/* The record of a link that nobody knows is one of those that were lost. */
static void fence_orphans(struct agent *a, const struct link_names *links)
{
	struct link_names known = {0};
	struct route_list routes = {0};
	struct err e = {0};

	attach_link_names(a, &known);
	if (rtnl_list(a->rtnl, &routes, &e) < 0)
		log_warn("ipam", "addresses of unknown pods not read", "err=\"%s\"", e.msg);
	vec_foreach (l, &links->v)
		if (!link_names_have(&known, *l))
			fence(a, *l, &routes);
	vec_done(&routes.v);
	link_names_done(&known);
}

/* An address freed shortly before the restart goes on cooling down. */
static void rest_on(void *arg, const struct addr *addr, uint64_t freed, uint64_t owner)
{
	struct agent *a = arg;

	if (ipam_adopt(a->ipam, addr))
		(void)ipam_release(a->ipam, addr, owner, freed);
}

/**
 * restore_attachments() - Put the attachments of the journal back into force
 * @a: Agent, before its first turn
 */
void restore_attachments(struct agent *a)
{
	const struct attachment *at = NULL;
	struct link_names links = {0};
	struct err e = {0};

	while ((at = journal_next(a->journal, at)))
		for (uint32_t i = 0; i < at->n_addrs; i++)
			(void)ipam_adopt(a->ipam, &at->addrs[i]);
	journal_take_freed(a->journal, rest_on, a);
	if (rtnl_each_pod_link(a->rtnl, link_names_add, &links, &e) == 0) {
		link_names_sort(&links);
		fences_compare(&a->fences, &links);
		release_gone(a, &links);
		if (a->journal_doubtful)
			fence_orphans(a, &links);
		else
			delete_orphans(a, &links);
	} else {
		log_warn("ipam", "links not read, nothing is released", "err=\"%s\"", e.msg);
	}
	link_names_done(&links);
	at = NULL;
	while ((at = journal_next(a->journal, at))) {
		attach_rules(a, at);
		if (!attachment_is_unexplained(at))
			attach_want_routes(a, at);
	}
}

/* The host was booted since: no container of before exists. */
static void forget_all(struct agent *a)
{
	size_t n = journal_count(a->journal);
	const struct attachment *at;

	while ((at = journal_next(a->journal, NULL))) {
		_cleanup_(attachment_freep) struct attachment *copy = attachment_copy(at);

		attach_release(a, copy);
	}
	if (n)
		log_info("ipam", "the host was booted, all addresses are free again", "pods=%zu",
			 n);
}

/**
 * restore_journal() - Open the journal
 * @a:      Agent
 * @reterr: What failed
 *
 * Return: 0; -errno
 */
int restore_journal(struct agent *a, struct err *reterr)
{
	_cleanup_(freep) char *path = instance_journal_path(a->config->state_dir);
	struct journal_report report = {0};
	int r = journal_open(path, a->boot_id, &a->journal, &report, reterr);

	if (r < 0)
		return r;
	if (report.bad_bytes)
		log_warn("ipam", "the journal was damaged, what holds of it is used",
			 "file=%s offset=%" PRIu64 " bytes=%" PRIu64 " kept=%s.damaged-%u", path,
			 report.good_bytes, report.bad_bytes, path, report.kept);
	a->journal_doubtful = report.bad_bytes || report.damaged || report.empty;
	if (report.rebooted)
		forget_all(a);
	return 0;
}
