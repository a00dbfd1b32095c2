// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * api_object.c - the document of one object, pruned while it is built.  Pure.
 */
#include "watch/kube/api_object.h"

#include <assert.h>
#include <errno.h>

#include "watch/document/place.h"
#include "watch/object/decode.h"

#define IDENTITY_MAX 1024 /* bytes of a field that names an object */

static const char *const identity_keys[] = {"name", "namespace", "uid", "resourceVersion"};
_Static_assert(ARRAY_SIZE(identity_keys) == _API_IDENTITY_MAX, "a key for every field");

/**
 * api_object_done() - Forget what is under way
 * @o: Object; may begin anew
 */
void api_object_done(struct api_object *o)
{
	(void)value_doc_free(o->doc);
	for (int i = 0; i < _API_IDENTITY_MAX; i++)
		free(o->identity[i]);
	*o = (struct api_object){0};
}

/* Read on, keep nothing. */
static void judge(struct api_object *o, int r)
{
	if (r >= 0)
		return;
	o->broken = true;
	o->doc = value_doc_free(o->doc);
}

/**
 * api_object_begin() - The map of an object opens
 * @o:      Object, empty
 * @wanted: What is wanted in it
 */
void api_object_begin(struct api_object *o, const struct field *wanted)
{
	assert(!o->depth);
	o->doc = value_doc_new();
	o->frame[o->depth++] = (struct api_frame){wanted, false};
	o->which = _API_IDENTITY_MAX;
	judge(o, value_build_begin(o->doc, 0, VALUE_MAP, &o->why));
}

static enum api_identity identity_of(const char *s, size_t n)
{
	int i = 0;

	while (i < _API_IDENTITY_MAX &&
	       (strncmp(identity_keys[i], s, n) != 0 || identity_keys[i][n]))
		i++;
	return (enum api_identity)i;
}

/**
 * api_object_key() - A key of the innermost open map, which is kept
 * @o: Object
 * @s: Key, not NUL-terminated
 * @n: Its bytes
 */
void api_object_key(struct api_object *o, const char *s, size_t n)
{
	if (o->depth == 1)
		o->in_metadata = n == strlen("metadata") && memcmp(s, "metadata", n) == 0;
	if (o->depth == 2 && o->in_metadata)
		o->which = identity_of(s, n);
	if (o->broken)
		return;
	o->next = field_wanted(o->frame[o->depth - 1].wanted, s, n);
	if (o->next)
		judge(o, value_build_key(o->doc, 0, s, n, &o->why));
}

static void take_identity(struct api_object *o, const char *s, size_t n)
{
	if (o->depth != 2 || !o->in_metadata || o->which == _API_IDENTITY_MAX)
		return;
	free(o->identity[o->which]);
	o->identity[o->which] = xstrndup(s, MIN(n, IDENTITY_MAX));
	o->which = _API_IDENTITY_MAX;
}

/* What is wanted in the value that comes now. */
static const struct field *take_next(struct api_object *o)
{
	const struct api_frame *f = &o->frame[o->depth - 1];

	return f->is_list ? f->wanted : TAKE(o->next, NULL);
}

/**
 * api_object_scalar() - A value that is no map and no list
 * @o:    Object
 * @type: Type
 * @s:    As for value_build_scalar()
 * @n:    Its bytes
 */
void api_object_scalar(struct api_object *o, enum value_type type, const char *s, size_t n)
{
	if (type == VALUE_STRING)
		take_identity(o, s, n);
	if (!o->broken && take_next(o))
		judge(o, value_build_scalar(o->doc, 0, type, s, n, &o->why));
}

/**
 * api_object_open() - A map or list opens inside the object
 * @o:          Object
 * @seq_or_map: Which
 *
 * Return: true: what is inside comes here, and api_object_close() ends it; false: nothing inside is
 *         wanted, it is the caller's to skip
 */
bool api_object_open(struct api_object *o, enum value_type seq_or_map)
{
	const struct field *wanted = NULL;

	if (!o->broken)
		wanted = take_next(o);
	if (wanted)
		judge(o, value_build_begin(o->doc, 0, seq_or_map, &o->why));
	/* Names stand in the metadata: that is read in a broken object, too. */
	if (o->broken && !(o->depth == 1 && o->in_metadata))
		return false;
	if (!wanted && !o->broken)
		return false;
	o->frame[o->depth++] = (struct api_frame){wanted, seq_or_map == VALUE_SEQ};
	return true;
}

/**
 * api_object_close() - The innermost open map or list ends
 * @o: Object
 *
 * Return: true if it was the object itself: it is complete
 */
bool api_object_close(struct api_object *o)
{
	if (!o->broken)
		judge(o, value_build_end(o->doc, &o->why));
	o->depth--;
	return !o->depth;
}

static void put_identity(struct value_doc *d, const struct api_object *o)
{
	(void)value_build_begin(d, 0, VALUE_MAP, NULL);
	(void)value_build_key(d, 0, "metadata", strlen("metadata"), NULL);
	(void)value_build_begin(d, 0, VALUE_MAP, NULL);
	for (int i = 0; i < _API_IDENTITY_MAX; i++) {
		const char *text = o->identity[i];

		if (!text)
			continue;
		(void)value_build_key(d, 0, identity_keys[i], strlen(identity_keys[i]), NULL);
		if (value_build_scalar(d, 0, VALUE_STRING, text, strlen(text), NULL) < 0)
			(void)value_build_scalar(d, 0, VALUE_NULL, NULL, 0, NULL);
	}
	(void)value_build_end(d, NULL);
	(void)value_build_end(d, NULL);
}

/* By its name alone: it allows as little as it could mean. */
static int take_broken(struct api_object *o, enum kind kind, struct object **ret,
		       struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *d = value_doc_new();
	struct object *made = NULL;
	int r;

	put_identity(d, o);
	r = decode_kind(value_root(d), kind, &made, reterr);
	if (r < 0)
		return r;
	if (kinds[kind]->close)
		kinds[kind]->close(made);
	(void)place_take_line(o->why.msg);
	free(made->problem);
	made->problem = xasprintf("the object breaks a limit: %s", o->why.msg);
	*ret = made;
	return 0;
}

/**
 * api_object_take() - Decode a complete object
 * @o:      Object; begins anew afterwards
 * @kind:   Its kind
 * @ret:    Typed object, perhaps one that was set aside
 * @reterr: What is wrong
 *
 * Return: 0; -EINVAL if it has no identity
 */
int api_object_take(struct api_object *o, enum kind kind, struct object **ret, struct err *reterr)
{
	int r;

	assert(!o->depth);
	r = o->broken ? take_broken(o, kind, ret, reterr)
		      : decode_kind(value_root(o->doc), kind, ret, reterr);
	if (r == 0 && (*ret)->problem)
		(void)place_take_line((*ret)->problem);
	api_object_done(o);
	return r;
}

/**
 * api_object_version() - metadata.resourceVersion of a complete object
 * @o: Object
 *
 * Versions are numbers (KEP-5504, "Comparable Resource Version").
 *
 * Return: the version; 0 if it has none
 */
uint64_t api_object_version(const struct api_object *o)
{
	const char *text = o->identity[API_VERSION];

	return text ? strtoull(text, NULL, 10) : 0;
}
