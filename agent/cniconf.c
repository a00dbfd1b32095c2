// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cniconf.c - see that the runtime finds our network: put our part of the list back when it was
 * deleted or edited away, and tell of a configuration of others that sorts before ours.
 *
 * One look at the folder follows each change in it, and is a few small files; looks that follow
 * each other keep the pace of repair.h.  What is no list at all may be a write that is not
 * finished: it is set aside after a second.
 */
#include "agent/cniconf.h"

#include <dirent.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent/cni/cni_internal.h"
#include "agent/command/install.h"
#include "agent/report/metrics.h"
#include "lib/file.h"
#include "lib/file_write.h"
#include "lib/log.h"

#define AGAIN_USEC USEC_PER_SEC		/* after what could not be read, written or watched */
#define SOON_USEC  (10 * USEC_PER_MSEC) /* after a change, which may be one of several */
#define EVENTS                                                                                   \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ONLYDIR)

static void look_at(struct cniconf *c, uint64_t at)
{
	loop_timer_at(c->timer, at);
}

/* --- our list ----------------------------------------------------------------------------------
 */

static void failed(struct cniconf *c, const struct err *e)
{
	if (!streq(c->error.msg, e->msg))
		log_err("cni",
			"the CNI configuration is not as it must be, the runtime may not find us",
			"err=\"%s\"", e->msg);
	c->error = *e;
	look_at(c, loop_now(c->loop) + AGAIN_USEC);
}

static void keep_ours(struct cniconf *c)
{
	uint64_t now = loop_now(c->loop);
	struct err e = {0};
	int r = dir_create(c->folder, 0755, &e);

	if (r == 0)
		r = install_conflist(c->folder, c->name, c->run_dir,
				     !c->begun || (c->broken && now >= c->broken + AGAIN_USEC), &e);
	if (r > 0 && c->broken)
		log_err("cni",
			"our CNI configuration was no list, it is set aside and written again",
			"file=%s/%s kept=%s" CONFLIST_ASIDE, c->folder, c->name, c->name);
	else if (r > 0 && c->begun)
		log_warn("cni", "our part of the CNI configuration was gone, it is there again",
			 "file=%s/%s", c->folder, c->name);
	c->repairs += r > 0 && c->begun;
	if (r != -EBADMSG)
		c->broken = 0;
	else if (!c->broken)
		c->broken = now;
	if (r < 0)
		failed(c, &e);
	else
		c->error = (struct err){0};
}

/* --- what sorts before it ----------------------------------------------------------------------
 */

/* The file that runtimes read first, as heap memory; NULL if there is none. */
static char *first_file(const char *folder)
{
	char *first = NULL;
	const struct dirent *d;
	DIR *dir = opendir(folder);

	while (dir && (d = readdir(dir))) {
		if (d->d_type == DT_DIR || !conflist_is_read(d->d_name) ||
		    (first && strcmp(d->d_name, first) >= 0))
			continue;
		free(first);
		first = xstrdup(d->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return first;
}

static void set_first(struct cniconf *c, char *file, char *network)
{
	const char *ours = c->name;
	char shown[CNI_SHOWN_MAX], named[CNI_SHOWN_MAX];
	bool known = streq(c->file, file), same = known && streq(c->network, network);

	free(c->file);
	free(c->network);
	c->file = file;
	c->network = network;
	if (same)
		return;
	free(c->problem);
	c->problem = NULL;
	if (!file) {
		log_info("cni", "our CNI configuration is the first again", "file=%s", ours);
		return;
	}
	(void)cni_shown(file, shown);
	c->problem =
		xasprintf("CNI configuration %s (network %s) sorts before %s: container runtimes "
			  "give new pods that network; remove it, or set conflist-name",
			  shown, network ? cni_shown(network, named) : "unknown", ours);
	if (known) /* told already, with what could be read of it then */
		return;
	log_err("cni", "a CNI configuration of others sorts before ours, pods get that network",
		"file=\"%s\" network=\"%s\" ours=%s", shown,
		network ? cni_shown(network, named) : "", ours);
}

static void see_others(struct cniconf *c)
{
	_cleanup_(freep) char *first = first_file(c->folder);
	_cleanup_(freep) char *path = xasprintf("%s/%s", c->folder, first ? first : "");
	_cleanup_(buf_done) struct buf text = {0};
	bool read = first && file_load(path, CONFLIST_MAX, &text, NULL) == 0;

	if (!first || strcmp(first, c->name) >= 0 ||
	    (read && conflist_leads_to(text.data, text.len, c->name, c->run_dir)))
		set_first(c, NULL, NULL);
	else
		set_first(c, TAKE(first, NULL),
			  read ? conflist_network(text.data, text.len) : NULL);
}

/* --- watch -------------------------------------------------------------------------------------
 */

static void unwatch(struct cniconf *c)
{
	c->io = loop_source_free(c->io);
	if (c->watch > 0)
		close(c->watch);
	c->watch = 0;
}

/* What happened does not matter: a look tells. */
static void on_folder(void *arg, uint32_t events _unused_)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct cniconf *c = arg;
	bool gone = false;
	ssize_t n;

	while ((n = read(c->watch, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(buf + at);

			gone = gone || e->mask & (IN_IGNORED | IN_MOVE_SELF);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	if (gone)
		unwatch(c);
	repair_want(&c->pace, loop_now(c->loop));
	look_at(c, MAX(c->pace.at, loop_now(c->loop) + SOON_USEC));
}

static void watch(struct cniconf *c)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct err e = {0};

	if (fd >= 0 && inotify_add_watch(fd, c->folder, EVENTS) >= 0) {
		c->watch = fd;
		c->io = loop_io(c->loop, "net.d", fd, EPOLLIN, on_folder, c);
		return;
	}
	(void)err_set(&e, -errno, "%s: cannot be watched: %m", c->folder);
	if (fd >= 0)
		close(fd);
	failed(c, &e);
}

/* The watch comes first: what changes after the look is told. */
static void look(struct cniconf *c)
{
	(void)repair_due(&c->pace, loop_now(c->loop));
	keep_ours(c); /* makes the folder */
	if (!c->watch && !*c->error.msg) {
		watch(c);
		keep_ours(c);
	}
	see_others(c);
}

static void on_timer(void *arg)
{
	look(arg);
}

/**
 * cniconf_begin() - Put our list into the folder, and watch it from now on
 * @c: Zeroed
 * @l: Loop
 * @k: Configuration; what it says of the folder, of our list and of the run folder stays
 */
void cniconf_begin(struct cniconf *c, struct loop *l, const struct config *k)
{
	c->loop = l;
	c->folder = xstrdup(k->cni_conf_dir);
	c->name = xstrdup(k->conflist_name);
	c->run_dir = xstrdup(k->run_dir);
	c->timer = loop_timer(l, "net.d again", on_timer, c);
	look(c);
	c->begun = true;
}

/**
 * cniconf_end() - Watch it no more
 * @c: Object
 */
void cniconf_end(struct cniconf *c)
{
	unwatch(c);
	c->timer = loop_source_free(c->timer);
}

/* --- report ------------------------------------------------------------------------------------
 */

/**
 * cniconf_problem() - Why runtimes may not use our network
 * @c: Object
 *
 * Return: what is wrong and what to do, borrowed until the next turn; NULL for nothing
 */
const char *cniconf_problem(const struct cniconf *c)
{
	return *c->error.msg ? c->error.msg : c->problem;
}

/**
 * cniconf_put_metrics() - What others did to the folder of CNI configurations
 * @c:   Object
 * @out: Appended to
 */
void cniconf_put_metrics(const struct cniconf *c, struct buf *out)
{
	metric_head(out, "manx_cni_config_repairs_total", METRIC_COUNTER,
		    "Times that our part of the CNI configuration was put back.");
	metric_count(out, "manx_cni_config_repairs_total", NULL, c->repairs);
	metric_head(out, "manx_cni_config_overridden", METRIC_GAUGE,
		    "1: this configuration of others sorts before ours, and pods get its network.");
	if (c->file)
		metric_count(
			out, "manx_cni_config_overridden",
			METRIC_LABELS({"file", c->file}, {"network", c->network ? c->network : ""}),
			1);
}
