// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * yaml_tag.c - the standard tags of YAML 1.1 that have a meaning in JSON, and the types they
 * allow.  All others (binary, timestamp, those of applications) are refused.  Pure.
 */
#include "watch/document/yaml_tag.h"

#include <assert.h>
#include <errno.h>
#include <yaml.h>

/**
 * yaml_tag_parse() - Recognise a tag
 * @text: Tag with its prefix written out, or NULL for none
 * @ret:  Which it is
 *
 * Return: 0; -EINVAL for one that is not supported
 */
int yaml_tag_parse(const char *text, enum yaml_tag *ret)
{
	static const char *const names[] = {
		[YAML_IS_NONE] = "",
		[YAML_IS_LITERAL] = "!",
		[YAML_IS_STR] = YAML_STR_TAG,
		[YAML_IS_INT] = YAML_INT_TAG,
		[YAML_IS_FLOAT] = YAML_FLOAT_TAG,
		[YAML_IS_BOOL] = YAML_BOOL_TAG,
		[YAML_IS_NULL] = YAML_NULL_TAG,
		[YAML_IS_SEQ] = YAML_SEQ_TAG,
		[YAML_IS_MAP] = YAML_MAP_TAG,
		[YAML_IS_MERGE] = YAML_MERGE_TAG,
	};
	static_assert(ARRAY_SIZE(names) == _YAML_IS_MAX, "every tag has a name");

	for (enum yaml_tag t = 0; t < _YAML_IS_MAX; t++) {
		if (!streq(text ?: "", names[t]))
			continue;
		*ret = t;
		return 0;
	}
	return -EINVAL;
}

/**
 * yaml_tag_allows() - Test whether a value may have a tag
 * @tag:  Tag
 * @type: Type of the value, found without regard to the tag
 *
 * An integer beyond 64 bits is a number and a float without fraction an integer, so the tags int
 * and float are one.
 *
 * Return: true if it may
 */
bool yaml_tag_allows(enum yaml_tag tag, enum value_type type)
{
	switch (tag) {
	case YAML_IS_NONE:
	case YAML_IS_LITERAL:
		return true;
	case YAML_IS_STR:
		return type == VALUE_STRING;
	case YAML_IS_INT:
	case YAML_IS_FLOAT:
		return type == VALUE_INT || type == VALUE_NUMBER;
	case YAML_IS_BOOL:
		return type == VALUE_BOOL;
	case YAML_IS_NULL:
		return type == VALUE_NULL;
	case YAML_IS_SEQ:
		return type == VALUE_SEQ;
	case YAML_IS_MAP:
		return type == VALUE_MAP;
	case YAML_IS_MERGE:
	case _YAML_IS_MAX:
		break;
	}
	return false;
}
