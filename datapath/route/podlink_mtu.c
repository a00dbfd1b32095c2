// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink_mtu.c - both ends of a pod's link follow the node's MTU.
 *
 * A veth drops what is larger than the MTU of the end that receives it, without a word to the
 * sender, so the end that receives grows first and the one that sends shrinks first.  A pod that
 * lowered its own keeps it.  Without the right to enter the pod's namespace (CAP_SYS_ADMIN) both
 * ends stay as they are: packets that are too large for the node's interface are then answered with
 * what path MTU discovery needs, as by any router.
 */
#include <errno.h>

#include "datapath/route/podlink_priv.h"

#define MTU_LEAST     68u
#define MTU_LEAST_SIX 1280u

/**
 * podlink_mtu_of_link() - The MTU that pods get behind one of the node's links
 * @link: What the kernel says of that link; 0 if it says nothing
 * @six:  Pods have IPv6
 *
 * Pure.  lo has 65536 bytes, which is more than a veth takes (ETH_MAX_MTU); a value that is no
 * positive int is none (the kernel's own is one); below RFC 791's 68 nothing can be sent, and below
 * RFC 8200's 1280 the kernel takes no IPv6 address.
 *
 * Return: bytes; 0 if @link says nothing
 */
uint32_t podlink_mtu_of_link(uint32_t link, bool six)
{
	if (link < MTU_LEAST || link > INT32_MAX)
		return 0;
	return MIN(MAX(link, six ? MTU_LEAST_SIX : 0), PODLINK_MTU_MOST);
}

/**
 * podlink_next_mtu() - The MTU that a pod's end shall have
 * @pod:  Its own now
 * @host: The other end's now; one that is larger than the pod's says that the pod lowered its own
 * @node: What Manx gives pods
 *
 * Pure.
 *
 * Return: bytes
 */
uint32_t podlink_next_mtu(uint32_t pod, uint32_t host, uint32_t node)
{
	return pod < host ? MIN(pod, node) : node;
}

static int set_inside(const struct podlink *l, struct mnl_socket *s, void *arg, struct err *reterr)
{
	return link_change(s, l->ifname, arg, reterr);
}

static int set_pod(const struct podlink *l, uint32_t mtu, struct err *reterr)
{
	_cleanup_(closep) int netns = netns_open(l->netns, reterr);
	struct link_change change = {.mtu = mtu};

	return netns < 0 ? netns : netns_inside(netns, l, set_inside, &change, reterr);
}

static int set_host(const struct podlink *l, struct mnl_socket *s, struct err *reterr)
{
	const struct link_change change = {.up = true, .forward = true, .mtu = l->mtu};

	return link_change(s, l->host_ifname, &change, reterr);
}

static int set_both(const struct podlink *l, struct mnl_socket *s, const struct link *host,
		    const struct link *pod, struct err *reterr)
{
	const struct link_change back = {.mtu = host->mtu};
	uint32_t next = podlink_next_mtu(pod->mtu, host->mtu, l->mtu);
	bool grows = l->mtu > host->mtu;
	int r = grows ? set_host(l, s, reterr) : 0;

	if (r == 0 && next != pod->mtu)
		r = set_pod(l, next, reterr);
	if (r < 0 && grows)
		(void)link_change(s, l->host_ifname, &back, NULL);
	return r == 0 && !grows ? set_host(l, s, reterr) : r;
}

/**
 * podlink_follow_mtu() - Have both ends follow the node's MTU
 * @l:       @netns, @ifname, @host_ifname and @mtu are used
 * @s:       Socket of the host
 * @ret_mtu: What the host's end has now; 0 if it is not known
 * @reterr:  What failed
 *
 * The pod is entered only to change something.
 *
 * Return: 0; -EPERM: the pod cannot be entered, both ends are as before; -errno
 */
int podlink_follow_mtu(const struct podlink *l, struct mnl_socket *s, uint32_t *ret_mtu,
		       struct err *reterr)
{
	struct link host = {0}, pod = {0};
	int r = link_get(s, l->host_ifname, &host);

	*ret_mtu = host.mtu;
	if (r == 0)
		r = link_get_peer(s, &host, &pod);
	if (r < 0)
		return err_set(reterr, r, "looking at both ends of %s: %s", l->host_ifname,
			       strerror(-r));
	r = set_both(l, s, &host, &pod, reterr);
	if (r == 0)
		*ret_mtu = l->mtu;
	return r;
}
