/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - what the service manager is told: as sd_notify(3) does, but nothing waits for it.
 *
 * sd_notify() waits while the manager reads nothing, as systemd does while it executes itself anew,
 * and sd-event feeds the watchdog by it.  Here what the manager has no room for comes later.
 */
#pragma once

#include "lib/loop.h"

struct notify;

struct notify *notify_new(struct loop *l);
struct notify *notify_free(struct notify *n);
void notify_say(struct notify *n, const char *state);
