// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_capabilities.c - what the runtime asks for with a pod: host ports, addresses, a MAC address.
 * Pure.
 *
 * At most HOST_PORTS_MAX port mappings, one address a family.
 */
#include <stdio.h>
#include <strings.h>

#include "agent/cni/cni_internal.h"
#include "watch/object/object.h"

#define CONFIG_PATH_MAX 64 /* bytes of the path to a field, for messages */

/* --- portMappings ---------------------------------------------------------------------------- */

static int parse_protocol(const char *s, uint8_t *ret, const char *path, struct err *reterr)
{
	char shown[CNI_SHOWN_MAX];

	if (!*s || strcasecmp(s, "tcp") == 0)
		*ret = PROTO_TCP;
	else if (strcasecmp(s, "udp") == 0)
		*ret = PROTO_UDP;
	else if (strcasecmp(s, "sctp") == 0)
		*ret = PROTO_SCTP;
	else
		return err_set(reterr, -CNI_E_CONFIG, "%s.protocol: '%s' is not tcp, udp or sctp",
			       path, cni_shown(s, shown));
	return 0;
}

/* Absent, empty, 0.0.0.0 and :: mean every address of the node. */
static int parse_host_ip(const char *s, struct host_port *p, const char *path, struct err *reterr)
{
	char shown[CNI_SHOWN_MAX];
	struct addr a;

	if (!*s)
		return 0;
	if (addr_parse(s, &a) < 0)
		return err_set(reterr, -CNI_E_CONFIG, "%s.hostIP: '%s' is not an address", path,
			       cni_shown(s, shown));
	if (addr_is_zero(&a))
		return 0;
	p->has_ip = true;
	p->host_ip = a;
	return 0;
}

static int parse_port(const struct value *v, const char *path, struct host_port *ret,
		      struct err *reterr)
{
	const char *protocol = "tcp", *host_ip = "";
	int64_t host = 0, container = 0;
	int r;

	if (v->type != VALUE_MAP)
		return err_set(reterr, -CNI_E_CONFIG, "%s: expected a map, found %s", path,
			       value_type_str(v->type));
	if (value_get_int(v, path, "hostPort", 0, 65535, &host, reterr) < 0 ||
	    value_get_int(v, path, "containerPort", 0, 65535, &container, reterr) < 0 ||
	    value_get_str(v, path, "protocol", &protocol, reterr) < 0 ||
	    value_get_str(v, path, "hostIP", &host_ip, reterr) < 0)
		return -CNI_E_CONFIG;
	if (!container && host) /* else it is no mapping at all */
		return err_set(reterr, -CNI_E_CONFIG, "%s.containerPort: required", path);
	*ret = (struct host_port){.host_port = (uint16_t)host,
				  .container_port = (uint16_t)container};
	r = parse_protocol(protocol, &ret->protocol, path, reterr);
	return r < 0 ? r : parse_host_ip(host_ip, ret, path, reterr);
}

static bool overlaps(const struct host_port *a, const struct host_port *b)
{
	return a->protocol == b->protocol && a->host_port == b->host_port &&
	       (!a->has_ip || !b->has_ip || addr_eq(&a->host_ip, &b->host_ip));
}

static bool covers(const struct host_port *a, const struct host_port *b)
{
	return overlaps(a, b) && a->container_port == b->container_port &&
	       (!a->has_ip || b->has_ip);
}

/* One host port leads to one container port; what another mapping says already is dropped. */
static int add_port(struct cni_request *q, const struct host_port *p, const char *path,
		    struct err *reterr)
{
	for (uint32_t i = 0; i < q->n_ports; i++) {
		struct host_port *other = &q->ports[i];

		if (covers(other, p))
			return 0;
		if (covers(p, other)) {
			*other = q->ports[--q->n_ports];
			i--;
		} else if (overlaps(p, other)) {
			return err_set(reterr, -CNI_E_CONFIG,
				       "%s.hostPort: %u leads to container port %u already", path,
				       p->host_port, other->container_port);
		}
	}
	q->ports[q->n_ports++] = *p;
	return 0;
}

static int parse_ports(const struct value *list, struct cni_request *q, struct err *reterr)
{
	if (list->n > HOST_PORTS_MAX)
		return err_set(reterr, -CNI_E_CONFIG,
			       "runtimeConfig.portMappings: %u entries, at most %d are supported",
			       list->n, HOST_PORTS_MAX);
	q->ports = xcalloc(list->n, sizeof(*q->ports));
	for (uint32_t i = 0; i < list->n; i++) {
		char path[CONFIG_PATH_MAX];
		struct host_port p;
		int r;

		if (list->items[i]->type == VALUE_NULL)
			continue;
		(void)snprintf(path, sizeof(path), "runtimeConfig.portMappings[%u]", i);
		r = parse_port(list->items[i], path, &p, reterr);
		if (r == 0 && p.host_port) /* 0: the container port is only declared */
			r = add_port(q, &p, path, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the other capabilities ------------------------------------------------------------------ */

static int parse_ips(const struct value *list, const char *parent, struct cni_request *q,
		     struct err *reterr)
{
	for (uint32_t i = 0; i < list->n; i++) {
		const struct value *v = list->items[i];
		char path[CONFIG_PATH_MAX];
		int r;

		if (v->type == VALUE_NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s.ips[%u]", parent, i);
		r = v->type != VALUE_STRING
			    ? err_set(reterr, -CNI_E_CONFIG, "%s: expected a string, found %s",
				      path, value_type_str(v->type))
			    : cni_want_address(q, CNI_E_CONFIG, path, v->text, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "ips" and "mac": capabilities, and in "args.cni" the older convention */
static int parse_wishes(const struct value *v, const char *parent, struct cni_request *q,
			struct err *reterr)
{
	const struct value *ips = NULL;
	const char *mac = NULL;
	char path[CONFIG_PATH_MAX];
	int r = cni_get_seq(v, parent, "ips", &ips, reterr);

	if (r == 0 && ips)
		r = parse_ips(ips, parent, q, reterr);
	if (r == 0)
		r = cni_get_str(v, parent, "mac", &mac, reterr);
	if (r < 0 || !mac || !*mac)
		return r;
	(void)snprintf(path, sizeof(path), "%s.mac", parent);
	return cni_want_mac(q, CNI_E_CONFIG, path, mac, reterr);
}

/* Zero is no limit: runtimes send the capability with zeros, too. */
static int parse_bandwidth(const struct value *runtime, struct err *reterr)
{
	static const char *const keys[] = {"ingressRate", "ingressBurst", "egressRate",
					   "egressBurst"};
	const struct value *b = NULL;
	int r = cni_get_map(runtime, "runtimeConfig", "bandwidth", &b, reterr);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++) {
		const struct value *v = value_get(b, keys[i]);

		if (v && v->type != VALUE_NULL && (v->type != VALUE_INT || v->integer))
			r = err_set(reterr, -CNI_E_FIELD,
				    "runtimeConfig.bandwidth.%s: bandwidth is not supported: this "
				    "agent does not shape traffic; chain the bandwidth plugin",
				    keys[i]);
	}
	return r;
}

/**
 * cni_capabilities_parse() - Read runtimeConfig and args.cni
 * @conf:   Network configuration
 * @q:      Request
 * @reterr: What is wrong
 *
 * Source: CNI CONVENTIONS.md, "Dynamic Plugin specific fields" and "args".
 *
 * Return: 0; -CNI_E_CONFIG; -CNI_E_FIELD for what is not done here
 */
int cni_capabilities_parse(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	const struct value *runtime = NULL, *args = NULL, *cni = NULL, *ports = NULL;
	int r = cni_get_map(conf, "", "runtimeConfig", &runtime, reterr);

	if (r == 0)
		r = cni_get_seq(runtime, "runtimeConfig", "portMappings", &ports, reterr);
	if (r == 0 && ports)
		r = parse_ports(ports, q, reterr);
	if (r == 0)
		r = parse_wishes(runtime, "runtimeConfig", q, reterr);
	if (r == 0)
		r = parse_bandwidth(runtime, reterr);
	if (r == 0)
		r = cni_get_map(conf, "", "args", &args, reterr);
	if (r == 0)
		r = cni_get_map(args, "args", "cni", &cni, reterr);
	return r < 0 ? r : parse_wishes(cni, "args.cni", q, reterr);
}
