// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_wire.c - any bytes as what comes over the agent's socket, to either side.
 *
 * Input: a byte for the size of the pieces in which it comes, then the bytes.  In pieces and at
 * once the same messages come out; each is read as the agent and as the plugin would, and a link
 * that was understood is understood the same when the agent writes it.
 */
#include "agent/socket/wire.h"
#include "lib/intern.h"
#include "lib/utf8.h"
#include "test/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* struct seen - what came: messages, their weight, and how it ended */
struct seen {
	size_t messages, weight;
	bool bad;
};

/* --- messages ----------------------------------------------------------------------------------
 */

static void read_as_agent(const struct value *m)
{
	_cleanup_(cni_request_freep) struct cni_request *q = NULL;
	struct err e = {0};
	struct cni_env env;
	const char *conf;

	wire_read_cni(m, &env, &conf);
	must(conf);
	if (cni_request_parse(&env, conf, strlen(conf), &q, &e) < 0)
		must(!q && *e.msg);
}

/* What the agent would have to say to be understood so. */
static void check_again(const struct podlink *l)
{
	struct attachment at = {.ifname = (char *)l->ifname,
				.host_ifname = (char *)l->host_ifname,
				.mac = l->mac,
				.n_addrs = l->n_addrs};
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	_cleanup_(buf_done) struct buf in = {0}, json = {0};
	struct podlink again = {0};

	memcpy(at.addrs, l->addrs, sizeof(at.addrs));
	wire_link("attach", &at, l->netns, l->mtu, &json);
	wire_put(json.data, &in);
	must(wire_frame(in.data, in.len) == (ssize_t)in.len);
	must(wire_read(in.data, in.len, &doc, NULL) == 0);
	must(wire_read_link(value_root(doc), &again, NULL) == 0);
	must(streq(again.netns, l->netns) && streq(again.ifname, l->ifname) &&
	     streq(again.host_ifname, l->host_ifname) && again.mtu == l->mtu &&
	     memcmp(&again.mac, &l->mac, sizeof(l->mac)) == 0 && again.n_addrs == l->n_addrs);
	for (uint32_t i = 0; i < l->n_addrs; i++)
		must(addr_eq(&again.addrs[i], &l->addrs[i]));
}

static void read_as_plugin(const struct value *m)
{
	struct podlink l = {0};
	struct err e = {0};

	if (wire_read_link(m, &l, &e) < 0) {
		must(*e.msg && utf8_valid(e.msg, strlen(e.msg)));
		return;
	}
	must(l.n_addrs <= 2 && l.mtu >= 1);
	check_again(&l);
}

/* --- bytes -------------------------------------------------------------------------------------
 */

static void take(const char *data, size_t len, struct seen *s)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct err e = {0};

	s->bad = wire_read(data, len, &doc, &e) < 0;
	must(s->bad ? !doc && *e.msg : doc != NULL);
	if (s->bad)
		return;
	s->messages++;
	s->weight += value_root(doc)->weight;
	read_as_agent(value_root(doc));
	read_as_plugin(value_root(doc));
}

/* As lib/stream.c does; at the end of a message it has all bytes of it, and never more than @in. */
static void take_all(struct buf *in, struct seen *s)
{
	size_t at = 0;
	ssize_t n;

	while (!s->bad && (n = wire_frame(in->data + at, in->len - at)) != 0) {
		s->bad = n < 0;
		if (s->bad || (size_t)n > in->len - at)
			break;
		take(in->data + at, (size_t)n, s);
		at += (size_t)n;
	}
	in->len -= at;
	memmove(in->data, in->data + at, in->len);
}

static struct seen receive(const uint8_t *data, size_t size, size_t piece)
{
	_cleanup_(buf_done) struct buf in = {0};
	struct seen s = {0};

	for (size_t i = 0; i < size && !s.bad; i += piece) {
		buf_put(&in, data + i, MIN(piece, size - i));
		take_all(&in, &s);
	}
	return s;
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
	struct seen whole, pieces;

	if (size < 1)
		return 0;
	whole = receive(data + 1, size - 1, size);
	pieces = receive(data + 1, size - 1, 1u + data[0]);
	must(whole.messages == pieces.messages && whole.weight == pieces.weight &&
	     whole.bad == pieces.bad);
	must(intern_count() == 0);
	return 0;
}
