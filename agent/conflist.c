// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conflist.c - what the network configuration list must say, and how one that is there is edited.
 *
 * Ours is one entry of "plugins"; all else in the list belongs to whoever wrote it (service meshes
 * chain their plugin behind ours) and is written again as it was read.  Read as Go reads it.
 */
#include "agent/conflist.h"

#include <errno.h>

#include "agent/cni/cni.h"
#include "watch/document/json.h"
#include "watch/document/value_write.h"

static const char *const capabilities[] = {"portMappings", "ips", "mac"};

/* --- reading -----------------------------------------------------------------------------------
 */

static bool is_string(const struct value *map, const char *key, const char *wanted)
{
	const struct value *v = value_get(map, key);

	return v && v->type == VALUE_STRING && streq(v->text, wanted);
}

static bool is_our_type(const struct value *plugin)
{
	return is_string(plugin, "type", PLUGIN_NAME);
}

static const struct value *plugins_of(const struct value *list)
{
	const struct value *v = value_get(list, "plugins");

	return v && v->type == VALUE_SEQ ? v : NULL;
}

/* Our entry: that with our socket, else the first of our type; -1 if there is none. */
static int find_entry(const struct value *plugins, const char *socket)
{
	int found = -1;

	for (uint32_t i = 0; i < plugins->n; i++) {
		if (!is_our_type(plugins->items[i]))
			continue;
		if (is_string(plugins->items[i], "socket", socket))
			return (int)i;
		if (found < 0)
			found = (int)i;
	}
	return found;
}

static bool has_capabilities(const struct value *entry)
{
	const struct value *given = value_get(entry, "capabilities");

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		const struct value *v = value_get(given, capabilities[i]);

		if (!v || v->type != VALUE_BOOL || !v->boolean)
			return false;
	}
	return true;
}

/* A list of an earlier version said 1.1.0 alone.  Versions that somebody chose stay. */
static bool has_head(const struct value *list)
{
	const struct value *name = value_get(list, "name"),
			   *version = value_get(list, "cniVersion");

	return name && name->type == VALUE_STRING && version && version->type == VALUE_STRING &&
	       value_get(list, "cniVersions");
}

static int read_list(const char *text, size_t len, struct value_doc **ret, struct err *reterr)
{
	const struct value *plugins;
	int r = json_parse_as_go(text, len, ret, reterr);

	if (r < 0)
		return r;
	if (value_root(*ret)->type != VALUE_MAP)
		return err_set(reterr, -EINVAL, "expected a map, found %s",
			       value_type_str(value_root(*ret)->type));
	plugins = plugins_of(value_root(*ret));
	if (!plugins)
		return err_set(reterr, -EINVAL, "plugins: expected a list");
	for (uint32_t i = 0; i < plugins->n; i++)
		if (plugins->items[i]->type != VALUE_MAP)
			return err_set(reterr, -EINVAL, "plugins[%u]: expected a map, found %s", i,
				       value_type_str(plugins->items[i]->type));
	return 0;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static bool is_one_of(const char *found, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (value_key_is(found, keys[i]))
			return true;
	return false;
}

/* What a map has beside certain keys; NULL has nothing. */
static void put_others(struct jsonw *w, const struct value *map, const char *const *keys, size_t n)
{
	for (uint32_t i = 0; map && map->type == VALUE_MAP && i < map->n; i++)
		if (!is_one_of(map->entry[i].key, keys, n))
			value_write(w, map->entry[i].key, map->entry[i].value);
}

static void put_entry(struct jsonw *w, const struct value *old, const char *socket)
{
	static const char *const own[] = {"type", "socket", "capabilities"};

	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "type", PLUGIN_NAME);
	jsonw_str(w, "socket", socket);
	jsonw_begin(w, "capabilities", '{');
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		jsonw_bool(w, capabilities[i], true);
	put_others(w, value_get(old, "capabilities"), capabilities, ARRAY_SIZE(capabilities));
	jsonw_end(w, '}');
	put_others(w, old, own, ARRAY_SIZE(own));
	jsonw_end(w, '}');
}

static void put_plugins(struct jsonw *w, const struct value *plugins, const char *socket)
{
	int at = plugins ? find_entry(plugins, socket) : -1;

	jsonw_begin(w, "plugins", '[');
	if (at < 0) /* in front: the others are chained behind an interface */
		put_entry(w, NULL, socket);
	for (uint32_t i = 0; plugins && i < plugins->n; i++)
		if ((int)i == at)
			put_entry(w, plugins->items[i], socket);
		else
			value_write(w, NULL, plugins->items[i]);
	jsonw_end(w, ']');
}

/*
 * libcni before 1.2 (containerd 1.6 and 1.7) reads cniVersion alone and refuses a result of 1.1.0;
 * later ones take the newest of cniVersions that they know, and with 1.1.0 ask STATUS and GC.
 */
static void put_list(const struct value *list, const char *socket, struct buf *out)
{
	static const char *const head[] = {"cniVersion", "cniVersions", "name", "plugins"};
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	if (!list || !has_head(list)) {
		const struct value *name = value_get(list, "name");

		jsonw_str(&w, "cniVersion", "1.0.0");
		jsonw_begin(&w, "cniVersions", '[');
		for (size_t i = 0; cni_versions[i]; i++)
			jsonw_str(&w, NULL, cni_versions[i]);
		jsonw_end(&w, ']');
		jsonw_str(&w, "name",
			  name && name->type == VALUE_STRING ? name->text : DEFAULT_NETWORK);
		put_others(&w, list, head, ARRAY_SIZE(head));
	} else {
		put_others(&w, list, &head[3], 1);
	}
	put_plugins(&w, list ? plugins_of(list) : NULL, socket);
	jsonw_end(&w, '}');
	buf_putc(out, '\n');
}

/**
 * conflist_plan() - What has to be done to our list
 * @text:    What the file holds; may be NULL when @len is 0: there is none
 * @len:     Its bytes
 * @run_dir: Absolute path of the run folder; its socket goes into our entry
 * @out:     Appended to unless it is right: what the file shall hold
 * @reterr:  CONFLIST_BROKEN: what is wrong with it
 *
 * Our entry is put in its place, or in front when it is missing; keys of it and of the list that we
 * do not set stay as they are.
 *
 * Return: what has to be done
 */
enum conflist_verdict conflist_plan(const char *text, size_t len, const char *run_dir,
				    struct buf *out, struct err *reterr)
{
	_cleanup_(freep) char *socket = xasprintf("%s/cni.sock", run_dir);
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	const struct value *plugins, *list;
	int at;

	if (!len || read_list(text, len, &doc, reterr) < 0) {
		put_list(NULL, socket, out);
		return len ? CONFLIST_BROKEN : CONFLIST_EDIT;
	}
	list = value_root(doc);
	plugins = plugins_of(list);
	at = find_entry(plugins, socket);
	if (at >= 0 && has_head(list) && is_string(plugins->items[at], "socket", socket) &&
	    has_capabilities(plugins->items[at]))
		return CONFLIST_RIGHT;
	put_list(list, socket, out);
	return CONFLIST_EDIT;
}

/**
 * conflist_is_ours() - Is a list that of one agent?
 * @text:    What a file holds
 * @len:     Its bytes
 * @run_dir: Run folder of the agent
 *
 * Return: true if one of its plugins is ours, with that agent's socket
 */
bool conflist_is_ours(const char *text, size_t len, const char *run_dir)
{
	_cleanup_(freep) char *socket = xasprintf("%s/cni.sock", run_dir);
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	const struct value *plugins;
	int at;

	if (read_list(text, len, &doc, NULL) < 0)
		return false;
	plugins = plugins_of(value_root(doc));
	at = find_entry(plugins, socket);
	return at >= 0 && is_string(plugins->items[at], "socket", socket);
}

/* --- lists of others ---------------------------------------------------------------------------
 */

/**
 * conflist_is_read() - Do container runtimes read a file of this name?
 * @file: Name without a folder
 *
 * libcni takes these endings and sorts the names as bytes; the first is the default network.
 *
 * Return: true if so
 */
bool conflist_is_read(const char *file)
{
	const char *dot = strrchr(file, '.');

	return streq(dot, ".conf") || streq(dot, ".conflist") || streq(dot, ".json");
}

static bool names_us(const struct value *v, const char *file)
{
	const char *slash;

	if (v->type != VALUE_STRING)
		return false;
	slash = strrchr(v->text, '/');
	return streq(slash ? slash + 1 : v->text, file);
}

static bool leads(const struct value *v, const char *file, const char *socket)
{
	bool found = is_our_type(v) && is_string(v, "socket", socket);

	if (v->type == VALUE_MAP)
		found = found || is_string(v, "clusterNetwork", DEFAULT_NETWORK);
	for (uint32_t i = 0; !found && i < v->n; i++) {
		if (v->type == VALUE_SEQ)
			found = leads(v->items[i], file, socket);
		else if (v->type == VALUE_MAP)
			found = leads(v->entry[i].value, file, socket);
		else
			break;
	}
	return found || names_us(v, file);
}

/**
 * conflist_leads_to() - Does another network's configuration have ours called?
 * @text:    Configuration
 * @len:     Its bytes
 * @file:    Name of our own file
 * @run_dir: Our run folder
 *
 * Multus does: it names our file or our network, or holds our plugin's entry.
 *
 * Return: true if so
 */
bool conflist_leads_to(const char *text, size_t len, const char *file, const char *run_dir)
{
	_cleanup_(freep) char *socket = xasprintf("%s/cni.sock", run_dir);
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;

	return json_parse_as_go(text, len, &doc, NULL) == 0 && leads(value_root(doc), file, socket);
}

/**
 * conflist_network() - Name of the network that a configuration is of
 * @text: Configuration
 * @len:  Its bytes
 *
 * Return: the name, to be freed; NULL when it has none or cannot be read
 */
char *conflist_network(const char *text, size_t len)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	const char *name = NULL;

	if (json_parse_as_go(text, len, &doc, NULL) == 0)
		(void)value_get_str(value_root(doc), "", "name", &name, NULL);
	return name ? xstrdup(name) : NULL;
}
