/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * install.h - what the container runtime needs to find us: plugin binary and network
 * configuration list; and their removal; `manx install`.
 */
#pragma once

#include "agent/conflist.h"
#include "lib/err.h"

#define CONFLIST_ASIDE ".set-aside" /* behind the name of a list that was none */

int install_plugin(const char *program, const char *cni_bin_dir, struct err *reterr);
int install_conflist(const char *cni_conf_dir, const char *name, const char *run_dir, bool aside,
		     struct err *reterr);
int remove_plugin(const char *cni_bin_dir, struct err *reterr);
int remove_conflist(const char *cni_conf_dir, const char *name, const char *run_dir,
		    struct err *reterr);
int install_main(int argc, char **argv);
