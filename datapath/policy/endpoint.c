// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * endpoint.c - names, objects and endpoints held together.  Pure.
 */
#include "datapath/policy/endpoint.h"

#include <utlist.h>

#include "lib/intern.h"

/* --- names -------------------------------------------------------------------------------------
 */

static uint32_t name_hash(const struct name_key *k)
{
	return object_key_hash(&(struct object_key){KIND_POD, k->ns, k->name});
}

static bool is_name(const void *item, const void *key)
{
	const struct pod_name *n = item;
	const struct name_key *k = key;

	return n->key.ns == k->ns && n->key.name == k->name;
}

static struct pod_name *name_get(struct endpoints *s, const char *ns, const char *name)
{
	const struct name_key key = {ns, name};
	struct pod_name *n = ptr_table_get(&s->names, name_hash(&key), is_name, &key);

	if (n)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->key = (struct name_key){intern_ref(ns), intern_ref(name)};
	ptr_table_add(&s->names, name_hash(&n->key), n);
	return n;
}

static void name_put(struct endpoints *s, struct pod_name *n)
{
	if (n->record.object || n->endpoints)
		return;
	ptr_table_remove(&s->names,
			 ptr_table_find(&s->names, name_hash(&n->key), is_name, &n->key));
	intern_put(n->key.ns);
	intern_put(n->key.name);
	free(n);
}

/*
 * May the object be a peer?  hostNetwork pods share the node's addresses and are nobody's peer;
 * and what could not be read of an object that was set aside must not open a door.
 */
static bool is_peer(const struct pod *object)
{
	return !object->host_network && !object->o.problem;
}

static void endpoint_peer(struct endpoints *s, struct endpoint *ep)
{
	const struct pod *object = ep->pod ? ep->pod->object : NULL;
	uint32_t n = object && is_peer(object) ? ep->at->n_addrs : 0;

	peers_pod_update(s->peers, &ep->peer, object, n, ep->at->addrs);
}

static bool is_attached(const struct pod_name *n)
{
	for (const struct endpoint *ep = n->endpoints; ep; ep = ep->next)
		if (ep->pod == &n->record)
			return true;
	return false;
}

/* The addresses of finished pods may belong to someone else already. */
static void name_peer(struct endpoints *s, struct pod_name *n)
{
	const struct pod *object = is_attached(n) ? NULL : n->record.object;
	uint32_t n_ips = object && is_peer(object) && !object->finished ? object->n_ips : 0;

	peers_pod_update(s->peers, &n->peer, object, n_ips, object ? object->ips : NULL);
}

/* The object of a name is another one, or none: put all its addresses in force. */
static void set_object(struct endpoints *s, struct pod_name *n, const struct pod *object)
{
	n->record.object = object;
	for (struct endpoint *ep = n->endpoints; ep; ep = ep->next)
		if (ep->pod == &n->record)
			endpoint_peer(s, ep);
	name_peer(s, n);
}

/* --- who belongs to whom -----------------------------------------------------------------------
 */

/* Static pods: the runtime knows them by the hash that their mirror pod has as annotation. */
static bool belongs(const struct endpoint *ep, const struct pod *object)
{
	return !ep->uid || !object->o.uid || ep->uid == object->o.uid ||
	       ep->uid == object->mirror_of;
}

static void free_kept(struct endpoints *s, struct endpoint *ep)
{
	struct pod_record *r = ep->pod;

	if (!r || r == &ep->name->record)
		return;
	ep->pod = NULL;
	endpoint_peer(s, ep);
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
		r->object = r->copy;
		ep->pod = r;
		endpoint_peer(s, ep);
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
	set_object(s, n, NULL);
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

	if (old && (!new || old->o.uid != new->o.uid))
		pod_gone(s, old);
	if (!new)
		return;
	n = name_get(s, new->o.ns, new->o.name);
	adopt(s, n, new);
	set_object(s, n, new);
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
 * endpoints_attach() - A local pod got its addresses: its endpoint is to be settled
 * @s: Endpoints
 * @a: Attachment; borrowed until it is detached; no other of its container and interface may be
 *     attached
 */
void endpoints_attach(struct endpoints *s, const struct attachment *a)
{
	struct endpoint *ep = xcalloc(1, sizeof(*ep));
	const char *ns = intern(a->ns), *name = intern(a->pod);
	struct pod_name *n = name_get(s, ns, name);

	ep->key = endpoint_key(a->id, a->ifname);
	ep->at = a;
	ep->uid = *a->uid ? intern(a->uid) : NULL;
	ep->name = n;
	ep->peer.local = true;
	HASH_ADD_KEYPTR(hh, s->all, ep->key, strlen(ep->key), ep);
	LL_PREPEND(n->endpoints, ep);
	if (n->record.object && belongs(ep, n->record.object)) {
		ep->pod = &n->record;
		endpoint_peer(s, ep);
		name_peer(s, n);
	}
	endpoint_mark(s, ep);
	intern_put(ns);
	intern_put(name);
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
	ep->pod = NULL;
	endpoint_peer(s, ep);
	LL_DELETE(n->endpoints, ep);
	name_peer(s, n);
	name_put(s, n);
	HASH_DEL(s->all, ep);
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

/**
 * endpoint_await() - Note that an endpoint waits for its next programs, or no longer
 * @s:      Endpoints
 * @ep:     Endpoint
 * @awaits: Does it wait?
 */
void endpoint_await(struct endpoints *s, struct endpoint *ep, bool awaits)
{
	if (awaits && !ep->awaiting)
		LL_PREPEND2(s->awaiting, ep, next_awaiting);
	else if (!awaits && ep->awaiting)
		LL_DELETE2(s->awaiting, ep, next_awaiting);
	ep->awaiting = awaits;
}

/* --- connections -------------------------------------------------------------------------------
 */

static void touch(struct endpoints *s, const struct endpoint *ep)
{
	for (uint32_t i = 0; i < ep->at->n_addrs; i++)
		vec_push(&s->touched->v, (struct touched_addr){ep->at->addrs[i], false});
}

/**
 * endpoint_settled() - Note an endpoint whose connections may be allowed no longer
 * @s:      Endpoints
 * @ep:     Endpoint, with its programs of now
 * @before: Those of before
 * @fenced: It is not known, or set aside
 *
 * One that was always fenced has no connections that others than its policies have allowed.
 */
void endpoint_settled(struct endpoints *s, struct endpoint *ep,
		      const struct program *const before[_DIRECTION_MAX], bool fenced)
{
	bool stricter = false;

	for (int d = 0; d < _DIRECTION_MAX; d++)
		stricter |= ep->program[d] && (ep->fenced || ep->program[d] != before[d]);
	if (stricter && ep->served)
		touch(s, ep);
	ep->served |= !fenced;
	ep->fenced = fenced;
}

/**
 * endpoints_touch_all() - Note every isolated endpoint
 * @s: Endpoints
 */
void endpoints_touch_all(struct endpoints *s)
{
	for (const struct endpoint *ep = s->all; ep; ep = ep->hh.next)
		if (ep->program[INGRESS] || ep->program[EGRESS])
			touch(s, ep);
}
