/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change.h - what a source tells: changes of objects, and what is wrong with it.
 */
#pragma once

#include "watch/object/object.h"

/**
 * typedef object_change_fn - Takes one change of what is in force
 * @arg: Context
 * @key: Which object, borrowed for the call
 * @o:   The object as it is now, owned by the callee; NULL when it is gone
 */
typedef void object_change_fn(void *arg, const struct object_key *key, struct object *o);

/**
 * typedef problem_fn - Takes one problem
 * @arg:  Context
 * @text: "web.yaml:12: ...", one line, borrowed for the call
 */
typedef void problem_fn(void *arg, const char *text);
