// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reflector.c - the state machine of reflector.h.  Pure: time and chance are given.
 */
#include "watch/kube/reflector.h"

#include <errno.h>
#include <stdio.h>

#include "lib/random.h"

#define IDLE_STREAMS_MAX 2	  /* then streams are given up */
#define RETRY_AFTER_MAX	 (5 * 60) /* seconds that a server may ask for */

/**
 * reflector_init() - Prepare
 * @r:    Reflector; reflector_start() begins
 * @seed: Differs from node to node, so that they do not come all at once
 */
void reflector_init(struct reflector *r, uint64_t seed)
{
	*r = (struct reflector){.random = seed, .deadline = USEC_INFINITY};
}

/**
 * reflector_done() - Free what it holds
 * @r: Reflector
 */
void reflector_done(struct reflector *r)
{
	free(r->continue_from);
	*r = (struct reflector){.deadline = USEC_INFINITY};
}

/* --- sending -----------------------------------------------------------------------------------
 */

static uint64_t idle_limit(enum reflector_state s)
{
	switch (s) {
	case REFLECTOR_STREAMING:
		return REFLECTOR_STREAM_IDLE_USEC;
	case REFLECTOR_PAGING:
		return REFLECTOR_LIST_IDLE_USEC;
	case REFLECTOR_WATCHING:
		return REFLECTOR_WATCH_IDLE_USEC;
	case REFLECTOR_WAITING:
	case _REFLECTOR_STATE_MAX:
		break;
	}
	return USEC_INFINITY;
}

static void enter(struct reflector *r, enum reflector_state s, uint64_t now)
{
	r->state = s;
	r->deadline = now + idle_limit(s);
}

static unsigned int send(struct reflector *r, enum reflector_state s, uint64_t now)
{
	enter(r, s, now);
	r->accepted = false;
	r->sent = now;
	if (s == REFLECTOR_WATCHING)
		r->count.watches++;
	else if (!r->continue_from)
		r->count.lists++;
	return REFLECTOR_SEND;
}

static enum reflector_state listing(const struct reflector *r)
{
	return r->no_stream || r->plain_next ? REFLECTOR_PAGING : REFLECTOR_STREAMING;
}

/* From the beginning; what was listed so far is forgotten. */
static unsigned int list(struct reflector *r, uint64_t now)
{
	free(TAKE(r->continue_from, NULL));
	return REFLECTOR_FORGET | send(r, listing(r), now);
}

/* The versions that the store has mean nothing to the server any more. */
static unsigned int list_anew(struct reflector *r, uint64_t now)
{
	r->count.expired++;
	return reflector_again(r, now);
}

/* --- failing -----------------------------------------------------------------------------------
 */

/* @refused: The server answered, and said no. */
static unsigned int wait(struct reflector *r, uint32_t retry_after, bool refused, uint64_t now)
{
	uint64_t bound = REFLECTOR_RETRY_MIN_USEC << MIN(r->row, 16);
	unsigned int todo = 0;

	if (r->state == REFLECTOR_STREAMING)
		r->plain_next = refused || r->row;
	if (r->state == REFLECTOR_PAGING)
		r->plain_next = false;
	if (r->state != REFLECTOR_WATCHING) {
		free(TAKE(r->continue_from, NULL));
		todo = REFLECTOR_FORGET;
	}
	/* What silenced the streams before silences pages, too. */
	if (r->state == REFLECTOR_PAGING)
		r->idle_streams = 0;
	r->retry = r->state == REFLECTOR_WATCHING && r->version ? REFLECTOR_WATCHING : listing(r);
	r->state = REFLECTOR_WAITING;
	r->row++;
	r->troubled = true;
	r->count.failures++;
	r->deadline = now + MIN(retry_after, RETRY_AFTER_MAX) * USEC_PER_SEC +
		      random_below(&r->random, MIN(bound, REFLECTOR_RETRY_MAX_USEC));
	return todo;
}

/* Nothing is wrong any more.  How long that lasts has to be seen: the row goes on. */
static void succeed(struct reflector *r, uint64_t now)
{
	r->problem[0] = '\0';
	r->troubled = false;
	r->in_step = now;
}

static bool has_lasted(const struct reflector *r, uint64_t now)
{
	return r->accepted && now - r->sent >= REFLECTOR_BRIEF_USEC;
}

/* A watch that lasts. */
static void be_steady(struct reflector *r, uint64_t now)
{
	r->row = 0;
	succeed(r, now);
}

/* --- what happens ------------------------------------------------------------------------------
 */

/**
 * reflector_start() - Begin
 * @r:   Reflector
 * @now: Monotonic time, microseconds
 *
 * Return: what is to be done
 */
unsigned int reflector_start(struct reflector *r, uint64_t now)
{
	r->in_step = now;
	return list(r, now);
}

/**
 * reflector_again() - List anew, though nothing is wrong with the versions
 * @r:   Reflector, started
 * @now: Monotonic time, microseconds
 *
 * Return: what is to be done
 */
unsigned int reflector_again(struct reflector *r, uint64_t now)
{
	r->consistent = true;
	r->version = 0;
	return REFLECTOR_CANCEL | list(r, now);
}

/* An old server takes it for an ordinary watch, and never says "that was all". */
static unsigned int page_instead(struct reflector *r, uint64_t now)
{
	r->no_stream |= ++r->idle_streams >= IDLE_STREAMS_MAX;
	return REFLECTOR_FORGET | send(r, REFLECTOR_PAGING, now);
}

/* Nothing came for too long. */
static unsigned int on_idle(struct reflector *r, uint64_t now)
{
	if (r->state == REFLECTOR_STREAMING)
		return REFLECTOR_CANCEL | page_instead(r, now);
	r->count.failures++;
	r->troubled = true;
	if (r->state == REFLECTOR_WATCHING)
		return REFLECTOR_CANCEL | REFLECTOR_RENEW | send(r, REFLECTOR_WATCHING, now);
	(void)snprintf(r->problem, sizeof(r->problem), "the API server does not answer");
	r->unreachable = true;
	r->refused = false;
	return REFLECTOR_CANCEL | REFLECTOR_RENEW | wait(r, 0, false, now);
}

/**
 * reflector_timer() - Time has passed
 * @r:   Reflector
 * @now: Monotonic time; nothing happens before @r->deadline
 *
 * Return: what is to be done
 */
unsigned int reflector_timer(struct reflector *r, uint64_t now)
{
	if (now < r->deadline)
		return 0;
	if (r->state == REFLECTOR_WATCHING && r->troubled && has_lasted(r, now) &&
	    now < r->sent + idle_limit(r->state)) {
		be_steady(r, now);
		r->deadline = r->sent + idle_limit(r->state);
		return 0;
	}
	if (r->state != REFLECTOR_WAITING)
		return on_idle(r, now);
	return r->retry == REFLECTOR_WATCHING ? send(r, r->retry, now) : list(r, now);
}

/**
 * reflector_answered() - The server begins to answer, whatever it says
 * @r: Reflector
 *
 * What fails from now on fails for another reason: the waits begin with short ones.
 *
 * Return: true if the request before got no answer: others need not wait any longer, see
 * reflector_nudge()
 */
bool reflector_answered(struct reflector *r)
{
	if (r->unreachable)
		r->row = 0;
	return TAKE(r->unreachable, false);
}

/**
 * reflector_nudge() - The server answers others again
 * @r:   Reflector; nothing happens unless it waits because it got no answer
 * @now: Monotonic time
 *
 * The waits of one node are drawn apart so that a server that is in trouble has peace; when it is
 * back, one attempt is enough to know.
 */
void reflector_nudge(struct reflector *r, uint64_t now)
{
	if (r->state == REFLECTOR_WAITING && r->unreachable)
		r->deadline = MIN(r->deadline, now);
}

/**
 * reflector_accepted() - An answer begins that does not say no
 * @r: Reflector
 *
 * Of a watch nothing more need come for a minute.  That it was taken says nothing about how long it
 * will last: after a failure that is looked at a little later.
 */
void reflector_accepted(struct reflector *r)
{
	if (r->state == REFLECTOR_WAITING)
		return;
	r->accepted = true;
	if (r->state == REFLECTOR_WATCHING && r->troubled)
		r->deadline = MIN(r->deadline, r->sent + REFLECTOR_BRIEF_USEC);
}

/**
 * reflector_bytes() - Bytes of the answer came, an answer that does not say no
 * @r:   Reflector
 * @now: Monotonic time
 */
void reflector_bytes(struct reflector *r, uint64_t now)
{
	if (r->state == REFLECTOR_WAITING)
		return;
	r->deadline = now + idle_limit(r->state);
	reflector_accepted(r);
	if (r->state == REFLECTOR_WATCHING && has_lasted(r, now))
		be_steady(r, now);
}

static void forget_version(struct reflector *r)
{
	r->consistent = true;
	r->version = 0;
	r->count.expired++;
}

static unsigned int come_to(struct reflector *r, uint64_t version, uint64_t now)
{
	if (r->state != REFLECTOR_WATCHING || !version)
		return 0;
	if (version < r->version) { /* the server's data are those of an older time */
		if (!r->row++)
			return REFLECTOR_DISTRUST | list_anew(r, now);
		(void)snprintf(r->problem, sizeof(r->problem),
			       "the server's versions go backwards, again and again");
		forget_version(r);
		return REFLECTOR_CANCEL | REFLECTOR_DISTRUST | wait(r, 0, false, now);
	}
	r->version = version;
	return 0;
}

/* All that there is has been told. */
static void listed(struct reflector *r, uint64_t version, uint64_t now)
{
	r->version = version;
	r->synced = true;
	r->absent = false;
	r->consistent = false;
	r->plain_next = false;
	succeed(r, now);
}

/**
 * reflector_event() - An object of a watch was told, of a version
 * @r:       Reflector
 * @version: metadata.resourceVersion; 0: none
 * @now:     Monotonic time
 *
 * Return: 0: the event counts; else it does not, and that is to be done
 */
unsigned int reflector_event(struct reflector *r, uint64_t version, uint64_t now)
{
	return come_to(r, version, now);
}

/**
 * reflector_bookmark() - A watch told how far it has come
 * @r:           Reflector
 * @version:     Version
 * @initial_end: All that there was at the beginning has been told
 * @now:         Monotonic time
 *
 * Return: what is to be done
 */
unsigned int reflector_bookmark(struct reflector *r, uint64_t version, bool initial_end,
				uint64_t now)
{
	if (r->state != REFLECTOR_STREAMING)
		return come_to(r, version, now);
	if (!initial_end || !version)
		return 0;
	/* The same answer goes on as the watch. */
	enter(r, REFLECTOR_WATCHING, now);
	r->sent = now;
	r->idle_streams = 0;
	listed(r, version, now);
	return REFLECTOR_COMMIT;
}

/* We ask for a version that the server has not come to: it has lost some. */
static bool is_ahead(const struct reflector_end *e)
{
	return e->http == 504 && e->status->too_large;
}

static bool is_gone(const struct reflector_end *e)
{
	return e->http == 410 || is_ahead(e);
}

/**
 * reflector_error() - A watch told an error: it is over
 * @r:      Reflector
 * @status: Error
 * @now:    Monotonic time
 *
 * Return: what is to be done
 */
unsigned int reflector_error(struct reflector *r, const struct api_status *status, uint64_t now)
{
	const struct reflector_end e = {.http = status->code ?: 500, .status = status};

	if (r->state == REFLECTOR_WAITING)
		return 0;
	return REFLECTOR_CANCEL | reflector_ended(r, &e, now);
}

/**
 * reflector_page() - A page of a list is complete
 * @r:             Reflector
 * @version:       Of the list
 * @continue_from: Where the next page begins; NULL: this was the last one
 * @now:           Monotonic time
 *
 * Return: what is to be done
 */
unsigned int reflector_page(struct reflector *r, uint64_t version, const char *continue_from,
			    uint64_t now)
{
	free(TAKE(r->continue_from, NULL));
	if (continue_from) {
		r->continue_from = xstrdup(continue_from);
		return send(r, REFLECTOR_PAGING, now);
	}
	listed(r, version, now);
	return REFLECTOR_COMMIT | send(r, REFLECTOR_WATCHING, now);
}

/* There are none, for it has no such kind.  Once more in 10 to 20 minutes. */
static unsigned int lack(struct reflector *r, uint64_t now)
{
	listed(r, 0, now);
	r->absent = true;
	r->unreachable = r->refused = false;
	r->row = 0;
	r->retry = listing(r);
	r->state = REFLECTOR_WAITING;
	r->deadline = now + REFLECTOR_ABSENT_USEC + random_below(&r->random, REFLECTOR_ABSENT_USEC);
	return REFLECTOR_FORGET | REFLECTOR_COMMIT;
}

/* A watch came to its end in good order. */
static unsigned int watch_ended(struct reflector *r, uint64_t now)
{
	if (now - r->sent >= REFLECTOR_BRIEF_USEC) {
		be_steady(r, now);
		return send(r, REFLECTOR_WATCHING, now);
	}
	(void)snprintf(r->problem, sizeof(r->problem), "the server ends each watch at once");
	r->refused = true;
	return wait(r, 0, false, now);
}

/*
 * A stream that is refused: whatever the reason, a plain list may be granted.  Who is asked to wait
 * or to say who he is does that first.
 */
static unsigned int stream_refused(struct reflector *r, int http, uint32_t retry_after,
				   uint64_t now)
{
	if (retry_after || http == 401 || http == 403 || http == 429)
		return wait(r, retry_after, true, now);
	r->no_stream = http == 400 || http == 422;
	r->troubled = true;
	r->count.failures += !r->no_stream;
	return page_instead(r, now);
}

/* The request ended with an answer that says no, or without one. */
static unsigned int fail(struct reflector *r, const struct reflector_end *e, uint64_t now)
{
	uint32_t retry_after = MAX(e->retry_after, e->status->retry_after);

	if (is_gone(e))
		forget_version(r);
	else if (r->state == REFLECTOR_STREAMING && e->http >= 300)
		return stream_refused(r, e->http, retry_after, now);
	return wait(r, retry_after, false, now);
}

/**
 * reflector_ended() - The request under way has ended
 * @r:   Reflector
 * @e:   How
 * @now: Monotonic time
 *
 * Return: what is to be done
 */
unsigned int reflector_ended(struct reflector *r, const struct reflector_end *e, uint64_t now)
{
	unsigned int todo = is_ahead(e) ? REFLECTOR_DISTRUST : 0;
	bool first;

	if (r->state == REFLECTOR_WAITING)
		return 0;
	if (r->state == REFLECTOR_WATCHING && has_lasted(r, now))
		r->row = 0;
	first = r->row == 0;
	if (e->http == 200 && e->error == 0 && r->state == REFLECTOR_WATCHING)
		return watch_ended(r, now);
	if (e->http == 200 && e->error == 0 && r->state == REFLECTOR_STREAMING)
		return page_instead(r, now);
	if (e->http == 404 && r->optional)
		return lack(r, now);
	reflector_describe(r, e);
	r->unreachable = !e->http;
	r->refused = e->http >= 300 || e->error == -EPROTO;
	if (is_gone(e) && first) {
		r->row++;
		return todo | (list_anew(r, now) & ~(unsigned int)REFLECTOR_CANCEL);
	}
	todo |= fail(r, e, now);
	if (e->http == 401 || e->error == -EKEYREJECTED) {
		todo |= REFLECTOR_CREDENTIALS;
		r->deadline = first && !e->retry_after ? now : r->deadline;
	}
	return todo;
}

/**
 * reflector_stale() - For how long has the store not been known to be as the server has it?
 * @r:   Reflector
 * @now: Monotonic time
 *
 * Return: microseconds; 0: nothing is wrong
 */
uint64_t reflector_stale(const struct reflector *r, uint64_t now)
{
	return r->troubled ? now - r->in_step : 0;
}
