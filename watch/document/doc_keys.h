/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doc_keys.h - one copy of every map key of a document; used by value_build.c alone.
 */
#pragma once

#include "lib/ptr_table.h"
#include "watch/document/arena.h"

/*
 * struct doc_key
 * @in_map: Serial number of the map that was last found to have the key
 * @next:   The key that came after it last time, or NULL
 */
struct doc_key {
	uint64_t in_map;
	struct doc_key *next;
	size_t len;
	char s[];
};

/* struct doc_keys - @last: given last; starts zeroed */
struct doc_keys {
	struct ptr_table table;
	struct doc_key *last;
};

struct doc_key *doc_key_guess(struct doc_keys *keys, const char *s, size_t len);
struct doc_key *doc_key_get(struct doc_keys *keys, struct arena *arena, const char *s, size_t len);
void doc_keys_done(struct doc_keys *keys);
