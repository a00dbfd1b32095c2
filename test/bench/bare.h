/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bare.h - callbacks of yajl that do nothing, for comparison.
 */
#pragma once

#include <yajl/yajl_parse.h>

extern const yajl_callbacks bare_callbacks;
