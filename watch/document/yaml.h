/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yaml.h - YAML text to documents, with libyaml's event parser.
 *
 * Plain scalars are typed as sigs.k8s.io/yaml does it (null, booleans, integers, floats, else
 * strings).  Anchors and aliases are supported within VALUE_NODES_MAX; merge keys (<<) too.
 */
#pragma once

#include "watch/document/json.h"
#include "watch/document/value.h"

int yaml_parse(const char *text, size_t len, document_fn *fn, void *arg, struct err *reterr);
int yaml_salvage(const char *text, size_t len, document_fn *fn, void *arg,
		 struct value_doc **ret_cut, struct err *reterr);
int yaml_parse_one(const char *text, size_t len, struct value_doc **ret, struct err *reterr);
