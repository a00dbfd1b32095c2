// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube_probe.c - has the server's store gone back to an older time?
 *
 * After etcd was restored from a snapshot, the server holds back every event of a watch that was
 * resumed at a version which it has not come to again, and says nothing: the watch just stays
 * silent.  That can only happen across a broken connection.  So after one the server is asked, once
 * for all collections, whether it knows the newest version that we have.  If not, all are listed
 * anew.
 *
 * Source: Kubernetes API concepts, "Resource versions"; a list "not older than" a version that the
 * server has not come to is refused (504, ResourceVersionTooLarge).
 */
#include <inttypes.h>

#include "lib/random.h"
#include "watch/kube/api_status.h"
#include "watch/kube/api_stream.h"
#include "watch/kube/kube_internal.h"

#define WAIT_MIN_USEC (500 * USEC_PER_MSEC)
#define WAIT_MAX_USEC (30 * USEC_PER_SEC)

/* Some time below the bound, which doubles with each failure. */
static void arm(struct kube *k)
{
	struct probe *p = &k->probe;

	p->bound = MIN(MAX(2 * p->bound, WAIT_MIN_USEC), WAIT_MAX_USEC);
	p->armed = true;
	loop_timer_at(p->timer, monotonic_usec() + random_below(&k->seed, p->bound));
}

static void compare_version(void *arg, struct feed *f)
{
	uint64_t *newest = arg;

	*newest = MAX(*newest, feed_reflector(f)->version);
}

static bool on_data(void *arg, int status _unused_, const char *bytes, size_t n)
{
	struct probe *p = &((struct kube *)arg)->probe;

	api_status_gather(&p->body, bytes, n);
	return true;
}

static void on_done(void *arg, const struct http_result *r)
{
	struct api_status status = {0};
	struct kube *k = arg;
	struct probe *p = &k->probe;

	p->request = NULL;
	if (r->error == 0 && r->status != 200)
		api_status_parse(p->body.data, p->body.len, &status);
	buf_done(&p->body);
	if (status.too_large) {
		kube_backwards(k);
	} else if (r->error || r->status != 200) {
		arm(k);
		return;
	}
	p->bound = 0;
}

static void on_timer(void *arg)
{
	static const struct http_handler handler = {on_data, on_done};
	_cleanup_(freep) char *path = NULL;
	struct kube *k = arg;
	struct http_call c = {
		.method = "GET",
		.accept = API_METADATA_LIST,
	};
	uint64_t newest = 0;

	k->probe.armed = false;
	kube_each(k, compare_version, &newest);
	if (!newest)
		return;
	path = xasprintf("/api/v1/nodes?limit=1&resourceVersion=%" PRIu64
			 "&resourceVersionMatch=NotOlderThan",
			 newest);
	c.path = path;
	k->probe.request = http_send(k->owner.http, &c, &handler, k);
}

/**
 * kube_probe_init() - Prepare
 * @k: Source
 */
void kube_probe_init(struct kube *k)
{
	k->probe.timer = loop_timer(k->owner.loop, "api probe", on_timer, k);
}

/**
 * kube_probe_done() - Free all
 * @k: Source
 */
void kube_probe_done(struct kube *k)
{
	http_cancel(k->probe.request);
	buf_done(&k->probe.body);
	(void)loop_source_free(k->probe.timer);
}

/**
 * kube_probe() - A connection was lost: ask the server soon, if it is not asked already
 * @arg: Source
 */
void kube_probe(void *arg)
{
	struct kube *k = arg;

	if (!k->probe.armed && !k->probe.request)
		arm(k);
}
