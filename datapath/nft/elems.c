// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * elems.c - see elems.h.  An entry is: word (flags, verdict code, uses), key, end, data or chain
 * pointer, comment pointer.  Pointers are copied in and out, entries are aligned to 4 bytes only.
 * Removal closes the gap by moving later entries back, so there are no tombstones.  Pure.
 */
#include "datapath/nft/elems.h"

#include <assert.h>

#include "lib/hash.h"
#include "lib/intern.h"

#define IDENT_MAX    (2 * (size_t)NFT_KEY_MAX)
#define SLOTS_MIN    8
#define FLAGS_MASK   0x3fu
#define VERDICT_MASK 0x1c0u
#define VERDICT_BIT  6
#define USES_BIT     9
_Static_assert(_NFT_V_MAX <= VERDICT_MASK >> VERDICT_BIT, "a verdict has three bits");
#define USES_MAX 0x7fffffu

static uint32_t word_of(const uint8_t *entry)
{
	uint32_t w;

	memcpy(&w, entry, sizeof(w));
	return w;
}

static void set_word(uint8_t *entry, uint32_t w)
{
	memcpy(entry, &w, sizeof(w));
}

static size_t data_offset(const struct elems *m)
{
	return sizeof(uint32_t) + m->ident_len;
}

static size_t comment_offset(const struct elems *m)
{
	return data_offset(m) + (m->verdict ? sizeof(char *) : m->data_len);
}

static const char *pointer_at(const uint8_t *p)
{
	const char *s;

	memcpy(&s, p, sizeof(s));
	return s;
}

/* Takes a use of @s and gives back that of the string it replaces. */
static void replace_pointer(uint8_t *p, const char *s)
{
	const char *old = pointer_at(p);

	if (s)
		(void)intern_ref(s);
	memcpy(p, &s, sizeof(s));
	if (old)
		intern_put(old);
}

/**
 * elems_init() - Prepare an empty table
 * @m:    Table
 * @def:  Set whose elements it will hold
 * @seed: Anything that outsiders do not know
 */
void elems_init(struct elems *m, const struct nft_set_def *def, uint64_t seed)
{
	size_t key_len = nft_key_len(def->key);

	*m = (struct elems){.seed = seed, .comment = def->elem_comments};
	m->verdict = def->data[0] == NFT_TYPE_VERDICT;
	m->key_len = (uint16_t)key_len;
	m->ident_len = (uint16_t)(def->interval ? 2 * key_len : key_len);
	m->data_len = (uint16_t)nft_key_len(def->data);
	assert(key_len <= NFT_KEY_MAX && m->data_len <= NFT_DATA_MAX);
	m->size = (uint16_t)(comment_offset(m) + (m->comment ? sizeof(char *) : 0));
}

static void put_strings(const struct elems *m, uint8_t *entry)
{
	if (m->verdict)
		replace_pointer(entry + data_offset(m), NULL);
	if (m->comment)
		replace_pointer(entry + comment_offset(m), NULL);
}

/**
 * elems_done() - Free the memory
 * @m: Table; empty and usable afterwards
 */
void elems_done(struct elems *m)
{
	if (m->verdict || m->comment)
		for (uint8_t *e = elems_next(m, NULL); e; e = elems_next(m, e))
			put_strings(m, e);
	free(m->slots);
	m->slots = NULL;
	m->n = m->n_slots = 0;
}

static uint8_t *slot(const struct elems *m, uint32_t i)
{
	return m->slots + (size_t)i * m->size;
}

static uint32_t home_of(const struct elems *m, const uint8_t *ident)
{
	uint8_t text[sizeof(m->seed) + IDENT_MAX];

	memcpy(text, &m->seed, sizeof(m->seed));
	memcpy(text + sizeof(m->seed), ident, m->ident_len);
	return (uint32_t)hash_stable(text, sizeof(m->seed) + m->ident_len) & (m->n_slots - 1);
}

/* The slot that holds @ident, or the empty one where it belongs. */
static uint8_t *probe(const struct elems *m, const uint8_t *ident)
{
	uint32_t i = home_of(m, ident);

	while (word_of(slot(m, i)) && memcmp(elem_ident(slot(m, i)), ident, m->ident_len) != 0)
		i = (i + 1) & (m->n_slots - 1);
	return slot(m, i);
}

static void resize(struct elems *m, uint32_t n_slots)
{
	struct elems old = *m;

	m->n_slots = n_slots;
	m->slots = xcalloc(n_slots, m->size);
	for (uint8_t *e = elems_next(&old, NULL); e; e = elems_next(&old, e))
		memcpy(probe(m, elem_ident(e)), e, m->size);
	free(old.slots);
}

/**
 * elems_find() - Find an element
 * @m:     Table
 * @ident: Key, in interval sets followed by the last key
 *
 * Return: the entry; NULL if there is none
 */
uint8_t *elems_find(const struct elems *m, const uint8_t *ident)
{
	uint8_t *entry;

	if (!m->n)
		return NULL;
	entry = probe(m, ident);
	return word_of(entry) ? entry : NULL;
}

/**
 * elems_add() - Add an element that is not there yet
 * @m:     Table
 * @ident: Key, in interval sets followed by the last key
 *
 * Return: the entry: no uses, no flags but ELEM_USED, data and comment zero
 */
uint8_t *elems_add(struct elems *m, const uint8_t *ident)
{
	uint8_t *entry;

	/* At most four fifths full: about a dozen slots to look at for a key that is not there. */
	if ((uint64_t)(m->n + 1) * 5 > (uint64_t)m->n_slots * 4) {
		assert(m->n_slots < UINT32_MAX / 2);
		resize(m, MAX(m->n_slots * 2, SLOTS_MIN));
	}
	entry = probe(m, ident);
	assert(!word_of(entry));
	set_word(entry, ELEM_USED);
	memcpy(entry + sizeof(uint32_t), ident, m->ident_len);
	m->n++;
	return entry;
}

/**
 * elems_remove() - Remove an element
 * @m:     Table
 * @entry: Its entry; the slot may hold another element afterwards
 */
void elems_remove(struct elems *m, uint8_t *entry)
{
	uint32_t mask = m->n_slots - 1;
	uint32_t gap = (uint32_t)((size_t)(entry - m->slots) / m->size);

	put_strings(m, entry);
	for (uint32_t i = (gap + 1) & mask; word_of(slot(m, i)); i = (i + 1) & mask) {
		uint32_t home = home_of(m, elem_ident(slot(m, i)));

		/* It may move back only as far as its home. */
		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		memcpy(slot(m, gap), slot(m, i), m->size);
		gap = i;
	}
	memset(slot(m, gap), 0, m->size);
	m->n--;
}

/**
 * elems_trim() - Give memory back after removals
 * @m: Table
 */
void elems_trim(struct elems *m)
{
	uint32_t n_slots = m->n_slots;

	if (!m->n && m->slots) {
		elems_done(m);
		return;
	}
	while (n_slots > SLOTS_MIN && m->n < n_slots / 6)
		n_slots /= 2;
	if (n_slots < m->n_slots)
		resize(m, n_slots);
}

/**
 * elems_next() - Walk all entries
 * @m:     Table
 * @entry: Entry before, or NULL to begin
 *
 * Return: the next entry; NULL at the end
 */
uint8_t *elems_next(const struct elems *m, uint8_t *entry)
{
	uint8_t *end = m->slots ? slot(m, m->n_slots) : NULL;

	if (!end)
		return NULL;
	for (entry = entry ? entry + m->size : m->slots; entry < end; entry += m->size)
		if (word_of(entry))
			return entry;
	return NULL;
}

/**
 * elem_flags() - Flags of an entry
 * @entry: Entry
 *
 * Return: ELEM_x bits
 */
uint32_t elem_flags(const uint8_t *entry)
{
	return word_of(entry) & FLAGS_MASK;
}

/**
 * elem_set_flags() - Change flags of an entry
 * @entry: Entry
 * @set:   Bits to set
 * @clear: Bits to clear, before @set; never ELEM_USED
 */
void elem_set_flags(uint8_t *entry, uint32_t set, uint32_t clear)
{
	set_word(entry, (word_of(entry) & ~clear) | set);
}

/**
 * elem_uses() - How often an element is wanted
 * @entry: Entry
 *
 * Return: 0 to 2^23 - 1
 */
uint32_t elem_uses(const uint8_t *entry)
{
	return word_of(entry) >> USES_BIT;
}

/**
 * elem_set_uses() - Set how often an element is wanted
 * @entry: Entry
 * @uses:  0 to 2^23 - 1
 */
void elem_set_uses(uint8_t *entry, uint32_t uses)
{
	assert(uses <= USES_MAX);
	set_word(entry, (word_of(entry) & (FLAGS_MASK | VERDICT_MASK)) | uses << USES_BIT);
}

/**
 * elem_ident() - Key of an entry, in interval sets followed by the last key
 * @entry: Entry
 *
 * Return: ident_len bytes inside the entry
 */
const uint8_t *elem_ident(const uint8_t *entry)
{
	return entry + sizeof(uint32_t);
}

/**
 * elems_ident() - What makes an element given by the outside the same as one in the table
 * @m:         Table
 * @e:         Element
 * @ret_ident: Where to, 2 * NFT_KEY_MAX bytes
 */
void elems_ident(const struct elems *m, const struct nft_elem *e, uint8_t *ret_ident)
{
	memcpy(ret_ident, e->key, m->key_len);
	if (m->ident_len > m->key_len)
		memcpy(ret_ident + m->key_len, e->end, m->key_len);
}

/**
 * elems_get_key() - Copy the key out of an entry
 * @m:     Table
 * @entry: Entry
 * @ret:   Element with key and end; data, verdict and comment are empty
 */
void elems_get_key(const struct elems *m, const uint8_t *entry, struct nft_elem *ret)
{
	*ret = (struct nft_elem){0};
	memcpy(ret->key, elem_ident(entry), m->key_len);
	memcpy(ret->end, elem_ident(entry) + m->ident_len - m->key_len, m->key_len);
}

/**
 * elems_get() - Copy an entry out
 * @m:     Table
 * @entry: Entry
 * @ret:   Element; strings are borrowed from the table
 */
void elems_get(const struct elems *m, const uint8_t *entry, struct nft_elem *ret)
{
	elems_get_key(m, entry, ret);
	memcpy(ret->data, entry + data_offset(m), m->data_len);
	if (m->verdict) {
		ret->verdict.code = (word_of(entry) & VERDICT_MASK) >> VERDICT_BIT;
		ret->verdict.chain = pointer_at(entry + data_offset(m));
	}
	if (m->comment)
		ret->comment = pointer_at(entry + comment_offset(m));
}

/**
 * elems_same_data() - Compare all but the key
 * @m:     Table
 * @entry: Entry
 * @e:     Element; strings interned
 *
 * Return: true if datum, verdict and comment are the same
 */
bool elems_same_data(const struct elems *m, const uint8_t *entry, const struct nft_elem *e)
{
	struct nft_elem mine;

	elems_get(m, entry, &mine);
	return memcmp(mine.data, e->data, m->data_len) == 0 &&
	       (!m->verdict ||
		(mine.verdict.code == e->verdict.code && mine.verdict.chain == e->verdict.chain)) &&
	       (!m->comment || mine.comment == e->comment);
}

/**
 * elems_set_data() - Replace all but the key
 * @m:     Table
 * @entry: Entry
 * @e:     Element; strings interned, a use of each is taken
 */
void elems_set_data(struct elems *m, uint8_t *entry, const struct nft_elem *e)
{
	memcpy(entry + data_offset(m), e->data, m->data_len);
	if (m->verdict) {
		set_word(entry, (word_of(entry) & ~VERDICT_MASK) | (uint32_t)e->verdict.code
									   << VERDICT_BIT);
		replace_pointer(entry + data_offset(m), e->verdict.chain);
	}
	if (m->comment)
		replace_pointer(entry + comment_offset(m), e->comment);
}
