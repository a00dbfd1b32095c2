/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.h - `manx validate`: is what I am about to give the agent right?
 */
#pragma once

int validate_main(int argc, char **argv);
