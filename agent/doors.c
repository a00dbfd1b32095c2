// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * doors.c - who is answered by whom; sockets that listen are those of the agent before us, where it
 * handed them over.
 */
#include "agent/doors.h"

#include "agent/agent.h"
#include "agent/cni/calls.h"
#include "agent/command/instance.h"
#include "agent/report/report.h"
#include "agent/retire.h"

/* --- handing over ------------------------------------------------------------------------------
 */

static bool busy(void *arg)
{
	return !calls_idle(((struct agent *)arg)->calls);
}

static void hold(void *arg, bool hold)
{
	pages_hold(((struct agent *)arg)->pages, hold);
}

static char *pages_name(const struct agent *a)
{
	return xasprintf(HANDOVER_HTTP "%s", a->config->http_address);
}

static void list(void *arg, struct handover *h)
{
	struct agent *a = arg;
	_cleanup_(freep) char *pages = pages_name(a);

	handover_add(h, HANDOVER_LOCK, a->lock_fd);
	handover_add(h, HANDOVER_CNI, server_fd(a->server));
	handover_add(h, pages, pages_fd(a->pages));
}

static void gone(void *arg)
{
	struct agent *a = arg;

	a->retired = true;
	loop_exit(a->loop, 0);
}

/* --- opening -----------------------------------------------------------------------------------
 */

static void on_call(void *arg, struct call *c, const struct value *m)
{
	struct agent *a = arg;
	const char *what = NULL;

	(void)value_get_str(m, "", "call", &what, NULL);
	if (streq(what, "cni"))
		calls_cni(a->calls, c, m);
	else if (streq(what, "take-over"))
		retire_call(a->retire, c);
	else
		report_call(a, c, what, m);
}

/**
 * doors_open_socket() - Serve plugin, command line and the next agent
 * @a:      Agent with its lock
 * @reterr: Message
 *
 * Return: 0, -errno
 */
int doors_open_socket(struct agent *a, struct err *reterr)
{
	static const struct retire_ops ops = {busy, hold, list, gone};
	_cleanup_(freep) char *path = instance_socket_path(a->config->run_dir);
	int r = server_open(a->loop, path, handover_take(&a->inherited, HANDOVER_CNI), on_call, a,
			    &a->server, reterr);

	if (r == 0)
		a->retire = retire_new(a->loop, a->server, &ops, a);
	return r;
}

/**
 * doors_open_pages() - Serve the pages
 * @a:      Agent
 * @reterr: Message
 *
 * Return: 0, also if none are wanted; -errno
 */
int doors_open_pages(struct agent *a, struct err *reterr)
{
	_cleanup_(freep) char *name = pages_name(a);
	struct pages_address address;
	int r = pages_address_parse(a->config->http_address, &address, reterr);

	if (r < 0 || address.off)
		return r;
	r = pages_start(a->loop, &address, handover_take(&a->inherited, name), &a->pages, reterr);
	if (r < 0)
		return r;
	pages_route(a->pages, "/metrics", report_metrics, a);
	pages_route(a->pages, "/livez", report_live, a);
	pages_route(a->pages, "/readyz", report_ready, a);
	return 0;
}

/**
 * doors_close() - Serve nobody any more
 * @a: Agent
 *
 * After it has retired the socket is the next one's, which waits for the end of its connection:
 * that comes with the end of this program.
 */
void doors_close(struct agent *a)
{
	a->retire = retire_free(a->retire);
	if (!a->retired)
		a->server = server_close(a->server);
	a->pages = pages_stop(a->pages);
}
