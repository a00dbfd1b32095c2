/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.h - `manx agent`.
 */
#pragma once

int agent_main(int argc, char **argv);
