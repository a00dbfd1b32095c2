/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - the command line: subcommands, and flags that are configuration keys.
 */
#pragma once

#include <argp.h>

#include "agent/config/config.h"

#define OPTIONS_FLAGS_MAX 64
#define EXIT_USAGE	  2

/* struct options - the flags of one command line; kept for reloads */
struct options {
	size_t n;
	struct config_flag flags[OPTIONS_FLAGS_MAX];
	char *values[OPTIONS_FLAGS_MAX]; /* what flags[].value points to */
};

/*
 * struct options_spec - the command line of one subcommand
 * @name:  "manx agent"
 * @args:  Positional arguments for the usage line, or NULL
 * @doc:   What the command does; text after '\v' comes behind the options
 * @keys:  Bits of enum config_key: keys that are flags here
 * @extra: Further options with keys below 1000, ended by {0}, or NULL
 * @parse: Takes those and ARGP_KEY_ARG, ARGP_KEY_END; or NULL: no arguments are accepted
 * @arg:   Its input, in state->input
 */
struct options_spec {
	const char *name, *args, *doc;
	uint32_t keys;
	const struct argp_option *extra;
	argp_parser_t parse;
	void *arg;
};

void options_parse(int argc, char **argv, const struct options_spec *spec, struct options *ret);
int options_load(const struct options *o, struct config **ret, struct err *reterr);
void options_done(struct options *o);
