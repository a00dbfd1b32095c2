// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reload.c - read the configuration again, apply what can change, and say what cannot.
 *
 * The file's folder is watched, not the file: editors and ConfigMap mounts put another file in
 * its place.  A configuration with an error changes nothing.
 */
#include "agent/config/reload.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/health.h"
#include "agent/turn.h"
#include "lib/log.h"

static void reload(struct agent *a)
{
	_cleanup_(config_freep) struct config *fresh = NULL;
	_cleanup_(buf_done) struct buf names = {0};
	struct config_diff diff;
	struct err e = {0};

	if (options_load(a->options, &fresh, &e) < 0 || config_check_agent(fresh, &e) < 0) {
		a->count.reload_errors++;
		log_err("config", "not reloaded, the old configuration stays", "err=\"%s\"", e.msg);
		return;
	}
	diff = config_reload_diff(a->config, fresh);
	if (diff.refused) {
		config_keys_print(diff.refused, &names);
		log_warn("config", "these need a restart", "keys=\"%s\"", names.data);
		buf_reset(&names);
	}
	if (!diff.applied)
		return;
	a->count.reloads++;
	config_keys_print(diff.applied, &names);
	log_info("config", "reloaded", "keys=\"%s\"", names.data);
	config_adopt(a->config, fresh, &diff);
	turn_configure(a);
}

static void on_hangup(void *arg)
{
	reload(arg);
}

/* Whatever happened in the folder: reading one small file tells whether it matters. */
static void on_folder(void *arg, uint32_t events _unused_)
{
	struct agent *a = arg;
	char events_read[4096];
	bool any = false;

	while (read(a->config_watch, events_read, sizeof(events_read)) > 0)
		any = true;
	if (any)
		reload(a);
}

/**
 * reload_watch() - Reload at SIGHUP and when the file changes
 * @a: Agent
 */
void reload_watch(struct agent *a)
{
	_cleanup_(freep) char *folder = a->config->config ? xstrdup(a->config->config) : NULL;
	char *slash = folder ? strrchr(folder, '/') : NULL;
	int fd;

	agent_add_source(a, loop_signal(a->loop, "SIGHUP", SIGHUP, on_hangup, a));
	if (!folder)
		return;
	if (slash)
		slash[slash == folder] = '\0';
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || inotify_add_watch(fd, slash ? folder : ".",
					IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		log_warn("config", "the file is not watched, send SIGHUP after a change",
			 "file=\"%s\" err=\"%s\"", a->config->config, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	a->config_watch = fd;
	agent_add_source(a, loop_io(a->loop, "config", fd, EPOLLIN, on_folder, a));
}
