// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pod.c - Pod: labels, identity, addresses, named ports.  Pure.
 */
#include <errno.h>

#include "lib/intern.h"
#include "lib/vec.h"
#include "watch/object/decode_internal.h"

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
		return err_set(reterr, -EINVAL, "%s.protocol: '%.*s' is not TCP, UDP or SCTP", path,
			       SHOWN(s));
	return 0;
}

static int decode_port(const struct value *v, const char *path, struct ports *ret,
		       struct err *reterr)
{
	struct container_port p = {0};
	const char *name = NULL;
	int64_t number = 0;

	if (expect_map(v, path, reterr) < 0 || value_get_str(v, path, "name", &name, reterr) < 0)
		return -EINVAL;
	if (!name || !*name)
		return 0;
	if (!is_service_name(name))
		return err_set(reterr, -EINVAL, "%s.name: '%.*s' is not a port name", path,
			       SHOWN(name));
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

	if (expect_map(c, path, reterr) < 0 || decode_list(c, path, "ports", &list, reterr) < 0)
		return -EINVAL;
	for (uint32_t i = 0; list && i < list->n; i++) {
		struct decode_path here;

		decode_path_item(&here, path, "ports", i);
		(void)keep_error(&r,
				 decode_port(list->items[i], here.s, ret, unless_told(r, reterr)));
	}
	return r;
}

static int decode_containers(const struct value *spec, const char *key, struct ports *ret,
			     struct err *reterr)
{
	const struct value *list = NULL;
	int r = decode_list(spec, "spec", key, &list, reterr);

	if (r <= 0)
		return r;
	r = 0;
	for (uint32_t i = 0; i < list->n; i++) {
		struct decode_path path;

		decode_path_item(&path, "spec", key, i);
		(void)keep_error(
			&r, decode_container(list->items[i], path.s, ret, unless_told(r, reterr)));
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
	if (p->n_ports) /* most pods have one or two, the array has room for four */
		p->ports = xrealloc(p->ports, p->n_ports, sizeof(*p->ports));
}

#define NAMED_PORTS_MAX 1000 /* of one pod: keep_first() sorts by insertion */

static int decode_ports(const struct value *spec, struct pod *p, struct err *reterr)
{
	struct ports ports = {0};
	int r = 0;

	(void)keep_error(&r, decode_containers(spec, "containers", &ports, reterr));
	(void)keep_error(&r,
			 decode_containers(spec, "initContainers", &ports, unless_told(r, reterr)));
	if (ports.p.n > NAMED_PORTS_MAX)
		r = err_set(unless_told(r, reterr), -EINVAL,
			    "spec.containers: %zu named ports, at most %d are supported", ports.p.n,
			    NAMED_PORTS_MAX);
	while (ports.p.n > NAMED_PORTS_MAX)
		intern_put(ports.p.v[--ports.p.n].name);
	keep_first(&ports, p);
	return r;
}

static int decode_spec(const struct value *spec, struct pod *p, struct err *reterr)
{
	int r = 0;

	(void)keep_error(&r, decode_name(spec, "spec", "nodeName", &p->node, reterr));
	(void)keep_error(&r, value_get_bool(spec, "spec", "hostNetwork", &p->host_network,
					    unless_told(r, reterr)));
	(void)keep_error(&r, decode_ports(spec, p, unless_told(r, reterr)));
	return r;
}

static int add_ip(struct pod *p, const char *text, const char *path, struct err *reterr)
{
	struct addr a;

	if (addr_parse(text, &a) < 0)
		return err_set(reterr, -EINVAL, "%s: '%.*s' is not an address", path, SHOWN(text));
	for (uint32_t i = 0; i < p->n_ips; i++) {
		if (addr_eq(&p->ips[i], &a))
			return 0;
		if (p->ips[i].family == a.family)
			return err_set(reterr, -EINVAL, "%s: a second address of one family", path);
	}
	p->ips[p->n_ips++] = a;
	if (p->n_ips == 2 && addr_cmp(&p->ips[0], &p->ips[1]) > 0) {
		p->ips[1] = p->ips[0];
		p->ips[0] = a;
	}
	return 0;
}

static int decode_ip(const struct value *v, uint32_t i, struct pod *p, struct err *reterr)
{
	const char *ip = "";
	struct decode_path path, path_of_ip;

	decode_path_item(&path, "status", "podIPs", i);
	if (expect_map(v, path.s, reterr) < 0 || value_get_str(v, path.s, "ip", &ip, reterr) < 0)
		return -EINVAL;
	(void)decode_path(&path_of_ip, path.s, "ip");
	return add_ip(p, ip, path_of_ip.s, reterr);
}

static int decode_ips(const struct value *status, struct pod *p, struct err *reterr)
{
	const struct value *list = NULL;
	const char *ip = "";
	int r = decode_list(status, "status", "podIPs", &list, reterr);

	if (r < 0)
		return r;
	if (!list || !list->n) {
		r = value_get_str(status, "status", "podIP", &ip, reterr);
		return r > 0 && *ip ? add_ip(p, ip, "status.podIP", reterr) : r;
	}
	r = 0;
	for (uint32_t i = 0; i < list->n; i++)
		(void)keep_error(&r, decode_ip(list->items[i], i, p, unless_told(r, reterr)));
	return r;
}

static int decode_status(const struct value *status, struct pod *p, struct err *reterr)
{
	const char *phase = "";
	int r = 0;

	(void)keep_error(&r, value_get_str(status, "status", "phase", &phase, reterr));
	p->finished = streq(phase, "Succeeded") || streq(phase, "Failed");
	(void)keep_error(&r, decode_ips(status, p, unless_told(r, reterr)));
	return r;
}

static int decode_meta(const struct value *meta, struct pod *p, struct err *reterr)
{
	const struct value *annotations = NULL;
	int r = 0;

	(void)keep_error(&r, decode_labels(meta, "metadata", "labels", &p->labels, reterr));
	(void)keep_error(&r,
			 decode_name(meta, "metadata", "uid", &p->o.uid, unless_told(r, reterr)));
	(void)keep_error(&r, value_get_map(meta, "metadata", "annotations", &annotations,
					   unless_told(r, reterr)));
	if (annotations)
		(void)keep_error(&r, decode_name(annotations, "metadata.annotations",
						 "kubernetes.io/config.hash", &p->mirror_of,
						 unless_told(r, reterr)));
	return r;
}

/**
 * decode_pod() - Read a Pod
 * @root:   Document
 * @p:      Pod, filled as far as possible: what is wrong in one place must not take the pod out of
 *          the policies that its labels put it under
 * @reterr: What is wrong first
 *
 * Return: 0, -EINVAL
 */
int decode_pod(const struct value *root, struct pod *p, struct err *reterr)
{
	const struct value *spec = NULL, *status = NULL;
	int r = 0;

	(void)keep_error(&r, decode_meta(value_get(root, "metadata"), p, reterr));
	(void)keep_error(&r, value_get_map(root, "", "spec", &spec, unless_told(r, reterr)));
	if (spec)
		(void)keep_error(&r, decode_spec(spec, p, unless_told(r, reterr)));
	(void)keep_error(&r, value_get_map(root, "", "status", &status, unless_told(r, reterr)));
	if (status)
		(void)keep_error(&r, decode_status(status, p, unless_told(r, reterr)));
	return r;
}
