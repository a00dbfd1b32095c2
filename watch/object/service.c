// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * service.c - Service.  Pure.
 *
 * Source: core/v1 ServiceSpec; pkg/apis/core/validation (ValidateService).
 */
#include "watch/object/service.h"

#include <errno.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"

static int add_ip(struct service *s, const char *text, const char *path, struct err *reterr)
{
	struct addr a;

	if (!*text || streq(text, "None"))
		return 0;
	if (addr_parse(text, &a) < 0)
		return err_set(reterr, -EINVAL, "%s: '%.*s' is not an address", path, SHOWN(text));
	if (s->n_ips == 2 || (s->n_ips && s->ips[0].family == a.family))
		return err_set(reterr, -EINVAL, "%s: a second address of one family", path);
	s->ips[s->n_ips++] = a;
	return 0;
}

static int decode_ips(const struct value *spec, struct service *s, struct err *reterr)
{
	const struct value *list = NULL;
	const char *ip = "";
	int r = decode_list(spec, "spec", "clusterIPs", &list, reterr);

	if (r < 0)
		return r;
	if (!list || !list->n) {
		r = value_get_str(spec, "spec", "clusterIP", &ip, reterr);
		return r > 0 ? add_ip(s, ip, "spec.clusterIP", reterr) : r;
	}
	r = 0;
	for (uint32_t i = 0; r == 0 && i < list->n; i++) {
		const struct value *v = list->items[i];
		struct decode_path path;

		decode_path_item(&path, "spec", "clusterIPs", i);
		r = v->type == VALUE_STRING
			    ? add_ip(s, v->text, path.s, reterr)
			    : err_set(reterr, -EINVAL, "%s: expected a string, found %s (line %u)",
				      path.s, value_type_str(v->type), v->line);
	}
	return r;
}

static int decode_port(const struct value *v, const char *path, struct service *s,
		       struct err *reterr)
{
	struct service_port p = {0};
	int64_t number = 0;

	if (expect_map(v, path, reterr) < 0 ||
	    decode_protocol(v, path, false, &p.protocol, reterr) < 0 ||
	    value_get_int(v, path, "port", 1, 65535, &number, reterr) < 0)
		return -EINVAL;
	if (!number)
		return err_set(reterr, -EINVAL, "%s.port: required", path);
	if (decode_name(v, path, "name", &p.name, reterr) < 0)
		return -EINVAL;
	p.port = (uint16_t)number;
	s->ports[s->n_ports++] = p;
	return 0;
}

static int decode_ports(const struct value *spec, struct service *s, struct err *reterr)
{
	const struct value *list = NULL;
	int r = decode_list(spec, "spec", "ports", &list, reterr);

	if (r <= 0 || !list->n)
		return r;
	s->ports = xcalloc(list->n, sizeof(*s->ports));
	r = 0;
	for (uint32_t i = 0; i < list->n; i++) {
		struct decode_path path;

		decode_path_item(&path, "spec", "ports", i);
		(void)keep_error(&r,
				 decode_port(list->items[i], path.s, s, unless_told(r, reterr)));
	}
	return r;
}

static int decode_service(const struct value *root, struct object *o, struct err *reterr)
{
	struct service *s = (struct service *)o;
	const struct value *spec = NULL;
	int r = value_get_map(root, "", "spec", &spec, reterr);

	if (r <= 0)
		return r < 0 ? r : err_set(reterr, -EINVAL, "spec: required");
	r = 0;
	(void)keep_error(&r, decode_ips(spec, s, reterr));
	(void)keep_error(&r, decode_ports(spec, s, unless_told(r, reterr)));
	return r;
}

/* --- the row -----------------------------------------------------------------------------------
 */

static const struct field port[] = {FIELD("name"), FIELD("protocol"), FIELD("port"), FIELDS_END};
static const struct field spec[] = {FIELD("clusterIP"), FIELD("clusterIPs"),
				    FIELD_IN("ports", port), FIELDS_END};
static const struct field fields[] = {FIELDS_HEAD, FIELD_IN("metadata", fields_metadata),
				      FIELD_IN("spec", spec), FIELDS_END};

SHAPE(static const, shape_port, struct service_port, 0, SHAPE_NAME(struct service_port, name),
      SHAPE_BYTES(struct service_port, port), SHAPE_BYTES(struct service_port, protocol));
SHAPE(static const, shape, struct service, sizeof(struct object),
      SHAPE_SOME(struct service, n_ips, ips, shape_addr),
      SHAPE_LIST(struct service, n_ports, ports, shape_port));

static const struct kind_form forms[] = {{"v1", "Service", decode_service}, {0}};

const struct kind_info kind_service = {
	.kind = KIND_SERVICE,
	.forms = forms,
	.resource = "services",
	.reach = REACH_ALL,
	.name_form = NAME_LABEL,
	.namespaced = true,
	.namesakes = true,
	.shape = &shape,
	.fields = fields,
	.reason = "InvalidService",
	.effect = "",
};
