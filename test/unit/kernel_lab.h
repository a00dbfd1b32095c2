/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_lab.h - for tests that ask the real kernel: fresh network namespaces, commands, clocks.
 */
#pragma once

#include "lib/util.h"

bool lab_is_root(void);
void lab_enter_new(void);
int lab_new_netns(void);
char *lab_netns_path(int netns);
void lab_setns(int netns);
int lab_own_netns(void);
void lab_run(const char *fmt, ...) _printf_(1, 2);
char *lab_output(const char *fmt, ...) _printf_(1, 2);
bool lab_shows(const char *text, const char *fmt, ...) _printf_(2, 3);
void lab_sysctl(const char *name, const char *value);
uint64_t lab_nsec(void);
void lab_print_times(const char *what, uint64_t *nsec, size_t n);
