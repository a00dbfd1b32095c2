/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value_doc.h - inside of a document that is being built; for value_build.c and value_close.c.
 */
#pragma once

#include "lib/vec.h"
#include "watch/document/arena.h"
#include "watch/document/doc_keys.h"
#include "watch/document/value.h"

/* struct child - one entry of an open map or sequence; @key is NULL for items and merged maps */
struct child {
	struct doc_key *key;
	uint32_t key_line;
	struct value *value;
};

/*
 * struct frame - one open value
 * @first:    Its first child in the stack
 * @key:      Key that waits for its value
 * @merging:  The next value is that of a merge key
 * @merged:   There was a merge key
 */
struct frame {
	struct value *value;
	size_t first;
	struct doc_key *key;
	uint32_t key_line;
	bool merging, merged;
};

struct value_doc {
	struct arena arena;
	struct value *root, *last;
	uint64_t nodes;	     /* as struct value, weight: aliases counted as if written out */
	uint64_t by_aliases; /* of these */
	uint64_t maps;	     /* maps completed: serial numbers for struct doc_key */
	uint32_t depth;
	bool as_go; /* value_build_as_go() */
	struct frame frames[VALUE_DEPTH_MAX];
	VEC(struct child) pending;
	struct doc_keys keys;
};

int value_close(struct value_doc *d, const struct frame *f, struct err *reterr);
