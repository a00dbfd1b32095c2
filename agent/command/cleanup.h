/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup.h - `manx cleanup`: take everything of ours off this host.
 */
#pragma once

int cleanup_main(int argc, char **argv);
