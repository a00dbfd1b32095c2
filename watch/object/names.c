// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * names.c - forms of names, and what all decoders ask of an entry.  Pure.
 *
 * Source: apimachinery validation (IsQualifiedName, IsValidLabelValue, IsDNS1123Subdomain,
 * IsDNS1123Label, IsValidPortName).
 */
#include <errno.h>

#include "lib/intern.h"
#include "watch/object/decode_internal.h"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/**
 * is_dns_label() - DNS-1123 label
 * @s: Text
 *
 * Return: true for at most 63 lower case letters, digits and inner '-'
 */
bool is_dns_label(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_lower_or_digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

/**
 * is_dns_subdomain() - DNS-1123 subdomain
 * @s: Text
 *
 * Return: true for at most 253 bytes of labels with dots between them
 */
bool is_dns_subdomain(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i == n - 1 || s[i - 1] == '.' || s[i + 1] == '.';

		if (!is_lower_or_digit(s[i]) && (edge || s[i] != '-') &&
		    (s[i] != '.' || i == 0 || i == n - 1 || s[i - 1] == '.'))
			return false;
	}
	return true;
}

/**
 * is_service_name() - Port name (IANA service name)
 * @s: Text
 *
 * Return: true for at most 15 lower case letters, digits and inner single '-', one letter at least
 */
bool is_service_name(const char *s)
{
	size_t n = strlen(s);
	bool letter = false;

	if (!n || n > 15 || s[0] == '-' || s[n - 1] == '-' || strstr(s, "--"))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_lower_or_digit(s[i]) && s[i] != '-')
			return false;
		letter |= s[i] >= 'a' && s[i] <= 'z';
	}
	return letter;
}

/* The part of a key behind the slash has the form of a value, but is not empty. */
static bool is_label_text(const char *s)
{
	size_t n = strlen(s);

	if (n > 63 || (n && (!is_alnum(s[0]) || !is_alnum(s[n - 1]))))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	return true;
}

/**
 * is_label_value() - Value of a label
 * @v: Value
 *
 * Return: true for "", for at most 63 letters, digits and inner '-', '_', '.', and for null, which
 *         the API server reads as ""
 */
bool is_label_value(const struct value *v)
{
	return v->type == VALUE_NULL || (v->type == VALUE_STRING && is_label_text(v->text));
}

/**
 * intern_label_value() - Text of a label's value
 * @v: Value that is_label_value()
 *
 * Return: interned
 */
const char *intern_label_value(const struct value *v)
{
	return intern(v->type == VALUE_NULL ? "" : v->text);
}

/**
 * is_label_key() - Key of a label
 * @s: Text
 *
 * Return: true for a name of at most 63 letters, digits and inner '-', '_', '.', perhaps behind a
 *         DNS-1123 subdomain and a slash
 */
bool is_label_key(const char *s)
{
	const char *slash = strchr(s, '/');
	const char *name = slash ? slash + 1 : s;
	char prefix[254];

	if (slash) {
		if ((size_t)(slash - s) >= sizeof(prefix))
			return false;
		memcpy(prefix, s, (size_t)(slash - s));
		prefix[slash - s] = '\0';
		if (!is_dns_subdomain(prefix))
			return false;
	}
	return *name && is_label_text(name);
}

/**
 * expect_map() - An entry of a list that has to be a map
 * @v:      Entry; null counts as an empty map, as in the API server
 * @path:   Its path
 * @reterr: What is wrong
 *
 * Return: 0, -EINVAL
 */
int expect_map(const struct value *v, const char *path, struct err *reterr)
{
	if (v->type == VALUE_MAP || v->type == VALUE_NULL)
		return 0;
	return err_set(reterr, -EINVAL, "%s: expected a map, found %s (line %u)", path,
		       value_type_str(v->type), v->line);
}

/**
 * decode_list() - A list of bounded length
 * @map:    Map
 * @path:   Its path
 * @key:    Entry
 * @ret:    List; untouched if absent
 * @reterr: What is wrong
 *
 * Return: 1 found, 0 absent, -EINVAL
 */
int decode_list(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr)
{
	const struct value *list = NULL;
	int r = value_get_seq(map, path, key, &list, reterr);

	if (r <= 0)
		return r;
	if (list->n > DECODE_ENTRIES_MAX)
		return err_set(reterr, -EINVAL, "%s.%s: %u entries, at most %d are supported", path,
			       key, list->n, DECODE_ENTRIES_MAX);
	*ret = list;
	return 1;
}

/**
 * decode_name() - A name: string, interned
 * @map:    Map
 * @path:   Its path
 * @key:    Entry
 * @ret:    Interned string; untouched if absent or empty
 * @reterr: What is wrong
 *
 * Return: 1 found, 0 absent, -EINVAL
 */
int decode_name(const struct value *map, const char *path, const char *key, const char **ret,
		struct err *reterr)
{
	const char *s = NULL;
	int r = value_get_str(map, path, key, &s, reterr);

	if (r <= 0 || !*s)
		return MIN(r, 0);
	*ret = intern(s);
	return 1;
}

/**
 * protocol_str() - Name of a protocol as manifests spell it
 * @protocol: PROTO_x
 *
 * Return: "TCP", "UDP" or "SCTP"; "?" for any other number
 */
const char *protocol_str(uint8_t protocol)
{
	switch (protocol) {
	case PROTO_TCP:
		return "TCP";
	case PROTO_UDP:
		return "UDP";
	case PROTO_SCTP:
		return "SCTP";
	default:
		return "?";
	}
}

/**
 * decode_protocol() - A transport protocol
 * @map:    Map with "protocol"
 * @path:   Its path
 * @lower:  "tcp" is right as well
 * @ret:    PROTO_TCP when absent
 * @reterr: What is wrong
 *
 * Return: 0, -EINVAL
 */
int decode_protocol(const struct value *map, const char *path, bool lower, uint8_t *ret,
		    struct err *reterr)
{
	static const uint8_t protocols[] = {PROTO_TCP, PROTO_UDP, PROTO_SCTP};
	static const char *const lower_case[] = {"tcp", "udp", "sctp"};
	const char *s = "TCP";

	if (value_get_str(map, path, "protocol", &s, reterr) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (streq(s, protocol_str(protocols[i])) || (lower && streq(s, lower_case[i]))) {
			*ret = protocols[i];
			return 0;
		}
	return err_set(reterr, -EINVAL, "%s.protocol: '%.*s' is not TCP, UDP or SCTP", path,
		       SHOWN(s));
}
