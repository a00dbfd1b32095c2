// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * validate.c - `manx validate`: check manifests and the configuration as the agent would.
 *
 * Problems go to standard error, one a line, as FILE:LINE: KIND NAME: PATH: TEXT, warnings as
 * FILE:LINE: warning: PATH: TEXT; the summary (or the JSON, or the table) to standard output. Needs
 * neither root nor an agent.
 */
#include "agent/command/validate.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/command/check.h"
#include "agent/command/dump.h"
#include "agent/command/translate.h"
#include "agent/config/options.h"
#include "lib/jsonw.h"

#define KEY(key) (UINT32_C(1) << (key))

enum { OPTION_JSON = 'j', OPTION_DUMP_TABLE = 'd', OPTION_ATTACH = 'a', OPTION_TRANSLATE = 't' };

/* struct request - the command line beyond configuration keys */
struct request {
	bool json, dump, translate;
	struct attachment_list attachments;
	VEC(const char *) path;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *q = state->input;
	struct err e = {0};

	switch (key) {
	case OPTION_JSON:
		q->json = true;
		return 0;
	case OPTION_DUMP_TABLE:
		q->dump = true;
		return 0;
	case OPTION_TRANSLATE:
		q->translate = true;
		return 0;
	case OPTION_ATTACH:
		if (dump_attachment_parse(arg, &q->attachments, &e) < 0)
			argp_error(state, "--attach: %s", e.msg);
		return 0;
	case ARGP_KEY_ARG:
		vec_push(&q->path, arg);
		return 0;
	case ARGP_KEY_END:
		if (q->json + q->dump + q->translate > 1)
			argp_error(state,
				   "--json, --dump-table and --translate exclude each other");
		if (q->attachments.at.n > 0 && !q->dump)
			argp_error(state, "--attach goes with --dump-table");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void parse_command_line(int argc, char **argv, struct request *q, struct options *o)
{
	static const struct argp_option extra[] = {
		{"json", OPTION_JSON, NULL, 0, "Print the result as JSON", 0},
		{"dump-table", OPTION_DUMP_TABLE, NULL, 0,
		 "Print the nftables table that an agent would install", 0},
		{"translate", OPTION_TRANSLATE, NULL, 0,
		 "Print the manifests, those in old forms as networking.k8s.io/v1", 0},
		{"attach", OPTION_ATTACH, "NS/POD=ADDR[,ADDR]", 0,
		 "With --dump-table: this pod runs here with these addresses", 0},
		{0},
	};
	const struct options_spec spec = {
		.name = "manx validate",
		.args = "FILE|DIR...",
		.doc = "Check manifests and the configuration as the agent would.\v"
		       "Exits with 0 when everything is right, 1 when there is a problem, 2 when "
		       "the command line is wrong.\n\n"
		       "  manx validate --config /etc/manx/manx.conf /etc/manx/manifests\n"
		       "  manx validate --dump-table --attach default/web=10.1.0.5 policy.yaml",
		.keys = KEY(CONFIG_CONFIG) | KEY(CONFIG_NODE) | KEY(CONFIG_RANGES) |
			KEY(CONFIG_MASQUERADE) | KEY(CONFIG_MASQUERADE_EXCLUDE),
		.extra = extra,
		.parse = parse,
		.arg = q,
	};

	options_parse(argc, argv, &spec, o);
	if (q->path.n == 0 && o->n == 0) {
		(void)fprintf(stderr, "manx validate: nothing to check; name files, folders or "
				      "--config FILE\n");
		exit(EXIT_USAGE);
	}
}

static void print_problems(const struct check *c)
{
	vec_foreach (p, &c->problem) {
		(void)fputs(p->file, stderr);
		if (p->line)
			(void)fprintf(stderr, ":%" PRIu32, p->line);
		(void)fprintf(stderr, ": %s%s%s\n", p->object ? p->object : "",
			      p->object ? ": " : "", p->message);
	}
	vec_foreach (w, &c->warning)
		(void)fprintf(stderr, "%s:%" PRIu32 ": warning: %s\n", w->file, w->line,
			      w->message);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_summary(const struct check *c)
{
	(void)printf("%zu object%s in %zu file%s, %zu problem%s", c->objects, plural(c->objects),
		     c->files, plural(c->files), c->problem.n, plural(c->problem.n));
	if (c->warning.n)
		(void)printf(", %zu warning%s", c->warning.n, plural(c->warning.n));
	if (c->ignored)
		(void)printf(", %zu of kinds that manx does not use", c->ignored);
	(void)putchar('\n');
}

static void put_problem(struct jsonw *w, const struct check_problem *p)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "file", p->file);
	jsonw_uint(w, "line", p->line);
	jsonw_str(w, "object", p->object);
	jsonw_str(w, "message", p->message);
	jsonw_end(w, '}');
}

static void print_json(const struct check *c)
{
	struct buf out = {0};
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	jsonw_uint(&w, "files", c->files);
	jsonw_uint(&w, "objects", c->objects);
	jsonw_uint(&w, "ignored", c->ignored);
	jsonw_begin(&w, "problems", '[');
	vec_foreach (p, &c->problem)
		put_problem(&w, p);
	jsonw_end(&w, ']');
	jsonw_begin(&w, "warnings", '[');
	vec_foreach (p, &c->warning)
		put_problem(&w, p);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	(void)puts(out.data);
	buf_done(&out);
}

static void print_table(const struct check *c, const struct config *config,
			const struct attachment_list *attachments)
{
	struct buf out = {0};

	dump_table(c->store, config, attachments, &out);
	(void)fputs(out.data, stdout);
	buf_done(&out);
}

/* What a file holds behind a mistake of syntax is not known; that was reported. */
static void print_translation(const struct check *c)
{
	struct buf out = {0};

	vec_foreach (file, &c->file)
		(void)translate_file(*file, c->store, &out, NULL);
	(void)fputs(out.len ? out.data : "", stdout);
	buf_done(&out);
}

static const char *config_file(const struct options *o)
{
	const char *file = NULL;

	for (size_t i = 0; i < o->n; i++)
		if (o->flags[i].key == CONFIG_CONFIG)
			file = o->flags[i].value;
	return file;
}

/* A mistake in a flag is one of the command line and ends the process. */
static struct config *load_config(const struct options *o, struct check *c)
{
	const char *file = config_file(o);
	struct config *config = NULL;
	struct err e = {0};
	int r = options_load(o, &config, &e);

	if (r < 0 && (!file || !str_starts(e.msg, file))) {
		(void)fprintf(stderr, "manx validate: %s\n", e.msg);
		exit(EXIT_USAGE);
	}
	if (r < 0)
		check_add_error(c, file, e.msg);
	else if ((config->manifests || config->kubeconfig || config->in_cluster) &&
		 config_check_agent(config, &e) < 0)
		check_add_problem(c, file, 0, NULL, e.msg);
	return config;
}

/**
 * validate_main() - `manx validate`
 * @argc: Arguments, the name of the subcommand included
 * @argv: The same
 *
 * Return: exit code: 0, 1 for problems, EXIT_USAGE
 */
int validate_main(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(options_done) struct options o = {0};
	_cleanup_(check_done) struct check c;
	struct request q = {0};

	check_init(&c);
	parse_command_line(argc, argv, &q, &o);
	config = load_config(&o, &c);
	vec_foreach (path, &q.path)
		check_path(&c, *path);
	print_problems(&c);
	if (q.translate)
		print_translation(&c);
	else if (q.json)
		print_json(&c);
	else if (!q.dump)
		print_summary(&c);
	else if (config)
		print_table(&c, config, &q.attachments);
	attachment_list_done(&q.attachments);
	vec_done(&q.path);
	return c.problem.n > 0;
}
