/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl.h - the distribution's libcurl, loaded by those who ask an API server and by nobody else.
 */
#pragma once

#include "lib/err.h"

int libcurl_load(struct err *reterr);
bool libcurl_require_name(void *context, const char *name);
