/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * translate.h - manifests in old forms to those of today.
 */
#pragma once

#include "agent/command/check.h"
#include "lib/buf.h"
#include "watch/document/value.h"

void translate_document(const struct value *root, const struct store *known, struct buf *out);
int translate_file(const char *path, const struct store *known, struct buf *out,
		   struct err *reterr);
