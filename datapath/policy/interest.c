// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * interest.c - counts: by namespace how many terms need it, by selector how many terms use it.
 * Pure.
 *
 * A new namespaceSelector looks at all namespaces once, a namespace that changes at all selectors;
 * of either there are few beside pods and terms.
 */
#include "datapath/policy/interest.h"

#include <assert.h>
#include <uthash.h>

#include "datapath/policy/term.h"
#include "lib/intern.h"
#include "lib/ptr_table.h"

/* struct place - a namespace that is known, or needed, or both */
struct place {
	const char *ns;
	bool known;
	struct labels labels; /* borrowed */
	uint32_t needs;
};

/* struct wish - a namespaceSelector in use */
struct wish {
	char *text;
	struct selector selector;
	uint32_t uses;
	UT_hash_handle hh;
};

struct interest {
	struct ptr_table places;
	struct wish *wishes;
	uint32_t all;
	need_fn *fn;
	void *arg;
};

/**
 * interest_new() - Create the module
 * @fn:  Takes what becomes needed; NULL: nobody asks
 * @arg: Its first argument
 *
 * Return: the module, to be freed
 */
struct interest *interest_new(need_fn *fn, void *arg)
{
	struct interest *i = xcalloc(1, sizeof(*i));

	i->fn = fn;
	i->arg = arg;
	return i;
}

/**
 * interest_free() - Free the module; every term and namespace must have been removed
 * @i: Module or NULL
 *
 * Return: NULL
 */
struct interest *interest_free(struct interest *i)
{
	assert(!i || (!i->places.n && !i->wishes && !i->all));
	if (i)
		ptr_table_done(&i->places);
	free(i);
	return NULL;
}

static void tell(const struct interest *i, const char *ns, bool needed)
{
	if (i->fn)
		i->fn(i->arg, ns, needed);
}

/* --- places ------------------------------------------------------------------------------------
 */

static bool is_place(const void *item, const void *ns)
{
	return ((const struct place *)item)->ns == ns;
}

static struct place *place_find(const struct interest *i, const char *ns)
{
	return ptr_table_get(&i->places, ptr_hash(ns), is_place, ns);
}

static struct place *place_get(struct interest *i, const char *ns)
{
	struct place *p = place_find(i, ns);

	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->ns = intern_ref(ns);
	ptr_table_add(&i->places, ptr_hash(ns), p);
	return p;
}

static void place_put(struct interest *i, struct place *p)
{
	if (p->known || p->needs)
		return;
	ptr_table_remove(&i->places, ptr_table_find(&i->places, ptr_hash(p->ns), is_place, p->ns));
	intern_put(p->ns);
	free(p);
}

static void need(struct interest *i, struct place *p)
{
	if (!p->needs++)
		tell(i, p->ns, true);
}

static void unneed(struct interest *i, struct place *p)
{
	if (!--p->needs)
		tell(i, p->ns, false);
}

/**
 * interest_labels() - Labels of a namespace
 * @i:  Module
 * @ns: Namespace, interned
 *
 * Return: the labels, borrowed; NULL when the namespace is not known
 */
const struct labels *interest_labels(const struct interest *i, const char *ns)
{
	const struct place *p = place_find(i, ns);

	return p && p->known ? &p->labels : NULL;
}

/* --- terms -------------------------------------------------------------------------------------
 */

static struct wish *wish_find(const struct interest *i, const struct selector *s)
{
	_cleanup_(buf_done) struct buf text = {0};
	struct wish *w;

	selector_text(s, &text);
	HASH_FIND_STR(i->wishes, text.data, w);
	return w;
}

static struct wish *wish_new(struct interest *i, const struct selector *s)
{
	struct wish *w = xcalloc(1, sizeof(*w));
	struct buf text = {0};

	selector_text(s, &text);
	w->text = buf_take(&text);
	w->selector = selector_copy(s);
	HASH_ADD_KEYPTR(hh, i->wishes, w->text, strlen(w->text), w);
	return w;
}

static void wish_free(struct interest *i, struct wish *w)
{
	HASH_DEL(i->wishes, w);
	selector_done(&w->selector);
	free(w->text);
	free(w);
}

static void each_selected(struct interest *i, const struct wish *w,
			  void (*fn)(struct interest *i, struct place *p))
{
	ptr_table_foreach(at, &i->places)
	{
		struct place *p = *at;

		if (p->known && selector_matches(&w->selector, &p->labels))
			fn(i, p);
	}
}

/**
 * interest_add() - A term came into use
 * @i: Module
 * @m: Its selector
 */
void interest_add(struct interest *i, const struct match *m)
{
	struct wish *w;

	if (m->ns) {
		need(i, place_get(i, m->ns));
		return;
	}
	if (!m->namespaces) {
		if (!i->all++)
			tell(i, NULL, true);
		return;
	}
	w = wish_find(i, m->namespaces);
	if (!w)
		w = wish_new(i, m->namespaces);
	if (!w->uses++)
		each_selected(i, w, need);
}

/**
 * interest_remove() - A term is not in use any more
 * @i: Module
 * @m: Selector that was added
 */
void interest_remove(struct interest *i, const struct match *m)
{
	struct wish *w;

	if (m->ns) {
		struct place *p = place_get(i, m->ns);

		unneed(i, p);
		place_put(i, p);
		return;
	}
	if (!m->namespaces) {
		if (!--i->all)
			tell(i, NULL, false);
		return;
	}
	w = wish_find(i, m->namespaces);
	if (--w->uses)
		return;
	each_selected(i, w, unneed);
	wish_free(i, w);
}

/**
 * interest_namespace() - A namespace appeared, changed its labels or vanished
 * @i:      Module
 * @ns:     Name, interned
 * @labels: Labels, borrowed until the next call for @ns; NULL when it vanished
 *
 * Those of before must still be readable.
 */
void interest_namespace(struct interest *i, const char *ns, const struct labels *labels)
{
	struct place *p = place_get(i, ns);

	/* First what is needed now, so that nothing is given up in between. */
	for (const struct wish *w = i->wishes; w && labels; w = w->hh.next)
		if (selector_matches(&w->selector, labels))
			need(i, p);
	for (const struct wish *w = i->wishes; w && p->known; w = w->hh.next)
		if (selector_matches(&w->selector, &p->labels))
			unneed(i, p);
	p->known = labels;
	if (labels)
		p->labels = *labels;
	place_put(i, p);
}
