// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decode.c - how fast lists of the API server are decoded, beside yajl with callbacks that do
 * nothing.
 *
 * The list is made up, like the API server's: 3.3 KB a pod, a third of it managedFields.  Both read
 * it in pieces of 16 KiB.  Prints MB/s, of several rounds, and the memory that the objects take
 * when they are all kept.
 */
#include <stdio.h>
#include <yajl/yajl_parse.h>

#include "lib/buf.h"
#include "test/bench/bare.h"
#include "test/bench/figure.h"
#include "watch/kube/api_stream.h"

#define PODS   20000
#define PIECE  16384
#define ROUNDS 9

static double now(void)
{
	return bench_usec() / 1e6;
}

static void put_managed(struct buf *b, const char *manager)
{
	buf_printf(b,
		   "{\"manager\":\"%s\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":"
		   "\"2026-01-02T03:04:05Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:"
		   "metadata\":{"
		   "\"f:generateName\":{},\"f:labels\":{\".\":{},\"f:app\":{},\"f:pod-template-"
		   "hash\":{"
		   "}}},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"main\\\"}\":{\".\":{},"
		   "\"f:image\":{},\"f:imagePullPolicy\":{},\"f:name\":{},\"f:ports\":{\".\":{},"
		   "\"k:{\\\"containerPort\\\":8080,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},"
		   "\"f:containerPort\":{},\"f:protocol\":{}}},\"f:resources\":{}}},\"f:"
		   "dnsPolicy\":{},"
		   "\"f:restartPolicy\":{}}}}",
		   manager);
}

static void put_pod(struct buf *b, unsigned int i)
{
	buf_printf(
		b,
		"{\"metadata\":{\"name\":\"web-7d4b9c6f5d-%05x\",\"generateName\":"
		"\"web-7d4b9c6f5d-\",\"namespace\":\"team-%u\",\"uid\":"
		"\"%08x-1111-4222-8333-444455556666\",\"resourceVersion\":\"%u\","
		"\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{\"app\":\"app-%u\","
		"\"pod-template-hash\":\"7d4b9c6f5d\",\"tier\":\"backend\"},\"ownerReferences\":[{"
		"\"apiVersion\":\"apps/"
		"v1\",\"kind\":\"ReplicaSet\",\"name\":\"web-7d4b9c6f5d\",\"uid\":"
		"\"aaaabbbb-1111-4222-8333-444455556666\",\"controller\":true}],\"managedFields\":"
		"[",
		i, i % 1000, i, i + 1000, i % 50);
	put_managed(b, "kube-controller-manager");
	buf_putc(b, ',');
	put_managed(b, "kubelet");
	buf_printf(
		b,
		"]},\"spec\":{\"volumes\":[{\"name\":\"kube-api-access\",\"projected\":{"
		"\"sources\":[{"
		"\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}}],"
		"\"defaultMode\":420}}],\"containers\":[{\"name\":\"main\",\"image\":"
		"\"registry.example/team/web:1.2.3\",\"ports\":[{\"name\":\"http\","
		"\"containerPort\":8080,\"protocol\":\"TCP\"}],\"env\":[{\"name\":\"A\",\"value\":"
		"\"some \\\"quoted\\\" value\"}],\"resources\":{\"limits\":{\"cpu\":\"500m\"}},"
		"\"volumeMounts\":[{\"name\":\"kube-api-access\",\"readOnly\":true,\"mountPath\":"
		"\"/var/run/secrets/kubernetes.io/serviceaccount\"}],\"terminationMessagePath\":"
		"\"/dev/termination-log\"}],\"restartPolicy\":\"Always\",\"nodeName\":\"node-%u\","
		"\"serviceAccountName\":\"default\",\"tolerations\":[{\"key\":"
		"\"node.kubernetes.io/"
		"not-ready\",\"operator\":\"Exists\",\"tolerationSeconds\":300}]},"
		"\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":"
		"\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"},{"
		"\"type\":\"PodScheduled\",\"status\":\"True\"}],\"hostIP\":\"192.0.2.7\","
		"\"podIP\":"
		"\"10.%u.%u.%u\",\"podIPs\":[{\"ip\":\"10.%u.%u.%u\"}],\"containerStatuses\":[{"
		"\"name\":\"main\",\"state\":{\"running\":{\"startedAt\":\"2026-01-02T03:04:05Z\"}}"
		","
		"\"ready\":true,\"restartCount\":0,\"imageID\":\"sha256:0123456789abcdef\"}]}}",
		i % 500, i >> 16 & 255, i >> 8 & 255, i & 255, i >> 16 & 255, i >> 8 & 255,
		i & 255);
}

static void make_list(struct buf *b)
{
	buf_puts(b, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
		    "\"1\"},\"items\":[");
	for (unsigned int i = 0; i < PODS; i++) {
		if (i)
			buf_putc(b, ',');
		put_pod(b, i);
	}
	buf_puts(b, "]}\n");
}

/* --- yajl with nothing behind it -----------------------------------------------------------------
 */

static double time_yajl(const struct buf *list, bool validate)
{
	yajl_handle h = yajl_alloc(&bare_callbacks, NULL, NULL);
	double began = now();

	(void)yajl_config(h, yajl_dont_validate_strings, validate ? 0 : 1);
	for (size_t i = 0; i < list->len; i += PIECE)
		if (yajl_parse(h, (const unsigned char *)list->data + i,
			       MIN(PIECE, list->len - i)) != yajl_status_ok)
			exit(1);
	yajl_free(h);
	return now() - began;
}

/* --- ours --------------------------------------------------------------------------------------
 */

struct kept {
	VEC(struct object *) o;
	size_t n;
	bool keep;
};

static bool take(void *arg, const struct api_item *item)
{
	struct kept *k = arg;

	k->n++;
	if (k->keep)
		vec_push(&k->o, item->object);
	else
		(void)object_free(item->object);
	return true;
}

static double time_stream(const struct buf *list, struct kept *k)
{
	struct api_stream *s = api_stream_new(API_LIST, KIND_POD, take, k);
	struct api_list_end end;
	double began = now();

	for (size_t i = 0; i < list->len; i += PIECE)
		if (api_stream_feed(s, list->data + i, MIN(PIECE, list->len - i), NULL) != 0)
			exit(1);
	if (api_stream_end(s, &end, NULL) < 0 || k->n != PODS)
		exit(1);
	k->n = 0;
	(void)api_stream_free(s);
	return now() - began;
}

static size_t resident(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%*s %zu", &pages) != 1)
		exit(1);
	(void)fclose(f);
	return pages * 4096;
}

static double show(const char *name, const double *seconds, size_t bytes)
{
	struct samples s = {0};
	double median;

	for (int i = 0; i < ROUNDS; i++)
		vec_push(&s.v, (double)bytes / 1e6 / seconds[i]);
	median = samples_median(&s);
	figure_samples(name, "MB/s", &s, NULL);
	return median;
}

int main(void)
{
	double checked[ROUNDS], unchecked[ROUNDS], stream[ROUNDS], base;
	struct kept k = {0};
	struct buf list = {0};
	size_t before;

	make_list(&list);
	for (int i = 0; i < ROUNDS; i++) {
		checked[i] = time_yajl(&list, true);
		unchecked[i] = time_yajl(&list, false);
		stream[i] = time_stream(&list, &k);
	}
	(void)show("yajl, empty callbacks", checked, list.len);
	base = show("yajl, empty callbacks, UTF-8 unchecked", unchecked, list.len);
	figure_value("time to typed objects, in that of yajl unchecked", "times",
		     base / show("list to typed objects", stream, list.len),
		     PARAMETERS({"pods", PODS}, {"bytes", (int64_t)list.len}));
	before = resident();
	k.keep = true;
	(void)time_stream(&list, &k);
	figure_value("memory of an object kept", "bytes", (double)(resident() - before) / PODS,
		     NULL);
	vec_foreach (o, &k.o)
		(void)object_free(*o);
	vec_done(&k.o);
	buf_done(&list);
	return 0;
}
