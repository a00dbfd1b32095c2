// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostaddrs.c - jobs of the waiter (lib/waiter.h) around host ports.
 */
#include "agent/hostaddrs.h"

#include "agent/cni/cni.h"
#include "datapath/route/conntrack_flows.h"
#include "datapath/route/nodes.h"
#include "datapath/route/rtnl.h"
#include "lib/log.h"

struct read_job {
	struct waiter_job job;
	struct hostaddrs *h;
	struct local_addr_list list;
	struct err err;
	int result;
};

static void read_run(struct waiter_job *j)
{
	struct read_job *p = container_of(j, struct read_job, job);

	p->result = rtnl_addresses(p->h->use.rtnl, &p->list, &p->err);
}

static void report(const struct hostaddrs *h)
{
	_cleanup_(buf_done) struct buf text = {0};

	hostaddr_describe(h->addrs, &text);
	log_info("route", "host ports are reached at", "addresses=\"%s\"", text.data);
}

/* What could not be read stays as it was, and is read again. */
static void read_done(struct waiter_job *j)
{
	struct read_job *p = container_of(j, struct read_job, job);
	struct hostaddrs *h = p->h;

	h->failed = p->result < 0;
	if (p->result < 0)
		h->use.refused(h->use.arg, &p->err);
	else if (hostaddr_local(h->addrs, &p->list))
		report(h);
	vec_done(&p->list.v);
	free(p);
	if (once_end(&h->job))
		hostaddrs_read(h);
}

/**
 * hostaddrs_read() - Learn the addresses of the host's interfaces; the turn after applies them
 * @h: Object
 */
void hostaddrs_read(struct hostaddrs *h)
{
	struct read_job *p;

	if (!once_begin(&h->job))
		return;
	p = xcalloc(1, sizeof(*p));
	p->job = (struct waiter_job){read_run, read_done, NULL};
	p->h = h;
	waiter_submit(h->use.waiter, &p->job);
}

/**
 * hostaddrs_settle() - See whether the Node object names other addresses
 * @h: Object
 */
void hostaddrs_settle(struct hostaddrs *h)
{
	const struct addr *ips;
	size_t n = nodes_own_addresses(h->use.nodes, &ips);

	if (hostaddr_node(h->addrs, ips, n))
		report(h);
}

/* --- what was tracked before -------------------------------------------------------------------
 */

/* struct forget_job - @ports: host ports of UDP; @addrs: where they are reached */
struct forget_job {
	struct waiter_job job;
	struct hostaddrs *h;
	VEC(struct host_port) ports;
	struct addr_list addrs;
	uint64_t cut;
	struct err err;
};

static bool is_forgotten(const struct forget_job *p, const struct flow *f)
{
	vec_foreach (port, &p->ports)
		if (f->protocol == port->protocol && f->port == port->host_port &&
		    addr_list_has(&p->addrs, &f->dst) &&
		    (!port->has_ip || addr_eq(&f->dst, &port->host_ip)))
			return true;
	return false;
}

static void forget_run(struct waiter_job *j)
{
	struct forget_job *p = container_of(j, struct forget_job, job);
	struct conntrack *c = p->h->use.conntrack;
	struct flow_list flows = {0};
	size_t n = 0;

	if (conntrack_flows(c, &p->addrs, &flows, &p->err) == 0) {
		vec_foreach (f, &flows.f)
			if (is_forgotten(p, f))
				flows.f.v[n++] = *f;
		flows.f.n = n;
		if (n)
			(void)conntrack_cut(c, &p->addrs, &flows, &p->cut, &p->err);
	}
	flow_list_done(&flows);
}

static void forget_done(struct waiter_job *j)
{
	struct forget_job *p = container_of(j, struct forget_job, job);

	if (p->err.code)
		log_warn("route", "what was tracked on a host port may miss its pod", "err=\"%s\"",
			 p->err.msg);
	else if (p->cut)
		log_info("route", "tracked before the pod had the host port, forgotten",
			 "entries=%llu", (unsigned long long)p->cut);
	vec_done(&p->ports);
	vec_done(&p->addrs.a);
	free(p);
}

/**
 * hostaddrs_forget() - Forget what was tracked on the UDP host ports of a new pod
 * @h:  Object
 * @at: Attachment whose rules are in the kernel
 *
 * A client that goes on sending from one port would never reach the pod: the kernel translates
 * the first packet of a connection only, and that one was for nobody, or for the node.
 */
void hostaddrs_forget(struct hostaddrs *h, const struct attachment *at)
{
	struct forget_job *p = xcalloc(1, sizeof(*p));
	const struct addr *own;
	size_t n = hostaddr_all(h->addrs, &own);

	for (uint32_t i = 0; i < at->n_ports; i++)
		if (at->ports[i].protocol == PROTO_UDP)
			vec_push(&p->ports, at->ports[i]);
	if (!p->ports.n || !n) {
		vec_done(&p->ports);
		free(p);
		return;
	}
	for (size_t i = 0; i < n; i++)
		vec_push(&p->addrs.a, own[i]);
	addr_list_sort(&p->addrs);
	p->job = (struct waiter_job){forget_run, forget_done, NULL};
	p->h = h;
	waiter_submit(h->use.waiter, &p->job);
}

/* --- hostIP ------------------------------------------------------------------------------------
 */

/**
 * hostaddrs_check() - Can the host ports of an attachment be served?
 * @h:      Object
 * @at:     Attachment
 * @reterr: Which address is not this node's
 *
 * Return: 0; the negative of an enum cni_code
 */
int hostaddrs_check(const struct hostaddrs *h, const struct attachment *at, struct err *reterr)
{
	for (uint32_t i = 0; i < at->n_ports; i++) {
		const struct host_port *p = &at->ports[i];
		_cleanup_(buf_done) struct buf own = {0};
		char text[ADDR_STR_MAX];

		if (!p->has_ip || hostaddr_has(h->addrs, &p->host_ip))
			continue;
		if (!hostaddr_known(h->addrs))
			return err_set(reterr, -CNI_E_TRY_AGAIN,
				       "the node's addresses are not known yet");
		hostaddr_describe(h->addrs, &own);
		return err_set(
			reterr, -CNI_E_CONFIG,
			"host port %u: hostIP %s is no address of this node that can have host "
			"ports: %s",
			p->host_port, addr_str(&p->host_ip, text), own.data);
	}
	return 0;
}

/**
 * hostaddrs_open() - Begin
 * @h: Zeroed but for its addresses
 * @u: What it uses; copied
 */
void hostaddrs_open(struct hostaddrs *h, const struct hostaddrs_uses *u)
{
	h->use = *u;
}
