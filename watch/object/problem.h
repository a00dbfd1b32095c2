/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * problem.h - what is wrong with a source, as it says itself.
 */
#pragma once

/**
 * typedef problem_fn - Takes one problem
 * @arg:  Context
 * @text: "web.yaml:12: ...", one line, borrowed for the call
 */
typedef void problem_fn(void *arg, const char *text);
