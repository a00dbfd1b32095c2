// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * run.c - start and end of the agent, and its reactions to what is not an object: signals,
 * links, the configuration file.
 *
 * Start: configuration, lock, journal; the parts; what the source says; what the kernel holds; the
 * difference; then the runtime is told.  Requests that come to the socket meanwhile wait.  Stopping
 * leaves everything in the kernel as it is: pods do not notice.
 */
#include "agent/run.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/cni/calls.h"
#include "agent/cni/cni_effects.h"
#include "agent/command/instance.h"
#include "agent/command/takeover.h"
#include "agent/config/reload.h"
#include "agent/doors.h"
#include "agent/events.h"
#include "agent/health.h"
#include "agent/leaks.h"
#include "agent/report/report.h"
#include "agent/restore.h"
#include "agent/turn.h"
#include "agent/wiring.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/version.h"

/* --- events ------------------------------------------------------------------------------------
 */

static void on_stop(void *arg)
{
	struct agent *a = arg;

	log_info("agent", "stopping, everything stays in the kernel", NULL);
	notify_say(a->notify, "STOPPING=1");
	loop_exit(a->loop, 0);
}

static void on_rtnl(void *arg, uint32_t events _unused_)
{
	rtnl_dispatch(((struct agent *)arg)->rtnl);
}

static void on_waiter(void *arg, uint32_t events _unused_)
{
	waiter_dispatch(((struct agent *)arg)->routing.waiter);
}

static void on_link_event(void *arg, const struct rtnl_event *e)
{
	struct agent *a = arg;

	switch (e->kind) {
	case RTNL_ROUTE_GONE:
	case RTNL_LINK_GONE:
	case RTNL_LINK_DOWN:
	case RTNL_LINK_OF_POD:
	case RTNL_NEIGHBOUR:
		links_event(a, e);
		break;
	case RTNL_FORWARDING:
		links_event(a, e);
		forwarding_event(&a->forwarding, e);
		break;
	case RTNL_RP_FILTER:
		firewall_changed(&a->firewall);
		break;
	case RTNL_ADDR:
		uplink_follow(&a->uplink);
		hostaddrs_read(&a->hostaddrs);
		break;
	case RTNL_LINK_MTU:
		if (streq(e->ifname, a->uplink.ifname))
			uplink_follow(&a->uplink);
		break;
	case RTNL_OVERRUN:
		routing_read(&a->routing);
		hostaddrs_read(&a->hostaddrs);
		links_overrun(a);
		break;
	}
}

/* The turn that follows tries the kernel again; the disk is tried here. */
static void on_retry(void *arg)
{
	durable_retry(&((struct agent *)arg)->durable);
	effects_arm_retry(&((struct agent *)arg)->effects);
}

/* The turn that follows tells systemd, see agent_install_when_ready(). */
static void on_patience(void *arg)
{
	struct agent *a = arg;

	if (!a->source_synced)
		log_warn("agent", "the source is not complete yet; pods cannot be added",
			 "seconds=%d", (int)(PATIENCE_USEC / USEC_PER_SEC));
}

/* --- start -------------------------------------------------------------------------------------
 */

static void make_parts(struct agent *a)
{
	struct datapath *d = a->datapath = datapath_new(a->config->node, source_need, a);

	a->changes = changes_new();
	a->table = d->table;
	a->policy = d->policy;
	a->routes = d->routes;
	a->nodes = d->nodes;
	a->aside = aside_new(d, turn_apply_all, events_refused, a);
	a->hostaddrs.addrs = hostaddr_new(a->table, d->base.node_addresses);
	a->fences.pods = &d->pods;
	a->ipam = ipam_new(a->config->address_cooldown_usec);
	a->calls = calls_new(&cni_effects, a);
}

static int open_shells(struct agent *a, struct err *reterr)
{
	int r = restore_journal(a, reterr);

	if (r == 0)
		r = nft_open(&a->nft, reterr);
	if (r == 0)
		r = rtnl_open(on_link_event, a, &a->rtnl, reterr);
	if (r == 0)
		r = conntrack_open(&a->routing.conntrack, reterr);
	if (r == 0) {
		r = waiter_new(&a->routing.waiter);
		if (r < 0)
			(void)err_set(reterr, r, "starting a thread: %s", strerror(-r));
	}
	if (r == 0)
		r = wiring_open(a, reterr);
	if (r == 0)
		r = source_open(a, reterr);
	return r;
}

static void watch_everything(struct agent *a)
{
	struct loop *l = a->loop;

	agent_add_source(a, loop_signal(l, "SIGTERM", SIGTERM, on_stop, a));
	agent_add_source(a, loop_signal(l, "SIGINT", SIGINT, on_stop, a));
	agent_add_source(a, loop_io(l, "rtnetlink", rtnl_fd(a->rtnl), EPOLLIN, on_rtnl, a));
	agent_add_source(a,
			 loop_io(l, "waiter", waiter_fd(a->routing.waiter), EPOLLIN, on_waiter, a));
	agent_add_source(a, a->effects.retry);
	a->patience = loop_timer(l, "patience", on_patience, a);
	agent_add_source(a, a->patience);
	loop_timer_at(a->patience, a->started + PATIENCE_USEC);
	links_watch(a);
	leaks_watch(a);
	reload_watch(a);
	loop_on_turn(l, turn_run, a);
}

static void init_counters(struct agent *a)
{
	histogram_init(&a->count.event_to_kernel, histogram_seconds, histogram_seconds_n);
	for (size_t verb = 0; verb < ARRAY_SIZE(a->count.cni); verb++)
		for (int r = 0; r < _CNI_RESULT_MAX; r++)
			histogram_init(&a->count.cni[verb][r], histogram_seconds,
				       histogram_seconds_n);
}

static int start(struct agent *a, struct err *reterr)
{
	int r = instance_create_dirs(a->config, reterr);

	if (r == 0)
		r = takeover_begin(a->config->run_dir, a->succession, &a->lock_fd, &a->inherited,
				   reterr);
	if (r == 0)
		r = boot_id_read(a->boot_id, reterr);
	if (r == 0)
		r = loop_new(&a->loop);
	if (r < 0)
		return r;
	wiring_effects(a, loop_timer(a->loop, "retry", on_retry, a));
	a->notify = notify_new(a->loop);
	init_counters(a);
	make_parts(a);
	r = open_shells(a, reterr);
	/* Before the links are read: a DEL that finds no socket deletes its link before that. */
	if (r == 0)
		r = doors_open_socket(a, reterr);
	if (r < 0)
		return r;
	watch_everything(a);
	restore_attachments(a);
	source_start(a);
	turn_configure(a);
	routing_read(&a->routing);
	hostaddrs_read(&a->hostaddrs);
	waiter_drain(a->routing.waiter);
	r = doors_open_pages(a, reterr);
	handover_close(&a->inherited);
	loop_wake(a->loop);
	return r;
}

/* --- end ---------------------------------------------------------------------------------------
 */

static void close_shells(struct agent *a)
{
	doors_close(a);
	recheck_close(&a->recheck);
	a->routing.waiter = waiter_free(a->routing.waiter);
	wiring_close(a);
	for (size_t i = 0; i < a->n_sources; i++)
		(void)loop_source_free(a->sources[i]);
	source_close(a);
	guard_close(&a->guard);
	(void)rtnl_close(a->rtnl);
	(void)conntrack_close(a->routing.conntrack);
	(void)nft_close(a->nft);
	(void)journal_close(a->journal);
	(void)notify_free(a->notify);
	(void)loop_free(a->loop);
	if (a->lock_fd >= 0)
		close(a->lock_fd);
}

/* The process ends here: its memory goes with it, the kernel keeps what was installed. */
static void stop(struct agent *a)
{
	struct err e = {0};

	if (a->journal && journal_sync_wait(a->journal, &e) < 0)
		log_warn("ipam", "last records not durable", "err=\"%s\"", e.msg);
	ready_close(&a->ready);
	close_shells(a);
}

enum { OPTION_STAND_BY = 's', OPTION_TAKE_OVER = 't' };

static const struct argp_option extra[] = {
	{"take-over", OPTION_TAKE_OVER, NULL, 0,
	 "Replace the agent that runs on the same run-dir, without a pause for pods", 0},
	{"stand-by", OPTION_STAND_BY, NULL, 0,
	 "Wait until no agent runs on the run-dir, instead of failing", 0},
	{0},
};

/* The last one counts. */
static error_t parse(int key, char *arg _unused_, struct argp_state *state)
{
	enum succession *how = state->input;

	if (key == OPTION_TAKE_OVER)
		*how = SUCCESSION_TAKE_OVER;
	else if (key == OPTION_STAND_BY)
		*how = SUCCESSION_STAND_BY;
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static int fail(const struct agent *a, int error, const struct err *e)
{
	if (error == -EINTR && a->succession != SUCCESSION_REFUSE) /* it had only waited */
		return EXIT_SUCCESS;
	log_err("agent", "cannot start", "err=\"%s\"", e->msg);
	return EXIT_FAILURE;
}

/*
 * Whoever watches this process must not start it again, against the agent that took over: it stands
 * by for that one, as a new program.  Returns if that is impossible.
 */
static void stand_by(int argc, char **argv)
{
	char **args = xcalloc((size_t)argc + 3, sizeof(*args));

	args[0] = (char *)"manx";
	memcpy(args + 1, argv, (size_t)argc * sizeof(*args));
	args[argc + 1] = streq(argv[argc - 1], "--stand-by") ? NULL : (char *)"--stand-by";
	(void)execv("/proc/self/exe", args);
	log_warn("agent", "cannot stand by for the next agent, ending", "err=\"%s\"",
		 strerror(errno));
	free(args);
}

/**
 * agent_main() - `manx agent`
 * @argc: Number of arguments
 * @argv: "agent", then flags
 *
 * Return: exit code
 */
int agent_main(int argc, char **argv)
{
	static struct options options;
	static struct agent agent = {.options = &options, .lock_fd = -1};
	const struct options_spec spec = {
		.name = "manx agent",
		.doc = "Run the agent of this node.",
		.keys = (1u << _CONFIG_KEY_MAX) - 1,
		.extra = extra,
		.parse = parse,
		.arg = &agent.succession,
	};
	struct err e = {0};
	int r;

	(void)mallopt(M_ARENA_MAX, 1);	 /* the waiter allocates next to nothing */
	(void)prctl(PR_SET_DUMPABLE, 0); /* no core dump of what may hold secrets */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGIO, SIG_IGN);	/* of a lease, see folder_file.c */
	(void)signal(SIGXFSZ, SIG_IGN); /* a full disk is an error of the write, not the end */
	agent.started = monotonic_usec();
	options_parse(argc, argv, &spec, &options);
	if (options_load(&options, &agent.config, &e) < 0 ||
	    config_check_agent(agent.config, &e) < 0)
		return fail(&agent, -EINVAL, &e);
	log_set_level(agent.config->log_level);
	log_info("agent", "starting", "version=%s node=%s", MANX_VERSION, agent.config->node);
	r = start(&agent, &e);
	r = r < 0 ? fail(&agent, r, &e) : loop_run(agent.loop);
	stop(&agent);
	if (agent.retired)
		stand_by(argc, argv);
	return r;
}
