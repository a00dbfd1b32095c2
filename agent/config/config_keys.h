/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_keys.h - how each type of key is read, compared and copied; for config.c and
 * the files beside it only.  Pure.
 */
#pragma once

#include "agent/config/config.h"
#include "watch/document/value.h"

enum config_type {
	CONFIG_TYPE_BOOL,
	CONFIG_TYPE_NODE,	  /* a Kubernetes object name */
	CONFIG_TYPE_PATH,	  /* absolute */
	CONFIG_TYPE_PATH_OR_NONE, /* the same, or empty */
	CONFIG_TYPE_RUN_DIR,	  /* absolute, short enough for a socket inside */
	CONFIG_TYPE_FILE_NAME,	  /* one component, ending in .conflist */
	CONFIG_TYPE_ADDRESS,	  /* agent/report/pages_address.h */
	CONFIG_TYPE_LOG_LEVEL,
	CONFIG_TYPE_PREFIXES, /* may overlap */
	CONFIG_TYPE_RANGES,   /* may not */
	CONFIG_TYPE_DURATION,
	CONFIG_TYPE_MTU,
	CONFIG_TYPE_CONNECTIONS,
	_CONFIG_TYPE_MAX
};

/*
 * struct config_row - a key: what the world sees, where it lives, what it is
 * @offset:   Of the member in struct config
 * @max_usec: Durations: largest value
 */
struct config_row {
	struct config_key_info info;
	enum config_type type;
	size_t offset;
	uint64_t max_usec;
};

extern const struct config_row config_rows[_CONFIG_KEY_MAX];

int config_key_find(const char *name, enum config_key *ret, struct err *reterr);
int config_text_check(enum config_type type, const char *s, struct err *reterr);
int config_field_set_text(const struct config_row *row, struct config *c, const char *text,
			  struct err *reterr);
int config_field_set_value(const struct config_row *row, struct config *c, const struct value *v,
			   struct err *reterr);
bool config_field_equal(const struct config_row *row, const struct config *a,
			const struct config *b);
void config_field_copy(const struct config_row *row, struct config *to, const struct config *from);
void config_field_done(const struct config_row *row, struct config *c);
