// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * query.c - command lines that the agent answers over its socket (wire.h).
 *
 * What is asked goes over as it was written, after its form was checked here; the text that comes
 * back is printed.  Only `manx ipam show` works without an agent: it reads the journal.
 */
#include "agent/command/query.h"

#include <stdio.h>

#include "agent/command/instance.h"
#include "agent/config/options.h"
#include "agent/socket/client.h"
#include "ipam/journal.h"
#include "lib/jsonw.h"
#include "lib/vec.h"

#define KEY(key) (UINT32_C(1) << (key))

enum { OPTION_JSON = 'j' };

/* struct question - @call: "status" or "ipam"; @argument: what follows it */
struct question {
	const char *call;
	bool json;
	VEC(const char *) argument;
};

static const struct argp_option extra[] = {
	{"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct question *q = state->input;

	switch (key) {
	case OPTION_JSON:
		q->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (streq(q->call, "status"))
			argp_error(state, "unexpected argument '%s'", arg);
		vec_push(&q->argument, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static struct config *parse_command_line(int argc, char **argv, const struct options_spec *spec)
{
	_cleanup_(options_done) struct options o = {0};
	struct config *c = NULL;
	struct err e = {0};

	options_parse(argc, argv, spec, &o);
	if (options_load(&o, &c, &e) < 0) {
		(void)fprintf(stderr, "%s: %s\n", spec->name, e.msg);
		exit(EXIT_USAGE);
	}
	return c;
}

static char *call_text(const struct question *q)
{
	struct buf b = {0};
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "call", q->call);
	jsonw_begin(&w, "args", '[');
	vec_foreach (argument, &q->argument)
		jsonw_str(&w, NULL, *argument);
	if (q->json)
		jsonw_str(&w, NULL, "--json");
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	return buf_take(&b);
}

static int ask(const struct config *c, const struct question *q, int *ret_exit, struct err *reterr)
{
	_cleanup_(freep) char *socket = instance_socket_path(c->run_dir);
	_cleanup_(freep) char *json = call_text(q);
	struct buf text = {0};
	int r = client_call(socket, json, NULL, NULL, &text, ret_exit, reterr);

	if (r == 0 && text.len > 0)
		(void)fputs(text.data, *ret_exit == 0 ? stdout : stderr);
	buf_done(&text);
	return r;
}

/**
 * status_main() - `manx status`
 * @argc: Arguments, the name of the subcommand included
 * @argv: The same
 *
 * Return: exit code: the agent's; 1 when none answers
 */
int status_main(int argc, char **argv)
{
	struct question q = {.call = "status"};
	const struct options_spec spec = {
		.name = "manx status",
		.doc = "Show what the running agent knows and did: sources and how fresh they are, "
		       "pods, policies, address use, transactions, problems.",
		.keys = KEY(CONFIG_RUN_DIR) | KEY(CONFIG_CONFIG),
		.extra = extra,
		.parse = parse,
		.arg = &q,
	};
	_cleanup_(config_freep) struct config *c = parse_command_line(argc, argv, &spec);
	struct err e = {0};
	int code = 1;

	if (ask(c, &q, &code, &e) < 0)
		(void)fprintf(stderr, "manx status: %s\n", e.msg);
	return code;
}

static void print_attachment(void *arg _unused_, const struct attachment *a)
{
	char text[ADDR_STR_MAX];

	for (uint32_t i = 0; i < a->n_addrs; i++)
		(void)printf("%-39s %s/%s (%.12s, %s)\n", addr_str(&a->addrs[i], text), a->ns,
			     a->pod, a->id, a->ifname);
}

static void json_attachment(void *arg, const struct attachment *a)
{
	struct jsonw *w = arg;
	char text[ADDR_STR_MAX];

	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "namespace", a->ns);
	jsonw_str(w, "pod", a->pod);
	jsonw_str(w, "container", a->id);
	jsonw_str(w, "interface", a->ifname);
	jsonw_begin(w, "addresses", '[');
	for (uint32_t i = 0; i < a->n_addrs; i++)
		jsonw_str(w, NULL, addr_str(&a->addrs[i], text));
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

static int show_as_json(const char *path, struct journal_report *report, struct err *reterr)
{
	struct buf out = {0};
	struct jsonw w = {.out = &out};
	int r;

	jsonw_begin(&w, NULL, '{');
	jsonw_bool(&w, "agent", false);
	jsonw_begin(&w, "attachments", '[');
	r = journal_read(path, json_attachment, &w, report, reterr);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	if (r == 0)
		(void)puts(out.data);
	buf_done(&out);
	return r;
}

/* Without an agent the journal tells who holds which address; ranges are not known. */
static int show_journal(const struct config *c, bool json)
{
	_cleanup_(freep) char *path = instance_journal_path(c->state_dir);
	struct journal_report report = {0};
	struct err e = {0};
	int r;

	(void)fprintf(stderr, "manx ipam: no agent answers on %s; reading %s\n", c->run_dir, path);
	r = json ? show_as_json(path, &report, &e)
		 : journal_read(path, print_attachment, NULL, &report, &e);
	if (r < 0) {
		(void)fprintf(stderr, "manx ipam: %s\n", e.msg);
		return 1;
	}
	if (report.bad_bytes)
		(void)fprintf(stderr, "manx ipam: damaged from byte %llu on, %llu bytes left out\n",
			      (unsigned long long)report.good_bytes,
			      (unsigned long long)report.bad_bytes);
	return 0;
}

static bool form_is_right(const struct question *q)
{
	const char *verb = q->argument.n > 0 ? q->argument.v[0] : "";

	if (streq(verb, "show") || streq(verb, "check"))
		return q->argument.n == 1;
	return streq(verb, "release") && q->argument.n >= 2;
}

static int answer_ipam(const struct config *c, const struct question *q)
{
	struct err e = {0};
	int code = 1;

	if (!form_is_right(q)) {
		(void)fprintf(stderr, "manx ipam: say show, check or release ADDRESS...; see "
				      "manx ipam --help\n");
		return EXIT_USAGE;
	}
	if (ask(c, q, &code, &e) == 0)
		return code;
	if (streq(q->argument.v[0], "show"))
		return show_journal(c, q->json);
	(void)fprintf(stderr, "manx ipam: %s\n", e.msg);
	return 1;
}

/**
 * ipam_main() - `manx ipam show|check|release`
 * @argc: Arguments, the name of the subcommand included
 * @argv: The same
 *
 * Return: exit code: the agent's; 1 when none answers; EXIT_USAGE
 */
int ipam_main(int argc, char **argv)
{
	struct question q = {.call = "ipam"};
	const struct options_spec spec = {
		.name = "manx ipam",
		.args = "show\ncheck\nrelease ADDRESS...",
		.doc = "Show who holds which address, compare that with the interfaces that exist, "
		       "or release addresses that nobody uses any more.\v"
		       "show reads the journal when no agent runs; the others need the agent.",
		.keys = KEY(CONFIG_RUN_DIR) | KEY(CONFIG_STATE_DIR) | KEY(CONFIG_CONFIG),
		.extra = extra,
		.parse = parse,
		.arg = &q,
	};
	_cleanup_(config_freep) struct config *c = parse_command_line(argc, argv, &spec);
	int code = answer_ipam(c, &q);

	vec_done(&q.argument);
	return code;
}
