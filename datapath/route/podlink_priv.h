/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * podlink_priv.h - shared by the files of podlink.h.
 */
#pragma once

#include "datapath/route/nlmsg_link.h"
#include "datapath/route/podlink.h"

/**
 * typedef netns_fn - Does something inside a pod's namespace
 * @l:      The pod's link
 * @s:      rtnetlink socket that belongs to the namespace
 * @arg:    Context
 * @reterr: What failed
 *
 * Return: 0, -errno
 */
typedef int netns_fn(const struct podlink *l, struct mnl_socket *s, void *arg, struct err *reterr);

/* podlink_netns.c */
int netns_open(const char *path, struct err *reterr);
int netns_inside(int netns, const struct podlink *l, netns_fn *fn, void *arg, struct err *reterr);
bool netns_joins(struct mnl_socket *s, int netns, const struct link *host, const struct link *pod);

/* podlink_pod.c */
struct addr podlink_gateway(uint8_t family);
void podlink_put_address(struct nlbatch *b, int ifindex, const struct addr *a);
void podlink_put_neighbour(struct nlbatch *b, int ifindex, const struct addr *a,
			   const struct mac *mac);
bool podlink_has_family(const struct podlink *l, uint8_t family);
int podlink_configure(const struct podlink *l, struct mnl_socket *s, void *arg, struct err *reterr);

/* podlink_check.c */
int podlink_check_host(const struct podlink *l, struct mnl_socket *s, struct link *ret_host,
		       struct err *reterr);

/* podlink_mtu.c */
int podlink_follow_mtu(const struct podlink *l, struct mnl_socket *s, uint32_t *ret_mtu,
		       struct err *reterr);

/* podlink_beside.c */
#define PODLINK_TABLE 0x6d780000u /* "mx", and the interface's index */
int podlink_is_beside(struct mnl_socket *s, uint8_t family, uint32_t ifindex, bool *ret);
void podlink_put_rule(struct nlbatch *b, uint32_t ifindex, const struct addr *a);
void podlink_drop_rules(struct mnl_socket *s, const struct addr *a);
int podlink_has_rule(struct mnl_socket *s, uint32_t ifindex, const struct addr *a, bool *ret);

/* podlink_wait.c */
int podlink_wait_local(struct mnl_socket *s, const struct addr *a);
int podlink_wait_running(struct mnl_socket *s, const char *host_ifname);

/* podlink.c */
int podlink_remove(struct mnl_socket *s, const char *host_ifname, struct err *reterr);

/* podlink_stale.c */
int podlink_clear_stale(const struct podlink *l, struct mnl_socket *s, int netns,
			struct err *reterr);
