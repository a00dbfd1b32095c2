/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept.h - what stays in force while the policies are not known: what the kernel holds.  Pure.
 *
 * At a start the attachments are known from the journal and nothing else, perhaps for hours, while
 * the API server is away.  Until then each address keeps what an earlier process made for it:
 *
 *	a verdict					it stays, and its program with it
 *	no verdict, in the record of what is open	open
 *	neither: the kernel lost it			isolated, as a pod whose object is not known
 *
 * A program that is not whole any more is closed: it lets pass what was established, as every
 * program, and drops the rest.  Steps: kept_begin(), the table is read, kept_take() or
 * kept_isolate(); again whenever somebody changed the table; kept_end().
 */
#pragma once

#include "datapath/policy/endpoint.h"
#include "datapath/policy/verdicts.h"

/*
 * struct kept - starts zeroed
 * @on:     Rows of endpoints are as they were taken, whatever is known of their pods
 * @closed: Programs of an earlier process that are not whole, wanted closed
 */
struct kept {
	bool on;
	VEC(struct nft_chain *) closed;
};

void kept_begin(struct kept *k, const struct verdicts *v, struct endpoints *s);
void kept_take(struct kept *k, const struct verdicts *v, struct endpoints *s);
void kept_isolate(const struct verdicts *v, struct endpoints *s);
void kept_end(struct kept *k, const struct verdicts *v, struct endpoints *s);
