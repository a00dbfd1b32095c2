/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * version.h - the version of Manx, for `manx version`, metrics and man pages.
 */
#pragma once

#define MANX_VERSION "0.1.0"
