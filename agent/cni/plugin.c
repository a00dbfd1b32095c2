// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * plugin.c - the CNI plugin: hands environment and configuration to the agent, does the slow work
 * on links that the agent asks for, prints the answer.
 *
 * It holds no state and no credential.  While no agent runs, DEL takes the link down by itself
 * (the agent finds the address at its next start; one that is just starting is told), VERSION is
 * answered, and everything else is told to come again.  Within the grace after an agent was ready
 * (last_ready.h) it counts as one that restarts: STATUS is answered well, and ADD, CHECK and GC
 * wait for it, PLUGIN_WAIT_USEC at most.  An ADD that fails after the link was made takes the link
 * down again.
 */
#include "agent/cni/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/cni/cni.h"
#include "agent/cni/last_ready.h"
#include "agent/command/instance.h"
#include "agent/socket/client.h"
#include "agent/socket/wire.h"
#include "datapath/route/conntrack.h"
#include "datapath/route/podlink.h"
#include "lib/file.h"
#include "lib/jsonw.h"
#include "lib/utf8.h"
#include "watch/document/json.h"

#define PLUGIN_WAIT_USEC (20 * USEC_PER_SEC)
#define PLUGIN_STEP_USEC (100 * USEC_PER_MSEC)

/* --- what the agent asks for ---------------------------------------------------------------------
 */

/* Of a DEL: what its interface would leave in a pod that goes on. */
static void give_back(void)
{
	const char *netns = getenv("CNI_NETNS"), *ifname = getenv("CNI_IFNAME");

	if (netns && *netns && ifname && streq(getenv("CNI_COMMAND"), "DEL"))
		podlink_give_back(netns, ifname);
}

static int detach(const struct value *m, struct err *reterr)
{
	const struct value *links = NULL;
	int r = 0;

	give_back();
	(void)value_get_seq(m, "", "links", &links, NULL);
	for (uint32_t i = 0; links && i < links->n && r == 0; i++)
		r = links->items[i]->type == VALUE_STRING
			    ? podlink_delete(links->items[i]->text, reterr)
			    : err_set(reterr, -EINVAL, "the agent's request is incomplete");
	return r;
}

/* struct work - what this call has done: the host's end of the link that it made, or "" */
struct work {
	char made[IFNAME_MAX + 1];
};

/* The specification wants the name of the variable that is wrong. */
static int link_error(int code, struct err *reterr)
{
	switch (code) {
	case -ENOENT:
		(void)err_prefix(reterr, "CNI_NETNS: ");
		return CNI_E_UNKNOWN;
	case -ENOTTY:
		(void)err_prefix(reterr, "CNI_NETNS: ");
		return CNI_E_ENVIRONMENT;
	case -EEXIST:
		(void)err_prefix(reterr, "CNI_IFNAME: ");
		return CNI_E_ENVIRONMENT;
	default:
		return CNI_E_KERNEL;
	}
}

static void put_beside(const struct podlink *l, const bool beside[2], struct jsonw *reply)
{
	char text[ADDR_STR_MAX];

	jsonw_begin(reply, "beside", '[');
	for (uint32_t i = 0; i < l->n_addrs; i++)
		if (beside[i])
			jsonw_str(reply, NULL, addr_str(&l->addrs[i], text));
	jsonw_end(reply, ']');
}

/* A namespace that is none is the request's fault, everything else the link's. */
static int check(const struct podlink *l, struct jsonw *reply, struct err *reterr)
{
	bool beside[2] = {false, false};
	int r = podlink_check(l, beside, reterr);

	if (r == -ENOENT || r == -ENOTTY)
		return link_error(r, reterr);
	if (r < 0)
		return CNI_E_MISMATCH;
	put_beside(l, beside, reply);
	return 0;
}

static int attach(struct work *w, const struct podlink *l, struct jsonw *reply, struct err *reterr)
{
	bool beside[2] = {false, false};
	int r = podlink_create(l, beside, reterr);

	if (r < 0)
		return link_error(r, reterr);
	put_beside(l, beside, reply);
	(void)snprintf(w->made, sizeof(w->made), "%s", l->host_ifname);
	return 0;
}

static int do_work(void *arg, const struct value *m, struct jsonw *reply, struct err *reterr)
{
	const char *what = NULL;
	struct podlink l = {0};

	if (value_get_str(m, "", "do", &what, reterr) <= 0)
		return CNI_E_DECODE;
	if (streq(what, "detach"))
		return detach(m, reterr) == 0 ? 0 : CNI_E_KERNEL;
	if (wire_read_link(m, &l, reterr) < 0)
		return CNI_E_DECODE;
	if (streq(what, "attach"))
		return attach(arg, &l, reply, reterr);
	if (streq(what, "check"))
		return check(&l, reply, reterr);
	(void)err_set(reterr, -EPROTO, "the agent asks for something unknown: %s", what);
	return CNI_E_DECODE;
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
static const char *variable_that_is_no_text(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(env_names); i++) {
		const char *s = getenv(env_names[i]);

		if (s && !utf8_valid(s, strlen(s)))
			return env_names[i];
	}
	return NULL;
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
	_cleanup_(conntrack_closep) struct conntrack *c = NULL;
	const struct value *prev = NULL, *ips = NULL;

	if (value_get_map(conf, "", "prevResult", &prev, NULL) <= 0 ||
	    value_get_seq(prev, "prevResult", "ips", &ips, NULL) <= 0 ||
	    conntrack_open(&c, NULL) < 0)
		return;
	for (uint32_t i = 0; i < ips->n; i++) {
		const char *text = NULL;
		struct prefix p;

		if (value_get_str(ips->items[i], "", "address", &text, NULL) > 0 &&
		    prefix_parse(text, &p) >= 0 && p.len == addr_len(&p.addr) * 8)
			(void)conntrack_flush(c, &p.addr, 1, NULL);
	}
}

/* DEL without an agent: the link at least goes now.  0 or the CNI error code. */
static int delete_alone(const struct value *conf, struct err *reterr)
{
	const char *id = getenv("CNI_CONTAINERID"), *ifname = getenv("CNI_IFNAME");
	const char *network = DEFAULT_NETWORK;
	char host_ifname[IFNAME_MAX + 1];

	(void)value_get_str(conf, "", "name", &network, NULL);
	if (!id || !*id || !ifname || !*ifname) {
		(void)err_set(reterr, -EINVAL, "CNI_CONTAINERID and CNI_IFNAME are required");
		return CNI_E_ENVIRONMENT;
	}
	attachment_host_ifname(network, id, ifname, host_ifname);
	give_back();
	if (podlink_delete(host_ifname, reterr) < 0)
		return CNI_E_KERNEL;
	flush_previous(conf);
	return 0;
}

static int without_agent(const char *version, const struct err *why)
{
	const char *command = getenv("CNI_COMMAND");

	if (streq(command, "STATUS"))
		return print_error(version, CNI_E_NOT_AVAILABLE, why->msg);
	if (streq(command, "ADD") || streq(command, "CHECK") || streq(command, "GC"))
		return print_error(version, CNI_E_TRY_AGAIN, why->msg);
	return print_error(version, CNI_E_ENVIRONMENT,
			   "CNI_COMMAND: not ADD, CHECK, DEL, GC, STATUS or VERSION");
}

/* struct answer - of the agent: what to print, and what to exit with */
struct answer {
	struct buf text;
	int exit_code;
};

/* Microseconds for which an agent that went away still counts; 0: it does not, or there was none.
 */
static uint64_t grace_left(const char *socket_path)
{
	const char *slash = strrchr(socket_path, '/');
	_cleanup_(freep) char *path = xasprintf(
		"%.*s" LAST_READY_NAME, slash ? (int)(slash - socket_path) + 1 : 0, socket_path);
	char boot_id[BOOT_ID_LEN + 1];
	uint64_t left = 0;

	if (boot_id_read(boot_id, NULL) < 0)
		return 0;
	for (int i = 0; i < 3 && !left; i++) { /* the agent may have been writing */
		_cleanup_(buf_done) struct buf text = {0};

		if (file_load(path, LAST_READY_LEN, &text, NULL) == 0)
			left = last_ready_left(text.data, text.len, boot_id, boottime_usec());
	}
	return left;
}

/* Nobody listens, or whoever did ended: as while the agent restarts. */
static bool is_away(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -EPIPE || r == -ECONNRESET;
}

/* 0; -errno: there is no agent, or it went away; a link that was made for it is gone again. */
static int ask_agent(const char *socket_path, const char *call, struct answer *ret,
		     struct err *reterr)
{
	struct work w = {0};
	int r;

	buf_reset(&ret->text);
	r = client_call(socket_path, call, do_work, &w, &ret->text, &ret->exit_code, reterr);
	if (*w.made && (r < 0 || ret->exit_code != 0))
		(void)podlink_delete(w.made, NULL);
	return r;
}

/*
 * The same, and what an agent that restarts misses is asked again: all verbs may be repeated.  DEL
 * has its own way, and STATUS need not wait.
 */
static int ask_patiently(const char *socket_path, const char *call, struct answer *ret,
			 struct err *reterr)
{
	const char *command = getenv("CNI_COMMAND");
	bool waits = streq(command, "ADD") || streq(command, "CHECK") || streq(command, "GC");
	uint64_t until = 0;
	int r;

	for (;;) {
		r = ask_agent(socket_path, call, ret, reterr);
		if (!waits || !is_away(r))
			return r;
		if (!until)
			until = boottime_usec() + MIN(grace_left(socket_path), PLUGIN_WAIT_USEC);
		if (boottime_usec() >= until)
			return r;
		(void)usleep(PLUGIN_STEP_USEC);
	}
}

static int call_agent(const char *text, const struct value *conf, const char *version)
{
	_cleanup_(buf_done) struct buf call = {0};
	const char *socket_path = PLUGIN_DEFAULT_SOCKET;
	struct answer answer = {0};
	struct err e = {0};
	int r, code;

	if (value_get_str(conf, "", "socket", &socket_path, &e) < 0)
		return print_error(version, CNI_E_CONFIG, e.msg);
	put_call(text, &call);
	r = ask_patiently(socket_path, call.data, &answer, &e);
	if (r < 0 && streq(getenv("CNI_COMMAND"), "DEL")) {
		code = delete_alone(conf, &e);
		if (code)
			return print_error(version, code, e.msg);
		/*
		 * An agent that has started meanwhile may have seen the link: it is told now.  One
		 * that starts later finds it gone.
		 */
		(void)ask_agent(socket_path, call.data, &answer, &e);
		r = 0;
	}
	if (is_away(r) && streq(getenv("CNI_COMMAND"), "STATUS") && grace_left(socket_path))
		return EXIT_SUCCESS;
	if (r < 0)
		return without_agent(version, &e);
	if (answer.text.len)
		(void)puts(answer.text.data);
	buf_done(&answer.text);
	return answer.exit_code;
}

static int print_bad_variable(const char *version, const char *name)
{
	_cleanup_(freep) char *message = xasprintf("%s: not valid UTF-8", name);

	return print_error(version, CNI_E_ENVIRONMENT, message);
}

/* The network configuration, as text and as a document that is a map; 0 or the CNI error code. */
static int read_configuration(struct buf *ret_text, struct value_doc **ret, struct err *reterr)
{
	int r = read_stdin(ret_text);

	if (r == -EFBIG)
		(void)err_set(reterr, r, "network configuration: larger than 1 MiB");
	else if (r < 0)
		(void)err_set(reterr, r, "network configuration: %s", strerror(-r));
	if (r < 0)
		return r == -EFBIG ? CNI_E_DECODE : CNI_E_IO;
	r = json_parse_as_go(ret_text->data, ret_text->len, ret, reterr);
	if (r == 0 && value_root(*ret)->type != VALUE_MAP)
		r = err_set(reterr, -EINVAL, "expected a map, found a %s",
			    value_type_str(value_root(*ret)->type));
	if (r == 0)
		return 0;
	(void)err_prefix(reterr, "network configuration: ");
	return CNI_E_DECODE;
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
	const char *version = NULL, *bad = variable_that_is_no_text();
	struct err e = {0};
	int code = read_configuration(&conf, &doc, &e);

	if (code)
		return print_error(NULL, code, e.msg);
	if (value_get_str(value_root(doc), "", "cniVersion", &version, &e) < 0)
		return print_error(NULL, CNI_E_CONFIG, e.msg);
	if (streq(getenv("CNI_COMMAND"), "VERSION"))
		return print_versions(version);
	if (bad)
		return print_bad_variable(version, bad);
	return call_agent(conf.data, value_root(doc), version);
}
