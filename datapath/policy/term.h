/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term.h - one term of a peer set: the pods of some namespaces, perhaps by the number that a
 * named port has in each.  Terms have a canonical text: equal text, equal meaning.  Pure.
 */
#pragma once

#include "datapath/policy/matchindex.h"
#include "lib/buf.h"

/*
 * struct term - owns its strings (interned) and selectors
 * @match:     ns, or namespaces; and pods; point into this term
 * @protocol:  0 for plain terms; PROTO_x: only pods that have @port_name, and on that port
 * @text:      canonical text, also what administrators read in comments
 */
struct term {
	struct match match;
	struct selector namespaces, pods;
	uint8_t protocol;
	const char *port_name;
	char *text;
};

void selector_text(const struct selector *s, struct buf *out);
void term_init(struct term *t, const struct match *m, uint8_t protocol, const char *port_name);
void term_copy(struct term *to, const struct term *from);
void term_done(struct term *t);
int term_compare(const void *a, const void *b);
