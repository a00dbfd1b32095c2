/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - read manifests as the agent would, and collect what is wrong with them.
 *
 * Takes paths of files and folders; gives the objects in a store and the problems in the order
 * found.  Blocking, for `manx validate`.
 */
#pragma once

#include "lib/vec.h"
#include "watch/object/store.h"

/*
 * struct check_problem - heap strings
 * @line:   0 when the problem is of the whole file
 * @object: "NetworkPolicy ns/name", or NULL
 */
struct check_problem {
	char *file;
	uint32_t line;
	char *object;
	char *message;
};

struct check_seen;

struct check {
	struct store *store;
	VEC(char *) file; /* that were read */
	VEC(struct check_problem) problem, warning;
	struct check_seen *seen;
	size_t files, objects, ignored;
};

void check_init(struct check *c);
void check_done(struct check *c);
void check_path(struct check *c, const char *path);
void check_add_problem(struct check *c, const char *file, uint32_t line, const char *object,
		       const char *message);
void check_add_error(struct check *c, const char *file, const char *msg);
