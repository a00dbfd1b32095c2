/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elems.h - the elements of one set in one block of memory.
 *
 * An open-addressing hash with linear probing.  All entries of a set have the same size: four
 * bytes of count and flags, the key, the last key of a range (interval sets), the datum or the
 * chain of a verdict, and the comment (sets that have some).  An IPv4 address takes 8 bytes, so
 * 50,000 of them take half a MiB of table.  Time: O(1) amortised, whatever the number.
 *
 * Owns one use of every interned string in it.  An `uint8_t *` entry stays valid until the next
 * elems_add(), elems_remove() or elems_trim().  Limits: 2^23 - 1 wants of one element, 2^31 slots.
 * Pure.
 */
#pragma once

#include "datapath/nft/table.h"

/* Flags of an entry; the upper 23 bits of the word count how often it is wanted. */
enum elem_flag {
	ELEM_USED = 1,	    /* the slot holds an entry */
	ELEM_INSTALLED = 2, /* the kernel has this key */
	ELEM_STALE = 4,	    /* ... with other data or another comment than what is stored here */
	ELEM_LISTED = 8,    /* stands in the set's list of keys to look at */
	ELEM_COVERED = 16,  /* while the table is held: would overlap a range that stays */
	ELEM_REFUSED = 32,  /* the kernel refused what is pending of it (refused.c) */
};

struct elems {
	uint8_t *slots;
	uint32_t n, n_slots; /* n_slots: a power of two, or 0 */
	uint16_t size;	     /* of an entry */
	uint16_t key_len;    /* of one key */
	uint16_t ident_len;  /* key, and end in interval sets: what makes two elements the same */
	uint16_t data_len;   /* plain data */
	bool verdict, comment;
	uint64_t seed; /* so that nobody can choose addresses that collide */
};

void elems_init(struct elems *m, const struct nft_set_def *def, uint64_t seed);
void elems_done(struct elems *m);
uint8_t *elems_find(const struct elems *m, const uint8_t *ident);
uint8_t *elems_add(struct elems *m, const uint8_t *ident);
void elems_remove(struct elems *m, uint8_t *entry);
void elems_trim(struct elems *m);
uint8_t *elems_next(const struct elems *m, uint8_t *entry);

uint32_t elem_flags(const uint8_t *entry);
void elem_set_flags(uint8_t *entry, uint32_t set, uint32_t clear);
uint32_t elem_uses(const uint8_t *entry);
void elem_set_uses(uint8_t *entry, uint32_t uses);
const uint8_t *elem_ident(const uint8_t *entry);

void elems_ident(const struct elems *m, const struct nft_elem *e, uint8_t *ret_ident);
void elems_get(const struct elems *m, const uint8_t *entry, struct nft_elem *ret);
void elems_get_key(const struct elems *m, const uint8_t *entry, struct nft_elem *ret);
bool elems_same_data(const struct elems *m, const uint8_t *entry, const struct nft_elem *e);
void elems_set_data(struct elems *m, uint8_t *entry, const struct nft_elem *e);
