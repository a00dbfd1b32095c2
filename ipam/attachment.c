// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attachment.c - life and binary form of attachments.  Pure.
 *
 * The form is that of the journal's payloads: a version byte, then the fields in order, integers
 * little endian, strings with a 16-bit length.  A later version appends fields and raises the
 * byte.  What is read back is checked as strictly as a request is: its names become keys of
 * tables and names of interfaces.  At most 2 addresses, one a family, and HOST_PORTS_MAX ports.
 */
#include "ipam/attachment.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lib/hash.h"

#define HOST_IFNAME_DIGITS 12
#define UNEXPLAINED_PREFIX "unexplained-"
#define FORM_VERSION	   2 /* 1 had no network */

/**
 * attachment_free() - Free an attachment
 * @a: Attachment, perhaps half built; or NULL
 *
 * Return: NULL
 */
struct attachment *attachment_free(struct attachment *a)
{
	if (!a)
		return NULL;
	free(a->id);
	free(a->ifname);
	free(a->network);
	free(a->netns);
	free(a->ns);
	free(a->pod);
	free(a->uid);
	free(a->host_ifname);
	free(a->ports);
	free(a);
	return NULL;
}

/**
 * attachment_unexplained() - Stand in for an interface of a pod whose record was lost
 * @host_ifname: Its end in the host
 *
 * It has no pod's name, so that no object can belong to it, and no addresses yet.
 *
 * Return: the attachment, to be freed
 */
struct attachment *attachment_unexplained(const char *host_ifname)
{
	struct attachment *a = xcalloc(1, sizeof(*a));

	a->id = xasprintf(UNEXPLAINED_PREFIX "%s", host_ifname);
	a->ifname = xstrdup("unknown");
	a->netns = xstrdup("");
	a->ns = xstrdup("");
	a->pod = xstrdup(host_ifname);
	a->uid = xstrdup("");
	a->host_ifname = xstrdup(host_ifname);
	return a;
}

/**
 * attachment_is_unexplained() - Is it such a stand-in?
 * @a: Attachment
 *
 * Return: true if so
 */
bool attachment_is_unexplained(const struct attachment *a)
{
	return !*a->ns && strncmp(a->id, UNEXPLAINED_PREFIX, strlen(UNEXPLAINED_PREFIX)) == 0;
}

/**
 * attachment_copy() - Copy an attachment
 * @a: Attachment
 *
 * Return: a copy, to be freed
 */
struct attachment *attachment_copy(const struct attachment *a)
{
	struct attachment *c = xmemdup(a, sizeof(*a));

	c->id = xstrdup(a->id);
	c->ifname = xstrdup(a->ifname);
	c->network = a->network ? xstrdup(a->network) : NULL;
	c->netns = xstrdup(a->netns);
	c->ns = xstrdup(a->ns);
	c->pod = xstrdup(a->pod);
	c->uid = xstrdup(a->uid);
	c->host_ifname = xstrdup(a->host_ifname);
	c->ports = xmemdup(a->ports, a->n_ports * sizeof(*a->ports));
	return c;
}

/**
 * attachment_host_ifname() - Name of the host's end of a container's link
 * @network: Name of the network
 * @id:      Container
 * @ifname:  Interface in the container
 * @ret:     Name; depends on nothing but the arguments, so that the plugin finds the link of a DEL
 *           without the agent, and not that of another network
 */
void attachment_host_ifname(const char *network, const char *id, const char *ifname,
			    char ret[static IFNAME_MAX + 1])
{
	_cleanup_(buf_done) struct buf key = {0};

	if (!streq(network, DEFAULT_NETWORK))
		buf_put(&key, network, strlen(network) + 1);
	buf_put(&key, id, strlen(id) + 1);
	buf_puts(&key, ifname);
	(void)snprintf(ret, IFNAME_MAX + 1, HOST_IFNAME_PREFIX "%0*" PRIx64, HOST_IFNAME_DIGITS,
		       hash_stable(key.data, key.len) & 0xffffffffffff);
}

/**
 * attachment_is_host_ifname() - Can an interface be the host's end of a container's link?
 * @ifname: Its name
 *
 * Return: true if it is one that attachment_host_ifname() makes, the prefix and all digits
 */
bool attachment_is_host_ifname(const char *ifname)
{
	const char *digits = ifname + strlen(HOST_IFNAME_PREFIX);

	return str_starts(ifname, HOST_IFNAME_PREFIX) && strlen(digits) == HOST_IFNAME_DIGITS &&
	       strspn(digits, "0123456789abcdef") == HOST_IFNAME_DIGITS;
}

/**
 * attachment_owner() - Who may have an attachment's addresses again at once
 * @a: Attachment
 *
 * A pod of the same namespace and name, as of a StatefulSet, is the same to whoever knows it by its
 * address.
 *
 * Return: number that stands for both, never 0
 */
uint64_t attachment_owner(const struct attachment *a)
{
	_cleanup_(freep) char *name = xasprintf("%s/%s", a->ns, a->pod);

	return hash_stable(name, strlen(name)) | 1;
}

static void put_addr(struct buf *out, const struct addr *a)
{
	buf_put(out, &a->family, 1);
	buf_put(out, a->b, addr_len(a));
}

static struct addr read_addr(struct reader *r)
{
	struct addr a = {.family = reader_u8(r)};
	const uint8_t *b;

	if (a.family != AF_INET && a.family != AF_INET6)
		r->bad = true;
	b = r->bad ? NULL : reader_bytes(r, addr_len(&a));
	if (b)
		memcpy(a.b, b, addr_len(&a));
	return a;
}

/**
 * attachment_encode() - Write the binary form
 * @a:   Attachment; its strings have at most 65535 bytes, its counts are within the limits
 * @out: Appended to
 */
void attachment_encode(const struct attachment *a, struct buf *out)
{
	assert(a->n_addrs <= ARRAY_SIZE(a->addrs) && a->n_ports <= HOST_PORTS_MAX);
	buf_putc(out, FORM_VERSION);
	buf_put_str(out, a->id);
	buf_put_str(out, a->ifname);
	buf_put_str(out, a->netns);
	buf_put_str(out, a->ns);
	buf_put_str(out, a->pod);
	buf_put_str(out, a->uid);
	buf_put_str(out, a->host_ifname);
	buf_put(out, a->mac.b, MAC_LEN);
	buf_putc(out, (char)a->n_addrs);
	for (uint32_t i = 0; i < a->n_addrs; i++)
		put_addr(out, &a->addrs[i]);
	buf_put_u16(out, (uint16_t)a->n_ports);
	for (uint32_t i = 0; i < a->n_ports; i++) {
		const struct host_port *p = &a->ports[i];

		buf_putc(out, (char)p->protocol);
		buf_put_u16(out, p->host_port);
		buf_put_u16(out, p->container_port);
		buf_putc(out, (char)p->has_ip);
		if (p->has_ip)
			put_addr(out, &p->host_ip);
	}
	buf_put_str(out, a->network ? a->network : "");
}

static struct host_port read_port(struct reader *r)
{
	struct host_port p = {.protocol = reader_u8(r)};
	uint8_t has_ip;

	p.host_port = reader_u16(r);
	p.container_port = reader_u16(r);
	has_ip = reader_u8(r);
	if (has_ip > 1)
		r->bad = true;
	p.has_ip = has_ip;
	if (p.has_ip)
		p.host_ip = read_addr(r);
	return p;
}

/* A count from outside decides over memory, so it is checked before it is used. */
static uint32_t checked_count(struct reader *r, uint32_t n, uint32_t max)
{
	if (n > max)
		r->bad = true;
	return r->bad ? 0 : n;
}

static void read_addresses(struct reader *r, struct attachment *a)
{
	a->n_addrs = checked_count(r, reader_u8(r), ARRAY_SIZE(a->addrs));
	for (uint32_t i = 0; i < a->n_addrs; i++)
		a->addrs[i] = read_addr(r);
	if (a->n_addrs == 2 && (a->addrs[0].family != AF_INET || a->addrs[1].family != AF_INET6))
		r->bad = true;
}

static void read_fields(struct reader *r, uint8_t version, struct attachment *a)
{
	const uint8_t *mac;

	a->id = reader_str(r);
	a->ifname = reader_str(r);
	a->netns = reader_str(r);
	a->ns = reader_str(r);
	a->pod = reader_str(r);
	a->uid = reader_str(r);
	a->host_ifname = reader_str(r);
	mac = reader_bytes(r, MAC_LEN);
	if (mac)
		memcpy(a->mac.b, mac, MAC_LEN);
	read_addresses(r, a);
	a->n_ports = checked_count(r, reader_u16(r), HOST_PORTS_MAX);
	a->ports = xcalloc(a->n_ports, sizeof(*a->ports));
	for (uint32_t i = 0; i < a->n_ports && !r->bad; i++)
		a->ports[i] = read_port(r);
	if (version < 2)
		return;
	a->network = reader_str(r);
	if (a->network && !*a->network) {
		free(a->network);
		a->network = NULL;
	}
}

/* Printable ASCII without '/': what CNI allows for the keys, and more */
static bool is_plain(const char *s, size_t max)
{
	size_t len = strlen(s);

	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '/')
			return false;
	return len > 0 && len <= max;
}

/**
 * attachment_decode() - Read the binary form
 * @r:   Reader; on success behind the attachment, else anywhere
 * @ret: Attachment, to be freed; untouched on failure
 *
 * Return: 0; -EBADMSG for anything that attachment_encode() does not write
 */
int attachment_decode(struct reader *r, struct attachment **ret)
{
	_cleanup_(attachment_freep) struct attachment *a = xcalloc(1, sizeof(*a));

	uint8_t version = reader_u8(r);

	if (version < 1 || version > FORM_VERSION)
		return -EBADMSG;
	read_fields(r, version, a);
	if (r->bad || !is_plain(a->id, CONTAINER_ID_MAX) || !is_plain(a->ifname, IFNAME_MAX) ||
	    !is_plain(a->host_ifname, IFNAME_MAX) ||
	    (a->network && !is_plain(a->network, NETWORK_NAME_MAX)))
		return -EBADMSG;
	*ret = TAKE(a, NULL);
	return 0;
}
