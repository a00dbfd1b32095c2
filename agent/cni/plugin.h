/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugin.h - the process that the container runtime starts: the CNI plugin.
 */
#pragma once

#define PLUGIN_DEFAULT_SOCKET "/run/manx/cni.sock"

int plugin_main(void);
