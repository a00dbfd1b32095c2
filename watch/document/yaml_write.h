/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yaml_write.h - a document as YAML again.
 */
#pragma once

#include "lib/buf.h"
#include "watch/document/value.h"

void yaml_write(struct buf *out, const struct value *v);
void yaml_write_str(struct buf *out, const char *s);
