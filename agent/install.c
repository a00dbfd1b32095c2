// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * install.c - install and remove plugin binary and network configuration list; `manx install`.
 *
 * The plugin is a program of its own, manx-cni, that needs nothing of its host but libc and libmnl:
 * the runtime starts it on the host, where the agent's other libraries may be missing.
 * Both are written only when they differ, by rename: a runtime that starts the plugin at this
 * moment runs the old or the new one.  Agents may share the plugin folder, not the list's name.
 */
#include "agent/install.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/cni/cni.h"
#include "agent/config/options.h"
#include "agent/files.h"
#include "lib/jsonw.h"
#include "watch/document/json.h"

#define CONFLIST_MAX (1u << 20)

/* The plugin that came with this program: manx-cni in the same folder.  NULL: /proc is not there.
 */
static char *own_plugin(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n < 0)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	return xasprintf("%.*s/manx-cni", slash ? (int)(slash - path) : 0, path);
}

/**
 * install_plugin() - Copy the plugin to <cni-bin-dir>/manx
 * @program:     File to copy; NULL: manx-cni beside the running program
 * @cni_bin_dir: Folder, exists
 * @reterr:      Message with the path
 *
 * Return: 1 when copied, 0 when the same bytes were there already, -errno
 */
int install_plugin(const char *program, const char *cni_bin_dir, struct err *reterr)
{
	_cleanup_(freep) char *path = xasprintf("%s/" PLUGIN_NAME, cni_bin_dir);
	_cleanup_(freep) char *own = program ? xstrdup(program) : own_plugin();

	if (!own)
		return err_set(reterr, -ENOENT, "/proc/self/exe: %m");
	return file_copy(own, path, 0755, reterr);
}

/**
 * conflist_print() - Write the network configuration list
 * @run_dir: Absolute path of the run folder; its socket goes into the configuration
 * @out:     Where to
 *
 * libcni before 1.2 (containerd 1.6 and 1.7) reads cniVersion alone and refuses a result of 1.1.0;
 * later ones take the newest of cniVersions that they know, and with 1.1.0 ask STATUS and GC.
 * Source: CNI specification 1.1.0, section 1; CONVENTIONS.md for the capabilities.
 */
void conflist_print(const char *run_dir, struct buf *out)
{
	_cleanup_(freep) char *socket = xasprintf("%s/cni.sock", run_dir);
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "cniVersion", "1.0.0");
	jsonw_begin(&w, "cniVersions", '[');
	for (size_t i = 0; cni_versions[i]; i++)
		jsonw_str(&w, NULL, cni_versions[i]);
	jsonw_end(&w, ']');
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
		    json_parse_as_go(text.data, text.len, &doc, NULL) == 0 &&
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

/**
 * install_main() - `manx install`
 * @argc: Arguments, the name of the subcommand included
 * @argv: The same
 *
 * The plugin only.  The configuration list stays as it is: it tells the kubelet that the node is
 * ready, so the agent writes it when that is true.
 *
 * Return: exit code
 */
int install_main(int argc, char **argv)
{
	const struct options_spec spec = {
		.name = "manx install",
		.keys = UINT32_C(1) << CONFIG_CNI_BIN_DIR,
		.doc = "Install the CNI plugin, at once and before any agent runs.\v"
		       "A plugin that runs meanwhile is not disturbed.  The agent writes the CNI "
		       "configuration when it is ready; that of an earlier version stays in force.",
	};
	_cleanup_(config_freep) struct config *c = NULL;
	_cleanup_(options_done) struct options o = {0};
	struct err e = {0};
	int r;

	options_parse(argc, argv, &spec, &o);
	r = options_load(&o, &c, &e);
	if (r == 0 && !*c->cni_bin_dir)
		r = err_set(&e, -EINVAL, "--cni-bin-dir: empty");
	if (r == 0)
		r = dir_create(c->cni_bin_dir, 0755, &e);
	if (r == 0)
		r = install_plugin(NULL, c->cni_bin_dir, &e);
	if (r < 0) {
		(void)fprintf(stderr, "manx install: %s\n", e.msg);
		return EXIT_FAILURE;
	}
	(void)printf("%s/" PLUGIN_NAME "%s\n", c->cni_bin_dir,
		     r > 0 ? " installed" : " is there already");
	return EXIT_SUCCESS;
}
