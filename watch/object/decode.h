/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.h - from a document to typed objects: checks and defaults of the API server, with the
 * path to the field in every message.  Pure.
 */
#pragma once

#include "watch/document/value.h"
#include "watch/object/object.h"

enum decode_outcome {
	DECODE_OK = 0,	     /* an object was made; @problem tells whether it was set aside */
	DECODE_UNKNOWN_KIND, /* not a kind that Manx uses; counted and ignored */
	DECODE_STAND_IN,     /* a policy without identity, or what may be one; an error follows */
};

/**
 * typedef decoded_fn - Takes what one document, or one item of a list, decodes to
 * @arg:     Context
 * @outcome: What it is
 * @o:       The object, now owned by the callee; NULL for DECODE_UNKNOWN_KIND.  A stand-in has no
 *           name yet
 * @at:      Where it was read from
 */
typedef void decoded_fn(void *arg, enum decode_outcome outcome, struct object *o,
			const struct value *at);

int decode_kind(const struct value *root, enum kind kind, struct object **ret, struct err *reterr);
struct object *decode_stand_in(const struct value *root, const char *kind, bool cut);
struct object *stand_in_new(const char *ns);
int decode_document(const struct value *root, decoded_fn *fn, void *arg, struct err *reterr);
