// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_keys.c - the values of configuration keys: from text (a flag, a default) or from a YAML
 * value into the member of struct config, compared, copied, freed.  Pure.
 *
 * Messages here do not name the key or the place; config.c puts them in front.
 */
#include "agent/config/config_keys.h"

#include <errno.h>
#include <stdio.h>

#define MTU_LEAST 1280 /* RFC 8200, section 5: below it the kernel turns IPv6 off */
#define MTU_MOST  65535

static void *field(const struct config_row *row, const struct config *c)
{
	return (char *)(uintptr_t)c + row->offset;
}

static int set_string(const struct config_row *row, char **member, const char *s,
		      struct err *reterr)
{
	int r = config_text_check(row->type, s, reterr);

	if (r < 0)
		return r;
	free(*member);
	*member = xstrdup(s);
	return 0;
}

static int set_bool(bool *member, const char *s, struct err *reterr)
{
	if (!streq(s, "true") && !streq(s, "false"))
		return err_set(reterr, -EINVAL, "'%.100s' is neither true nor false", s);
	*member = streq(s, "true");
	return 0;
}

static int set_duration(const struct config_row *row, uint64_t *member, const char *s,
			struct err *reterr)
{
	uint64_t usec = 0;
	int r = duration_parse(s, &usec);

	if (r == -EINVAL)
		return err_set(reterr, r,
			       "'%.100s' is not a duration; write it as 500ms, 30s or 1m", s);
	if (r < 0 || usec > row->max_usec)
		return err_set(reterr, -ERANGE, "'%.100s' is above %llu s", s,
			       (unsigned long long)(row->max_usec / USEC_PER_SEC));
	*member = usec;
	return 0;
}

static int set_mtu(uint32_t *member, const char *s, struct err *reterr)
{
	size_t digits = strspn(s, "0123456789");
	unsigned long mtu = digits > 0 && digits <= 6 && !s[digits] ? strtoul(s, NULL, 10) : 1;

	if (mtu != 0 && (mtu < MTU_LEAST || mtu > MTU_MOST))
		return err_set(reterr, -EINVAL, "'%.100s' is neither 0 nor a number from %d to %d",
			       s, MTU_LEAST, MTU_MOST);
	*member = (uint32_t)mtu;
	return 0;
}

static int set_level(enum log_level *member, const char *s, struct err *reterr)
{
	if (log_level_parse(s, member) < 0)
		return err_set(reterr, -EINVAL, "'%.100s' is none of error, warn, info, debug", s);
	return 0;
}

static int set_connections(enum connections *member, const char *s, struct err *reterr)
{
	if (!streq(s, "keep") && !streq(s, "recheck"))
		return err_set(reterr, -EINVAL, "'%.100s' is neither keep nor recheck", s);
	*member = streq(s, "keep") ? CONNECTIONS_KEEP : CONNECTIONS_RECHECK;
	return 0;
}

static int add_prefix(enum config_type type, struct prefix_list *list, const char *s,
		      struct err *reterr)
{
	char a[PREFIX_STR_MAX], b[PREFIX_STR_MAX];
	struct prefix p;
	int r = prefix_parse(s, &p);

	if (r < 0)
		return err_set(reterr, r, "'%.100s' is not a prefix like 10.1.0.0/24", s);
	if (r > 0)
		return err_set(reterr, -EINVAL, "'%.100s' has bits behind its length; meant %s?", s,
			       prefix_str(&p, a));
	for (uint32_t i = 0; i < list->n; i++) {
		const struct prefix *have = &list->v[i];

		if (prefix_eq(have, &p))
			return err_set(reterr, -EINVAL, "%s stands twice", prefix_str(&p, a));
		if (type == CONFIG_TYPE_RANGES &&
		    (prefix_covers(have, &p) || prefix_covers(&p, have)))
			return err_set(reterr, -EINVAL, "%s overlaps %s", prefix_str(&p, a),
				       prefix_str(have, b));
	}
	if (list->n == CONFIG_PREFIXES_MAX)
		return err_set(reterr, -E2BIG, "more than %d entries", CONFIG_PREFIXES_MAX);
	list->v[list->n++] = p;
	return 0;
}

/* "10.1.0.0/24,fd00::/64"; an empty text is an empty list */
static int set_prefixes(enum config_type type, struct prefix_list *member, const char *s,
			struct err *reterr)
{
	struct prefix_list list = {0};

	while (*s) {
		size_t len = strcspn(s, ",");
		_cleanup_(freep) char *item = xstrndup(s, len);
		int r = add_prefix(type, &list, item, reterr);

		if (r < 0)
			return r;
		s += len;
		if (*s == ',' && !*++s)
			return err_set(reterr, -EINVAL, "nothing follows the last comma");
	}
	*member = list;
	return 0;
}

/**
 * config_field_set_text() - Set a key from the text of a flag or default
 * @row:    Key
 * @c:      Configuration; the member is untouched on failure
 * @text:   Text; lists are separated by commas
 * @reterr: Message without key and place
 *
 * Return: 0; -EINVAL, -ERANGE, -E2BIG
 */
int config_field_set_text(const struct config_row *row, struct config *c, const char *text,
			  struct err *reterr)
{
	void *member = field(row, c);

	switch (row->type) {
	case CONFIG_TYPE_BOOL:
		return set_bool(member, text, reterr);
	case CONFIG_TYPE_LOG_LEVEL:
		return set_level(member, text, reterr);
	case CONFIG_TYPE_PREFIXES:
	case CONFIG_TYPE_RANGES:
		return set_prefixes(row->type, member, text, reterr);
	case CONFIG_TYPE_DURATION:
		return set_duration(row, member, text, reterr);
	case CONFIG_TYPE_MTU:
		return set_mtu(member, text, reterr);
	case CONFIG_TYPE_CONNECTIONS:
		return set_connections(member, text, reterr);
	default:
		return set_string(row, member, text, reterr);
	}
}

static int set_prefix_seq(const struct config_row *row, struct prefix_list *member,
			  const struct value *seq, struct err *reterr)
{
	struct prefix_list list = {0};

	for (uint32_t i = 0; i < seq->n; i++) {
		const struct value *item = seq->items[i];
		int r = item->type == VALUE_STRING
				? add_prefix(row->type, &list, item->text, reterr)
				: err_set(reterr, -EINVAL, "expected a prefix, found %s",
					  value_type_str(item->type));

		if (r < 0) {
			(void)err_prefix(reterr, "entry %u (line %u): ", i + 1, item->line);
			return r;
		}
	}
	*member = list;
	return 0;
}

/*
 * Which YAML types a key takes.  An integer is no string here: `node: 0123` would silently become
 * another name.
 */
static bool type_fits(enum config_type type, const struct value *v)
{
	switch (type) {
	case CONFIG_TYPE_BOOL:
		return v->type == VALUE_BOOL;
	case CONFIG_TYPE_MTU:
		return v->type == VALUE_INT;
	case CONFIG_TYPE_DURATION:
		return v->type == VALUE_STRING || (v->type == VALUE_INT && v->integer == 0);
	default:
		return v->type == VALUE_STRING;
	}
}

static const char *type_wanted(enum config_type type)
{
	switch (type) {
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_MTU:
		return "a whole number";
	case CONFIG_TYPE_DURATION:
		return "a duration like 30s";
	case CONFIG_TYPE_PREFIXES:
	case CONFIG_TYPE_RANGES:
		return "a list of prefixes";
	default:
		return "a string (put it in quotes)";
	}
}

/**
 * config_field_set_value() - Set a key from a value of the file
 * @row:    Key
 * @c:      Configuration; the member is untouched on failure
 * @v:      Value; null leaves the member as it is
 * @reterr: Message without key and place
 *
 * Return: 0; -EINVAL, -ERANGE, -E2BIG
 */
int config_field_set_value(const struct config_row *row, struct config *c, const struct value *v,
			   struct err *reterr)
{
	bool is_list = row->type == CONFIG_TYPE_PREFIXES || row->type == CONFIG_TYPE_RANGES;
	char number[24];

	if (v->type == VALUE_NULL)
		return 0;
	if (is_list && v->type == VALUE_SEQ)
		return set_prefix_seq(row, field(row, c), v, reterr);
	if (!type_fits(row->type, v))
		return err_set(reterr, -EINVAL, "expected %s, found %s", type_wanted(row->type),
			       value_type_str(v->type));
	if (v->type == VALUE_BOOL)
		return config_field_set_text(row, c, v->boolean ? "true" : "false", reterr);
	if (v->type == VALUE_INT) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)v->integer);
		return config_field_set_text(row, c, number, reterr);
	}
	return config_field_set_text(row, c, v->text, reterr);
}

static bool prefixes_equal(const struct prefix_list *a, const struct prefix_list *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!prefix_eq(&a->v[i], &b->v[i]))
			return false;
	return true;
}

/**
 * config_field_equal() - Do two configurations agree on a key?
 * @row: Key
 * @a:   Configuration
 * @b:   Configuration
 *
 * Return: true if the values are the same
 */
bool config_field_equal(const struct config_row *row, const struct config *a,
			const struct config *b)
{
	const void *x = field(row, a), *y = field(row, b);

	switch (row->type) {
	case CONFIG_TYPE_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case CONFIG_TYPE_LOG_LEVEL:
		return *(const enum log_level *)x == *(const enum log_level *)y;
	case CONFIG_TYPE_PREFIXES:
	case CONFIG_TYPE_RANGES:
		return prefixes_equal(x, y);
	case CONFIG_TYPE_DURATION:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	case CONFIG_TYPE_MTU:
		return *(const uint32_t *)x == *(const uint32_t *)y;
	case CONFIG_TYPE_CONNECTIONS:
		return *(const enum connections *)x == *(const enum connections *)y;
	default:
		return streq(*(char *const *)x, *(char *const *)y);
	}
}

/**
 * config_field_copy() - Take one key's value over
 * @row:  Key
 * @to:   Configuration that changes
 * @from: Configuration that is read
 */
void config_field_copy(const struct config_row *row, struct config *to, const struct config *from)
{
	void *x = field(row, to);
	const void *y = field(row, from);

	switch (row->type) {
	case CONFIG_TYPE_BOOL:
		*(bool *)x = *(const bool *)y;
		return;
	case CONFIG_TYPE_LOG_LEVEL:
		*(enum log_level *)x = *(const enum log_level *)y;
		return;
	case CONFIG_TYPE_PREFIXES:
	case CONFIG_TYPE_RANGES:
		*(struct prefix_list *)x = *(const struct prefix_list *)y;
		return;
	case CONFIG_TYPE_DURATION:
		*(uint64_t *)x = *(const uint64_t *)y;
		return;
	case CONFIG_TYPE_MTU:
		*(uint32_t *)x = *(const uint32_t *)y;
		return;
	case CONFIG_TYPE_CONNECTIONS:
		*(enum connections *)x = *(const enum connections *)y;
		return;
	default:
		free(*(char **)x);
		*(char **)x = *(char *const *)y ? xstrdup(*(char *const *)y) : NULL;
	}
}

/**
 * config_field_done() - Free what one key holds
 * @row: Key
 * @c:   Configuration
 */
void config_field_done(const struct config_row *row, struct config *c)
{
	switch (row->type) {
	case CONFIG_TYPE_NODE:
	case CONFIG_TYPE_PATH:
	case CONFIG_TYPE_PATH_OR_NONE:
	case CONFIG_TYPE_RUN_DIR:
	case CONFIG_TYPE_FILE_NAME:
	case CONFIG_TYPE_ADDRESS:
		free(*(char **)field(row, c));
		*(char **)field(row, c) = NULL;
		return;
	default:
		return;
	}
}
