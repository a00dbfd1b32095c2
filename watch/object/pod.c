// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pod.c - Pod: labels, identity, addresses, named ports.  Pure.
 */
#include <errno.h>

#include "lib/intern.h"
#include "lib/vec.h"
#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"
#include "watch/object/pod.h"

struct ports {
	VEC(struct container_port) p;
};

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
	if (decode_protocol(v, path, false, &p.protocol, reterr) < 0 ||
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
	const char *uid = NULL;
	int r = 0;

	(void)keep_error(&r, decode_labels(meta, "metadata", "labels", &p->labels, reterr));
	(void)keep_error(&r, value_get_str(meta, "metadata", "uid", &uid, unless_told(r, reterr)));
	(void)keep_error(&r, value_get_map(meta, "metadata", "annotations", &annotations,
					   unless_told(r, reterr)));
	if (annotations)
		(void)keep_error(&r, decode_name(annotations, "metadata.annotations",
						 "kubernetes.io/config.hash", &p->mirror_of,
						 unless_told(r, reterr)));
	return r;
}

/*
 * As far as possible: what is wrong in one place must not take the pod out of the policies that its
 * labels put it under.
 */
static int decode_pod(const struct value *root, struct object *o, struct err *reterr)
{
	struct pod *p = (struct pod *)o;
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

/**
 * pod_named_port() - The number that a port name has in a pod
 * @p:        Pod, or NULL
 * @protocol: PROTO_x
 * @name:     Name, interned
 *
 * Return: the number; 0 if the pod has no port of that name and protocol
 */
uint16_t pod_named_port(const struct pod *p, uint8_t protocol, const char *name)
{
	for (uint32_t i = 0; p && i < p->n_ports; i++)
		if (p->ports[i].name == name && p->ports[i].protocol == protocol)
			return p->ports[i].port;
	return 0;
}

/* --- the row -----------------------------------------------------------------------------------
 */

static const struct field annotations[] = {FIELD("kubernetes.io/config.hash"), FIELDS_END};
static const struct field metadata[] = {FIELDS_METADATA, FIELD_IN("annotations", annotations),
					FIELDS_METADATA_UNREAD, FIELDS_END};
static const struct field port[] = {FIELD("name"), FIELD("protocol"), FIELD("containerPort"),
				    FIELDS_END};
static const struct field container[] = {FIELD_IN("ports", port), FIELDS_END};
static const struct field spec[] = {FIELD("nodeName"), FIELD("hostNetwork"),
				    FIELD_IN("containers", container),
				    FIELD_IN("initContainers", container), FIELDS_END};
static const struct field pod_ip[] = {FIELD("ip"), FIELDS_END};
static const struct field status[] = {FIELD("phase"), FIELD("podIP"), FIELD_IN("podIPs", pod_ip),
				      FIELDS_END};
static const struct field fields[] = {FIELDS_HEAD, FIELD_IN("metadata", metadata),
				      FIELD_IN("spec", spec), FIELD_IN("status", status),
				      FIELDS_END};

SHAPE(static const, shape_port, struct container_port, 0, SHAPE_NAME(struct container_port, name),
      SHAPE_BYTES(struct container_port, protocol), SHAPE_BYTES(struct container_port, port));
SHAPE(static const, shape, struct pod, sizeof(struct object), SHAPE_LABELS(struct pod, labels),
      SHAPE_NAME(struct pod, mirror_of), SHAPE_NAME(struct pod, node),
      SHAPE_BYTES(struct pod, host_network), SHAPE_BYTES(struct pod, finished),
      SHAPE_SOME(struct pod, n_ips, ips, shape_addr),
      SHAPE_LIST(struct pod, n_ports, ports, shape_port));

static const struct kind_form forms[] = {{"v1", "Pod", decode_pod}, {0}};

static const char *node_of(const struct object *o)
{
	return as_pod(o)->node;
}

const struct kind_info kind_pod = {
	.kind = KIND_POD,
	.forms = forms,
	.resource = "pods",
	.reach = REACH_NODE | REACH_NAMESPACE | REACH_NAME,
	.node_field = "spec.nodeName",
	.own = "pods of this node",
	.namespaced = true,
	.decides = true,
	.shape = &shape,
	.fields = fields,
	.reason = "InvalidPod",
	.effect = "; set aside: the pod is isolated",
	.node_of = node_of,
};
