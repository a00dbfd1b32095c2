/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields.h - the fields that a kind has: which of them are read, which of a document's are unknown,
 * and which only look like one.  Pure.
 *
 * A field that is unknown is not one that is absent: with `form` in the place of `from` a rule
 * would allow everyone.  The schema of a NetworkPolicy is closed, every field that it does not have
 * is an error.  Those of the other kinds are open: many fields that exist are not Manx's business,
 * and only what differs by case or by one letter from a field that Manx reads is worth a warning.
 * The tree of a kind stands beside its decoder; test/unit/test_api_stream.c compares the two.
 */
#pragma once

#include "lib/err.h"
#include "watch/document/value.h"

/* What becomes of a field of an object of the API while it is parsed. */
enum field_use {
	FIELD_USE_KNOWN, /* it exists and is not read: dropped */
	FIELD_USE_READ,	 /* kept; of its inside, where that is described, what is read there */
	FIELD_USE_WHOLE, /* kept with all that is inside, known or not */
};

/*
 * struct field - a list of them ends with one whose @key is NULL; of two with one key the first
 * counts
 * @n:      Bytes of @key
 * @inside: Fields of the map that is its value, of a list those of each item; NULL: not looked at
 */
struct field {
	const char *key;
	uint16_t n;
	enum field_use use;
	const struct field *inside;
};

#define FIELD_AS(key, use, inside)                      \
	{                                               \
		(key), sizeof(key) - 1, (use), (inside) \
	}
#define FIELD(key)		 FIELD_AS(key, FIELD_USE_READ, NULL)
#define FIELD_IN(key, inside)	 FIELD_AS(key, FIELD_USE_READ, inside)
#define FIELD_WHOLE(key, inside) FIELD_AS(key, FIELD_USE_WHOLE, inside)
#define FIELD_KNOWN(key)	 FIELD_AS(key, FIELD_USE_KNOWN, NULL)
#define FIELDS_END               \
	{                        \
		NULL, 0, 0, NULL \
	}

/* Every document's, beside its metadata; of every metadata what is read, and the rest. */
#define FIELDS_HEAD FIELD_KNOWN("apiVersion"), FIELD_KNOWN("kind")
#define FIELDS_METADATA \
	FIELD("name"), FIELD("namespace"), FIELD("uid"), FIELD("resourceVersion"), FIELD("labels")
/* clusterName and selfLink were there in versions that clusters still run. */
#define FIELDS_METADATA_UNREAD                                                           \
	FIELD_KNOWN("generateName"), FIELD_KNOWN("selfLink"), FIELD_KNOWN("generation"), \
		FIELD_KNOWN("creationTimestamp"), FIELD_KNOWN("deletionTimestamp"),      \
		FIELD_KNOWN("deletionGracePeriodSeconds"), FIELD_KNOWN("annotations"),   \
		FIELD_KNOWN("ownerReferences"), FIELD_KNOWN("finalizers"),               \
		FIELD_KNOWN("clusterName"), FIELD_KNOWN("managedFields")

extern const struct field field_all[];
extern const struct field fields_metadata[];

/**
 * typedef field_fn - Takes a field that looks like a misspelled one
 * @arg:  Context
 * @text: "spec.nodename: not a field that is read, did you mean 'nodeName'?", borrowed
 * @line: Line of its key
 */
typedef void field_fn(void *arg, const char *text, uint32_t line);

const struct field *field_wanted(const struct field *in, const char *key, size_t n);
int fields_check(const struct value *root, const struct field *fields, struct err *reterr);
bool fields_known(const struct value *map, const struct field *fields);
int fields_check_namespace(const struct value *map, struct err *reterr);
void fields_each_near(const struct value *root, const struct field *fields, field_fn *fn,
		      void *arg);
