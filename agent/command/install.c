// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * install.c - install and remove plugin binary and network configuration list; `manx install`.
 *
 * The plugin is a program of its own, manx-cni, that needs nothing of its host but libc and libmnl:
 * the runtime starts it on the host, where the agent's other libraries may be missing.
 * Both are written only when they differ, by rename: a runtime that starts the plugin at this
 * moment runs the old or the new one.  In the list only our part is (conflist.h).  Agents may share
 * the plugin folder, not the list's name.
 */
#include "agent/command/install.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config/options.h"
#include "lib/file.h"
#include "lib/file_write.h"

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

/*
 * A list that is none gets a second name, with an ending that no runtime reads, before another
 * takes its place: at no moment is there none.
 */
static int put_aside(const char *path, struct err *reterr)
{
	_cleanup_(freep) char *aside = xasprintf("%s" CONFLIST_ASIDE, path);

	(void)unlink(aside);
	if (link(path, aside) == 0)
		return 0;
	return err_set(reterr, -errno, "%s: cannot be kept as %s: %m", path, aside);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 0777 : 0644;
}

/**
 * install_conflist() - Put our entry into the network configuration list, or write the list
 * @cni_conf_dir: Folder, exists
 * @name:         File name
 * @run_dir:      Absolute path of the run folder
 * @aside:        What is no list at all goes to <name>.set-aside, and a new one is written
 * @reterr:       Message with the path
 *
 * To be called when the agent is ready: the file is what makes the kubelet call the node ready.
 *
 * Return: 1 when written, 0 when it was right already; -EBADMSG when it is no list, and not @aside;
 *         -errno
 */
int install_conflist(const char *cni_conf_dir, const char *name, const char *run_dir, bool aside,
		     struct err *reterr)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", cni_conf_dir, name);
	_cleanup_(buf_done) struct buf have = {0}, wanted = {0};
	int r = file_load(path, CONFLIST_MAX, &have, reterr);
	enum conflist_verdict v = CONFLIST_BROKEN;

	if (r < 0 && r != -ENOENT && r != -EFBIG)
		return r;
	if (r == 0 && !have.len)
		(void)err_set(reterr, -EBADMSG, "the file is empty");
	if (r == -EFBIG ||
	    (r == 0 && !have.len)) /* what is to be written is as if there were none */
		(void)conflist_plan(NULL, 0, run_dir, &wanted, NULL);
	else
		v = conflist_plan(have.data, have.len, run_dir, &wanted, reterr);
	if (v == CONFLIST_RIGHT)
		return 0;
	if (v == CONFLIST_BROKEN && !aside) {
		(void)err_prefix(reterr, "%s: ", path);
		return -EBADMSG;
	}
	r = v == CONFLIST_BROKEN ? put_aside(path, reterr) : 0;
	if (r == 0)
		r = file_write_atomic(path, wanted.data, wanted.len, mode_of(path), reterr);
	return r < 0 ? r : 1;
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

static bool is_ours(const char *path, const char *run_dir)
{
	_cleanup_(buf_done) struct buf text = {0};

	return file_load(path, CONFLIST_MAX, &text, NULL) == 0 &&
	       conflist_is_ours(text.data, text.len, run_dir);
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
