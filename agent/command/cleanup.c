// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cleanup.c - `manx cleanup` removes what agents of ours left: the table, routes with our protocol
 * number, pod links, CNI files, journal, socket, lock.  Nothing else: what does not carry one of
 * our marks is not looked at.
 *
 * It works in the network namespace that it is started in, and refuses while an agent holds the
 * lock of the run folder.  A part that fails is reported and the others go on.  Folders stay: they
 * may belong to a package or to systemd.
 */
#include "agent/command/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/command/install.h"
#include "agent/command/instance.h"
#include "agent/config/options.h"
#include "datapath/base/base.h"
#include "datapath/nft/apply.h"
#include "datapath/nft/foreign_rules.h"
#include "datapath/route/rtnl.h"
#include "ipam/journal.h"
#include "lib/file_write.h"
#include "lib/vec.h"
#include "watch/folder/folder_copies.h"

#define KEY(key) (UINT32_C(1) << (key))

struct tally {
	unsigned int removed, failed;
};

struct names {
	VEC(char *) name;
};

static void names_done(struct names *n)
{
	vec_foreach (s, &n->name)
		free(*s);
	vec_done(&n->name);
}

/* @r: 1 removed, 0 nothing there, below 0 failed with @e */
static void record(struct tally *t, int r, const char *what, const struct err *e)
{
	if (r > 0) {
		t->removed++;
		(void)printf("removed %s\n", what);
	} else if (r < 0) {
		t->failed++;
		(void)fprintf(stderr, "manx cleanup: %s: %s\n", what, e->msg);
	}
}

/* A table that is not there would have to be added first. */
static bool is_installed(struct nft_table *t)
{
	_cleanup_(nft_ops_done) struct nft_ops ops = {0};

	(void)table_ops(t, 0, &ops);
	return ops.op.n == 0 || ops.op.v[0].what != NFT_OP_TABLE;
}

static int delete_table(struct nft_socket *nft, struct err *reterr)
{
	_cleanup_(table_freep) struct nft_table *t = table_new(TABLE_NAME);
	int r = nft_read(nft, t, reterr);

	if (r < 0 || !is_installed(t))
		return r;
	r = nft_delete_table(nft, TABLE_NAME, reterr);
	return r < 0 ? r : 1;
}

static void remove_table(struct tally *t)
{
	struct nft_socket *nft = NULL;
	struct err e = {0};
	int r = nft_open(&nft, &e);

	if (r == 0)
		r = delete_table(nft, &e);
	(void)nft_close(nft);
	record(t, r, "nftables table inet " TABLE_NAME, &e);
}

/* `forward-accept` put them there. */
static void remove_rules(struct tally *t)
{
	struct nft_firewall *f = NULL;
	struct err e = {0};
	size_t removed = 0;
	int r = nft_firewall_open(&f, &e);

	if (r == 0)
		r = nft_firewall_forget(f, &removed, &e);
	(void)nft_firewall_close(f);
	record(t, r < 0 ? r : removed > 0, "rules \"" NFT_FORWARD_COMMENT "\" in other tables", &e);
}

static void ignore_event(void *arg _unused_, const struct rtnl_event *e _unused_)
{
}

static int apply(struct rtnl *n, struct routes *routes, struct err *reterr)
{
	struct route_batch *b = route_batch_new(routes);

	route_batch_send(b, n);
	return route_batch_finish(b, routes, reterr);
}

/* Want none, read what is there: then every route of ours is a pending removal. */
static void remove_routes(struct tally *t, struct rtnl *n)
{
	_cleanup_(routes_freep) struct routes *routes = routes_new();
	_cleanup_(freep) char *what = NULL;
	struct err e = {0};
	struct route_list installed = {0};
	int r = rtnl_list(n, &installed, &e);
	size_t before = 0;

	if (r == 0) {
		routes_read_end(routes, &installed);
		before = routes_pending(routes);
		r = apply(n, routes, &e);
	}
	vec_done(&installed.v);
	if (r > 0)
		r = err_set(&e, -EIO, "%d of %zu could not be removed", r, before);
	what = xasprintf("%zu routes of protocol %d", before, RTPROT_MANX);
	record(t, r < 0 ? r : before > 0, what, &e);
}

static void collect_link(void *arg, const char *ifname)
{
	struct names *n = arg;

	vec_push(&n->name, xstrdup(ifname));
}

static void remove_links(struct tally *t, struct rtnl *n)
{
	_cleanup_(names_done) struct names links = {0};
	struct err e = {0};
	int r = rtnl_each_pod_link(n, collect_link, &links, &e);

	if (r < 0)
		record(t, r, "pod links", &e);
	vec_foreach (name, &links.name) {
		_cleanup_(freep) char *what = xasprintf("pod link %s", *name);

		r = rtnl_link_delete(n, *name, &e);
		record(t, r < 0 ? r : 1, what, &e);
	}
}

static void remove_network(struct tally *t)
{
	struct rtnl *n = NULL;
	struct err e = {0};
	int r = rtnl_open(ignore_event, NULL, &n, &e);

	if (r < 0) {
		record(t, r, "routes and pod links", &e);
		return;
	}
	remove_routes(t, n);
	remove_links(t, n);
	(void)rtnl_close(n);
}

static void remove_path(struct tally *t, const char *path)
{
	struct err e = {0};

	record(t, file_remove(path, &e), path, &e);
}

/* ipam/journal.c: the file, its rewrite, what was damaged, its lock */
static void remove_journal(struct tally *t, const char *state_dir)
{
	static const char *const suffixes[] = {"", ".new", ".lock"};
	_cleanup_(freep) char *journal = instance_journal_path(state_dir);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_(freep) char *path = xasprintf("%s%s", journal, suffixes[i]);

		remove_path(t, path);
	}
	for (unsigned int n = 1; n <= JOURNAL_DAMAGED_MAX; n++) {
		_cleanup_(freep) char *path = journal_damaged_path(journal, n);

		remove_path(t, path);
	}
}

static void remove_files(struct tally *t, const struct config *c)
{
	_cleanup_(freep) char *conflist = xasprintf("%s/%s", c->cni_conf_dir, c->conflist_name);
	_cleanup_(freep) char *plugin = xasprintf("%s/" PLUGIN_NAME, c->cni_bin_dir);
	_cleanup_(freep) char *socket = instance_socket_path(c->run_dir);
	_cleanup_(freep) char *last_ready = instance_last_ready_path(c->run_dir);
	_cleanup_(freep) char *copies = instance_copies_path(c->state_dir);
	struct err e = {0};

	record(t, remove_conflist(c->cni_conf_dir, c->conflist_name, c->run_dir, &e), conflist, &e);
	if (*c->cni_bin_dir)
		record(t, remove_plugin(c->cni_bin_dir, &e), plugin, &e);
	remove_journal(t, c->state_dir);
	record(t, copies_delete(copies, &e), copies, &e);
	remove_path(t, socket);
	remove_path(t, last_ready);
}

/* The CNI configuration goes first, so that no runtime asks for pods meanwhile. */
static int clean(const struct config *c, struct tally *t, struct err *reterr)
{
	_cleanup_(freep) char *lock = instance_lock_path(c->run_dir);
	_cleanup_(closep) int fd = -1;
	bool has_run_dir = access(c->run_dir, F_OK) == 0;
	bool had_lock = access(lock, F_OK) == 0;
	int r = has_run_dir ? instance_lock(c->run_dir, &fd, reterr) : 0;

	if (r < 0)
		return r;
	remove_files(t, c);
	remove_table(t);
	remove_rules(t);
	remove_network(t);
	if (had_lock)
		remove_path(t, lock);
	else if (has_run_dir)
		(void)file_remove(lock, NULL); /* our own, of a moment ago */
	return 0;
}

/**
 * cleanup_main() - `manx cleanup`
 * @argc: Arguments, the name of the subcommand included
 * @argv: The same
 *
 * Prints one line for each thing that was removed.
 *
 * Return: exit code: 0; 1 when something could not be removed or an agent runs
 */
int cleanup_main(int argc, char **argv)
{
	const struct options_spec spec = {
		.name = "manx cleanup",
		.keys = KEY(CONFIG_CONFIG) | KEY(CONFIG_STATE_DIR) | KEY(CONFIG_RUN_DIR) |
			KEY(CONFIG_CNI_CONF_DIR) | KEY(CONFIG_CNI_BIN_DIR) |
			KEY(CONFIG_CONFLIST_NAME),
		.doc = "Remove what manx made on this host: its nftables table, routes, pod links, "
		       "CNI files, journal, socket and lock.  Nothing else is touched.\v"
		       "Refuses while an agent runs on the same run folder.  Pods that still run "
		       "lose their network.",
	};
	_cleanup_(config_freep) struct config *c = NULL;
	_cleanup_(options_done) struct options o = {0};
	struct tally t = {0};
	struct err e = {0};

	options_parse(argc, argv, &spec, &o);
	if (options_load(&o, &c, &e) < 0 || clean(c, &t, &e) < 0) {
		(void)fprintf(stderr, "manx cleanup: %s\n", e.msg);
		return 1;
	}
	if (t.removed == 0 && t.failed == 0)
		(void)printf("nothing to remove\n");
	return t.failed > 0;
}
