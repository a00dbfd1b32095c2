// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_text.c - checks of single texts of the configuration: durations, names, paths.  Pure.
 */
#include "agent/config/config_keys.h"

#include <errno.h>
#include <limits.h>

#include "agent/report/pages_address.h"

#define NODE_NAME_MAX 253 /* Kubernetes: DNS subdomain (RFC 1123) */
#define RUN_DIR_MAX   98  /* bytes: sun_path holds 107, and "/cni.sock" follows */

/**
 * duration_parse() - Read a duration: "500ms", "30s", "1m30s", "2h", or "0"
 * @s:        Text; whole numbers, each with a unit of h, m, s, ms
 * @ret_usec: Microseconds; untouched on failure
 *
 * Return: 0; -EINVAL; -ERANGE above 10000 hours
 */
int duration_parse(const char *s, uint64_t *ret_usec)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = {
		{"ms", USEC_PER_MSEC},
		{"s", USEC_PER_SEC},
		{"m", 60 * USEC_PER_SEC},
		{"h", 3600 * USEC_PER_SEC},
	};
	const uint64_t most = 10000 * 3600 * USEC_PER_SEC;
	uint64_t total = 0;

	if (streq(s, "0")) {
		*ret_usec = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		size_t digits = strspn(s, "0123456789"), i = 0;
		size_t letters = strcspn(s + digits, "0123456789");
		uint64_t number;

		while (i < ARRAY_SIZE(units) && (strlen(units[i].name) != letters ||
						 memcmp(units[i].name, s + digits, letters) != 0))
			i++;
		if (digits == 0 || i == ARRAY_SIZE(units))
			return -EINVAL;
		if (digits > 12)
			return -ERANGE;
		number = strtoull(s, NULL, 10);
		if (number > most / units[i].usec || total + number * units[i].usec > most)
			return -ERANGE;
		total += number * units[i].usec;
		s += digits + letters;
	}
	*ret_usec = total;
	return 0;
}

static int check_node(const char *s, struct err *reterr)
{
	size_t len = strlen(s);
	const char *edge = "abcdefghijklmnopqrstuvwxyz0123456789";

	if (len == 0 || len > NODE_NAME_MAX ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len || !strchr(edge, s[0]) ||
	    !strchr(edge, s[len - 1]))
		return err_set(reterr, -EINVAL,
			       "'%.100s' is not a node name: at most %d of a-z, 0-9, '-' and '.', "
			       "with a letter or digit at both ends",
			       s, NODE_NAME_MAX);
	return 0;
}

static int check_path(const char *s, size_t max, struct err *reterr)
{
	if (s[0] != '/')
		return err_set(reterr, -EINVAL, "'%.100s' is not an absolute path", s);
	if (strlen(s) > max)
		return err_set(reterr, -EINVAL, "the path is longer than %zu bytes", max);
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return err_set(reterr, -EINVAL, "the path holds a control character");
	return 0;
}

static int check_conflist_name(const char *s, struct err *reterr)
{
	static const char suffix[] = ".conflist";
	size_t len = strlen(s);

	if (len > NAME_MAX - 8 || len <= strlen(suffix) || s[0] == '.' || strchr(s, '/') ||
	    !streq(s + len - strlen(suffix), suffix))
		return err_set(reterr, -EINVAL,
			       "'%.100s' is not a file name that ends in .conflist, without a "
			       "folder",
			       s);
	return 0;
}

/**
 * config_text_check() - Is this text a valid value of a string key?
 * @type:   Type of the key; every type that is not listed in the function is a path
 * @s:      Text, hostile
 * @reterr: Message without key and place
 *
 * Return: 0, -EINVAL
 */
int config_text_check(enum config_type type, const char *s, struct err *reterr)
{
	struct pages_address unused;

	switch (type) {
	case CONFIG_TYPE_NODE:
		return check_node(s, reterr);
	case CONFIG_TYPE_PATH_OR_NONE:
		return *s ? check_path(s, PATH_MAX - 256, reterr) : 0;
	case CONFIG_TYPE_RUN_DIR:
		return check_path(s, RUN_DIR_MAX, reterr);
	case CONFIG_TYPE_FILE_NAME:
		return check_conflist_name(s, reterr);
	case CONFIG_TYPE_ADDRESS:
		return pages_address_parse(s, &unused, reterr);
	default:
		return check_path(s, PATH_MAX - 256, reterr);
	}
}
