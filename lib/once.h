/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * once.h - a kind of job that is in progress at most once: asked for meanwhile, it runs once more,
 * since what it looks at may have changed behind its back.
 */
#pragma once

#include "lib/util.h"

/* struct once - starts zeroed; @again: it was asked for while it ran */
struct once {
	bool running, again;
};

/**
 * once_begin() - Begin, unless it runs: then it is to run again
 * @o: Kind of job
 *
 * Return: true: begin
 */
static inline bool once_begin(struct once *o)
{
	o->again = o->running;
	o->running = true;
	return !o->again;
}

/**
 * once_end() - It has ended
 * @o: Kind of job
 *
 * Return: true if it was asked for meanwhile: begin again
 */
static inline bool once_end(struct once *o)
{
	o->running = false;
	return TAKE(o->again, false);
}
