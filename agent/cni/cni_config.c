// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_config.c - check and read the network configuration of a CNI request.  Pure.
 *
 * What belongs to other plugins of the chain (dns, bandwidth without limits, keys not known) is
 * left alone; what asks for something that Manx does not do is refused, so that nobody believes
 * it is done.  Capabilities matter to ADD and CHECK only.
 */
#include "agent/cni/cni_internal.h"
#include "watch/document/json.h"

/**
 * cni_get_str() - String entry of a map of the configuration
 * @map:    Map, or NULL for one that is empty
 * @path:   Path of @map itself, "" at the root
 * @key:    Key
 * @ret:    String, borrowed; untouched if absent
 * @reterr: What is wrong
 *
 * The accessors of value.h word the message; the code is CNI's.
 *
 * Return: 0; -CNI_E_CONFIG for another type
 */
int cni_get_str(const struct value *map, const char *path, const char *key, const char **ret,
		struct err *reterr)
{
	return value_get_str(map, path, key, ret, reterr) < 0 ? -CNI_E_CONFIG : 0;
}

/**
 * cni_get_seq() - List entry of a map of the configuration
 * @map:    Map, or NULL for one that is empty
 * @path:   Path of @map itself, "" at the root
 * @key:    Key
 * @ret:    List, borrowed; untouched if absent
 * @reterr: What is wrong
 *
 * The accessors of value.h word the message; the code is CNI's.
 *
 * Return: 0; -CNI_E_CONFIG for another type
 */
int cni_get_seq(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr)
{
	return value_get_seq(map, path, key, ret, reterr) < 0 ? -CNI_E_CONFIG : 0;
}

/**
 * cni_get_map() - Map entry of a map of the configuration
 * @map:    Map, or NULL for one that is empty
 * @path:   Path of @map itself, "" at the root
 * @key:    Key
 * @ret:    Map, borrowed; untouched if absent
 * @reterr: What is wrong
 *
 * The accessors of value.h word the message; the code is CNI's.
 *
 * Return: 0; -CNI_E_CONFIG for another type
 */
int cni_get_map(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr)
{
	return value_get_map(map, path, key, ret, reterr) < 0 ? -CNI_E_CONFIG : 0;
}

static bool is_supported(const char *version)
{
	for (size_t i = 0; cni_versions[i]; i++)
		if (streq(version, cni_versions[i]))
			return true;
	return false;
}

/* Source: section 2: CHECK came with 0.4.0, GC and STATUS with 1.1.0. */
static const char *first_version(enum cni_verb v)
{
	return v == CNI_CHECK ? "0.4.0" : v == CNI_GC || v == CNI_STATUS ? "1.1.0" : "0.3.0";
}

static int parse_version(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	const char *version = "0.1.0"; /* what an absent cniVersion means */
	char shown[CNI_SHOWN_MAX];

	if (value_get_str(conf, "", "cniVersion", &version, reterr) < 0)
		return -CNI_E_DECODE;
	if (!is_supported(version) && q->verb != CNI_VERSION)
		return err_set(reterr, -CNI_E_VERSION,
			       "cniVersion '%s' is not supported; 0.3.0, 0.3.1, 0.4.0, 1.0.0 and "
			       "1.1.0 are",
			       cni_shown(version, shown));
	if (q->verb != CNI_VERSION && strcmp(version, first_version(q->verb)) < 0)
		return err_set(reterr, -CNI_E_VERSION, "cniVersion %s has no %s, %s has", version,
			       cni_verb_str(q->verb), first_version(q->verb));
	free(q->version);
	q->version = xstrdup(version);
	return 0;
}

static int parse_names(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	const char *name = NULL, *socket_path = "";
	char shown[CNI_SHOWN_MAX];

	if (cni_get_str(conf, "", "name", &name, reterr) < 0 ||
	    cni_get_str(conf, "", "socket", &socket_path, reterr) < 0)
		return -CNI_E_CONFIG;
	if (!name)
		return err_set(reterr, -CNI_E_CONFIG, "name: required");
	if (!cni_is_identifier(name, NETWORK_NAME_MAX))
		return err_set(reterr, -CNI_E_CONFIG, "name: '%s' is not a network name",
			       cni_shown(name, shown));
	free(q->network);
	q->network = xstrdup(name);
	free(q->socket);
	q->socket = xstrdup(socket_path);
	return 0;
}

/* An empty section asks for nothing. */
static int refuse_ipam(const struct value *conf, struct err *reterr)
{
	const struct value *ipam = value_get(conf, "ipam");

	if (!ipam || ipam->type == VALUE_NULL || (ipam->type == VALUE_MAP && !ipam->n))
		return 0;
	return err_set(reterr, -CNI_E_CONFIG,
		       "ipam: addresses come from the node's ranges; remove this section");
}

static int parse_valid(const struct value *list, struct cni_request *q, struct err *reterr)
{
	q->valid = xcalloc(list->n, sizeof(*q->valid));
	for (uint32_t i = 0; i < list->n; i++) {
		const char *id = NULL, *ifname = NULL;

		if (list->items[i]->type == VALUE_NULL)
			continue;
		if (value_get_str(list->items[i], "", "containerID", &id, NULL) <= 0 ||
		    value_get_str(list->items[i], "", "ifname", &ifname, NULL) <= 0)
			return err_set(reterr, -CNI_E_CONFIG,
				       "cni.dev/valid-attachments[%u]: containerID and ifname are "
				       "required, and strings",
				       i);
		q->valid[q->n_valid++] = (struct cni_key){xstrdup(id), xstrdup(ifname)};
	}
	return 0;
}

/*
 * A GC without the list must not be read as "nothing is valid".  One whose list is null is: it is
 * an empty list of Go, which CRI-O sends.  "cni.dev/attachments" is what the first text of
 * specification 1.1.0 called it; libcni sends both.
 */
static int parse_gc(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	static const char *const keys[] = {"cni.dev/valid-attachments", "cni.dev/attachments"};
	const struct value *list = NULL;
	bool given = false;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !list; i++) {
		given = given || value_get(conf, keys[i]);
		if (cni_get_seq(conf, "", keys[i], &list, reterr) < 0)
			return -CNI_E_CONFIG;
	}
	if (!given)
		return err_set(reterr, -CNI_E_CONFIG, "%s: required for GC", keys[0]);
	return list ? parse_valid(list, q, reterr) : 0;
}

static int parse_attachment(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	int r = refuse_ipam(conf, reterr);

	if (r == 0)
		r = cni_capabilities_parse(conf, q, reterr);
	if (r == 0)
		r = cni_get_map(conf, "", "prevResult", &q->prev, reterr);
	if (r == 0 && q->verb == CNI_CHECK && !q->prev)
		r = err_set(reterr, -CNI_E_CONFIG, "prevResult: required for CHECK");
	return r;
}

static int parse_root(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	int r = parse_version(conf, q, reterr);

	if (r < 0 || q->verb == CNI_VERSION)
		return r;
	r = parse_names(conf, q, reterr);
	if (r < 0)
		return r;
	switch (q->verb) {
	case CNI_ADD:
	case CNI_CHECK:
		return parse_attachment(conf, q, reterr);
	case CNI_GC:
		return parse_gc(conf, q, reterr);
	case CNI_STATUS:
		return refuse_ipam(conf, reterr);
	case CNI_DEL:
	case CNI_VERSION:
	case _CNI_VERB_MAX:
		break;
	}
	return 0;
}

/**
 * cni_config_parse() - Check and read a network configuration
 * @conf:   JSON text
 * @len:    Its bytes, more than CNI_STDIN_MAX are refused
 * @q:      Request whose verb is known; takes the document over
 * @reterr: What is wrong; its @code may be another than is returned
 *
 * Source: CNI specification 1.1.0, sections 1 and 2.
 *
 * Return: 0; the negative of an enum cni_code
 */
int cni_config_parse(const char *conf, size_t len, struct cni_request *q, struct err *reterr)
{
	const struct value *root;

	if (len > CNI_STDIN_MAX)
		return err_set(reterr, -CNI_E_DECODE,
			       "the network configuration has %zu bytes, at most %u are read", len,
			       CNI_STDIN_MAX);
	if (json_parse_as_go(conf, len, &q->doc, reterr) < 0) {
		(void)err_prefix(reterr, "network configuration: ");
		return -CNI_E_DECODE;
	}
	root = value_root(q->doc);
	if (!root || root->type != VALUE_MAP)
		return err_set(reterr, -CNI_E_DECODE, "network configuration: not a JSON object");
	return parse_root(root, q, reterr);
}
