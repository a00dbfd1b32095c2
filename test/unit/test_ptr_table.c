// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_ptr_table.c - the hash table against an array, with hashes that hardly differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/ptr_table.h"

#define KEYS  300
#define STEPS 100000

static bool is_key(const void *item, const void *key)
{
	return *(const int *)item == *(const int *)key;
}

/* A few values only, zero and the ends of the range among them. */
static uint32_t hash_of(int key, uint32_t spread)
{
	return (uint32_t)key % 3 == 0 ? UINT32_MAX - (uint32_t)key % spread
				      : (uint32_t)key % spread;
}

static void check_all(const struct ptr_table *t, const bool *there, uint32_t spread)
{
	size_t n = 0, seen = 0;

	for (int key = 0; key < KEYS; key++) {
		const int *item = ptr_table_get(t, hash_of(key, spread), is_key, &key);

		assert_int_equal(item != NULL, there[key]);
		assert_true(!item || *item == key);
		n += there[key];
	}
	assert_int_equal(t->n, n);
	ptr_table_foreach(item, t)
	{
		assert_true(there[*(int *)*item]);
		seen++;
	}
	assert_int_equal(seen, n);
}

static void at_random(uint32_t spread)
{
	static int keys[KEYS], others[KEYS];
	bool there[KEYS] = {false};
	struct ptr_table t = {0};
	unsigned int seed = spread;

	for (int i = 0; i < STEPS; i++) {
		int key = rand_r(&seed) % KEYS;
		uint32_t hash = hash_of(key, spread);
		void **slot = ptr_table_find(&t, hash, is_key, &key);

		keys[key] = others[key] = key;
		assert_int_equal(slot != NULL, there[key]);
		if (!slot)
			ptr_table_add(&t, hash, &keys[key]);
		else if (rand_r(&seed) % 4 == 0)
			*slot = &others[key];
		else
			ptr_table_remove(&t, slot);
		there[key] = ptr_table_get(&t, hash, is_key, &key) != NULL;
		assert_int_equal(there[key], !slot || *slot == &others[key]);
		if (i % 1000 == 0)
			check_all(&t, there, spread);
	}
	check_all(&t, there, spread);
	ptr_table_done(&t);
	assert_null(ptr_table_get(&t, 1, is_key, &keys[0]));
}

static void random_use(void **state _unused_)
{
	at_random(1);
	at_random(7);
	at_random(100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
