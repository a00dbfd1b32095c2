// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * options.c - argp for every subcommand, and the configuration file behind the flags.
 *
 * Flags come from the table of config.c, so a key cannot exist in the file and be missing here.
 * A relative path on the command line means the current folder; it is made absolute here, because
 * a later reload and the plugin run elsewhere.
 */
#include "agent/config/options.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/vec.h"

#define KEY_BASE 1000 /* argp key of the first configuration key; beyond every short option */

struct context {
	const struct options_spec *spec;
	struct options *options;
};

static char *absolute(const char *path)
{
	_cleanup_(freep) char *folder = NULL;

	if (path[0] == '/' || !path[0])
		return xstrdup(path);
	folder = getcwd(NULL, 0);
	if (!folder)
		return xstrdup(path); /* refused later: "not an absolute path" */
	while (str_starts(path, "./"))
		path += 2;
	return xasprintf("%s/%s", streq(folder, "/") ? "" : folder, path);
}

static error_t add_flag(enum config_key key, const char *arg, struct argp_state *state,
			struct options *o)
{
	const struct config_key_info *info = config_key_info(key);
	const char *value = info->arg ? arg : "true";

	if (o->n == OPTIONS_FLAGS_MAX)
		argp_error(state, "more than %d flags", OPTIONS_FLAGS_MAX);
	o->values[o->n] = info->path ? absolute(value) : xstrdup(value);
	o->flags[o->n] = (struct config_flag){.key = key, .value = o->values[o->n]};
	o->n++;
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct context *ctx = state->input;
	error_t r;

	if (key >= KEY_BASE && key < KEY_BASE + _CONFIG_KEY_MAX)
		return add_flag((enum config_key)(key - KEY_BASE), arg, state, ctx->options);
	if (!ctx->spec->parse)
		return ARGP_ERR_UNKNOWN;
	state->input = ctx->spec->arg;
	r = ctx->spec->parse(key, arg, state);
	state->input = ctx;
	return r;
}

static struct argp_option *make_options(const struct options_spec *spec)
{
	VEC(struct argp_option) list = {0};

	for (int key = 0; key < _CONFIG_KEY_MAX; key++) {
		const struct config_key_info *info = config_key_info((enum config_key)key);

		if (spec->keys & UINT32_C(1) << key)
			vec_push(&list, (struct argp_option){.name = info->name,
							     .key = KEY_BASE + key,
							     .arg = info->arg,
							     .doc = info->help});
	}
	for (const struct argp_option *o = spec->extra; o && (o->name || o->key || o->doc); o++)
		vec_push(&list, *o);
	vec_push(&list, (struct argp_option){0});
	return list.v;
}

/* argp's hook for its texts: what it returns is printed and, when it is not @text, freed. */
static char *add_default(int key, const char *text, void *input _unused_)
{
	const struct config_key_info *info;

	if (key < KEY_BASE || key >= KEY_BASE + _CONFIG_KEY_MAX)
		return (char *)(uintptr_t)text;
	info = config_key_info((enum config_key)(key - KEY_BASE));
	if (!info->def)
		return (char *)(uintptr_t)text;
	return xasprintf("%s (default: %s)", text, info->def);
}

/**
 * options_parse() - Read the command line of a subcommand
 * @argc: Arguments, the name of the subcommand included
 * @argv: The same; argv[0] is the subcommand
 * @spec: What it accepts
 * @ret:  Flags, to be given to options_done()
 *
 * Prints help (--help, --usage) and ends the process with 0; on a mistake prints it and ends with
 * EXIT_USAGE.
 */
void options_parse(int argc, char **argv, const struct options_spec *spec, struct options *ret)
{
	_cleanup_(freep) struct argp_option *list = make_options(spec);
	struct argp argp = {list, parse_option, spec->args, spec->doc, NULL, add_default, NULL};
	struct options o = {0};
	struct context ctx = {spec, &o};
	_cleanup_(freep) char *name = xstrdup(spec->name);
	char *old = argv[0];

	argv[0] = name;
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &ctx) != 0)
		exit(EXIT_USAGE);
	argv[0] = old;
	*ret = o;
}

/**
 * options_load() - Make the configuration: flags over the file that they name over defaults
 * @o:      Flags
 * @ret:    Configuration; untouched on failure
 * @reterr: "FILE:LINE: KEY: ..." or "--KEY: ..."
 *
 * For the start and for every reload.  Blocks on the file.
 *
 * Return: 0, -EINVAL and the like for bad input, -errno when the file cannot be read
 */
int options_load(const struct options *o, struct config **ret, struct err *reterr)
{
	_cleanup_(config_freep) struct config *c = NULL;
	char hostname[HOST_NAME_MAX + 1] = "";
	const char *file = NULL;
	struct buf text = {0};
	int r = 0;

	for (size_t i = 0; i < o->n; i++)
		if (o->flags[i].key == CONFIG_CONFIG)
			file = o->flags[i].value;
	if (file)
		r = file_load(file, CONFIG_FILE_MAX, &text, reterr);
	if (r == 0)
		r = config_parse(file, text.data, text.len, o->flags, o->n, &c, reterr);
	buf_done(&text);
	if (r < 0)
		return r;
	if (gethostname(hostname, sizeof(hostname) - 1) == 0)
		config_default_node(c, hostname);
	*ret = TAKE(c, NULL);
	return 0;
}

/**
 * options_done() - Free the flags
 * @o: Flags
 */
void options_done(struct options *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->values[i]);
	*o = (struct options){0};
}
