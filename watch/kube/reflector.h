/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reflector.h - list and watch of one collection of the Kubernetes API: what to ask next.  Pure.
 *
 * Takes what happens (answers, events, silence, time) and gives what is to be done, as bits; the
 * owner sends the requests and holds the objects.  It ends up with the store as the server has it,
 * whatever servers and networks do on the way:
 *
 *	         +--> STREAM: a watch that begins with all there is --+
 *	start ---+         | refused, or it never says "that was all"  +--> WATCH from there on
 *	         |         v                                           |      |
 *	         +----- PAGES of a list ------------------------------+      |
 *	         ^                                                           |
 *	         +------ 410: too old; versions that go backwards -----------+
 *
 * A list changes nothing until it is complete (REFLECTOR_COMMIT), and nothing at all when it is cut
 * off (REFLECTOR_FORGET).  A stream that the server refuses, for whatever reason, is followed by a
 * plain list.  A watch that ends begins again where it was.  What fails is tried again after a
 *random time below a bound that doubles ("full jitter"), and not before the server's Retry-After; a
 *watch that ends at once has failed, whatever it said.
 *
 * Of a collection that a server need not have (a CRD's) a 404 is an answer: there are none.
 *
 * Sources: Kubernetes API concepts, "Efficient detection of changes", "Streaming lists",
 *"Retrieving large results sets in chunks"; KEP-3157 (streaming lists), KEP-956 (bookmarks).
 */
#pragma once

#include "lib/buf.h"
#include "watch/kube/api_status.h"

#define REFLECTOR_RETRY_MIN_USEC   (200 * USEC_PER_MSEC) /* bound of the first wait */
#define REFLECTOR_RETRY_MAX_USEC   (30 * USEC_PER_SEC)
#define REFLECTOR_STREAM_IDLE_USEC (10 * USEC_PER_SEC) /* then it is not a stream that begins */
#define REFLECTOR_LIST_IDLE_USEC   (30 * USEC_PER_SEC)
#define REFLECTOR_WATCH_IDLE_USEC  (120 * USEC_PER_SEC)	    /* bookmarks come every minute */
#define REFLECTOR_ABSENT_USEC	   (10 * 60 * USEC_PER_SEC) /* at least, between two looks */
#define REFLECTOR_BRIEF_USEC	   USEC_PER_SEC /* a watch that ended sooner has failed */
#define REFLECTOR_WATCH_SEC	   300 /* a watch is asked for this long, up to twice as long */
#define REFLECTOR_PAGE		   500 /* objects of a page */

/* What is to be done, in this order. */
enum {
	REFLECTOR_CANCEL = 1 << 0, /* end the request under way, if it has not ended */
	REFLECTOR_FORGET = 1 << 1, /* forget what was listed so far */
	REFLECTOR_COMMIT = 1 << 2, /* the list is complete: its difference to the store counts */
	REFLECTOR_CREDENTIALS = 1 << 3, /* read the credentials anew */
	REFLECTOR_RENEW = 1 << 4,	/* trust no connection that stands */
	REFLECTOR_SEND = 1 << 5,	/* send what reflector_path() words */
	REFLECTOR_DISTRUST = 1 << 6,	/* the server's versions went backwards, for all */
};

enum reflector_state {
	REFLECTOR_WAITING, /* for the time to try again */
	REFLECTOR_STREAMING,
	REFLECTOR_PAGING,
	REFLECTOR_WATCHING,
	_REFLECTOR_STATE_MAX
};

struct reflector_counts {
	uint64_t lists, watches, failures;
	uint64_t expired; /* lists that were made because versions were gone, or went backwards */
	uint64_t unknown; /* events of types that are not known, objects without a name: left out */
};

/*
 * struct reflector
 * @state:    What is under way; @retry: what follows REFLECTOR_WAITING
 * @synced:   A list was complete once
 * @version:  How far the store has come; 0: nowhere
 * @deadline: When to call reflector_timer(), monotonic
 * @no_stream: The server does not offer streams that begin with a list
 * @idle_streams: Streams that never said "that was all", of a server that answers
 * @consistent: The next list must not be an old one from the server's cache
 * @plain_next: The last stream failed: the next list is a plain one
 * @optional: The server may lack the collection: then it is complete and empty
 * @absent:   It lacked it when it was last asked
 * @accepted: The server said yes to the request, which was sent at @sent
 * @unreachable: The last request that has ended got no answer at all
 * @refused:  What failed last is an answer that said no, or was none; else the connection did
 * @row:      Failures in a row; a watch that lasts ends the row
 * @troubled: Something failed, and nothing has lasted since
 * @in_step:  When the store was last known to be as the server has it; before, when it began
 * @problem:  Why it does not get on; "": it does
 */
struct reflector {
	enum reflector_state state, retry;
	bool synced;
	uint64_t version, deadline, sent, in_step;
	bool no_stream, plain_next, consistent, optional, absent, accepted, unreachable, refused;
	bool troubled;
	uint32_t idle_streams, row;
	char *continue_from;
	uint64_t random;
	char problem[352];
	struct reflector_counts count;
};

/*
 * struct reflector_end - how a request ended that was neither a complete page nor cancelled
 * @http:        Status; 0: no answer
 * @error:       0: the answer was complete; -errno: not, and @text says why; -EKEYREJECTED: TLS,
 * one of us does not trust the other
 * @status:      What the answer said, if it said no; else empty; not NULL
 * @retry_after: Seconds, of the answer's header; 0: none
 */
struct reflector_end {
	int http;
	int error;
	const char *text;
	const struct api_status *status;
	uint32_t retry_after;
};

const char *reflector_state_str(enum reflector_state s);
void reflector_init(struct reflector *r, uint64_t seed);
void reflector_done(struct reflector *r);
unsigned int reflector_start(struct reflector *r, uint64_t now);
unsigned int reflector_again(struct reflector *r, uint64_t now);
unsigned int reflector_timer(struct reflector *r, uint64_t now);
bool reflector_answered(struct reflector *r);
void reflector_nudge(struct reflector *r, uint64_t now);
void reflector_accepted(struct reflector *r);
void reflector_bytes(struct reflector *r, uint64_t now);
unsigned int reflector_event(struct reflector *r, uint64_t version, uint64_t now);
unsigned int reflector_bookmark(struct reflector *r, uint64_t version, bool initial_end,
				uint64_t now);
unsigned int reflector_error(struct reflector *r, const struct api_status *status, uint64_t now);
unsigned int reflector_page(struct reflector *r, uint64_t version, const char *continue_from,
			    uint64_t now);
unsigned int reflector_ended(struct reflector *r, const struct reflector_end *end, uint64_t now);
void reflector_describe(struct reflector *r, const struct reflector_end *e);
uint64_t reflector_stale(const struct reflector *r, uint64_t now);
void reflector_path(struct reflector *r, const char *path, const char *fields, const char *labels,
		    struct buf *out);
