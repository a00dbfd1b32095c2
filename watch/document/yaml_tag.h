/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yaml_tag.h - the tags that a YAML document may use.
 */
#pragma once

#include "watch/document/value.h"

#define YAML_MERGE_TAG "tag:yaml.org,2002:merge"

/* YAML_IS_LITERAL is "!": a scalar is a string whatever its text looks like */
enum yaml_tag {
	YAML_IS_NONE,
	YAML_IS_LITERAL,
	YAML_IS_STR,
	YAML_IS_INT,
	YAML_IS_FLOAT,
	YAML_IS_BOOL,
	YAML_IS_NULL,
	YAML_IS_SEQ,
	YAML_IS_MAP,
	YAML_IS_MERGE,
	_YAML_IS_MAX
};

int yaml_tag_parse(const char *text, enum yaml_tag *ret);
bool yaml_tag_allows(enum yaml_tag tag, enum value_type type);
