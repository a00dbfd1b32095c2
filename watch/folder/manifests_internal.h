/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manifests_internal.h - shared by manifests.c and manifests_shadow.c.
 */
#pragma once

#include "lib/ptr_table.h"
#include "watch/folder/manifests.h"

/* struct shadow - a file's version of an object that an earlier file defines too */
struct shadow {
	struct shadow *prev, *next; /* of the same file */
	struct shadowed *of;
	struct object *o;
};

/* struct shadowed - one object with shadows; by file name, all behind the file in force */
struct shadowed {
	struct object_key key;
	VEC(struct shadow *) shadows;
};

/*
 * struct file
 * @failure: Why the last content was not taken, or NULL
 * @number:  1 to MANIFEST_FILES_MAX, mark of its objects
 * @left_out: Documents of it were left out; the first problems are theirs
 * @load:    Number of its last load, mark of the objects seen by it
 */
struct file {
	char *name;
	char *failure;
	uint16_t number, load;
	bool left_out;
	uint32_t unknown;
	VEC(char *) problems, warnings;
	struct shadow *shadows;
};

/* struct manifests - @shadowed: of struct shadowed */
struct manifests {
	struct store *store;
	VEC(struct file *) files;    /* sorted by name */
	VEC(struct file *) numbered; /* by number - 1; NULL: it is free */
	struct ptr_table shadowed;
};

static inline struct file *file_of(const struct manifests *m, const struct object *o)
{
	return m->numbered.v[o->feed - 1];
}

struct shadow *shadow_of_file(const struct manifests *m, const struct file *f,
			      const struct object_key *key);
struct shadow *shadow_first(const struct manifests *m, const struct object_key *key);
void shadow_add(struct manifests *m, struct object *o);
struct object *shadow_remove(struct manifests *m, struct shadow *s);
