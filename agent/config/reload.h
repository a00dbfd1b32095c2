/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reload.h - the configuration changes while the agent runs: SIGHUP, or the file was written.
 */
#pragma once

struct agent;

void reload_watch(struct agent *a);
