/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interest.h - of which namespaces do the terms in use need the pods?  Pure.
 *
 * Takes the selectors of peer terms as they come into use and go, and namespaces as they change
 * their labels; tells each namespace that becomes needed, or is no longer.  Knows the labels.
 */
#pragma once

#include "datapath/part.h"
#include "datapath/policy/matchindex.h"

struct interest;

struct interest *interest_new(need_fn *fn, void *arg);
struct interest *interest_free(struct interest *i);
void interest_add(struct interest *i, const struct match *m);
void interest_remove(struct interest *i, const struct match *m);
void interest_namespace(struct interest *i, const char *ns, const struct labels *labels);
const struct labels *interest_labels(const struct interest *i, const char *ns);
