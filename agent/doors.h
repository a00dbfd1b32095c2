/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doors.h - where others reach the agent: the socket of plugin and command line, the pages; and how
 * they are handed to the next agent.
 */
#pragma once

#include "lib/err.h"

struct agent;

int doors_open_socket(struct agent *a, struct err *reterr);
int doors_open_pages(struct agent *a, struct err *reterr);
void doors_close(struct agent *a);
