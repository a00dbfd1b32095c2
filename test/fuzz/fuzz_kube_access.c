// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_kube_access.c - any bytes as a kubeconfig; what comes out keeps the promises of
 * watch/kube/kube_access.h.
 */
#include "test/fuzz/must.h"
#include "watch/kube/kube_access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_access(const struct kube_access *a)
{
	must(str_starts(a->url, "https://") || str_starts(a->url, "http://"));
	for (int f = 0; f < _KUBE_FILE_MAX; f++) {
		must(!a->data[f] || !a->path[f]);
		must(!a->path[f] || *a->path[f] == '/');
	}
	must(!(a->data[KUBE_CERT] || a->path[KUBE_CERT]) ==
	     !(a->data[KUBE_KEY] || a->path[KUBE_KEY]));
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
	struct kube_access a = {0};
	struct err e = {0};
	int r = kube_access_parse((const char *)data, size, "/folder", &a, &e);

	must(r <= 0 && (r == 0) == (a.url != NULL) && (r == 0 || *e.msg));
	if (r == 0)
		check_access(&a);
	kube_access_done(&a);
	return 0;
}
