// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * term.c - canonical text and copies of peer terms.  Pure.
 *
 * Label keys and values hold none of the characters that separate them here (apimachinery's
 * validation, done by the decoder), so different terms never share a text.
 */
#include "datapath/policy/term.h"

#include "lib/intern.h"

static void requirement_text(const struct requirement *r, struct buf *out)
{
	if (r->op == SELECTOR_NOT_EXISTS)
		buf_putc(out, '!');
	buf_puts(out, r->key);
	if (r->op == SELECTOR_EXISTS || r->op == SELECTOR_NOT_EXISTS)
		return;
	if (r->op == SELECTOR_IN && r->n_values == 1) {
		buf_printf(out, "=%s", r->values[0]);
		return;
	}
	buf_puts(out, r->op == SELECTOR_IN ? " in (" : " notin (");
	for (uint32_t i = 0; i < r->n_values; i++)
		buf_printf(out, "%s%s", i ? "," : "", r->values[i]);
	buf_putc(out, ')');
}

/**
 * selector_text() - Write a selector as kubectl spells it
 * @s:   Selector
 * @out: Appended to: "app=web,tier in (a,b),!old"; "all" for the empty selector
 */
void selector_text(const struct selector *s, struct buf *out)
{
	if (!s->n)
		buf_puts(out, "all");
	for (uint32_t i = 0; i < s->n; i++) {
		if (i)
			buf_putc(out, ',');
		requirement_text(&s->v[i], out);
	}
}

static char *term_text(const struct term *t)
{
	struct buf b = {0};

	selector_text(&t->pods, &b);
	if (t->match.ns) {
		buf_printf(&b, " of ns %s", t->match.ns);
	} else if (!t->match.namespaces) {
		buf_puts(&b, " of any ns");
	} else {
		buf_puts(&b, " of ns(");
		selector_text(&t->namespaces, &b);
		buf_putc(&b, ')');
	}
	if (t->protocol)
		buf_printf(&b, " at %s:%s", protocol_str(t->protocol), t->port_name);
	return buf_take(&b);
}

/* Everything but the text. */
static void init_parts(struct term *t, const struct match *m, uint8_t protocol,
		       const char *port_name)
{
	static const struct selector none;

	*t = (struct term){
		.namespaces = selector_copy(m->namespaces ? m->namespaces : &none),
		.pods = selector_copy(m->pods),
		.protocol = protocol,
		.port_name = intern_ref(port_name),
	};
	t->match = (struct match){
		.ns = intern_ref(m->ns),
		.namespaces = m->namespaces ? &t->namespaces : NULL,
		.pods = &t->pods,
	};
}

/**
 * term_init() - Make a term out of borrowed parts
 * @t:         Term; must not move afterwards while it stands in an index
 * @m:         Namespace or namespaceSelector, and podSelector; copied
 * @protocol:  0, or PROTO_x for a named port
 * @port_name: Named port, interned; NULL when @protocol is 0
 */
void term_init(struct term *t, const struct match *m, uint8_t protocol, const char *port_name)
{
	init_parts(t, m, protocol, port_name);
	t->text = term_text(t);
}

/**
 * term_copy() - Copy a term to another place
 * @to:   Where to
 * @from: Term
 */
void term_copy(struct term *to, const struct term *from)
{
	const struct match m = {
		.ns = from->match.ns,
		.namespaces = from->match.namespaces ? &from->namespaces : NULL,
		.pods = &from->pods,
	};

	init_parts(to, &m, from->protocol, from->port_name);
	to->text = xstrdup(from->text);
}

/**
 * term_done() - Free what a term owns
 * @t: Term
 */
void term_done(struct term *t)
{
	selector_done(&t->namespaces);
	selector_done(&t->pods);
	intern_put(t->match.ns);
	intern_put(t->port_name);
	free(t->text);
}

/**
 * term_compare() - Order terms by text, for qsort()
 * @a: struct term
 * @b: struct term
 *
 * Return: as strcmp()
 */
int term_compare(const void *a, const void *b)
{
	const struct term *x = a, *y = b;

	return strcmp(x->text, y->text);
}
