/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value.h - one document (JSON or YAML) as a tree of values, each with the place it stood at.
 *
 * The two parsers (json.h, yaml.h) build it through the builder below, which holds every limit;
 * decoders read it with the accessors, which word the errors.  A tree lives in one arena: freeing
 * it is one call.
 */
#pragma once

#include "lib/err.h"
#include "lib/util.h"

#define VALUE_DEPTH_MAX	 64	   /* levels of values, the root is one; aliases written out */
#define VALUE_STRING_MAX (1 << 20) /* bytes of one scalar or key */
#define VALUE_NODES_MAX	 1000000   /* values in one document, aliases counted as if written out */
#define VALUE_ALIAS_MAX	 100000	   /* of these by aliases: a short text must not cost much */

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,    /* fits int64_t */
	VALUE_NUMBER, /* a float, or an integer beyond int64_t; kept as text */
	VALUE_STRING,
	VALUE_SEQ,
	VALUE_MAP,
	_VALUE_MAX
};

/* struct value - immutable once the document is complete; strings are valid UTF-8 without NUL */
struct value {
	enum value_type type : 8;
	unsigned int height : 8; /* levels of this subtree, itself included; 1 to VALUE_DEPTH_MAX */
	bool as_go : 1;		 /* MAP: keys are looked up as Go does, see json_parse_as_go() */
	uint32_t line;		 /* 1 is the first */
	uint32_t n;		 /* SEQ, MAP: entries; STRING, NUMBER: bytes */
	uint32_t weight;	 /* values in this subtree, aliases written out; 0 while open */
	union {
		bool boolean;
		int64_t integer;
		const char *text;	   /* STRING, NUMBER; NUL-terminated */
		struct value **items;	   /* SEQ */
		struct value_entry *entry; /* MAP, in the order of the document */
	};
};

/* struct value_entry - @line: of the key */
struct value_entry {
	const char *key;
	struct value *value;
	uint32_t line;
};

struct value_doc;

/* --- reading ------------------------------------------------------------------------------- */

struct value_doc *value_doc_free(struct value_doc *d);
static inline void value_doc_freep(struct value_doc **d)
{
	(void)value_doc_free(*d);
}
const struct value *value_root(const struct value_doc *d);
const char *value_type_str(enum value_type t);

const struct value *value_get(const struct value *map, const char *key);
bool value_key_is(const char *found, const char *key);
const struct value *value_path(const struct value *map, const char *dotted);

/*
 * Typed access to one entry of a map.  Absent and null both count as absent (that is how the API
 * server treats them).  @path is the path of @map itself ("spec", "" at the root), for the
 * message "spec.podSelector: expected a map, found a string (line 12)".
 * Return: 1 found, 0 absent (*ret untouched), -EINVAL with a message.
 */
int value_get_str(const struct value *map, const char *path, const char *key, const char **ret,
		  struct err *reterr);
int value_get_bool(const struct value *map, const char *path, const char *key, bool *ret,
		   struct err *reterr);
int value_get_int(const struct value *map, const char *path, const char *key, int64_t min,
		  int64_t max, int64_t *ret, struct err *reterr);
int value_get_map(const struct value *map, const char *path, const char *key,
		  const struct value **ret, struct err *reterr);
int value_get_seq(const struct value *map, const char *path, const char *key,
		  const struct value **ret, struct err *reterr);

/* --- building: for json.c, yaml.c and tests -------------------------------------------------- */

/*
 * The builder takes the events of a parser.  Every call returns 0 or -EINVAL with a message that
 * names the line; after a failure the document is only good for value_doc_free().  Duplicate keys
 * are refused, as the API server's strict decoding does; value_build_as_go() admits them.
 */
struct value_doc *value_doc_new(void);
void value_build_as_go(struct value_doc *d);
int value_build_key(struct value_doc *d, uint32_t line, const char *s, size_t len,
		    struct err *reterr);
/* @s: BOOL "true" or "false"; INT decimal digits with an optional '-', beyond int64_t it becomes a
 * NUMBER; NUMBER and STRING the text; NULL ignored */
int value_build_scalar(struct value_doc *d, uint32_t line, enum value_type type, const char *s,
		       size_t len, struct err *reterr);
int value_build_begin(struct value_doc *d, uint32_t line, enum value_type seq_or_map,
		      struct err *reterr);
/* In place of value_build_key(): the next value is YAML's merge key's (<<), a map or a sequence of
 * maps whose entries are added where the map has no such key itself; earlier maps win. */
int value_build_merge(struct value_doc *d, uint32_t line, struct err *reterr);
int value_build_end(struct value_doc *d, struct err *reterr);
/* In place of all further events: the document as far as it came before its parser had to stop. */
const struct value *value_build_cut(struct value_doc *d);
/* Insert an earlier, complete value again (a YAML alias); shared, not copied. */
int value_build_alias(struct value_doc *d, uint32_t line, const struct value *v,
		      struct err *reterr);
/* The value most recently completed or begun, for the YAML parser's anchors. */
const struct value *value_build_last(const struct value_doc *d);
/* True inside a map when a key comes next. */
bool value_build_wants_key(const struct value_doc *d);
bool value_build_complete(const struct value_doc *d);
