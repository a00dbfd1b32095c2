/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * instance.h - one agent a run folder: the lock, the folders, and which boot of the host this is.
 */
#pragma once

#include "agent/cni/last_ready.h"
#include "agent/config/config.h"
#include "lib/err.h"

int instance_create_dirs(const struct config *c, struct err *reterr);
int instance_lock(const char *run_dir, int *ret_fd, struct err *reterr);
int instance_inherit(const char *run_dir, int fd, struct err *reterr);
int boot_id_read(char ret[static BOOT_ID_LEN + 1], struct err *reterr);
uint64_t boottime_usec(void);
char *instance_last_ready_path(const char *run_dir);
char *instance_lock_path(const char *run_dir);
char *instance_socket_path(const char *run_dir);
char *instance_copies_path(const char *state_dir);
char *instance_journal_path(const char *state_dir);
