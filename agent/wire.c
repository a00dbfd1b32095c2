// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wire.c - what the agent asks its callers to do, as messages.  Pure.
 */
#include "agent/wire.h"

#include "datapath/route/podlink.h"
#include "lib/jsonw.h"

static void put_addresses(struct jsonw *w, const struct attachment *at)
{
	char text[ADDR_STR_MAX];

	jsonw_begin(w, "addresses", '[');
	for (uint32_t i = 0; i < at->n_addrs; i++)
		jsonw_str(w, NULL, addr_str(&at->addrs[i], text));
	jsonw_end(w, ']');
}

/**
 * wire_link() - Ask for a link to be made, or compared
 * @what:  "attach" or "check"
 * @at:    Attachment
 * @netns: Path of the pod's network namespace as the caller gave it now
 * @mtu:   Bytes
 * @out:   Appended to
 */
void wire_link(const char *what, const struct attachment *at, const char *netns, uint32_t mtu,
	       struct buf *out)
{
	struct jsonw w = {.out = out};
	char mac[MAC_STR_MAX];

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "do", what);
	jsonw_str(&w, "netns", netns);
	jsonw_str(&w, "ifname", at->ifname);
	jsonw_str(&w, "host_ifname", at->host_ifname);
	jsonw_str(&w, "mac", mac_str(&at->mac, mac));
	jsonw_str(&w, "host_mac", PODLINK_HOST_MAC);
	jsonw_uint(&w, "mtu", mtu);
	put_addresses(&w, at);
	jsonw_end(&w, '}');
}

/**
 * wire_detach() - Ask for links to be deleted
 * @at:  Attachments
 * @n:   Their number
 * @out: Appended to
 */
void wire_detach(const struct attachment *const *at, size_t n, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "do", "detach");
	jsonw_begin(&w, "links", '[');
	for (size_t i = 0; i < n; i++)
		jsonw_str(&w, NULL, at[i]->host_ifname);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
}
