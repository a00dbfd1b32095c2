/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h - JSON text to documents, with yajl's event parser.
 */
#pragma once

#include "watch/document/value.h"

/**
 * typedef document_fn - Takes one complete document
 * @arg: Context
 * @doc: Document, borrowed for the call
 *
 * Return: 0 to go on, below 0 to stop the parser with that result
 */
typedef int document_fn(void *arg, const struct value_doc *doc);

int json_parse(const char *text, size_t len, struct value_doc **ret, struct err *reterr);
int json_parse_as_go(const char *text, size_t len, struct value_doc **ret, struct err *reterr);
int json_salvage(const char *text, size_t len, document_fn *fn, void *arg,
		 struct value_doc **ret_cut, struct err *reterr);
int json_parse_stream(const char *text, size_t len, document_fn *fn, void *arg, struct err *reterr);
