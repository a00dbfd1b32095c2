// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * random.c - splitmix64 of Steele, Lea and Flood (2014).
 */
#include "lib/random.h"

/**
 * random_below() - The next number
 * @state: Any number at first, the seed; moved on
 * @bound: Not 0
 *
 * Return: 0 to @bound - 1, each about as likely as the other
 */
uint64_t random_below(uint64_t *state, uint64_t bound)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % bound;
}
