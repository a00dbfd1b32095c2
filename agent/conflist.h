/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conflist.h - the network configuration list on paper: our own, which others chain plugins into,
 * and those of others.  Pure.
 *
 * Source: CNI specification 1.1.0, section 1; CONVENTIONS.md for the capabilities.
 */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"
#include "watch/document/value.h"

#define PLUGIN_NAME  "manx" /* "type" of the configuration, so the file name of the plugin */
#define CONFLIST_MAX (1u << 20)

enum conflist_verdict {
	CONFLIST_RIGHT,	 /* nothing to do */
	CONFLIST_EDIT,	 /* our part is missing or another, the rest stays */
	CONFLIST_BROKEN, /* no list at all: nothing of it can be kept */
	_CONFLIST_VERDICT_MAX
};

enum conflist_verdict conflist_plan(const char *text, size_t len, const char *run_dir,
				    struct buf *out, struct err *reterr);
bool conflist_is_ours(const char *text, size_t len, const char *run_dir);

bool conflist_is_read(const char *file);
bool conflist_leads_to(const char *text, size_t len, const char *file, const char *run_dir);
char *conflist_network(const char *text, size_t len);
