/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yaml_scalar.h - what a plain YAML scalar means: null, boolean, integer, float or string.
 */
#pragma once

#include "watch/document/value.h"

#define YAML_TEXT_MAX 64 /* longest normal form of a number, with NUL */

/*
 * struct yaml_scalar - a scalar in the form that value_build_scalar() takes
 * @type:  VALUE_NULL to VALUE_STRING
 * @text:  Points into the input or at @normal
 * @len:   Bytes of @text
 * @not_finite: .inf or .nan, which JSON cannot express
 */
struct yaml_scalar {
	enum value_type type;
	const char *text;
	size_t len;
	bool not_finite;
	char normal[YAML_TEXT_MAX];
};

void yaml_scalar_resolve(const char *s, size_t len, struct yaml_scalar *ret);
