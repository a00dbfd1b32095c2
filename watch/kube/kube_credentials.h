/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kube_credentials.h - the kubeconfig and the files that it names, read again when they change.
 *
 * Tokens of service accounts are replaced every hour or so, certificates by whoever issues them.
 * Blocking, for small local files.
 */
#pragma once

#include "lib/err.h"
#include "watch/kube/http.h"

#define KUBE_SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

struct kube_credentials;

int kube_credentials_open(const char *kubeconfig, struct kube_credentials **ret,
			  struct err *reterr);
struct kube_credentials *kube_credentials_close(struct kube_credentials *c);
int kube_credentials_refresh(struct kube_credentials *c, struct err *reterr);
const struct http_server *kube_credentials_server(const struct kube_credentials *c);
