// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode.c - which object is this document, and lists of objects.  Pure.
 */
#include "watch/object/decode.h"

#include <errno.h>
#include <stdio.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"
#include "watch/object/kind.h"

/* struct header - what a document says it is */
struct header {
	const char *api_version, *kind;
};

static int decode_identity(const struct value *root, const struct kind_info *info, struct object *o,
			   struct err *reterr)
{
	const struct value *meta = NULL;
	const char *name = NULL, *ns = NULL;

	if (value_get_map(root, "", "metadata", &meta, reterr) < 0)
		return -EINVAL;
	if (!meta)
		return err_set(reterr, -EINVAL, "metadata: required");
	if (info->fails_closed && fields_check_namespace(meta, reterr) < 0)
		return -EINVAL;
	if (value_get_str(meta, "metadata", "name", &name, reterr) < 0 ||
	    value_get_str(meta, "metadata", "namespace", &ns, reterr) < 0)
		return -EINVAL;
	if (!name || !*name)
		return err_set(reterr, -EINVAL, "metadata.name: required");
	if (!is_dns_subdomain(name))
		return err_set(reterr, -EINVAL, "metadata.name: '%.*s' is not a DNS-1123 name",
			       SHOWN(name));
	if (info->name_form == NAME_LABEL && !is_dns_label(name))
		return err_set(reterr, -EINVAL, "metadata.name: '%.*s' is not a DNS-1123 label",
			       SHOWN(name));
	if (!ns || !*ns)
		ns = "default";
	if (info->namespaced && !is_dns_label(ns))
		return err_set(reterr, -EINVAL,
			       "metadata.namespace: '%.*s' is not a DNS-1123 label", SHOWN(ns));
	o->name = intern(name);
	o->ns = info->namespaced ? intern(ns) : NULL;
	(void)decode_name(meta, "metadata", "uid", &o->uid, NULL);
	return 0;
}

static int read_header(const struct value *root, struct header *h, struct err *reterr)
{
	if (value_get_str(root, "", "kind", &h->kind, reterr) < 0 ||
	    value_get_str(root, "", "apiVersion", &h->api_version, reterr) < 0)
		return -EINVAL;
	if (!*h->kind)
		return err_set(reterr, -EINVAL, "kind: required (line %u)", root->line);
	if (!*h->api_version)
		return err_set(reterr, -EINVAL, "apiVersion: required (line %u)", root->line);
	return 0;
}

static bool is_list(const struct value *root, const struct header *h)
{
	return is_list_kind(h->kind) && (streq(h->kind, "List") || value_get(root, "items"));
}

static int decode_as(const struct value *root, enum kind kind, decode_fn *decode,
		     struct object **ret, struct err *reterr)
{
	const struct kind_info *info = kinds[kind];
	_cleanup_(object_freep) struct object *o = xcalloc(1, info->shape->size);
	struct err e = {0};
	int r;

	o->kind = kind;
	r = decode_identity(root, info, o, reterr);
	if (r < 0)
		return r;
	if (decode(root, o, &e) < 0)
		o->problem = xstrdup(e.msg);
	*ret = TAKE(o, NULL);
	return 0;
}

/**
 * decode_kind() - Decode a document whose kind is known, as the server gives it
 * @root:   Document; its kind and apiVersion are not looked at
 * @kind:   Kind
 * @ret:    The object, perhaps with a problem: then it was set aside
 * @reterr: What is wrong
 *
 * Return: 0; -EINVAL if it has no identity
 */
int decode_kind(const struct value *root, enum kind kind, struct object **ret, struct err *reterr)
{
	return decode_as(root, kind, kinds[kind]->forms->decode, ret, reterr);
}

/*
 * A kind that is nearly one of ours.  What fails closed is made to, as far as it can be read
 * whom it is for; anything else is left out.
 */
static int decode_misspelled(const struct value *root, enum kind meant, decoded_fn *fn, void *arg,
			     const struct err *e)
{
	struct object *o = NULL;

	if (meant == _KIND_MAX || !kinds[meant]->fails_closed ||
	    decode_kind(root, meant, &o, NULL) < 0)
		return -EINVAL;
	kinds[meant]->close(o);
	free(o->problem);
	o->problem = xstrdup(e->msg);
	fn(arg, DECODE_OK, o, root);
	return 0;
}

static int decode_object(const struct value *root, const struct header *h, decoded_fn *fn,
			 void *arg, struct err *reterr)
{
	enum kind kind;
	const struct kind_form *form = kind_find(h->kind, h->api_version, &kind);
	struct object *o = NULL;
	struct err e = {0};
	int r;

	if (form) {
		r = decode_as(root, kind, form->decode, &o, reterr);
		if (r < 0)
			return r;
		fn(arg, DECODE_OK, o, root);
		return 0;
	}
	if (decode_guess_kind(h->kind, h->api_version, root->line, &kind, &e) == 0) {
		fn(arg, DECODE_UNKNOWN_KIND, NULL, root);
		return 0;
	}
	r = decode_misspelled(root, kind, fn, arg, &e);
	if (r < 0 && reterr)
		*reterr = e;
	return r;
}

/* @h: what the item need not say itself */
static int decode_item(const struct value *item, struct header h, decoded_fn *fn, void *arg,
		       struct err *reterr)
{
	if (read_header(item, &h, reterr) < 0)
		return -EINVAL;
	if (is_list(item, &h))
		return err_set(reterr, -EINVAL, "kind: a list in a list is not supported (line %u)",
			       item->line);
	return decode_object(item, &h, fn, arg, reterr);
}

/* What has no identity and may be a policy isolates all the same. */
static void give_stand_in(const struct value *root, const char *kind, decoded_fn *fn, void *arg,
			  const struct err *e)
{
	struct object *o = decode_stand_in(root, kind, false);

	if (!o)
		return;
	o->problem = xstrdup(e->msg);
	fn(arg, DECODE_STAND_IN, o, root);
}

/* PodList says that its items are of kind Pod and of which version; List says nothing. */
static int decode_items(const struct value *root, const struct header *h, decoded_fn *fn, void *arg,
			struct err *reterr)
{
	_cleanup_(freep) char *kind = xstrndup(h->kind, strlen(h->kind) - 4);
	const struct header of_item = {.kind = kind, .api_version = *kind ? h->api_version : ""};
	const struct value *items = NULL;
	struct err not_seq = {0};
	int r = value_get_seq(root, "", "items", &items, &not_seq);

	if (r < 0) {
		give_stand_in(root, "", fn, arg, &not_seq);
		if (reterr)
			*reterr = not_seq;
	}
	if (r <= 0)
		return r;
	r = 0;
	for (uint32_t i = 0; i < items->n; i++) {
		const struct value *item = items->items[i];
		struct err e = {0};

		if (item->type != VALUE_MAP)
			(void)err_set(&e, -EINVAL, "items[%u]: expected a map, found %s (line %u)",
				      i, value_type_str(item->type), item->line);
		else if (decode_item(item, of_item, fn, arg, &e) < 0)
			(void)err_prefix(&e, "items[%u].", i);
		if (e.code < 0)
			give_stand_in(item, kind, fn, arg, &e);
		if (e.code == 0 || r < 0)
			continue;
		r = e.code;
		if (reterr)
			*reterr = e;
	}
	return r;
}

/**
 * decode_document() - Decode an object, or every item of a list
 * @root:   Document
 * @fn:     Called for each object
 * @arg:    Its first argument
 * @reterr: What is wrong
 *
 * Return: 0; -EINVAL if an object has no identity: it was left out, with a stand-in for what may be
 *         a policy (the first such is told, all others were delivered)
 */
int decode_document(const struct value *root, decoded_fn *fn, void *arg, struct err *reterr)
{
	struct header h = {.kind = "", .api_version = ""};
	struct err e = {0};
	int r = -EINVAL;

	if (!root || root->type != VALUE_MAP)
		(void)err_set(&e, r, "expected an object with apiVersion and kind");
	else if (read_header(root, &h, &e) == 0 && is_list(root, &h))
		return decode_items(root, &h, fn, arg, reterr);
	else if (e.code == 0)
		r = decode_object(root, &h, fn, arg, &e);
	if (r < 0 && root)
		give_stand_in(root, "", fn, arg, &e);
	if (r < 0 && reterr)
		*reterr = e;
	return r;
}
