/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query.h - `manx status` and `manx ipam`: ask the agent of a run folder and print its answer.
 */
#pragma once

int status_main(int argc, char **argv);
int ipam_main(int argc, char **argv);
