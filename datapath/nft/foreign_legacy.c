// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * foreign_legacy.c - the FORWARD chain of iptables-legacy, whose tables nftables does not know.
 *
 * Only a table that exists is asked for: asking for another would make it.  The kernel tells of no
 * change here; it is looked at whenever the other tables are.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/nft/foreign_rules_priv.h"

#define TABLE	   "filter"
#define DEPTH_MAX  16
#define RULES_MAX  100000 /* of one walk: chains cannot hold the thread */
#define SIZE_LIMIT (64u << 20)

/* struct legacy - the entries of a table, and a packet on its way through them */
struct legacy {
	bool six;
	const uint8_t *entries;
	uint32_t size, steps;
	const struct firewall_packet *packet;
};

/* struct entry - one rule, of either family */
struct entry {
	enum firewall_truth matches; /* of the header */
	uint16_t head, target, next; /* offsets within it */
};

static enum firewall_truth truth_of(bool b)
{
	return b ? FIREWALL_YES : FIREWALL_NO;
}

static bool same_masked(const void *a, const void *b, const void *mask, size_t len)
{
	const uint8_t *x = a, *y = b, *m = mask;

	for (size_t i = 0; i < len; i++)
		if ((x[i] ^ y[i]) & m[i])
			return false;
	return true;
}

static bool same_interface(const char *name, const char *wanted, const uint8_t *mask)
{
	char padded[IFNAMSIZ] = {0};

	(void)snprintf(padded, sizeof(padded), "%s", name);
	return same_masked(padded, wanted, mask, sizeof(padded));
}

static bool matches4(const struct ipt_ip *i, const struct firewall_packet *p)
{
	return same_masked(p->src.b, &i->src, &i->smsk, 4) != !!(i->invflags & IPT_INV_SRCIP) &&
	       same_masked(p->dst.b, &i->dst, &i->dmsk, 4) != !!(i->invflags & IPT_INV_DSTIP) &&
	       same_interface(p->iif, i->iniface, i->iniface_mask) !=
		       !!(i->invflags & IPT_INV_VIA_IN) &&
	       same_interface(p->oif, i->outiface, i->outiface_mask) !=
		       !!(i->invflags & IPT_INV_VIA_OUT) &&
	       (!i->proto || (i->proto == IPPROTO_TCP) != !!(i->invflags & IPT_INV_PROTO)) &&
	       !(i->flags & IPT_F_FRAG) == !(i->invflags & IPT_INV_FRAG);
}

static bool matches6(const struct ip6t_ip6 *i, const struct firewall_packet *p)
{
	return same_masked(p->src.b, &i->src, &i->smsk, 16) != !!(i->invflags & IP6T_INV_SRCIP) &&
	       same_masked(p->dst.b, &i->dst, &i->dmsk, 16) != !!(i->invflags & IP6T_INV_DSTIP) &&
	       same_interface(p->iif, i->iniface, i->iniface_mask) !=
		       !!(i->invflags & IP6T_INV_VIA_IN) &&
	       same_interface(p->oif, i->outiface, i->outiface_mask) !=
		       !!(i->invflags & IP6T_INV_VIA_OUT) &&
	       (!(i->flags & IP6T_F_PROTO) ||
		(i->proto == IPPROTO_TCP) != !!(i->invflags & IP6T_INV_PROTO));
}

/* False beyond the end, or where offsets do not fit. */
static bool read_entry(const struct legacy *l, uint32_t at, struct entry *ret)
{
	size_t head = l->six ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);

	if (at > l->size || l->size - at < head)
		return false;
	if (l->six) {
		const struct ip6t_entry *e = (const void *)(l->entries + at);

		*ret = (struct entry){truth_of(matches6(&e->ipv6, l->packet)), (uint16_t)head,
				      e->target_offset, e->next_offset};
	} else {
		const struct ipt_entry *e = (const void *)(l->entries + at);

		*ret = (struct entry){truth_of(matches4(&e->ip, l->packet)), (uint16_t)head,
				      e->target_offset, e->next_offset};
	}
	return ret->target >= head && ret->next <= l->size - at &&
	       ret->target + sizeof(struct xt_entry_target) <= ret->next;
}

static enum firewall_truth run_matches(const struct legacy *l, uint32_t at, const struct entry *e)
{
	enum firewall_truth all = e->matches;

	for (uint32_t i = e->head; all != FIREWALL_NO && i < e->target;) {
		const struct xt_entry_match *m = (const void *)(l->entries + at + i);
		enum firewall_truth one = FIREWALL_MAYBE;

		if (e->target - i < sizeof(*m) || m->u.match_size < sizeof(*m) ||
		    m->u.match_size > e->target - i)
			return FIREWALL_MAYBE;
		if (memchr(m->u.user.name, '\0', sizeof(m->u.user.name)))
			one = firewall_match(m->u.user.name, m->data,
					     m->u.match_size - (uint32_t)sizeof(*m));
		all = MIN(all, one);
		i += m->u.match_size;
	}
	return all;
}

static enum firewall_verdict run(struct legacy *l, uint32_t at, int depth);

/* What a rule does that matches; @ret_stop: its chain ends there */
static enum firewall_verdict obey(struct legacy *l, uint32_t at, const struct entry *e, int depth,
				  bool *ret_stop)
{
	const struct xt_entry_target *t = (const void *)(l->entries + at + e->target);
	const char *name = t->u.user.name;
	enum firewall_verdict v;
	int verdict;

	*ret_stop = true;
	if (!memchr(name, '\0', sizeof(t->u.user.name)))
		return FIREWALL_UNSURE;
	if (*name) {
		v = firewall_target(name);
		*ret_stop = v != FIREWALL_NEXT;
		return v;
	}
	if (e->target + sizeof(struct xt_standard_target) > e->next)
		return FIREWALL_UNSURE;
	verdict = ((const struct xt_standard_target *)t)->verdict;
	if (verdict == XT_RETURN)
		return FIREWALL_NEXT;
	if (verdict < 0)
		return verdict == -NF_ACCEPT - 1 ? FIREWALL_ACCEPT
		       : verdict == -NF_DROP - 1 ? FIREWALL_DROP
						 : FIREWALL_UNSURE;
	if ((uint32_t)verdict == at + e->next) { /* a rule that only counts */
		*ret_stop = false;
		return FIREWALL_NEXT;
	}
	v = depth < DEPTH_MAX ? run(l, (uint32_t)verdict, depth + 1) : FIREWALL_UNSURE;
	*ret_stop = v != FIREWALL_NEXT;
	return v;
}

/* From an entry to the end of its chain, which for a base chain is the policy. */
static enum firewall_verdict run(struct legacy *l, uint32_t at, int depth)
{
	struct entry e;

	for (; read_entry(l, at, &e) && l->steps++ < RULES_MAX; at += e.next) {
		enum firewall_truth matches = run_matches(l, at, &e);
		enum firewall_verdict v;
		bool stop = false;

		if (matches == FIREWALL_NO)
			continue;
		v = obey(l, at, &e, depth, &stop);
		if (stop && matches == FIREWALL_YES)
			return v;
		if (stop && v != FIREWALL_DROP)
			return FIREWALL_UNSURE;
	}
	return FIREWALL_UNSURE;
}

static bool exists(bool six)
{
	const char *path = six ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names";
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char names[1024];
	ssize_t n = fd < 0 ? -1 : read(fd, names, sizeof(names) - 1);

	if (n <= 0)
		return false;
	names[n] = '\0';
	for (char *save = NULL, *name = strtok_r(names, "\n", &save); name;
	     name = strtok_r(NULL, "\n", &save))
		if (streq(name, TABLE))
			return true;
	return false;
}

/* NULL: it cannot be read, or there is none. */
static struct ipt_get_entries *read_table(bool six, uint32_t *ret_begin)
{
	_cleanup_(closep) int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ipt_getinfo info = {.name = TABLE};
	struct ipt_get_entries *e = NULL;
	socklen_t len = sizeof(info);
	int level = six ? IPPROTO_IPV6 : IPPROTO_IP;

	if (fd < 0 || getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) < 0 ||
	    info.size > SIZE_LIMIT)
		return NULL;
	len = (socklen_t)(sizeof(*e) + info.size);
	e = xcalloc(1, len);
	(void)snprintf(e->name, sizeof(e->name), TABLE);
	e->size = info.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, e, &len) < 0) {
		free(e);
		return NULL;
	}
	*ret_begin = info.hook_entry[NF_INET_FORWARD];
	return e;
}

/**
 * nft_legacy_look() - Does the FORWARD chain of iptables-legacy drop one of these packets?
 * @packets: Packets
 * @n:       Their number
 * @ret:     What drops them, appended
 */
void nft_legacy_look(const struct firewall_packet *packets, size_t n, struct nft_hindrances *ret)
{
	for (int six = 0; six < 2; six++) {
		uint32_t begin = 0;
		_cleanup_(freep) struct ipt_get_entries *e = exists(six) ? read_table(six, &begin)
									 : NULL;

		for (size_t i = 0; e && i < n; i++) {
			struct nft_hindrance h = {.family = six ? NFPROTO_IPV6 : NFPROTO_IPV4,
						  .legacy = true,
						  .table = TABLE,
						  .chain = "FORWARD",
						  .packet = i};
			struct legacy l = {.six = six,
					   .entries = (const uint8_t *)e->entrytable,
					   .size = e->size,
					   .packet = &packets[i]};

			if ((packets[i].src.family == AF_INET6) == six &&
			    run(&l, begin, 0) == FIREWALL_DROP)
				vec_push(&ret->v, h);
		}
	}
}
