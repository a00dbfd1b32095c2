/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manifests.h - which file defines which object: the memory of the folder source, without files.
 *
 * Every file has a list of objects.  An object that several files define is taken from the first
 * of them by name (strcmp).  What is in force changes only through manifests_load() and
 * manifests_drop(); each change is told once.
 */
#pragma once

#include "lib/vec.h"
#include "watch/object/problem.h"
#include "watch/object/store.h"

#define MANIFEST_FILES_MAX 4096 /* files of one folder; more are not read */

/*
 * struct manifest - what one file holds
 * @entries:  Objects in order with their lines, stand-ins for policies that cannot be read too
 * @problems: Documents that are left out
 * @warnings: What is right as it stands and does not look as if it were meant so
 * @unknown:  Documents of kinds that Manx does not use
 * @lists:    There is a list with "items: []"
 */
struct manifest_entry {
	struct object *o;
	uint32_t line;
};

struct manifest {
	VEC(struct manifest_entry) entries;
	VEC(char *) problems;
	VEC(char *) warnings;
	uint32_t unknown;
	bool lists;
};

/* struct manifests_stats - @objects and @problems as they are now */
struct manifests_stats {
	size_t files;
	size_t objects[_KIND_MAX];
	size_t unknown; /* documents of kinds that Manx does not use */
	size_t problems;
};

struct manifests;

void manifest_done(struct manifest *m);
int manifest_parse(const char *name, const char *text, size_t len, struct manifest *ret,
		   struct err *reterr);
char *manifest_isolated(const struct manifest *m);
const char *manifest_stand_in_name(const char *file, const char *what);
void manifest_suspect(const char *name, const char *text, size_t len, struct manifest *ret);
bool manifest_empty(const struct manifest *m);
bool manifest_name_ok(const char *name);

struct manifests *manifests_new(struct store *store);
struct manifests *manifests_free(struct manifests *m);
void manifests_load(struct manifests *m, const char *name, struct manifest *content);
void manifests_fail(struct manifests *m, const char *name, const char *problem);
size_t manifests_held(const struct manifests *m, const char *name);
void manifests_drop(struct manifests *m, const char *name);
void manifests_each_problem(const struct manifests *m, problem_fn *fn, void *arg);
void manifests_each_failure(const struct manifests *m, problem_fn *fn, void *arg);
void manifests_each_warning(const struct manifests *m, problem_fn *fn, void *arg);
void manifests_stats(const struct manifests *m, struct manifests_stats *ret);
