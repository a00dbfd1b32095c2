/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.h - what must hold for every document that a parser accepts; shared by the fuzz targets.
 */
#pragma once

#include "watch/document/value.h"

void walk_document(const struct value_doc *d);
