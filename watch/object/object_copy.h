/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object_copy.h - a second object with the same content.
 */
#pragma once

#include "watch/object/object.h"

struct object *object_copy(const struct object *o);
