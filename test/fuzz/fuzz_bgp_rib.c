// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_bgp_rib.c - a history of two speakers: what one announces, by real UPDATEs, is what the
 * other uses.
 *
 * Input: pairs of bytes, an event and what it is about: prefixes that the first speaker announces,
 * changes and withdraws, a session between both that ends and begins, gracefully or not, refreshes,
 * filters that change, a second neighbour with routes of its own, and pieces of the work.  At the
 * end all is delivered and settled: the second speaker has exactly the routes that a plain table
 * says, the best of two is the one that a plain comparison says, and whoever was told of each
 * decision knows the same.
 */
#include <endian.h>

#include "datapath/bgp/out.h"
#include "datapath/bgp/rib.h"
#include "test/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIXES 16
enum { SPEAKER, OTHER, PEERS };

/* struct said - what is announced of a prefix; @there: or not */
struct said {
	bool there;
	uint8_t origin, med, length, first;
};

/*
 * struct world - @out is the first speaker's, @rib the second's
 * @said: The plain table
 * @told: What the second one's owner was told is the best: a peer, or PEERS
 */
struct world {
	struct bgp_out out;
	struct bgp_reader reader;
	struct bgp_rib rib;
	struct bgp_peer peer[PEERS];
	struct said said[PEERS][PREFIXES];
	uint8_t told[PREFIXES];
	bool up;
};

static const struct bgp_agreed session = {.families = 3, .as4 = true, .external = true};

static struct prefix prefix_at(unsigned int i)
{
	struct prefix p = {.len = 24, .addr = {AF_INET, {20, 0, (uint8_t)i}}};

	if (i & 1)
		p = (struct prefix){.len = 64,
				    .addr = {AF_INET6, {0x20, 1, 0xd, 0xb8, 0, (uint8_t)i}}};
	return p;
}

static struct said said_by(uint8_t b)
{
	return (struct said){true, b & 1, b >> 1 & 3, b >> 3 & 1, b >> 2 & 1};
}

/* --- events ------------------------------------------------------------------------------------
 */

static void want(struct world *w, unsigned int i, uint8_t b)
{
	const struct prefix p = prefix_at(i);
	struct bgp_attrs a = {.has = 1u << BGP_ATTR_MED, .next_hop.family = AF_INET};

	w->said[SPEAKER][i] = said_by(b);
	a.origin = w->said[SPEAKER][i].origin;
	a.med = w->said[SPEAKER][i].med;
	bgp_out_want(&w->out, &p, &a);
}

static void drop(struct world *w, unsigned int i)
{
	const struct prefix p = prefix_at(i);

	w->said[SPEAKER][i].there = false;
	bgp_out_drop(&w->out, &p);
}

/* The other neighbour's, with one AS or two; the first one may be the first speaker's. */
static void announce(struct world *w, unsigned int i, uint8_t b)
{
	const struct prefix p = prefix_at(i);
	struct said *s = &w->said[OTHER][i];
	struct bgp_attrs a = {.has = 1u << BGP_ATTR_MED, .next_hop = {AF_INET, {10, 0, 0, 2}}};
	uint8_t path[10] = {2, 1};
	uint32_t asn;

	*s = said_by(b);
	asn = htobe32(s->first ? 65001 : 65002);
	a.origin = s->origin;
	a.med = s->med;
	path[1] = (uint8_t)(1 + s->length);
	memcpy(path + 2, &asn, 4);
	memcpy(path + 6, &asn, 4);
	a.list[BGP_LIST_AS_PATH] = (struct bgp_span){path, (uint16_t)(2 + 4 * path[1])};
	must(bgp_rib_take(&w->rib, &w->peer[OTHER], &p, &a) == 0);
}

static void withdraw(struct world *w, unsigned int i)
{
	const struct prefix p = prefix_at(i);

	w->said[OTHER][i].there = false;
	must(bgp_rib_take(&w->rib, &w->peer[OTHER], &p, NULL) == 0);
}

static void on_route(void *arg, const struct prefix *p, const struct bgp_attrs *a)
{
	struct world *w = arg;

	must(bgp_rib_take(&w->rib, &w->peer[SPEAKER], p, a) == 0);
}

static void deliver(struct world *w, size_t limit)
{
	_cleanup_(buf_done) struct buf wire = {0};
	struct bgp_update u = {0};
	struct bgp_notice bad;
	size_t at = 0;
	ssize_t n;

	if (!w->up)
		return;
	(void)bgp_out_write(&w->out, &w->reader, &wire, limit);
	for (; at < wire.len; at += (size_t)n) {
		n = bgp_frame((const uint8_t *)wire.data + at, wire.len - at, &bad);
		must(n > 0 && (size_t)n <= wire.len - at);
		bgp_update_read(&u, (const uint8_t *)wire.data + at, (size_t)n, &session);
		must(u.action == BGP_ACCEPT);
		bgp_update_each(&u, on_route, w);
		if (u.ended < _BGP_FAMILY_MAX)
			bgp_rib_sweep(&w->rib, &w->peer[SPEAKER], u.ended);
	}
	bgp_update_done(&u);
}

static void begin_session(struct world *w)
{
	if (w->up)
		return;
	w->reader = (struct bgp_reader){.session = &session, .asn = 65001};
	w->reader.hop[BGP_IPV4] = (struct addr){AF_INET, {10, 0, 0, 1}};
	w->reader.hop[BGP_IPV6] = (struct addr){AF_INET6, {0x20, 1, [15] = 1}};
	bgp_out_add(&w->out, &w->reader);
	w->up = true;
}

static void end_session(struct world *w, bool graceful)
{
	if (!w->up)
		return;
	bgp_out_remove(&w->out, &w->reader);
	w->up = false;
	for (int f = 0; f < _BGP_FAMILY_MAX; f++) {
		bgp_rib_stale(&w->peer[SPEAKER], (enum bgp_family)f);
		if (!graceful)
			bgp_rib_sweep(&w->rib, &w->peer[SPEAKER], (enum bgp_family)f);
	}
}

static void on_net(void *arg, const struct bgp_net *net)
{
	struct world *w = arg;
	unsigned int i = net->family == BGP_IPV4 ? net->addr[2] : net->addr[5];
	const struct bgp_path *best = net->paths;

	w->told[i] = best && bgp_path_is_used(best) ? (uint8_t)(best->peer - w->peer) : PEERS;
}

static void filter(struct world *w, uint8_t b)
{
	struct bgp_peer *p = &w->peer[b & 1];

	p->import = b & 2 ? BGP_IMPORT_NONE : BGP_IMPORT_ALL;
	bgp_rib_again(&w->rib, p);
}

static void happen(struct world *w, uint8_t event, uint8_t b)
{
	unsigned int i = b % PREFIXES;

	switch (event % 16) {
	case 0 ... 3:
		want(w, i, event >> 4);
		break;
	case 4:
		drop(w, i);
		break;
	case 5 ... 7:
		announce(w, i, event >> 4);
		break;
	case 8:
		withdraw(w, i);
		break;
	case 9:
		deliver(w, b);
		break;
	case 10:
		begin_session(w);
		break;
	case 11:
		end_session(w, b & 1);
		break;
	case 12:
		if (w->up)
			bgp_out_refresh(&w->out, &w->reader, (enum bgp_family)(b & 1));
		break;
	case 13:
		filter(w, b);
		break;
	default:
		(void)bgp_rib_settle(&w->rib, b % 8, on_net, w);
	}
}

/* --- the plain table ---------------------------------------------------------------------------
 */

static bool is_candidate(const struct world *w, int peer, unsigned int i)
{
	return w->said[peer][i].there && w->peer[peer].import == BGP_IMPORT_ALL &&
	       (peer == OTHER || w->up);
}

/* RFC 4271 9.1.2.2 for two: the speaker's path has one AS, 65001, and the lower router id. */
static uint8_t better(const struct said *speaker, const struct said *other)
{
	if (other->length)
		return SPEAKER;
	if (speaker->origin != other->origin)
		return speaker->origin < other->origin ? SPEAKER : OTHER;
	if (other->first && speaker->med != other->med)
		return speaker->med < other->med ? SPEAKER : OTHER;
	return SPEAKER;
}

static uint8_t expected(const struct world *w, unsigned int i)
{
	bool speaker = is_candidate(w, SPEAKER, i), other = is_candidate(w, OTHER, i);

	if (speaker && other)
		return better(&w->said[SPEAKER][i], &w->said[OTHER][i]);
	return speaker ? SPEAKER : other ? OTHER : PEERS;
}

static void check_path(const struct world *w, const struct bgp_path *p, unsigned int i)
{
	const struct said *s = &w->said[p->peer - w->peer][i];

	must(s->there && p->attrs->origin == s->origin && p->attrs->med == s->med);
	must(p->epoch == p->peer->of[p->net->family].epoch);
}

static void check(const struct world *w)
{
	uint32_t received = 0, said = 0;

	for (unsigned int i = 0; i < PREFIXES; i++) {
		const struct prefix p = prefix_at(i);
		const struct bgp_net *net = bgp_rib_find(&w->rib, &p);

		for (struct bgp_path *q = net ? net->paths : NULL; q; q = q->next)
			check_path(w, q, i);
		must(w->told[i] == expected(w, i));
		said += (w->said[SPEAKER][i].there && w->up) + w->said[OTHER][i].there;
	}
	for (int p = 0; p < PEERS; p++)
		for (int f = 0; f < _BGP_FAMILY_MAX; f++)
			received += w->peer[p].of[f].received;
	must(received == said);
	for (int f = 0; f < _BGP_FAMILY_MAX && w->up; f++)
		must(w->reader.sent[f] == w->peer[SPEAKER].of[f].received);
}

/* Nothing more happens: all arrives, and what is stale goes. */
static void finish(struct world *w)
{
	deliver(w, SIZE_MAX);
	for (int f = 0; f < _BGP_FAMILY_MAX; f++)
		bgp_rib_sweep(&w->rib, &w->peer[SPEAKER], (enum bgp_family)f);
	while (bgp_rib_settle(&w->rib, 3, on_net, w))
		;
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.rib = {.asn = 65000, .id = 9}};

	memset(w.told, PEERS, sizeof(w.told));
	for (int i = 0; i < PEERS; i++)
		w.peer[i] = (struct bgp_peer){.addr = {AF_INET, {10, 0, 0, (uint8_t)(i + 1)}},
					      .id = (uint32_t)i + 1,
					      .external = true,
					      .import = BGP_IMPORT_ALL};
	for (size_t i = 0; i + 1 < size; i += 2)
		happen(&w, data[i], data[i + 1]);
	finish(&w);
	check(&w);
	end_session(&w, true);
	bgp_rib_done(&w.rib);
	bgp_out_done(&w.out);
	must(!w.rib.pool.bytes);
	return 0;
}
