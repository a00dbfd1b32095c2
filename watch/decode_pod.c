// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode_pod.c - Pod: labels, identity, addresses, named ports.  Pure.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/intern.h"
#include "lib/vec.h"
#include "watch/decode_internal.h"

struct ports {
	VEC(struct container_port) p;
};

/**
 * decode_protocol() - A transport protocol
 * @map:    Map with "protocol"
 * @path:   Its path
 * @ret:    PROTO_TCP when absent
 * @reterr: What is wrong
 *
 * Return: 0, -EINVAL
 */
int decode_protocol(const struct value *map, const char *path, uint8_t *ret, struct err *reterr)
{
	const char *s = "TCP";

	if (value_get_str(map, path, "protocol", &s, reterr) < 0)
		return -EINVAL;
	if (streq(s, "TCP"))
		*ret = PROTO_TCP;
	else if (streq(s, "UDP"))
		*ret = PROTO_UDP;
	else if (streq(s, "SCTP"))
		*ret = PROTO_SCTP;
	else
		return err_set(reterr, -EINVAL, "%s.protocol: '%.20s' is not TCP, UDP or SCTP",
			       path, s);
	return 0;
}

static int decode_port(const struct value *v, const char *path, struct ports *ret,
		       struct err *reterr)
{
	struct container_port p = {0};
	const char *name = NULL;
	int64_t number = 0;

	if (v->type != VALUE_MAP)
		return err_set(reterr, -EINVAL, "%s: expected a map, found %s (line %u)", path,
			       value_type_str(v->type), v->line);
	if (value_get_str(v, path, "name", &name, reterr) < 0)
		return -EINVAL;
	if (!name || !*name)
		return 0;
	if (!is_service_name(name))
		return err_set(reterr, -EINVAL, "%s.name: '%.40s' is not a port name", path, name);
	if (decode_protocol(v, path, &p.protocol, reterr) < 0 ||
	    value_get_int(v, path, "containerPort", 1, 65535, &number, reterr) < 0)
		return -EINVAL;
	if (!number)
		return err_set(reterr, -EINVAL, "%s.containerPort: required", path);
	p.port = (uint16_t)number;
	p.name = intern(name);
	vec_push(&ret->p, p);
	return 0;
}

static int decode_container(const struct value *c, const char *path, struct ports *ret,
			    struct err *reterr)
{
	const struct value *list = NULL;
	int r = 0;

	if (c->type != VALUE_MAP)
		return err_set(reterr, -EINVAL, "%s: expected a map, found %s (line %u)", path,
			       value_type_str(c->type), c->line);
	if (decode_list(c, path, "ports", &list, reterr) < 0)
		return -EINVAL;
	for (uint32_t i = 0; list && i < list->n && r == 0; i++) {
		char here[DECODE_PATH_MAX];

		(void)snprintf(here, sizeof(here), "%.200s.ports[%u]", path, i);
		r = decode_port(list->items[i], here, ret, reterr);
	}
	return r;
}

static int decode_containers(const struct value *spec, const char *key, struct ports *ret,
			     struct err *reterr)
{
	const struct value *list = NULL;
	int r = MIN(decode_list(spec, "spec", key, &list, reterr), 0);

	for (uint32_t i = 0; list && i < list->n && r == 0; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "spec.%s[%u]", key, i);
		r = decode_container(list->items[i], path, ret, reterr);
	}
	return r;
}

static int compare_ports(const void *a, const void *b)
{
	const struct container_port *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (int)x->protocol - (int)y->protocol;
}

/* Sort without losing which came first, then keep the first of each name and protocol. */
static void keep_first(struct ports *ports, struct pod *p)
{
	for (size_t i = 1; i < ports->p.n; i++) {
		struct container_port x = ports->p.v[i];
		size_t j = i;

		for (; j > 0 && compare_ports(&ports->p.v[j - 1], &x) > 0; j--)
			ports->p.v[j] = ports->p.v[j - 1];
		ports->p.v[j] = x;
	}
	p->ports = ports->p.v;
	for (size_t i = 0; i < ports->p.n; i++) {
		struct container_port *x = &ports->p.v[i];

		if (p->n_ports && compare_ports(&p->ports[p->n_ports - 1], x) == 0)
			intern_put(x->name);
		else
			p->ports[p->n_ports++] = *x;
	}
}

#define NAMED_PORTS_MAX 1000 /* of one pod: keep_first() sorts by insertion */

static int decode_spec(const struct value *spec, struct pod *p, struct err *reterr)
{
	struct ports ports = {0};
	int r = MIN(decode_name(spec, "spec", "nodeName", &p->node, reterr), 0);

	if (r == 0)
		r = MIN(value_get_bool(spec, "spec", "hostNetwork", &p->host_network, reterr), 0);
	if (r == 0)
		r = decode_containers(spec, "containers", &ports, reterr);
	if (r == 0)
		r = decode_containers(spec, "initContainers", &ports, reterr);
	if (r == 0 && ports.p.n > NAMED_PORTS_MAX)
		r = err_set(reterr, -EINVAL, "spec.containers: %zu named ports, at most %d",
			    ports.p.n, NAMED_PORTS_MAX);
	while (ports.p.n > NAMED_PORTS_MAX)
		intern_put(ports.p.v[--ports.p.n].name);
	keep_first(&ports, p);
	return r;
}

static int add_ip(struct pod *p, const char *text, const char *path, struct err *reterr)
{
	struct addr a;

	if (addr_parse(text, &a) < 0)
		return err_set(reterr, -EINVAL, "%s: '%.60s' is not an address", path, text);
	if (p->n_ips == 1 && p->ips[0].family == a.family)
		return addr_eq(&p->ips[0], &a)
			       ? 0
			       : err_set(reterr, -EINVAL, "%s: a second address of one family",
					 path);
	if (p->n_ips == 2)
		return err_set(reterr, -EINVAL, "%s: more than two addresses", path);
	p->ips[p->n_ips++] = a;
	if (p->n_ips == 2 && addr_cmp(&p->ips[0], &p->ips[1]) > 0) {
		p->ips[1] = p->ips[0];
		p->ips[0] = a;
	}
	return 0;
}

static int decode_status(const struct value *status, struct pod *p, struct err *reterr)
{
	const char *phase = "", *ip = "";
	const struct value *list = NULL;
	int r = MIN(value_get_str(status, "status", "phase", &phase, reterr), 0);

	p->finished = streq(phase, "Succeeded") || streq(phase, "Failed");
	if (r == 0)
		r = MIN(decode_list(status, "status", "podIPs", &list, reterr), 0);
	if (r == 0 && (!list || !list->n)) {
		r = MIN(value_get_str(status, "status", "podIP", &ip, reterr), 0);
		return r == 0 && *ip ? add_ip(p, ip, "status.podIP", reterr) : r;
	}
	for (uint32_t i = 0; r == 0 && i < list->n; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "status.podIPs[%u]", i);
		if (list->items[i]->type != VALUE_MAP)
			return err_set(reterr, -EINVAL, "%s: expected a map", path);
		ip = "";
		r = MIN(value_get_str(list->items[i], path, "ip", &ip, reterr), 0);
		if (r == 0)
			r = add_ip(p, ip, path, reterr);
	}
	return r;
}

/**
 * decode_pod() - Read a Pod
 * @root:   Document
 * @p:      Pod, filled as far as possible
 * @reterr: What is wrong
 *
 * Return: 0, -EINVAL
 */
int decode_pod(const struct value *root, struct pod *p, struct err *reterr)
{
	const struct value *meta = value_get(root, "metadata"), *annotations = NULL;
	const struct value *spec = NULL, *status = NULL;
	int r = decode_labels(meta, "metadata", "labels", &p->labels, reterr);

	if (r == 0)
		r = MIN(decode_name(meta, "metadata", "uid", &p->uid, reterr), 0);
	if (r == 0)
		r = MIN(value_get_map(meta, "metadata", "annotations", &annotations, reterr), 0);
	if (r == 0 && annotations)
		r = MIN(decode_name(annotations, "metadata.annotations",
				    "kubernetes.io/config.hash", &p->mirror_of, reterr),
			0);
	if (r == 0)
		r = MIN(value_get_map(root, "", "spec", &spec, reterr), 0);
	if (r == 0 && spec)
		r = decode_spec(spec, p, reterr);
	if (r == 0)
		r = MIN(value_get_map(root, "", "status", &status, reterr), 0);
	return r == 0 && status ? decode_status(status, p, reterr) : r;
}
