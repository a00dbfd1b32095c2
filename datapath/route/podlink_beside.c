// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * podlink_beside.c - an interface beside another one that has the pod's default route, as the
 * second network of a pod has.
 *
 * It takes nothing of the first: its routes stand in a table of its own, to which a rule leads the
 * packets from its addresses.  The table is PODLINK_TABLE with the interface's index, so that
 * whoever takes the interface away knows the rules, too; the routes go with the interface by
 * themselves.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "datapath/route/podlink_priv.h"

#define RULE_PRIORITY 30109 /* before the main table's; 109 is Manx's protocol number */
#define RULES_MAX     4	    /* of one interface and family, to be sure: there is one */

/* struct search - is there a default route through another interface than @index? */
struct search {
	uint32_t index;
	bool found;
};

static int see_default(void *arg, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *index = nl_find(h, sizeof(*m), RTA_OIF);
	struct search *s = arg;

	if (h->nlmsg_type == RTM_NEWROUTE && !m->rtm_dst_len && m->rtm_table == RT_TABLE_MAIN &&
	    m->rtm_type == RTN_UNICAST && (!index || nl_u32(index) != s->index))
		s->found = true;
	return 0;
}

/**
 * podlink_is_beside() - Does another interface have the pod's default route?
 * @s:       Socket of the pod's namespace
 * @family:  AF_INET or AF_INET6
 * @ifindex: Of ours
 * @ret:     The answer; untouched on failure
 *
 * Return: 0, -errno
 */
int podlink_is_beside(struct mnl_socket *s, uint8_t family, uint32_t ifindex, bool *ret)
{
	const struct rtmsg filter = {.rtm_family = family, .rtm_table = RT_TABLE_MAIN};
	struct search found = {.index = ifindex};
	int r = nl_list(s, RTM_GETROUTE, &filter, sizeof(filter), see_default, &found);

	if (r == -ENOENT) /* the table comes with its first route */
		r = 0;
	if (r == 0)
		*ret = found.found;
	return r;
}

static struct nlmsghdr *begin_rule(struct nlbatch *b, uint16_t type, uint16_t flags, uint8_t family,
				   uint8_t src_len, uint32_t ifindex)
{
	struct nlmsghdr *h = nlbatch_add(b, type, flags);
	struct fib_rule_hdr *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->family = family;
	r->src_len = src_len;
	r->action = FR_ACT_TO_TBL;
	if (ifindex)
		mnl_attr_put_u32(h, FRA_TABLE, PODLINK_TABLE | ifindex);
	mnl_attr_put_u32(h, FRA_PRIORITY, RULE_PRIORITY);
	return h;
}

/**
 * podlink_put_rule() - Lead the packets from an address to its interface's table
 * @b:       Appended to
 * @ifindex: Of the interface
 * @a:       Address
 */
void podlink_put_rule(struct nlbatch *b, uint32_t ifindex, const struct addr *a)
{
	struct nlmsghdr *h = begin_rule(b, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, a->family,
					(uint8_t)(addr_len(a) * 8), ifindex);

	nl_put_addr(h, FRA_SRC, a);
	nlbatch_added(b, h);
}

/* Those of an interface, or with @ifindex 0 those from an address. */
static void drop_rules(struct mnl_socket *s, uint8_t family, uint32_t ifindex, const struct addr *a)
{
	_cleanup_(freep) struct nlbatch *b = xmalloc(sizeof(*b));
	uint8_t src_len = a ? (uint8_t)(addr_len(a) * 8) : 0;
	int r = 0;

	for (int i = 0; i < RULES_MAX && r == 0; i++) {
		struct nlmsghdr *h;

		nlbatch_begin(b, s);
		h = begin_rule(b, RTM_DELRULE, 0, family, src_len, ifindex);
		if (a)
			nl_put_addr(h, FRA_SRC, a);
		nlbatch_added(b, h);
		r = nlbatch_send_all(b, NULL);
	}
}

/**
 * podlink_drop_rules() - Remove the rules for an address that an interface before left
 * @s: Socket of the pod's namespace
 * @a: Address
 */
void podlink_drop_rules(struct mnl_socket *s, const struct addr *a)
{
	drop_rules(s, a->family, 0, a);
}

/* struct rule_search - is there the rule of an address? */
struct rule_search {
	const struct addr *addr;
	uint32_t ifindex;
	bool found;
};

static int see_rule(void *arg, const struct nlmsghdr *h)
{
	const size_t header = sizeof(struct fib_rule_hdr);
	const struct nlattr *table = nl_find(h, header, FRA_TABLE);
	struct rule_search *s = arg;

	if (h->nlmsg_type == RTM_NEWRULE && table &&
	    nl_u32(table) == (PODLINK_TABLE | s->ifindex) &&
	    nl_addr_is(nl_find(h, header, FRA_SRC), s->addr))
		s->found = true;
	return 0;
}

/**
 * podlink_has_rule() - Is there the rule that podlink_put_rule() makes?
 * @s:       Socket of the pod's namespace
 * @ifindex: Of the interface
 * @a:       Address
 * @ret:     The answer; untouched on failure
 *
 * Return: 0, -errno
 */
int podlink_has_rule(struct mnl_socket *s, uint32_t ifindex, const struct addr *a, bool *ret)
{
	const struct fib_rule_hdr filter = {.family = a->family};
	struct rule_search found = {.addr = a, .ifindex = ifindex};
	int r = nl_list(s, RTM_GETRULE, &filter, sizeof(filter), see_rule, &found);

	if (r == 0)
		*ret = found.found;
	return r;
}

static int give_back(const struct podlink *l, struct mnl_socket *s, void *arg _unused_,
		     struct err *reterr _unused_)
{
	uint32_t ifindex = if_nametoindex(l->ifname);

	if (!ifindex)
		return 0;
	drop_rules(s, AF_INET, ifindex, NULL);
	drop_rules(s, AF_INET6, ifindex, NULL);
	return 0;
}

/**
 * podlink_give_back() - Before an interface is deleted: what of it would stay in the pod
 * @netns:  Path of the pod's namespace, which may be gone
 * @ifname: The interface in it
 */
void podlink_give_back(const char *netns, const char *ifname)
{
	const struct podlink l = {.netns = netns, .ifname = ifname};
	_cleanup_(closep) int fd = netns_open(netns, NULL);

	if (fd >= 0)
		(void)netns_inside(fd, &l, give_back, NULL, NULL);
}
