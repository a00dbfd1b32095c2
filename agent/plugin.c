// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * plugin.c - the CNI plugin: hands environment and configuration to the agent, does the slow work
 * on links that the agent asks for, prints the answer.
 *
 * It holds no state and no credential.  While no agent runs, DEL takes the link down by itself
 * (the agent finds the address at its next start), VERSION is answered, and everything else is
 * told to come again.
 */
#include "agent/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/client.h"
#include "agent/cni.h"
#include "agent/wire.h"
#include "datapath/route/podlink.h"
#include "lib/jsonw.h"
#include "watch/json.h"
#include "watch/utf8.h"

/* --- what the agent asks for ---------------------------------------------------------------------
 */

static uint32_t read_addresses(const struct value *m, struct addr ret[2])
{
	const struct value *list = NULL;
	uint32_t n = 0;

	(void)value_get_seq(m, "", "addresses", &list, NULL);
	for (uint32_t i = 0; list && i < list->n && n < 2; i++)
		if (list->items[i]->type == VALUE_STRING &&
		    addr_parse(list->items[i]->text, &ret[n]) == 0)
			n++;
	return n;
}

static int read_link(const struct value *m, struct podlink *l, struct err *reterr)
{
	const char *mac = NULL;
	int64_t mtu = 0;

	if (value_get_str(m, "", "netns", &l->netns, reterr) <= 0 ||
	    value_get_str(m, "", "ifname", &l->ifname, reterr) <= 0 ||
	    value_get_str(m, "", "host_ifname", &l->host_ifname, reterr) <= 0 ||
	    value_get_str(m, "", "mac", &mac, reterr) <= 0 || mac_parse(mac, &l->mac) < 0 ||
	    value_get_int(m, "", "mtu", 1, 1 << 20, &mtu, reterr) <= 0)
		return err_set(reterr, -EINVAL, "the agent's request is incomplete");
	l->mtu = (uint32_t)mtu;
	l->n_addrs = read_addresses(m, l->addrs);
	return 0;
}

static int detach_one(const struct value *m, struct err *reterr)
{
	const char *host_ifname = NULL;
	struct addr addrs[2];
	uint32_t n = read_addresses(m, addrs);
	int r;

	if (value_get_str(m, "", "host_ifname", &host_ifname, reterr) <= 0)
		return -EINVAL;
	r = podlink_delete(host_ifname, reterr);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = podlink_flush_conntrack(&addrs[i], reterr);
	return r;
}

static int detach(const struct value *m, struct err *reterr)
{
	const struct value *links = NULL;
	int r = 0;

	(void)value_get_seq(m, "", "links", &links, NULL);
	for (uint32_t i = 0; links && i < links->n && r == 0; i++)
		r = detach_one(links->items[i], reterr);
	return r;
}

static int do_work(void *arg _unused_, const struct value *m, struct err *reterr)
{
	const char *what = NULL;
	struct podlink l = {0};
	int r;

	if (value_get_str(m, "", "do", &what, reterr) <= 0)
		return CNI_E_DECODE;
	if (streq(what, "detach"))
		return detach(m, reterr) == 0 ? 0 : CNI_E_KERNEL;
	if (read_link(m, &l, reterr) < 0)
		return CNI_E_DECODE;
	if (streq(what, "check"))
		return podlink_check(&l, reterr) == 0 ? 0 : CNI_E_MISMATCH;
	r = podlink_create(&l, reterr);
	return r == 0	      ? 0
	       : r == -EEXIST ? CNI_E_CONFIG
	       : r == -ENOENT ? CNI_E_UNKNOWN
			      : CNI_E_KERNEL;
}

/* --- the call ----------------------------------------------------------------------------------
 */

static const char *const env_names[] = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",
					"CNI_IFNAME",  "CNI_ARGS",	  "CNI_PATH"};

static void put_call(const char *conf, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "call", "cni");
	jsonw_begin(&w, "env", '{');
	for (size_t i = 0; i < ARRAY_SIZE(env_names); i++)
		if (getenv(env_names[i]))
			jsonw_str(&w, env_names[i], getenv(env_names[i]));
	jsonw_end(&w, '}');
	jsonw_str(&w, "stdin", conf);
	jsonw_end(&w, '}');
}

/* Other bytes have no place in the JSON that goes to the agent. */
static bool environment_is_text(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(env_names); i++) {
		const char *s = getenv(env_names[i]);

		if (s && !utf8_valid(s, strlen(s)))
			return false;
	}
	return true;
}

static int read_stdin(struct buf *ret)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (ret->len + (size_t)n > CNI_STDIN_MAX)
			return -EFBIG;
		buf_put(ret, chunk, (size_t)n);
	}
	buf_puts(ret, "");
	return 0;
}

static int print_error(const char *version, int code, const char *message)
{
	_cleanup_(buf_done) struct buf text = {0};

	cni_error_print(version, code, message, NULL, &text);
	(void)puts(text.data);
	return EXIT_FAILURE;
}

/* Flush what prevResult says were the pod's addresses. */
static void flush_previous(const struct value *conf)
{
	const struct value *prev = NULL, *ips = NULL;

	if (value_get_map(conf, "", "prevResult", &prev, NULL) <= 0 ||
	    value_get_seq(prev, "prevResult", "ips", &ips, NULL) <= 0)
		return;
	for (uint32_t i = 0; i < ips->n; i++) {
		const char *text = NULL;
		struct prefix p;

		if (value_get_str(ips->items[i], "", "address", &text, NULL) > 0 &&
		    prefix_parse(text, &p) >= 0 && p.len == addr_len(&p.addr) * 8)
			(void)podlink_flush_conntrack(&p.addr, NULL);
	}
}

/* DEL without an agent: the link at least goes now. */
static int delete_alone(const struct value *conf, const char *version)
{
	const char *id = getenv("CNI_CONTAINERID"), *ifname = getenv("CNI_IFNAME");
	char host_ifname[IFNAME_MAX + 1];
	struct err e = {0};

	if (!id || !ifname)
		return print_error(version, CNI_E_ENVIRONMENT,
				   "CNI_CONTAINERID and CNI_IFNAME are required");
	attachment_host_ifname(id, ifname, host_ifname);
	if (podlink_delete(host_ifname, &e) < 0)
		return print_error(version, CNI_E_KERNEL, e.msg);
	flush_previous(conf);
	return EXIT_SUCCESS;
}

static int without_agent(const struct value *conf, const char *version, const struct err *why)
{
	const char *command = getenv("CNI_COMMAND");

	if (streq(command, "DEL"))
		return delete_alone(conf, version);
	return print_error(version,
			   streq(command, "STATUS") ? CNI_E_NOT_AVAILABLE : CNI_E_TRY_AGAIN,
			   why->msg);
}

static int call_agent(const char *text, const struct value *conf, const char *version)
{
	_cleanup_(buf_done) struct buf call = {0}, result = {0};
	const char *socket_path = PLUGIN_DEFAULT_SOCKET;
	struct err e = {0};
	int exit_code = 0;

	(void)value_get_str(conf, "", "socket", &socket_path, NULL);
	put_call(text, &call);
	if (client_call(socket_path, call.data, do_work, NULL, &result, &exit_code, &e) < 0)
		return without_agent(conf, version, &e);
	if (result.len)
		(void)puts(result.data);
	return exit_code;
}

static int print_versions(const char *version)
{
	_cleanup_(buf_done) struct buf text = {0};

	cni_versions_print(version, &text);
	(void)puts(text.data);
	return EXIT_SUCCESS;
}

/**
 * plugin_main() - Be the CNI plugin: CNI_COMMAND and its companions in the environment, the
 * network configuration on standard input
 *
 * Source: CNI specification 1.1.0, section 2.
 *
 * Return: exit code: 0, or 1 with an error object on standard output
 */
int plugin_main(void)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	_cleanup_(buf_done) struct buf conf = {0};
	const char *version = NULL;
	struct err e = {0};
	int r = read_stdin(&conf);

	if (r == -EFBIG)
		return print_error(NULL, CNI_E_DECODE,
				   "the network configuration is larger than 1 MiB");
	if (r < 0)
		return print_error(NULL, CNI_E_IO, "the network configuration cannot be read");
	if (json_parse(conf.data, conf.len, &doc, &e) < 0 || value_root(doc)->type != VALUE_MAP) {
		(void)err_prefix(&e, "network configuration: ");
		return print_error(NULL, CNI_E_DECODE, *e.msg ? e.msg : "not a JSON object");
	}
	(void)value_get_str(value_root(doc), "", "cniVersion", &version, NULL);
	if (streq(getenv("CNI_COMMAND"), "VERSION"))
		return print_versions(version);
	if (!environment_is_text())
		return print_error(version, CNI_E_ENVIRONMENT,
				   "an environment variable is not valid UTF-8");
	return call_agent(conf.data, value_root(doc), version);
}
