// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * endpoint.c - names, objects and endpoints held together.  Pure.
 */
#include "datapath/policy/endpoint.h"

#include <utlist.h>

#include "lib/intern.h"
#include "watch/object_copy.h"

/* --- names -------------------------------------------------------------------------------------
 */

static struct pod_name *name_get(struct endpoints *s, const char *ns, const char *name)
{
	struct pod_name *n, probe = {.key = {ns, name}};

	HASH_FIND(hh, s->names, &probe.key, sizeof(probe.key), n);
	if (n)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->key.ns = intern_ref(ns);
	n->key.name = intern_ref(name);
	HASH_ADD(hh, s->names, key, sizeof(n->key), n);
	return n;
}

static void name_put(struct endpoints *s, struct pod_name *n)
{
	if (n->record.object || n->endpoints)
		return;
	HASH_DEL(s->names, n);
	intern_put(n->key.ns);
	intern_put(n->key.name);
	free(n);
}

/* Of several sandboxes of one pod the newest speaks for it. */
static const struct attachment *attachment_of(const struct pod_name *n, const struct pod_record *r)
{
	for (const struct endpoint *ep = n->endpoints; ep; ep = ep->next)
		if (ep->pod == r)
			return ep->at;
	return NULL;
}

/*
 * Put the addresses of a record in force.  hostNetwork pods share the node's addresses and are
 * nobody's peer; addresses of finished pods may belong to someone else already; and what could not
 * be read of an object that was set aside must not open a door.
 */
static void update_peer(struct endpoints *s, const struct pod_name *n, struct pod_record *r,
			const struct pod *object)
{
	const struct attachment *at = attachment_of(n, r);

	if (!object || object->host_network || object->o.problem)
		peers_pod_update(s->peers, &r->peer, object, 0, NULL);
	else if (at)
		peers_pod_update(s->peers, &r->peer, object, at->n_addrs, at->addrs);
	else
		peers_pod_update(s->peers, &r->peer, object, object->finished ? 0 : object->n_ips,
				 object->ips);
	r->object = object;
}

/* --- who belongs to whom -----------------------------------------------------------------------
 */

/* Static pods: the runtime knows them by the hash that their mirror pod has as annotation. */
static bool belongs(const struct endpoint *ep, const struct pod *object)
{
	return !ep->uid || !object->uid || ep->uid == object->uid || ep->uid == object->mirror_of;
}

static void free_kept(struct endpoints *s, struct endpoint *ep)
{
	struct pod_record *r = ep->pod;

	if (!r || r == &ep->name->record)
		return;
	ep->pod = NULL;
	update_peer(s, ep->name, r, NULL);
	(void)object_free(&r->copy->o);
	free(r);
}

/* The object of a name goes: its endpoints each keep a copy. */
static void keep_copies(struct endpoints *s, struct pod_name *n, const struct pod *old)
{
	for (struct endpoint *ep = n->endpoints; ep; ep = ep->next) {
		struct pod_record *r;

		if (ep->pod != &n->record)
			continue;
		r = xcalloc(1, sizeof(*r));
		r->copy = (struct pod *)object_copy(&old->o);
		ep->pod = r;
		update_peer(s, n, r, r->copy);
		endpoint_mark(s, ep);
	}
}

static void adopt(struct endpoints *s, struct pod_name *n, const struct pod *object)
{
	for (struct endpoint *ep = n->endpoints; ep; ep = ep->next) {
		if (!belongs(ep, object))
			continue;
		free_kept(s, ep);
		ep->pod = &n->record;
		endpoint_mark(s, ep);
	}
}

static void pod_gone(struct endpoints *s, const struct pod *old)
{
	struct pod_name *n = name_get(s, old->o.ns, old->o.name);

	keep_copies(s, n, old);
	update_peer(s, n, &n->record, NULL);
	name_put(s, n);
}

/**
 * endpoints_pod() - A pod object appeared, changed or went
 * @s:   Endpoints
 * @old: Object before, still readable; NULL: none
 * @new: Object now, borrowed until it is given as @old; NULL: none
 *
 * A change of UID is another pod: the endpoints of the old one keep it.
 */
void endpoints_pod(struct endpoints *s, const struct pod *old, const struct pod *new)
{
	struct pod_name *n;

	if (old && (!new || old->uid != new->uid))
		pod_gone(s, old);
	if (!new)
		return;
	n = name_get(s, new->o.ns, new->o.name);
	adopt(s, n, new);
	update_peer(s, n, &n->record, new);
}

static char *endpoint_key(const char *id, const char *ifname)
{
	return xasprintf("%s/%s", id, ifname);
}

/**
 * endpoints_find() - Look an endpoint up
 * @s:      Endpoints
 * @id:     Container
 * @ifname: Interface
 *
 * Return: the endpoint, borrowed; NULL if there is none
 */
struct endpoint *endpoints_find(const struct endpoints *s, const char *id, const char *ifname)
{
	_cleanup_(freep) char *key = endpoint_key(id, ifname);
	struct endpoint *ep;

	HASH_FIND_STR(s->all, key, ep);
	return ep;
}

/**
 * endpoints_attach() - A local pod got its addresses
 * @s: Endpoints
 * @a: Attachment; copied; no other of its container and interface may be attached
 *
 * Return: the endpoint, marked to be settled
 */
struct endpoint *endpoints_attach(struct endpoints *s, const struct attachment *a)
{
	struct endpoint *ep = xcalloc(1, sizeof(*ep));
	const char *ns = intern(a->ns), *name = intern(a->pod);
	struct pod_name *n = name_get(s, ns, name);

	ep->key = endpoint_key(a->id, a->ifname);
	ep->at = attachment_copy(a);
	ep->uid = *a->uid ? intern(a->uid) : NULL;
	ep->name = n;
	HASH_ADD_KEYPTR(hh, s->all, ep->key, strlen(ep->key), ep);
	LL_PREPEND(n->endpoints, ep);
	if (n->record.object && belongs(ep, n->record.object)) {
		ep->pod = &n->record;
		update_peer(s, n, &n->record, n->record.object);
	}
	endpoint_mark(s, ep);
	intern_put(ns);
	intern_put(name);
	return ep;
}

/**
 * endpoints_detach() - A local pod's interface is going
 * @s:  Endpoints
 * @ep: Endpoint, not marked any more; freed
 */
void endpoints_detach(struct endpoints *s, struct endpoint *ep)
{
	struct pod_name *n = ep->name;

	free_kept(s, ep);
	LL_DELETE(n->endpoints, ep);
	if (ep->pod)
		update_peer(s, n, &n->record, n->record.object);
	name_put(s, n);
	HASH_DEL(s->all, ep);
	(void)attachment_free(ep->at);
	intern_put(ep->uid);
	free(ep->key);
	free(ep);
}

/**
 * endpoint_mark() - Have an endpoint settled
 * @s:  Endpoints
 * @ep: Endpoint
 */
void endpoint_mark(struct endpoints *s, struct endpoint *ep)
{
	if (ep->dirty)
		return;
	ep->dirty = true;
	LL_PREPEND2(s->dirty, ep, next_dirty);
}

/**
 * endpoints_take_dirty() - Take one endpoint to settle
 * @s: Endpoints
 *
 * Return: the endpoint; NULL when all are settled
 */
struct endpoint *endpoints_take_dirty(struct endpoints *s)
{
	struct endpoint *ep = s->dirty;

	if (!ep)
		return NULL;
	LL_DELETE2(s->dirty, ep, next_dirty);
	ep->next_dirty = NULL;
	ep->dirty = false;
	return ep;
}
