// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * addsteps.c - where the time of one CNI ADD goes: addsteps SOCKET STATE-DIR IFNAME < PODS
 *
 * Speaks with the agent as the plugin does (client.h, podlink.h) and looks at the clock between the
 * messages.  PODS as for calls.c; the pods are left attached.
 *
 *	asked     request sent until the agent asks for the link: addresses, journal record, the
 *	          nftables transaction, and the queue before them
 *	link      the link made and configured
 *	finished  the agent's answer: routes acknowledged, record on disk
 *
 * Beside them what the disk alone takes: a record written and fdatasync in STATE-DIR.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/socket/client.h"
#include "datapath/route/podlink.h"
#include "lib/jsonw.h"
#include "test/bench/figure.h"

#define RECORD 240 /* bytes of a journal record of a pod with two addresses */
#define SYNCS  50

struct steps {
	double since;
	struct samples asked, link, finished;
};

static void lap(struct steps *s, struct samples *to)
{
	double now = bench_usec();

	vec_push(&to->v, (now - s->since) / 1000);
	s->since = now;
}

static void text_of(const struct value *m, const char *key, const char **ret)
{
	if (value_get_str(m, "", key, ret, NULL) <= 0)
		bench_fail(key, NULL);
}

static void read_link(const struct value *m, struct podlink *l)
{
	const struct value *list = NULL;
	const char *mac = NULL;
	int64_t mtu = 0;

	text_of(m, "netns", &l->netns);
	text_of(m, "ifname", &l->ifname);
	text_of(m, "host_ifname", &l->host_ifname);
	text_of(m, "mac", &mac);
	if (mac_parse(mac, &l->mac) < 0 || value_get_int(m, "", "mtu", 1, 1 << 20, &mtu, NULL) <= 0)
		bench_fail("the agent's request", NULL);
	l->mtu = (uint32_t)mtu;
	(void)value_get_seq(m, "", "addresses", &list, NULL);
	for (; list && l->n_addrs < MIN(list->n, 2); l->n_addrs++)
		if (addr_parse(list->items[l->n_addrs]->text, &l->addrs[l->n_addrs]) < 0)
			bench_fail("the agent's request", NULL);
}

static int make_link(void *arg, const struct value *m, struct jsonw *reply _unused_,
		     struct err *reterr)
{
	struct steps *s = arg;
	struct podlink l = {0};

	lap(s, &s->asked);
	read_link(m, &l);
	if (podlink_create(&l, NULL, reterr) < 0)
		bench_fail("podlink_create", reterr);
	lap(s, &s->link);
	return 0;
}

static void put_request(const char *socket, const char *ifname, char *const pod[3], struct buf *out)
{
	_cleanup_(freep) char *conf = xasprintf("{\"cniVersion\":\"1.1.0\",\"name\":\"manx\","
						"\"type\":\"manx\",\"socket\":\"%s\"}",
						socket);
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "call", "cni");
	jsonw_begin(&w, "env", '{');
	jsonw_str(&w, "CNI_COMMAND", "ADD");
	jsonw_str(&w, "CNI_CONTAINERID", pod[0]);
	jsonw_str(&w, "CNI_NETNS", pod[1]);
	jsonw_str(&w, "CNI_ARGS", pod[2]);
	jsonw_str(&w, "CNI_IFNAME", ifname);
	jsonw_str(&w, "CNI_PATH", "/opt/cni/bin");
	jsonw_end(&w, '}');
	jsonw_str(&w, "stdin", conf);
	jsonw_end(&w, '}');
}

static void add(const char *socket, const char *ifname, char *const pod[3], struct steps *s)
{
	_cleanup_(buf_done) struct buf request = {0}, result = {0};
	struct err e = {0};
	int code = 0;

	put_request(socket, ifname, pod, &request);
	s->since = bench_usec();
	if (client_call(socket, request.data, make_link, s, &result, &code, &e) < 0)
		bench_fail(socket, &e);
	if (code != 0) {
		(void)fprintf(stderr, "addsteps: ADD failed: %s\n", result.data);
		exit(1);
	}
	lap(s, &s->finished);
}

static void measure_disk(const char *folder)
{
	_cleanup_(freep) char *path = xasprintf("%s/bench", folder);
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct samples s = {0};
	char record[RECORD] = {0};

	if (fd < 0)
		bench_fail(path, NULL);
	for (int i = 0; i < SYNCS; i++) {
		double began = bench_usec();

		if (pwrite(fd, record, sizeof(record), (off_t)sizeof(record) * i) < 0 ||
		    fdatasync(fd) < 0)
			bench_fail(path, NULL);
		vec_push(&s.v, (bench_usec() - began) / 1000);
	}
	(void)unlink(path);
	figure_samples("a record written and fdatasync", "ms", &s, NULL);
}

int main(int argc, char **argv)
{
	char id[256], netns[512], args[1024];
	char *const pod[] = {id, netns, args};
	struct steps s = {0};

	if (argc != 4) {
		(void)fprintf(stderr, "usage: addsteps SOCKET STATE-DIR IFNAME < PODS\n");
		return 1;
	}
	while (scanf("%255s %511s %1023s", id, netns, args) == 3)
		add(argv[1], argv[3], pod, &s);
	figure_samples("ADD: addresses, journal, rules", "ms", &s.asked, NULL);
	figure_samples("ADD: link made and configured", "ms", &s.link, NULL);
	figure_samples("ADD: routes, disk, answer", "ms", &s.finished, NULL);
	measure_disk(argv[2]);
	return 0;
}
