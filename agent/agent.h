/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent.h - the running agent: what its rooms hold, known only in agent/.
 *
 * run.c starts and ends it, restore.c takes over what an earlier one left, turn.c brings changes
 * into the kernel, calls.c serves CNI, server.c the socket, report.c tells what goes on.
 */
#pragma once

#include "agent/changes.h"
#include "agent/cni/cni.h"
#include "agent/cniconf.h"
#include "agent/command/takeover.h"
#include "agent/config/config.h"
#include "agent/config/options.h"
#include "agent/durable.h"
#include "agent/effects.h"
#include "agent/fences.h"
#include "agent/firewall.h"
#include "agent/forwarding.h"
#include "agent/guard.h"
#include "agent/hostaddrs.h"
#include "agent/links.h"
#include "agent/ready.h"
#include "agent/recheck.h"
#include "agent/report/metrics.h"
#include "agent/report/pages.h"
#include "agent/routing.h"
#include "agent/source.h"
#include "agent/stale.h"
#include "agent/sync.h"
#include "agent/uplink.h"
#include "datapath/datapath.h"
#include "datapath/nft/apply.h"
#include "datapath/route/rtnl.h"
#include "ipam/ipam.h"
#include "ipam/journal.h"
#include "lib/loop.h"

struct aside;
struct calls;
struct notify;
struct retire;
struct server;

enum cni_result_class { CNI_RESULT_OK, CNI_RESULT_ERROR, _CNI_RESULT_MAX };

/* struct counters - what metrics tell beyond what the parts count themselves */
struct counters {
	struct histogram event_to_kernel;
	struct histogram cni[_CNI_VERB_MAX][_CNI_RESULT_MAX];
	uint64_t reloads, reload_errors;
};

struct agent {
	struct options *options; /* flags, for reloads */
	struct config *config;
	struct loop *loop;
	struct notify *notify;
	enum succession succession;
	struct handover inherited; /* by the agent before us, what is not taken yet */
	bool retired;		   /* another agent took over */
	int lock_fd;
	char boot_id[40];
	uint64_t started;

	/* sources */
	struct source source;
	struct stale stale;
	int config_watch; /* inotify */
	struct changes *changes;

	/* parts; @table, @policy, @routes and @nodes are those of @datapath */
	struct datapath *datapath;
	struct nft_table *table;
	struct policy_engine *policy;
	struct aside *aside;
	struct routes *routes;
	struct nodes *nodes;
	struct ipam *ipam;

	/* shells */
	struct journal *journal;
	bool journal_doubtful; /* as it was found, it does not know every pod */
	struct nft_socket *nft;
	struct rtnl *rtnl;
	struct server *server;
	struct calls *calls;
	struct pages *pages;
	struct retire *retire;

	bool source_synced; /* the source was read completely once: the kernel may be told */
	size_t set_aside;   /* objects in force that the source set aside */
	bool telling;	    /* events are written, see events.h */
	bool notified;	    /* systemd knows that we run */
	bool installed;	    /* plugin and conflist are in place */
	struct ready ready;
	struct cniconf cniconf;

	struct loop_source *sources[32];
	size_t n_sources;
	struct loop_source *patience;

	/* Is the kernel as we want it? */
	struct routing routing;
	struct uplink uplink;
	struct effects effects;
	struct sync table_sync, routes_sync;
	struct durable durable;
	struct guard guard;
	bool held; /* the kernel holds what hold.h puts into force */
	struct links links;
	struct hostaddrs hostaddrs;
	struct fences fences;
	struct forwarding forwarding;
	struct recheck recheck;
	struct firewall firewall;
	bool filling;	     /* policies are large, and not all of them complete */
	bool changed;	     /* what the turn is about */
	uint64_t since;	     /* the same of the turns while filling */
	bool table_more;     /* the table takes more transactions than this turn's */
	size_t left_pending; /* operations on the table that the last turn could not bring in */

	struct counters count;
};
