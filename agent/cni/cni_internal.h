/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni_internal.h - the parts of cni_request_parse(): environment (cni_request.c), CNI_ARGS
 * (cni_args.c), configuration (cni_config.c) and capabilities (cni_capabilities.c).
 */
#pragma once

#include "agent/cni/cni.h"

#define CNI_SHOWN_MAX 84

const char *cni_shown(const char *s, char buf[static CNI_SHOWN_MAX]);
bool cni_is_identifier(const char *s, size_t max);
int cni_want_address(struct cni_request *q, enum cni_code code, const char *path, const char *text,
		     struct err *reterr);
int cni_want_mac(struct cni_request *q, enum cni_code code, const char *path, const char *text,
		 struct err *reterr);

int cni_get_str(const struct value *map, const char *path, const char *key, const char **ret,
		struct err *reterr);
int cni_get_seq(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr);
int cni_get_map(const struct value *map, const char *path, const char *key,
		const struct value **ret, struct err *reterr);

int cni_args_parse(const char *args, struct cni_request *q, struct err *reterr);
int cni_config_parse(const char *conf, size_t len, struct cni_request *q, struct err *reterr);
int cni_capabilities_parse(const struct value *conf, struct cni_request *q, struct err *reterr);
