// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_ipam.c - `manx ipam show|check|release`, answered by the agent.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/cni/calls.h"
#include "agent/report/linkcheck.h"
#include "agent/report/report.h"
#include "lib/jsonw.h"
#include "lib/log.h"

static const char *argument(const struct value *args, uint32_t i)
{
	if (!args || i >= args->n || args->items[i]->type != VALUE_STRING)
		return "";
	return args->items[i]->text;
}

static bool wants_json(const struct value *args)
{
	for (uint32_t i = 0; args && i < args->n; i++)
		if (streq(argument(args, i), "--json"))
			return true;
	return false;
}

/* --- show --------------------------------------------------------------------------------------
 */

static void show_text(const struct agent *a, struct buf *out)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	const struct attachment *at = NULL;
	char text[ADDR_STR_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t before = out->len;

		ipam_describe(a->ipam, families[i], out);
		if (out->len > before)
			buf_putc(out, '\n');
	}
	while ((at = journal_next(a->journal, at)))
		for (uint32_t i = 0; i < at->n_addrs; i++)
			buf_printf(out, "%-39s %s/%s (%.12s, %s)\n", addr_str(&at->addrs[i], text),
				   at->ns, at->pod, at->id, at->ifname);
}

static void show_json(const struct agent *a, struct buf *out)
{
	struct ipam_use use[IPAM_RANGES_MAX];
	size_t n = ipam_uses(a->ipam, use, IPAM_RANGES_MAX);
	const struct attachment *at = NULL;
	struct jsonw w = {.out = out};
	char text[PREFIX_STR_MAX];

	jsonw_begin(&w, NULL, '{');
	jsonw_bool(&w, "agent", true);
	jsonw_begin(&w, "ranges", '[');
	for (size_t i = 0; i < n; i++) {
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "range", prefix_str(&use[i].range, text));
		jsonw_uint(&w, "size", use[i].size);
		jsonw_uint(&w, "used", use[i].used);
		jsonw_uint(&w, "cooling", use[i].cooling);
		jsonw_bool(&w, "retired", use[i].retired);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_begin(&w, "attachments", '[');
	while ((at = journal_next(a->journal, at))) {
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "namespace", at->ns);
		jsonw_str(&w, "pod", at->pod);
		jsonw_str(&w, "container", at->id);
		jsonw_str(&w, "interface", at->ifname);
		jsonw_begin(&w, "addresses", '[');
		for (uint32_t i = 0; i < at->n_addrs; i++)
			jsonw_str(&w, NULL, addr_str(&at->addrs[i], text));
		jsonw_end(&w, ']');
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	buf_putc(out, '\n');
}

/* --- check and release -------------------------------------------------------------------------
 */

/*
 * struct ipam_call - a call that waits for the list of links
 * @call:    NULL when the caller went away
 * @release: The addresses to release; none: compare
 * @out:     What is said so far
 */
struct ipam_call {
	struct call_work work;
	struct agent *agent;
	struct call *call;
	VEC(char *) release;
	struct buf out;
	size_t problems, links;
};

static size_t report_missing_links(const struct agent *a, const struct link_names *links,
				   struct buf *out)
{
	const struct attachment *at = NULL;
	size_t problems = 0;

	while ((at = journal_next(a->journal, at))) {
		if (link_names_have(links, at->host_ifname))
			continue;
		buf_printf(out, "%s/%s holds addresses, but its link %s is gone\n", at->ns, at->pod,
			   at->host_ifname);
		problems++;
	}
	return problems;
}

static size_t report_unknown_links(const struct agent *a, const struct link_names *links,
				   struct buf *out)
{
	_cleanup_(link_names_done) struct link_names known = {0};
	size_t problems = 0;

	attach_link_names(a, &known);
	vec_foreach (l, &links->v) {
		if (link_names_have(&known, *l))
			continue;
		buf_printf(out, "link %s belongs to no pod\n", *l);
		problems++;
	}
	return problems;
}

static const struct attachment *holder(const struct agent *a, const struct addr *addr)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(a->journal, at)))
		for (uint32_t i = 0; i < at->n_addrs; i++)
			if (addr_eq(&at->addrs[i], addr))
				return at;
	return NULL;
}

static int release(struct agent *a, const char *text, const struct link_names *links,
		   struct buf *out)
{
	_cleanup_(attachment_freep) struct attachment *copy = NULL;
	const struct attachment *at;
	struct addr addr;

	if (addr_parse(text, &addr) < 0) {
		buf_printf(out, "'%.60s' is not an address\n", text);
		return 1;
	}
	at = holder(a, &addr);
	if (!at) {
		buf_printf(out, "%s is not in use\n", text);
		return 1;
	}
	if (link_names_have(links, at->host_ifname)) {
		buf_printf(out, "%s belongs to %s/%s, whose link %s exists: delete the pod\n", text,
			   at->ns, at->pod, at->host_ifname);
		return 1;
	}
	copy = attachment_copy(at);
	attach_forget(a, copy);
	routing_flush(&a->routing, copy->addrs, copy->n_addrs, NULL, NULL);
	attach_release(a, copy);
	loop_wake(a->loop);
	log_info("ipam", "released by hand", "pod=\"%s/%s\" address=%s", copy->ns, copy->pod, text);
	buf_printf(out, "%s released (it was of %s/%s)\n", text, copy->ns, copy->pod);
	return 0;
}

static void finish(struct ipam_call *i, const char *text, int code)
{
	if (i->call) {
		call_set_work(i->call, NULL);
		call_finish(i->call, text, code);
	}
	vec_foreach (address, &i->release)
		free(*address);
	vec_done(&i->release);
	buf_done(&i->out);
	free(i);
}

static void on_checked(void *arg, size_t problems, const struct buf *text)
{
	struct ipam_call *i = arg;

	buf_put(&i->out, text->data, text->len);
	problems += i->problems;
	if (!problems)
		buf_printf(&i->out, "%zu pods, %zu links: all agree\n",
			   journal_count(i->agent->journal), i->links);
	finish(i, i->out.data, problems ? 1 : 0);
}

static void compare(struct ipam_call *i, const struct link_names *links)
{
	i->links = links->v.n;
	i->problems = report_missing_links(i->agent, links, &i->out) +
		      report_unknown_links(i->agent, links, &i->out);
	linkcheck(i->agent, on_checked, i);
}

static void on_links(void *arg, const struct link_names *links, const char *why)
{
	struct ipam_call *i = arg;
	int code = 0;

	if (links && i->call && !i->release.n) {
		compare(i, links);
		return;
	}
	if (!links)
		buf_printf(&i->out, "%s\n", why);
	for (size_t n = 0; links && i->call && n < i->release.n; n++)
		code |= release(i->agent, i->release.v[n], links, &i->out);
	finish(i, i->out.data, links ? code : 1);
}

static void on_message(struct call_work *w _unused_, const struct value *m _unused_)
{
	/* There is nothing to say until the answer comes. */
}

static void on_closed(struct call_work *w)
{
	container_of(w, struct ipam_call, work)->call = NULL;
}

static void compare_with_links(struct agent *a, struct call *c, const struct value *args)
{
	struct ipam_call *i = xcalloc(1, sizeof(*i));
	bool releasing = streq(argument(args, 0), "release");

	i->work = (struct call_work){on_message, on_closed};
	i->agent = a;
	i->call = c;
	for (uint32_t n = 1; releasing && n < args->n; n++)
		if (!streq(argument(args, n), "--json"))
			vec_push(&i->release, xstrdup(argument(args, n)));
	call_set_work(c, &i->work);
	routing_links(&a->routing, on_links, i);
}

/**
 * report_ipam() - Answer `manx ipam`
 * @a:    Agent
 * @c:    Call; finished, now or when the links have been listed
 * @args: "show", "check" or "release" ADDRESS...; "--json"
 */
void report_ipam(struct agent *a, struct call *c, const struct value *args)
{
	_cleanup_(buf_done) struct buf out = {0};
	const char *what = argument(args, 0);

	ipam_advance(a->ipam, monotonic_usec());
	if (streq(what, "check") || (streq(what, "release") && args->n > 1)) {
		compare_with_links(a, c, args);
		return;
	}
	if (!streq(what, "show"))
		buf_puts(&out, "manx ipam: show, check, or release ADDRESS...\n");
	else if (wants_json(args))
		show_json(a, &out);
	else
		show_text(a, &out);
	call_finish(c, out.data, streq(what, "show") ? 0 : 1);
}
