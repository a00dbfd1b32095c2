/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields.h - the fields that a kind has: which of a document's are unknown, and which only look
 * like one.  Pure.
 *
 * A field that is unknown is not one that is absent: with `form` in the place of `from` a rule
 * would allow everyone.  The schema of a NetworkPolicy is closed, every field that it does not have
 * is an error.  Those of the other kinds are open: many fields that exist are not Manx's business,
 * and only what differs by case or by one letter from a field that Manx reads is worth a warning.
 */
#pragma once

#include "watch/document/value.h"
#include "watch/object/object.h"

struct field;

/**
 * typedef field_fn - Takes a field that looks like a misspelled one
 * @arg:  Context
 * @text: "spec.nodename: not a field that is read, did you mean 'nodeName'?", borrowed
 * @line: Line of its key
 */
typedef void field_fn(void *arg, const char *text, uint32_t line);

int fields_check_policy(const struct value *root, struct err *reterr);
bool fields_known_policy_spec(const struct value *spec);
int fields_check_namespace(const struct value *map, struct err *reterr);
void fields_each_near(const struct value *root, enum kind kind, field_fn *fn, void *arg);
