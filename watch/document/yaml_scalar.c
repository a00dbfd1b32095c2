// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * yaml_scalar.c - type plain scalars as sigs.k8s.io/yaml does, so that a manifest means here what
 * it means to kubectl.
 *
 * That library reads with go-yaml version 2 (YAML 1.1: yes, on, 0777, 1_000, but no base 60 and
 * no dates) and writes JSON, which turns a float without fraction (80.0, 8e1) into an integer.
 * Differences, all towards an error or a plain string: texts above 63 bytes are no numbers other
 * than decimal ones; "0b-1" and ".1_4" are strings.  Pure.
 */
#include "watch/document/yaml_scalar.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define WORD_MAX 5 /* bytes of the longest word below */

static bool one_of(const char *s, size_t len, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == len && memcmp(words[i], s, len) == 0)
			return true;
	return false;
}

static bool is_word(const char *s, size_t len, struct yaml_scalar *ret)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const trues[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
					    "True", "TRUE", "on",  "On",  "ON"};
	static const char *const falses[] = {"n",     "N",     "no",  "No",  "NO", "false",
					     "False", "FALSE", "off", "Off", "OFF"};
	static const char *const endless[] = {".nan",  ".NaN",	".NAN",	 ".inf",  ".Inf",  ".INF",
					      "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

	/* Length and first letter tell most texts from all words at once. */
	if (len > WORD_MAX || (len && !strchr("~nNyYtTfFoO.+-", s[0])))
		return false;
	if (one_of(s, len, nulls, ARRAY_SIZE(nulls))) {
		ret->type = VALUE_NULL;
	} else if (one_of(s, len, trues, ARRAY_SIZE(trues))) {
		ret->type = VALUE_BOOL;
		ret->text = "true";
	} else if (one_of(s, len, falses, ARRAY_SIZE(falses))) {
		ret->type = VALUE_BOOL;
		ret->text = "false";
	} else if (one_of(s, len, endless, ARRAY_SIZE(endless))) {
		ret->type = VALUE_NUMBER;
		ret->not_finite = true;
	} else {
		return false;
	}
	if (ret->type == VALUE_BOOL)
		ret->len = strlen(ret->text);
	return true;
}

static void set_normal(struct yaml_scalar *ret, enum value_type type)
{
	ret->type = type;
	ret->text = ret->normal;
	ret->len = strlen(ret->normal);
}

/* Base that the prefix of @digits asks for; moves behind the prefix. */
static unsigned int base_of(const char **digits)
{
	const char *s = *digits;

	if (s[0] != '0' || !s[1])
		return 10;
	*digits += 2;
	switch (s[1]) {
	case 'x':
	case 'X':
		return 16;
	case 'b':
	case 'B':
		return 2;
	case 'o':
	case 'O':
		return 8;
	default:
		*digits -= 1;
		return 8;
	}
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return 99;
}

/* Integers of every base that Go knows, up to 64 bits; decimal ones beyond that are floats. */
static bool is_integer(const char *plain, struct yaml_scalar *ret)
{
	bool negative = plain[0] == '-', sign = negative || plain[0] == '+', beyond = false;
	const char *digits = plain + sign;
	unsigned int base = base_of(&digits);
	uint64_t n = 0;

	if (!*digits)
		return false;
	for (const char *p = digits; *p; p++) {
		if (digit_of(*p) >= (int)base)
			return false;
		beyond |= __builtin_mul_overflow(n, base, &n);
		beyond |= __builtin_add_overflow(n, (uint64_t)digit_of(*p), &n);
	}
	if (beyond)
		return false;
	(void)snprintf(ret->normal, sizeof(ret->normal), "%s%" PRIu64, negative && n ? "-" : "", n);
	/* The builder turns what is above int64_t into a number. */
	set_normal(ret, VALUE_INT);
	return true;
}

static size_t count_digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* [-+]? ( .D+ | D+ ( .D* )? ) ( [eE] [-+]? D+ )?, the floats of YAML 1.2 that go-yaml takes. */
static bool has_float_form(const char *s)
{
	size_t whole, part = 0;

	s += *s == '-' || *s == '+';
	whole = count_digits(s);
	s += whole;
	if (*s == '.') {
		part = count_digits(++s);
		s += part;
	}
	if (!whole && !part)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		if (!count_digits(s))
			return false;
		s += count_digits(s);
	}
	return !*s;
}

static bool is_float(const char *plain, struct yaml_scalar *ret)
{
	double d;

	if (!has_float_form(plain))
		return false;
	d = strtod(plain, NULL);
	if (!isfinite(d))
		return false;
	/* As JSON is written: no fraction and below 1e21 means digits only. */
	if (fabs(d) < 1e21) {
		(void)snprintf(ret->normal, sizeof(ret->normal), "%.0f", d);
		if (strtod(ret->normal, NULL) == d) {
			set_normal(ret, VALUE_INT);
			return true;
		}
	}
	(void)snprintf(ret->normal, sizeof(ret->normal), "%s", plain);
	set_normal(ret, VALUE_NUMBER);
	return true;
}

/* A number with its underscores taken out, if it is short enough to be one. */
static bool is_number(const char *s, size_t len, struct yaml_scalar *ret)
{
	char plain[YAML_TEXT_MAX];
	size_t n = 0;

	if (!len || len >= sizeof(plain) || memchr(s, '\0', len) || !strchr("+-.0123456789", s[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] != '_' || s[0] == '.')
			plain[n++] = s[i];
	plain[n] = '\0';
	return is_integer(plain, ret) || is_float(plain, ret);
}

/**
 * yaml_scalar_resolve() - Give a plain scalar its type
 * @s:   Text without NUL
 * @len: Bytes of @s
 * @ret: Type and normal form; points at @s or into itself, so it must not be copied
 *
 * Time: O(len).  Source: go.yaml.in/yaml/v2 resolve.go as used by sigs.k8s.io/yaml 1.6.
 */
void yaml_scalar_resolve(const char *s, size_t len, struct yaml_scalar *ret)
{
	ret->type = VALUE_STRING;
	ret->text = s;
	ret->len = len;
	ret->not_finite = false;
	if (is_word(s, len, ret) || is_number(s, len, ret))
		return;
	/* A decimal number too long for the above is still a number, far out of range. */
	if (len >= YAML_TEXT_MAX && strspn(s + (s[0] == '-'), "0123456789") + (s[0] == '-') == len)
		ret->type = VALUE_NUMBER;
}
