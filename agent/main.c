// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - one program, several commands; called as a CNI plugin it is the plugin.
 *
 * Source: CNI specification 1.1.0, section 2: a runtime sets CNI_COMMAND and passes no arguments.
 */
#include <curl/curl.h>
#include <microhttpd.h>
#include <stdio.h>

#include "agent/cni/plugin.h"
#include "agent/command/cleanup.h"
#include "agent/command/install.h"
#include "agent/command/query.h"
#include "agent/command/validate.h"
#include "agent/config/options.h"
#include "agent/run.h"
#include "lib/version.h"
#include "watch/kube/libcurl.h"

struct command {
	const char *name, *args, *help;
	int (*run)(int argc, char **argv);
};

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);

static int cni_main(int argc _unused_, char **argv _unused_)
{
	return plugin_main();
}

static const struct command commands[] = {
	{"agent", "--manifests DIR ...", "Run the agent of this node", agent_main},
	{"status", "[--json]", "Show what the running agent knows and did", status_main},
	{"ipam", "show|check|release", "Show, check or release pod addresses", ipam_main},
	{"validate", "FILE|DIR ...", "Check manifests and the configuration", validate_main},
	{"install", "", "Install the CNI plugin, without an agent", install_main},
	{"cleanup", "", "Remove everything that manx made on this host", cleanup_main},
	{"cni", "", "Be the CNI plugin (as when CNI_COMMAND is set)", cni_main},
	{"version", "", "Print the version", version_main},
	{"help", "", "Print this", help_main},
};

static void print_help(FILE *out)
{
	(void)fputs("Usage: manx COMMAND [OPTION...]\n"
		    "Give the pods of a Kubernetes node addresses, links and NetworkPolicies.\n\n",
		    out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)fprintf(out, "  %-9s %-20s %s\n", commands[i].name, commands[i].args,
			      commands[i].help);
	(void)fputs("\nmanx COMMAND --help tells more; so do manx(8) and manx.conf(5).\n", out);
}

static int help_main(int argc _unused_, char **argv _unused_)
{
	print_help(stdout);
	return 0;
}

static int version_main(int argc _unused_, char **argv _unused_)
{
	struct err e = {0};

	(void)printf("manx " MANX_VERSION "\nwith libmicrohttpd/%s\n", MHD_get_version());
	if (libcurl_load(&e) == 0)
		(void)printf("with %s\n", curl_version());
	else
		(void)printf("without libcurl: %s\n", e.msg);
	return 0;
}

static int run_command(int argc, char **argv)
{
	const char *name = argv[1];

	if (streq(name, "--help") || streq(name, "-h"))
		return help_main(argc, argv);
	if (streq(name, "--version") || streq(name, "-V"))
		return version_main(argc, argv);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	(void)fprintf(stderr, "manx: unknown command '%s'; try 'manx help'\n", name);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (getenv("CNI_COMMAND"))
		return plugin_main();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return run_command(argc, argv);
}
