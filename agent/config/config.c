// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config.c - put a configuration together, judge it, and say what a reload may change.  Pure.
 *
 * The file is one YAML map of at most CONFIG_FILE_MAX bytes.  A key that is not in the table is an
 * error, with the nearest known one in the message: a misspelt key that is ignored is the worst
 * kind of configuration.  The first mistake ends the parse.
 */
#include "agent/config/config.h"

#include <assert.h>
#include <errno.h>

#include "agent/config/config_keys.h"
#include "datapath/part.h"
#include "watch/document/place.h"
#include "watch/document/yaml.h"

static int set_defaults(struct config *c, struct err *reterr)
{
	for (size_t i = 0; i < _CONFIG_KEY_MAX; i++) {
		int r = config_rows[i].info.def
				? config_field_set_text(&config_rows[i], c, config_rows[i].info.def,
							reterr)
				: 0;

		assert(r == 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_entry(struct config *c, const struct value_entry *e, struct err *reterr)
{
	enum config_key key = 0;
	int r = config_key_find(e->key, &key, reterr);

	if (r < 0)
		return r;
	if (key == CONFIG_CONFIG)
		return err_set(reterr, -EINVAL, "config: only a flag can name the file");
	r = config_field_set_value(&config_rows[key], c, e->value, reterr);
	if (r < 0)
		(void)err_prefix(reterr, "%s: ", e->key);
	return r;
}

static int set_from_file(struct config *c, const char *file, const char *text, size_t len,
			 struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	const struct value *root;
	int r;

	if (len > CONFIG_FILE_MAX)
		return err_set(reterr, -EFBIG, "%s: larger than %u bytes", file, CONFIG_FILE_MAX);
	r = yaml_parse_one(text, len, &doc, reterr);
	if (r < 0) {
		(void)err_place(reterr, file);
		return r;
	}
	root = doc ? value_root(doc) : NULL;
	if (!root || root->type == VALUE_NULL)
		return 0;
	if (root->type != VALUE_MAP)
		return err_set(reterr, -EINVAL, "%s:%u: expected keys and values, found %s", file,
			       root->line, value_type_str(root->type));
	for (uint32_t i = 0; i < root->n; i++) {
		r = set_entry(c, &root->entry[i], reterr);
		if (r < 0) {
			(void)err_prefix(reterr, "%s:%u: ", file, root->entry[i].value->line);
			return r;
		}
	}
	return 0;
}

static int set_from_flags(struct config *c, const struct config_flag *flags, size_t n,
			  struct err *reterr)
{
	for (size_t i = 0; i < n; i++) {
		const struct config_row *row = &config_rows[flags[i].key];
		int r = config_field_set_text(row, c, flags[i].value, reterr);

		if (r < 0) {
			(void)err_prefix(reterr, "--%s: ", row->info.name);
			return r;
		}
	}
	return 0;
}

/**
 * config_parse() - Make a configuration of defaults, a file and flags
 * @file:    Name of the file for messages; unused when @text is NULL
 * @text:    The file's text, hostile; NULL when there is none
 * @len:     Bytes of @text
 * @flags:   Flags in the order given; a later one wins
 * @n_flags: How many
 * @ret:     Configuration; untouched on failure
 * @reterr:  "FILE:LINE: KEY: ..." or "--KEY: ..."
 *
 * Whether an agent can start with it is config_check_agent()'s question.
 *
 * Return: 0; -EINVAL, -ERANGE, -E2BIG, -EFBIG for bad input
 */
int config_parse(const char *file, const char *text, size_t len, const struct config_flag *flags,
		 size_t n_flags, struct config **ret, struct err *reterr)
{
	_cleanup_(config_freep) struct config *c = xcalloc(1, sizeof(*c));
	int r = set_defaults(c, reterr);

	if (r == 0 && text)
		r = set_from_file(c, file, text, len, reterr);
	if (r == 0)
		r = set_from_flags(c, flags, n_flags, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(c, NULL);
	return 0;
}

/**
 * config_default_node() - Name the node after the host when nothing else did
 * @c:        Configuration
 * @hostname: Name of the host, as gethostname() gives it; ignored when no node can have it
 *
 * Lower case, as the kubelet does (its flag --hostname-override).
 */
void config_default_node(struct config *c, const char *hostname)
{
	_cleanup_(freep) char *name = xstrdup(hostname);

	if (c->node)
		return;
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	(void)config_field_set_text(&config_rows[CONFIG_NODE], c, name, NULL);
}

/**
 * config_check_agent() - Can an agent run with this?
 * @c:      Configuration
 * @reterr: What is missing or too much
 *
 * Return: 0; -EINVAL
 */
int config_check_agent(const struct config *c, struct err *reterr)
{
	int sources = (c->manifests != NULL) + (c->kubeconfig != NULL) + c->in_cluster;

	if (!c->node)
		return err_set(reterr, -EINVAL, "node: not given; use --node NAME");
	if (sources == 0)
		return err_set(reterr, -EINVAL,
			       "no source of objects; use --manifests DIR, "
			       "--kubeconfig FILE or --in-cluster");
	if (sources > 1)
		return err_set(reterr, -EINVAL,
			       "more than one source of objects: give one of manifests, "
			       "kubeconfig, in-cluster");
	return 0;
}

/**
 * config_free() - Free a configuration
 * @c: Configuration or NULL
 *
 * Return: NULL
 */
struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < _CONFIG_KEY_MAX; i++)
		config_field_done(&config_rows[i], c);
	free(c);
	return NULL;
}

/**
 * config_reload_diff() - What a reload changes
 * @old:   Configuration in force
 * @fresh: Configuration just read
 *
 * Return: keys that differ, by whether they can be applied at runtime
 */
struct config_diff config_reload_diff(const struct config *old, const struct config *fresh)
{
	struct config_diff diff = {0};

	for (size_t i = 0; i < _CONFIG_KEY_MAX; i++) {
		if (config_field_equal(&config_rows[i], old, fresh))
			continue;
		*(config_rows[i].info.runtime ? &diff.applied : &diff.refused) |= UINT32_C(1) << i;
	}
	return diff;
}

/**
 * config_adopt() - Put the keys that can change into force
 * @running: Configuration in force
 * @fresh:   Configuration just read
 * @diff:    From config_reload_diff(); only @diff->applied is copied
 */
void config_adopt(struct config *running, const struct config *fresh,
		  const struct config_diff *diff)
{
	for (size_t i = 0; i < _CONFIG_KEY_MAX; i++)
		if (diff->applied & UINT32_C(1) << i)
			config_field_copy(&config_rows[i], running, fresh);
}

/**
 * config_of_parts() - What the parts of the data path take of a configuration
 * @c:   Configuration
 * @ret: Borrows from it
 */
void config_of_parts(const struct config *c, struct part_config *ret)
{
	*ret = (struct part_config){
		.n_ranges = c->ranges.n,
		.ranges = c->ranges.v,
		.masquerade = c->masquerade.enabled,
		.n_exclude = c->masquerade.exclude.n,
		.exclude = c->masquerade.exclude.v,
	};
}
