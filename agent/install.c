// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * install.c - install and remove plugin binary and network configuration list.
 *
 * Both are written only when they differ, by rename: a runtime that starts the plugin at this
 * moment runs the old or the new one.  Agents may share the plugin folder, not the list's name.
 */
#include "agent/install.h"

#include <errno.h>

#include "agent/files.h"
#include "lib/jsonw.h"
#include "watch/json.h"

#define BINARY_MAX   (256u << 20) /* bytes of the program; with sanitizers it has 10 MiB */
#define CONFLIST_MAX (1u << 20)

/**
 * install_plugin() - Copy the running program to <cni-bin-dir>/manx
 * @cni_bin_dir: Folder, exists
 * @reterr:      Message with the path
 *
 * Return: 1 when copied, 0 when the same bytes were there already, -errno
 */
int install_plugin(const char *cni_bin_dir, struct err *reterr)
{
	_cleanup_(freep) char *path = xasprintf("%s/" PLUGIN_NAME, cni_bin_dir);
	struct buf program = {0};
	int r = file_load("/proc/self/exe", BINARY_MAX, &program, reterr);

	if (r == 0)
		r = file_update(path, program.data, program.len, 0755, reterr);
	buf_done(&program);
	return r;
}

/**
 * conflist_print() - Write the network configuration list
 * @run_dir: Absolute path of the run folder; its socket goes into the configuration
 * @out:     Where to
 *
 * Source: CNI specification 1.1.0, section 1; CONVENTIONS.md for the capabilities.
 */
void conflist_print(const char *run_dir, struct buf *out)
{
	_cleanup_(freep) char *socket = xasprintf("%s/cni.sock", run_dir);
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "cniVersion", "1.1.0");
	jsonw_str(&w, "name", "manx");
	jsonw_begin(&w, "plugins", '[');
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "type", PLUGIN_NAME);
	jsonw_str(&w, "socket", socket);
	jsonw_begin(&w, "capabilities", '{');
	jsonw_bool(&w, "portMappings", true);
	jsonw_bool(&w, "ips", true);
	jsonw_bool(&w, "mac", true);
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	buf_putc(out, '\n');
}

/**
 * install_conflist() - Install the network configuration list
 * @cni_conf_dir: Folder, exists
 * @name:         File name
 * @run_dir:      Absolute path of the run folder
 * @reterr:       Message with the path
 *
 * To be called when the agent is ready: the file is what makes the kubelet call the node ready.
 *
 * Return: 1 when written, 0 when it was right already, -errno
 */
int install_conflist(const char *cni_conf_dir, const char *name, const char *run_dir,
		     struct err *reterr)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", cni_conf_dir, name);
	struct buf text = {0};
	int r;

	conflist_print(run_dir, &text);
	r = file_update(path, text.data, text.len, 0644, reterr);
	buf_done(&text);
	return r;
}

/**
 * remove_plugin() - Remove <cni-bin-dir>/manx
 * @cni_bin_dir: Folder
 * @reterr:      Message with the path
 *
 * Return: 1 when removed, 0 when there was none, -errno
 */
int remove_plugin(const char *cni_bin_dir, struct err *reterr)
{
	_cleanup_(freep) char *path = xasprintf("%s/" PLUGIN_NAME, cni_bin_dir);

	return file_remove(path, reterr);
}

static bool is_string(const struct value *map, const char *key, const char *wanted)
{
	const struct value *v = value_get(map, key);

	return v && v->type == VALUE_STRING && streq(v->text, wanted);
}

static bool names_our_socket(const struct value *conflist, const char *run_dir)
{
	_cleanup_(freep) char *socket = xasprintf("%s/cni.sock", run_dir);
	const struct value *plugins = value_get(conflist, "plugins");

	if (!plugins || plugins->type != VALUE_SEQ || plugins->n == 0 ||
	    plugins->items[0]->type != VALUE_MAP)
		return false;
	return is_string(plugins->items[0], "type", PLUGIN_NAME) &&
	       is_string(plugins->items[0], "socket", socket);
}

static bool is_ours(const char *path, const char *run_dir)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct buf text = {0};
	bool ours = file_load(path, CONFLIST_MAX, &text, NULL) == 0 &&
		    json_parse(text.data, text.len, &doc, NULL) == 0 &&
		    value_root(doc)->type == VALUE_MAP &&
		    names_our_socket(value_root(doc), run_dir);

	buf_done(&text);
	return ours;
}

/**
 * remove_conflist() - Remove the network configuration list of one agent
 * @cni_conf_dir: Folder
 * @name:         File name
 * @run_dir:      Run folder of the agent; a list that names another socket stays
 * @reterr:       Message with the path
 *
 * Return: 1 when removed; 0 when there was none or it belongs to someone else; -errno
 */
int remove_conflist(const char *cni_conf_dir, const char *name, const char *run_dir,
		    struct err *reterr)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", cni_conf_dir, name);

	if (!is_ours(path, run_dir))
		return 0;
	return file_remove(path, reterr);
}
