// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * places.c - see places.h.
 */
#include "agent/report/places.h"

/**
 * places_take() - A connection was accepted
 * @s:    Places
 * @fd:   Its socket
 * @peer: Whose it is
 * @now:  Monotonic time, microseconds
 *
 * Return: its place, to be given back by clearing @used; NULL: all are in use
 */
struct place *places_take(struct places *s, int fd, const struct addr *peer, uint64_t now)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->p); i++) {
		if (s->p[i].used)
			continue;
		s->p[i] = (struct place){.used = true, .fd = fd, .peer = *peer, .since = now};
		return &s->p[i];
	}
	return NULL;
}

/* Of all, or of one address: the one that has waited longest, but for @incoming. */
static struct place *longest(struct places *s, const struct addr *of, const struct place *incoming,
			     size_t *ret_n)
{
	struct place *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(s->p); i++) {
		struct place *p = &s->p[i];

		if (!p->used || p->fd < 0 || (of && !addr_eq(of, &p->peer)))
			continue;
		++*ret_n;
		if (p != incoming && (!found || p->since < found->since))
			found = p;
	}
	return found;
}

/**
 * places_victim() - Who has to go for a connection that has just come
 * @s:        Places
 * @incoming: Its place
 *
 * Processes of this host share an address: among them only the number of all places counts.
 *
 * Return: a place, whose connection is to be ended; NULL: nobody
 */
struct place *places_victim(struct places *s, const struct place *incoming)
{
	size_t n;
	struct place *p = longest(s, &incoming->peer, incoming, &n);

	if (n > PLACES_PER_ADDRESS && !addr_is_loopback(&incoming->peer))
		return p;
	p = longest(s, NULL, incoming, &n);
	return n > PLACES_MAX ? p : NULL;
}

/**
 * places_overdue() - Whose request has taken too long
 * @s:   Places
 * @now: Monotonic time
 *
 * Return: a place, whose connection is to be ended; NULL: nobody's
 */
struct place *places_overdue(struct places *s, uint64_t now)
{
	size_t n;
	struct place *p = longest(s, NULL, NULL, &n);

	return p && now >= p->since + PLACES_USEC ? p : NULL;
}

/**
 * places_deadline() - When places_overdue() finds the next
 * @s: Places
 *
 * Return: monotonic time; USEC_INFINITY: never
 */
uint64_t places_deadline(const struct places *s)
{
	uint64_t at = USEC_INFINITY;

	for (size_t i = 0; i < ARRAY_SIZE(s->p); i++)
		if (s->p[i].used && s->p[i].fd >= 0)
			at = MIN(at, s->p[i].since + PLACES_USEC);
	return at;
}
