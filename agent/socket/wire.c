// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wire.c - messages between agent and callers: cut out of what was received, read, and written.
 * Pure.
 */
#include "agent/socket/wire.h"

#include <endian.h>
#include <errno.h>

#include "lib/jsonw.h"
#include "watch/document/json.h"

/* --- what comes --------------------------------------------------------------------------------
 */

/**
 * wire_frame() - How long the message is that begins here; for lib/stream.h
 * @data: What came
 * @len:  Its bytes
 *
 * Return: bytes, the length before it included; 0 if they do not say yet; -EMSGSIZE
 */
ssize_t wire_frame(const char *data, size_t len)
{
	uint32_t n;

	if (len < sizeof(n))
		return 0;
	memcpy(&n, data, sizeof(n));
	n = le32toh(n);
	return n > WIRE_MAX ? -EMSGSIZE : (ssize_t)(sizeof(n) + n);
}

/**
 * wire_read() - Read one whole message
 * @data:   Message, with its length before it
 * @len:    As wire_frame() said
 * @ret:    What it says; untouched on failure
 * @reterr: What is wrong with it
 *
 * Return: 0, -EPROTO
 */
int wire_read(const char *data, size_t len, struct value_doc **ret, struct err *reterr)
{
	if (json_parse(data + sizeof(uint32_t), len - sizeof(uint32_t), ret, reterr) < 0)
		return -EPROTO;
	return 0;
}

static const char *env_of(const struct value *env, const char *name)
{
	const char *s = NULL;

	(void)value_get_str(env, "env", name, &s, NULL);
	return s;
}

/**
 * wire_read_cni() - Read a CNI request
 * @m:        Message
 * @ret_env:  Variables, borrowed; NULL for those that are not given
 * @ret_conf: Network configuration, borrowed; "" if it is not given
 */
void wire_read_cni(const struct value *m, struct cni_env *ret_env, const char **ret_conf)
{
	const struct value *env = NULL;

	*ret_conf = "";
	(void)value_get_map(m, "", "env", &env, NULL);
	(void)value_get_str(m, "", "stdin", ret_conf, NULL);
	*ret_env = (struct cni_env){
		.command = env_of(env, "CNI_COMMAND"),
		.container_id = env_of(env, "CNI_CONTAINERID"),
		.netns = env_of(env, "CNI_NETNS"),
		.ifname = env_of(env, "CNI_IFNAME"),
		.args = env_of(env, "CNI_ARGS"),
		.path = env_of(env, "CNI_PATH"),
	};
}

static uint32_t read_addresses(const struct value *m, struct addr ret[2])
{
	const struct value *list = NULL;
	uint32_t n = 0;

	(void)value_get_seq(m, "", "addresses", &list, NULL);
	for (uint32_t i = 0; list && i < list->n && n < 2; i++)
		if (list->items[i]->type == VALUE_STRING &&
		    addr_parse(list->items[i]->text, &ret[n]) == 0)
			n++;
	return n;
}

/**
 * wire_read_link() - Read what the agent says about a link that it wants made or compared
 * @m:      Message
 * @ret:    Link, its texts borrowed; on failure anything
 * @reterr: Message
 *
 * Return: 0; -EINVAL
 */
int wire_read_link(const struct value *m, struct podlink *ret, struct err *reterr)
{
	const char *mac = NULL;
	int64_t mtu = 0;

	if (value_get_str(m, "", "netns", &ret->netns, reterr) <= 0 ||
	    value_get_str(m, "", "ifname", &ret->ifname, reterr) <= 0 ||
	    value_get_str(m, "", "host_ifname", &ret->host_ifname, reterr) <= 0 ||
	    value_get_str(m, "", "mac", &mac, reterr) <= 0 || mac_parse(mac, &ret->mac) < 0 ||
	    value_get_int(m, "", "mtu", 1, PODLINK_MTU_MOST, &mtu, reterr) <= 0)
		return err_set(reterr, -EINVAL, "the agent's request is incomplete");
	ret->mtu = (uint32_t)mtu;
	ret->n_addrs = read_addresses(m, ret->addrs);
	return 0;
}

/* --- what the agent asks for -------------------------------------------------------------------
 */

/**
 * wire_put() - Write a message as it goes over the socket
 * @json: Message, at most WIRE_MAX bytes
 * @out:  Appended to
 */
void wire_put(const char *json, struct buf *out)
{
	size_t len = strlen(json);
	uint32_t head = htole32((uint32_t)len);

	buf_put(out, &head, sizeof(head));
	buf_put(out, json, len);
}

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
