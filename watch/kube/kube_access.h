/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kube_access.h - how to reach an API server and who we are there: what a kubeconfig says.  Pure.
 *
 * Data may stand in the kubeconfig itself or in files that it names; reading those files, again
 * when they change, is for kube_credentials.h.
 *
 * Source: k8s.io/client-go tools/clientcmd/api/v1 Config.
 */
#pragma once

#include "lib/err.h"

#define KUBECONFIG_MAX (4u << 20) /* bytes of the file */

/* What stands in files. */
enum kube_file { KUBE_CA, KUBE_CERT, KUBE_KEY, KUBE_TOKEN, _KUBE_FILE_MAX };

/*
 * struct kube_access - texts are its own; NULL where nothing is said
 * @url, @server_name, @proxy, @insecure, @user, @password: as in struct http_server
 * @data: PEM, or the token, that stood in the kubeconfig
 * @path: Files with it.  For each @data or @path or none
 */
struct kube_access {
	char *url, *server_name, *proxy;
	bool insecure;
	char *user, *password;
	char *data[_KUBE_FILE_MAX];
	char *path[_KUBE_FILE_MAX];
};

int kube_access_parse(const char *text, size_t len, const char *folder, struct kube_access *ret,
		      struct err *reterr);
int kube_access_in_cluster(const char *host, const char *port, const char *folder,
			   struct kube_access *ret, struct err *reterr);
void kube_access_done(struct kube_access *a);
