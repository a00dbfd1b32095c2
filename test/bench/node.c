// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * node.c - see node.h.  Ends the process when something fails.
 */
#include "test/bench/node.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <sys/socket.h>

#include "test/bench/figure.h"

#define SEND_BUFFER (32 << 20) /* as apply.c has */

static void on_changed(void *arg, const struct object_key *key, struct object *old)
{
	struct bench_node *n = arg;

	datapath_object(n->datapath, old, store_get(n->store, key));
}

/**
 * node_open() - Give the process a network namespace of its own and an empty table
 * @n: Node, all zero
 */
void node_open(struct bench_node *n)
{
	int size = SEND_BUFFER;
	struct err e = {0};

	if (unshare(CLONE_NEWNET) < 0)
		bench_fail("network namespace (run it as root)", NULL);
	if (nft_open(&n->kernel, &e) < 0)
		bench_fail("socket", &e);
	n->raw = mnl_socket_open(NETLINK_NETFILTER);
	if (!n->raw || mnl_socket_bind(n->raw, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(n->raw), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) <
		    0)
		bench_fail("socket", NULL);
	n->datapath = datapath_new("", NULL, NULL);
	n->table = n->datapath->table;
	n->store = store_new(on_changed, n);
	n->seq = 1;
}

/**
 * node_put() - An object appeared or changed
 * @n: Node
 * @o: Object; becomes the store's
 */
void node_put(struct bench_node *n, struct object *o)
{
	(void)store_put(n->store, o);
}

/**
 * node_attach() - A pod is one of this node, attached with its first address
 * @n:   Node
 * @pod: Its object
 */
void node_attach(struct bench_node *n, const struct object *pod)
{
	const struct pod *p = as_pod(pod);
	char host_ifname[IFNAME_MAX + 1];
	struct attachment a = {.id = (char *)p->o.uid,
			       .ifname = "eth0",
			       .netns = "",
			       .ns = (char *)pod->ns,
			       .pod = (char *)pod->name,
			       .uid = (char *)p->o.uid,
			       .host_ifname = host_ifname,
			       .mac = {{2, 0, 0, 0, 0, 1}},
			       .n_addrs = 1,
			       .addrs = {p->ips[0]}};

	attachment_host_ifname(DEFAULT_NETWORK, a.id, a.ifname, host_ifname);
	datapath_attach(n->datapath, &a);
}

/**
 * node_apply() - Bring everything into the kernel as an agent does
 * @n: Node
 */
void node_apply(struct bench_node *n)
{
	struct err e = {0};

	datapath_settle(n->datapath);
	if (nft_apply_all(n->kernel, n->table, &e) < 0)
		bench_fail("nft", &e);
}

/**
 * node_prepare() - Write a transaction, to be sent later
 * @n:   Node; believes that it is committed
 * @ops: Its operations, of table_ops()
 * @ret: Transaction
 */
void node_prepare(struct bench_node *n, const struct nft_ops *ops, struct nft_batch *ret)
{
	nft_encode(table_name(n->table), ops, n->seq, false, ret);
	n->seq = ret->next_seq;
	table_committed(n->table, ops);
}

/**
 * node_send() - Send a prepared transaction
 * @n: Node
 * @b: Transaction
 *
 * Return: microseconds from sendmsg() to the acknowledgement
 */
double node_send(struct bench_node *n, const struct nft_batch *b)
{
	char answer[8192];
	const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
	double began = bench_usec();
	ssize_t got;

	if (mnl_socket_sendto(n->raw, b->bytes.data, b->bytes.len) < 0)
		bench_fail("send", NULL);
	got = mnl_socket_recvfrom(n->raw, answer, sizeof(answer));
	if (got < 0 || h->nlmsg_type != NLMSG_ERROR ||
	    ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error)
		bench_fail("the kernel refused a prepared transaction", NULL);
	return bench_usec() - began;
}
