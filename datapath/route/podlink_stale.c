// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink_stale.c - make way for a pod's link where a name is taken.
 *
 * An ADD that was interrupted may have left a pair: under the host's name, which is the same for
 * the same container, or under another one (a container that the runtime made anew in the same
 * namespace).  Such a pair never got a route.  A pair that has one is in use, and anything that is
 * no pair of ours is somebody else's: both stay, and the name is refused, as the CNI specification
 * asks.
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "datapath/route/podlink_priv.h"
#include "datapath/route/routes.h"

static int find_pod_end(const struct podlink *l, struct mnl_socket *s, void *arg,
			struct err *reterr)
{
	int r = link_get(s, l->ifname, arg);

	return r == 0 || r == -ENODEV ? 0
				      : err_set(reterr, r, "interface %s in %s: %s", l->ifname,
						l->netns, strerror(-r));
}

/* struct search - is there a route of ours through a link? */
struct search {
	uint32_t index;
	bool found;
};

static int see_route(void *arg, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *index = nl_find(h, sizeof(*m), RTA_OIF);
	struct search *s = arg;

	if (h->nlmsg_type == RTM_NEWROUTE && m->rtm_protocol == RTPROT_MANX && index &&
	    nl_u32(index) == s->index)
		s->found = true;
	return 0;
}

/* In doubt it is in use. */
static bool in_use(struct mnl_socket *s, uint32_t index)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct search found = {.index = index};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct rtmsg filter = {.rtm_family = families[i],
					     .rtm_table = RT_TABLE_MAIN,
					     .rtm_protocol = RTPROT_MANX};

		if (nl_list(s, RTM_GETROUTE, &filter, sizeof(filter), see_route, &found) < 0)
			return true;
	}
	return found.found;
}

/**
 * podlink_clear_stale() - Delete what an interrupted ADD left under the names of a pod's link
 * @l:      Link that is to be made
 * @s:      Socket of the host
 * @netns:  Namespace of the pod
 * @reterr: What is in the way
 *
 * Takes some 20 ms for each link that is deleted.
 *
 * Return: 0: the names are free; -EEXIST: the pod's is in use; -EPERM: the host's is; -errno
 */
int podlink_clear_stale(const struct podlink *l, struct mnl_socket *s, int netns,
			struct err *reterr)
{
	struct link pod = {0}, host;
	int r = podlink_remove(s, l->host_ifname, reterr);

	if (r == 0)
		r = netns_inside(netns, l, find_pod_end, &pod, reterr);
	if (r < 0 || !pod.index)
		return r;
	if (!pod.peer || link_get_index(s, pod.peer, &host) < 0 ||
	    !netns_joins(s, netns, &host, &pod))
		return err_set(reterr, -EEXIST, "there is an interface %s in %s already, not ours",
			       l->ifname, l->netns);
	if (in_use(s, host.index))
		return err_set(reterr, -EEXIST,
			       "interface %s in %s is in use by another container: its other end "
			       "is %s",
			       l->ifname, l->netns, host.ifname);
	return podlink_remove(s, host.ifname, reterr);
}
