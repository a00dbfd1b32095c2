// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * plugin_main.c - manx-cni, the CNI plugin as a program of its own.
 *
 * `manx` is the plugin too; this one is what is installed.  It is linked with libc and libmnl
 * alone: it starts ten times as fast as with the agent's libraries, and on hosts that lack those.
 */
#include "agent/cni/plugin.h"

int main(void)
{
	return plugin_main();
}
