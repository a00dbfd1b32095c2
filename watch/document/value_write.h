/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value_write.h - a document as JSON again.
 */
#pragma once

#include "lib/jsonw.h"
#include "watch/document/value.h"

void value_write(struct jsonw *w, const char *key, const struct value *v);
