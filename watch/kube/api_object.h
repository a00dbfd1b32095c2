/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_object.h - one object out of a parser's events: keep what is wanted, drop the rest.  Pure.
 *
 * An object that breaks a limit of value.h is read to its end all the same; what names it is
 * remembered apart, so that it can be set aside by name.
 */
#pragma once

#include "watch/document/value.h"
#include "watch/object/kind.h"

enum api_identity { API_NAME, API_NAMESPACE, API_UID, API_VERSION, _API_IDENTITY_MAX };

/*
 * struct api_frame - an open map or list
 * @wanted:  In the map; of a list, in each item
 * @is_list: It is one
 */
struct api_frame {
	const struct field *wanted;
	bool is_list;
};

/*
 * struct api_object - starts zeroed
 * @doc:      NULL: none is under way, or it is @broken
 * @next:     What is wanted in the value that comes next in a map; NULL: nothing
 * @depth:    Open maps and lists; in @frame while the object is not broken
 * @identity: Texts, as far as they were told
 * @which:    The field of @identity whose value comes next; _API_IDENTITY_MAX: none
 * @why:      Of a broken one
 */
struct api_object {
	struct value_doc *doc;
	const struct field *next;
	struct api_frame frame[VALUE_DEPTH_MAX];
	uint32_t depth;
	bool in_metadata, broken;
	enum api_identity which;
	char *identity[_API_IDENTITY_MAX];
	struct err why;
};

void api_object_begin(struct api_object *o, const struct field *wanted);
void api_object_key(struct api_object *o, const char *s, size_t n);
void api_object_scalar(struct api_object *o, enum value_type type, const char *s, size_t n);
bool api_object_open(struct api_object *o, enum value_type seq_or_map);
bool api_object_close(struct api_object *o);
int api_object_take(struct api_object *o, enum kind kind, struct object **ret, struct err *reterr);
uint64_t api_object_version(const struct api_object *o);
void api_object_done(struct api_object *o);
