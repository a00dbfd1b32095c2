// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report_ipam.c - `manx ipam show|check|release`, answered by the agent.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/attach.h"
#include "agent/report.h"
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

/* --- check -------------------------------------------------------------------------------------
 */

/* struct check - links of ours that exist, against the journal */
struct check {
	const struct agent *agent;
	struct buf *out;
	size_t problems;
	VEC(char *) links;
};

static void add_link(void *arg, const char *ifname)
{
	struct check *c = arg;

	vec_push(&c->links, xstrdup(ifname));
}

static bool has_link(const struct check *c, const char *ifname)
{
	vec_foreach (l, &c->links) {
		if (streq(*l, ifname))
			return true;
	}
	return false;
}

static const struct attachment *attachment_of(const struct agent *a, const char *host_ifname)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(a->journal, at)))
		if (streq(at->host_ifname, host_ifname))
			return at;
	return NULL;
}

static void compare(struct check *c)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(c->agent->journal, at))) {
		if (has_link(c, at->host_ifname))
			continue;
		buf_printf(c->out, "%s/%s holds addresses, but its link %s is gone\n", at->ns,
			   at->pod, at->host_ifname);
		c->problems++;
	}
	vec_foreach (l, &c->links) {
		if (attachment_of(c->agent, *l))
			continue;
		buf_printf(c->out, "link %s belongs to no pod\n", *l);
		c->problems++;
	}
}

static int check(struct agent *a, struct buf *out)
{
	struct check c = {.agent = a, .out = out};
	struct err e = {0};

	if (rtnl_each_pod_link(a->rtnl, add_link, &c, &e) < 0) {
		buf_printf(out, "%s\n", e.msg);
		return 1;
	}
	compare(&c);
	if (!c.problems)
		buf_printf(out, "%zu pods, %zu links: all agree\n", journal_count(a->journal),
			   c.links.n);
	vec_foreach (l, &c.links)
		free(*l);
	vec_done(&c.links);
	return c.problems ? 1 : 0;
}

/* --- release -----------------------------------------------------------------------------------
 */

static const struct attachment *holder(const struct agent *a, const struct addr *addr)
{
	const struct attachment *at = NULL;

	while ((at = journal_next(a->journal, at)))
		for (uint32_t i = 0; i < at->n_addrs; i++)
			if (addr_eq(&at->addrs[i], addr))
				return at;
	return NULL;
}

static int release(struct agent *a, const char *text, struct buf *out)
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
	if (rtnl_link_exists(a->rtnl, at->host_ifname) != 0) {
		buf_printf(out, "%s belongs to %s/%s, whose link %s exists: delete the pod\n", text,
			   at->ns, at->pod, at->host_ifname);
		return 1;
	}
	copy = attachment_copy(at);
	attach_forget(a, copy);
	attach_release(a, copy);
	loop_wake(a->loop);
	log_info("ipam", "released by hand", "pod=\"%s/%s\" address=%s", copy->ns, copy->pod, text);
	buf_printf(out, "%s released (it was of %s/%s)\n", text, copy->ns, copy->pod);
	return 0;
}

/**
 * report_ipam() - Answer `manx ipam`
 * @a:    Agent
 * @args: "show", "check" or "release" ADDRESS...; "--json"
 * @out:  Appended to
 *
 * Return: exit code
 */
int report_ipam(struct agent *a, const struct value *args, struct buf *out)
{
	const char *what = argument(args, 0);
	int code = 0;

	ipam_advance(a->ipam, monotonic_usec());

	if (streq(what, "show") && wants_json(args))
		show_json(a, out);
	else if (streq(what, "show"))
		show_text(a, out);
	else if (streq(what, "check"))
		code = check(a, out);
	else if (streq(what, "release"))
		for (uint32_t i = 1; i < args->n; i++)
			code |= streq(argument(args, i), "--json")
					? 0
					: release(a, argument(args, i), out);
	else
		code = 1;
	return code;
}
