// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cluster.c - manifests and attached pods as a world for the reference.  Pure.
 */
#include "cluster.h"

#include <errno.h>

#include "lib/intern.h"
#include "watch/folder/manifests.h"
#include "watch/object/pod.h"

/* The latest object of a name is the endpoint's: no UIDs are told. */
static void give_object(struct cluster *c, struct reference_endpoint *e)
{
	vec_foreach (o, &c->world.objects)
		if ((*o)->kind == KIND_POD && streq((*o)->ns, e->ns) && streq((*o)->name, e->name))
			e->object = as_pod(*o);
}

/**
 * cluster_add() - Read a manifest
 * @c:      Cluster
 * @name:   For messages
 * @text:   YAML, one or more documents
 * @reterr: The first problem
 *
 * Policies that are set aside stay: they are part of what is judged.
 *
 * Return: 0; -EINVAL: unreadable, or an object other than a policy was set aside
 */
int cluster_add(struct cluster *c, const char *name, const char *text, struct err *reterr)
{
	struct manifest m = {0};
	int r = manifest_parse(name, text, strlen(text), &m, reterr);

	vec_foreach (entry, &m.entries) {
		struct object *o = TAKE(entry->o, NULL);

		if (r == 0 && o->problem && o->kind != KIND_NETPOL)
			r = err_set(reterr, -EINVAL, "%s:%u: %s", name, entry->line, o->problem);
		vec_push(&c->objects, o);
		vec_push(&c->world.objects, o);
	}
	if (r == 0 && m.problems.n > 0)
		r = err_set(reterr, -EINVAL, "%s", m.problems.v[0]);
	manifest_done(&m);
	vec_foreach (e, &c->world.endpoints)
		give_object(c, e);
	return r;
}

static int add_addresses(struct reference_endpoint *e, const char *list, struct err *reterr)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		_cleanup_(freep) char *one = xstrndup(list, len);

		if (e->n_addrs == ARRAY_SIZE(e->addrs) ||
		    addr_parse(one, &e->addrs[e->n_addrs]) < 0)
			return err_set(reterr, -EINVAL,
				       "'%.50s' is not an address, or the third one", one);
		e->n_addrs++;
		list += len + (list[len] == ',');
	}
	return e->n_addrs ? 0 : err_set(reterr, -EINVAL, "no address");
}

/**
 * cluster_attach() - Attach a pod, whether its object is known or not
 * @c:      Cluster
 * @text:   "NAMESPACE/POD=ADDRESS[,ADDRESS]"
 * @reterr: Message
 *
 * Return: 0, -EINVAL
 */
int cluster_attach(struct cluster *c, const char *text, struct err *reterr)
{
	const char *slash = strchr(text, '/'), *equals = slash ? strchr(slash, '=') : NULL;
	struct reference_endpoint e = {0};
	int r;

	if (!equals || slash == text || equals == slash + 1)
		return err_set(reterr, -EINVAL, "'%.100s' is not NAMESPACE/POD=ADDRESS", text);
	r = add_addresses(&e, equals + 1, reterr);
	if (r < 0)
		return r;
	e.ns = intern_n(text, (size_t)(slash - text));
	e.name = intern_n(slash + 1, (size_t)(equals - slash - 1));
	give_object(c, &e);
	vec_push(&c->world.endpoints, e);
	return 0;
}

/**
 * cluster_done() - Free everything
 * @c: Cluster
 */
void cluster_done(struct cluster *c)
{
	vec_foreach (o, &c->objects)
		(void)object_free(*o);
	vec_done(&c->objects);
	vec_foreach (e, &c->world.endpoints) {
		intern_put(e->ns);
		intern_put(e->name);
	}
	vec_done(&c->world.objects);
	vec_done(&c->world.endpoints);
}

/**
 * wire_port_parse() - Read "tcp/80", "udp/53", "sctp/9000", "icmp" or "icmpv6"
 * @text:   Text
 * @ret:    Protocol and port
 * @reterr: Message
 *
 * Return: 0, -EINVAL
 */
int wire_port_parse(const char *text, struct wire_port *ret, struct err *reterr)
{
	static const struct {
		const char *name;
		uint8_t protocol;
		bool ports;
	} known[] = {{"tcp", PROTO_TCP, true},
		     {"udp", PROTO_UDP, true},
		     {"sctp", PROTO_SCTP, true},
		     {"icmp", 1, false},
		     {"icmpv6", 58, false}};
	size_t len = strcspn(text, "/");

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const char *digits = text + len + (text[len] == '/');
		char *end = NULL;
		unsigned long port = strtoul(digits, &end, 10);

		if (strlen(known[i].name) != len || strncmp(known[i].name, text, len) != 0)
			continue;
		if (known[i].ports ? !*digits || *end || port < 1 || port > 65535 : text[len])
			break;
		*ret = (struct wire_port){known[i].protocol, (uint16_t)port};
		return 0;
	}
	return err_set(reterr, -EINVAL, "'%.50s' is not PROTOCOL/PORT, icmp or icmpv6", text);
}
