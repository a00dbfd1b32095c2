// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink_wait.c - what the kernel's workers finish after a link was configured: wait for it, so
 * that the first packet of a pod, or to it, is not lost.  Blocking, in the plugin's process.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <time.h>

#include "datapath/route/podlink_priv.h"

/* Doubled pauses from 0.05 ms to about 10 ms: 10 seconds in all.  A worker waits its turn behind
 * every other change of links on the node: 100 pods at once keep it for some hundred ms. */
#define WAIT_TRIES	1000
#define PAUSE_MIN_NSEC	50000L
#define PAUSE_DOUBLINGS 8

static void pause_before_try(int next)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MIN_NSEC << MIN(next, PAUSE_DOUBLINGS)};

	(void)nanosleep(&pause, NULL);
}

static int keep_type(void *arg, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type == RTM_NEWROUTE)
		*(uint8_t *)arg = m->rtm_type;
	return 0;
}

/**
 * podlink_wait_local() - Wait until an address receives
 * @s: Socket of its namespace
 * @a: Address that was added
 *
 * An IPv6 address that was added sends at once, but receives only when a worker has added its local
 * route, also without duplicate address detection: a first answer that is fast would be lost.
 *
 * Return: 0; -ETIMEDOUT; -errno
 */
int podlink_wait_local(struct mnl_socket *s, const struct addr *a)
{
	char request[128] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (int i = 0; i < WAIT_TRIES; i++) {
		struct nlmsghdr *h = mnl_nlmsg_put_header(request);
		uint8_t type = RTN_UNSPEC;
		struct rtmsg *m;
		int r;

		h->nlmsg_type = RTM_GETROUTE;
		h->nlmsg_flags = NLM_F_ACK;
		m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
		m->rtm_family = a->family;
		m->rtm_dst_len = (uint8_t)(addr_len(a) * 8);
		nl_put_addr(h, RTA_DST, a);
		r = nl_request(s, h, keep_type, &type);
		if (type == RTN_LOCAL || (r < 0 && r != -ENETUNREACH))
			return r;
		pause_before_try(i);
	}
	return -ETIMEDOUT;
}

/**
 * podlink_wait_running() - Wait until the host's end sends
 * @s:           Socket of the host's namespace
 * @host_ifname: Its name
 *
 * The end that was set up first learns of its carrier from the other one, and the kernel activates
 * its queues some time after that, in a worker; until then it drops what it is given.  Asking for
 * the link makes the kernel do it at once since Linux 6.8; before, one has to ask again.
 *
 * Return: 0; -ETIMEDOUT; -errno
 */
int podlink_wait_running(struct mnl_socket *s, const char *host_ifname)
{
	struct link l = {0};

	for (int i = 0; i < WAIT_TRIES; i++) {
		int r = link_get(s, host_ifname, &l);

		if (r < 0 || l.running)
			return r;
		pause_before_try(i);
	}
	return -ETIMEDOUT;
}
