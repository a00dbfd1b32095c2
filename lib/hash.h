/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.h - SipHash-2-4: names derived from definitions, checksums of records, hash tables.
 *
 * With the fixed key of hash_stable() the value is the same in every process and may be stored;
 * it is no protection against someone who looks for collisions, so whoever derives a name from
 * it compares the whole definition too.
 */
#pragma once

#include "lib/util.h"

uint64_t hash_stable(const void *data, size_t len);
