// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube_access.c - the current context of a kubeconfig, or the cluster that we run in.  Pure.
 */
#include "watch/kube/kube_access.h"

#include <errno.h>

#include "lib/base64.h"
#include "watch/document/yaml.h"

/* struct named - how the kubeconfig spells what may stand in a file, and in which part */
static const struct {
	const char *data, *path;
	bool of_cluster, base64;
} spelling[] = {
	[KUBE_CA] = {"certificate-authority-data", "certificate-authority", true, true},
	[KUBE_CERT] = {"client-certificate-data", "client-certificate", false, true},
	[KUBE_KEY] = {"client-key-data", "client-key", false, true},
	[KUBE_TOKEN] = {"token", "tokenFile", false, false},
};
_Static_assert(ARRAY_SIZE(spelling) == _KUBE_FILE_MAX, "a spelling for every file");

static void free_secret(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(TAKE(*s, NULL));
}

/**
 * kube_access_done() - Free the texts
 * @a: Access
 */
void kube_access_done(struct kube_access *a)
{
	free(a->url);
	free(a->server_name);
	free(a->proxy);
	free(a->user);
	free_secret(&a->password);
	for (int f = 0; f < _KUBE_FILE_MAX; f++) {
		free_secret(&a->data[f]);
		free(a->path[f]);
	}
	*a = (struct kube_access){0};
}

static int take_str(const struct value *map, const char *path, const char *key, char **ret,
		    struct err *reterr)
{
	const char *text = NULL;
	int r = value_get_str(map, path, key, &text, reterr);

	if (r > 0 && *text)
		*ret = xstrdup(text);
	return MIN(r, 0);
}

static int take_data(const struct value *map, const char *path, enum kube_file f,
		     struct kube_access *a, struct err *reterr)
{
	_cleanup_(freep) char *text = NULL;
	struct buf decoded = {0};
	int r = take_str(map, path, spelling[f].data, &text, reterr);

	if (r < 0 || !text)
		return r;
	if (!spelling[f].base64) {
		a->data[f] = TAKE(text, NULL);
		return 0;
	}
	r = base64_decode(text, strlen(text), &decoded);
	if (r == 0 && decoded.len && memchr(decoded.data, '\0', decoded.len))
		r = err_set(reterr, -EINVAL, "%s.%s: holds a zero byte", path, spelling[f].data);
	else if (r < 0)
		r = err_set(reterr, r, "%s.%s: not base64", path, spelling[f].data);
	a->data[f] = buf_take(&decoded);
	return r;
}

/* Relative to the kubeconfig's folder; data wins over a file. */
static int take_file(const struct value *map, const char *path, enum kube_file f,
		     const char *folder, struct kube_access *a, struct err *reterr)
{
	_cleanup_(freep) char *file = NULL;
	int r = take_str(map, path, spelling[f].path, &file, reterr);

	if (r < 0 || !file || a->data[f])
		return r;
	a->path[f] = *file == '/' ? TAKE(file, NULL) : xasprintf("%s/%s", folder, file);
	return 0;
}

static int take_files(const struct value *map, const char *path, bool of_cluster,
		      const char *folder, struct kube_access *a, struct err *reterr)
{
	int r = 0;

	for (int f = 0; f < _KUBE_FILE_MAX && r == 0; f++) {
		if (spelling[f].of_cluster != of_cluster)
			continue;
		r = take_data(map, path, (enum kube_file)f, a, reterr);
		if (r == 0)
			r = take_file(map, path, (enum kube_file)f, folder, a, reterr);
	}
	return r;
}

static int take_cluster(const struct value *c, const char *folder, struct kube_access *a,
			struct err *reterr)
{
	int r = take_str(c, "cluster", "server", &a->url, reterr);

	if (r == 0 && !a->url)
		return err_set(reterr, -EINVAL, "cluster.server: required");
	if (r == 0 && !str_starts(a->url, "https://") && !str_starts(a->url, "http://"))
		return err_set(reterr, -EINVAL, "cluster.server: '%.100s' is no http or https URL",
			       a->url);
	while (r == 0 && strlen(a->url) > 8 && a->url[strlen(a->url) - 1] == '/')
		a->url[strlen(a->url) - 1] = '\0';
	if (r == 0)
		r = take_str(c, "cluster", "tls-server-name", &a->server_name, reterr);
	if (r == 0)
		r = take_str(c, "cluster", "proxy-url", &a->proxy, reterr);
	if (r == 0)
		r = MIN(value_get_bool(c, "cluster", "insecure-skip-tls-verify", &a->insecure,
				       reterr),
			0);
	return r == 0 ? take_files(c, "cluster", true, folder, a, reterr) : r;
}

/* What would need a program to be started, or a way that clients have given up. */
static int refuse_others(const struct value *u, struct err *reterr)
{
	if (value_get(u, "exec"))
		return err_set(reterr, -ENOTSUP,
			       "user.exec: credentials from a program are not supported; use a "
			       "client certificate, a token or a tokenFile");
	if (value_get(u, "auth-provider"))
		return err_set(reterr, -ENOTSUP,
			       "user.auth-provider: not supported; use a client certificate, a "
			       "token or a tokenFile");
	if (value_get(u, "as"))
		return err_set(reterr, -ENOTSUP, "user.as: impersonation is not supported");
	return 0;
}

static int take_user(const struct value *u, const char *folder, struct kube_access *a,
		     struct err *reterr)
{
	int r = refuse_others(u, reterr);

	if (r == 0)
		r = take_files(u, "user", false, folder, a, reterr);
	if (r == 0)
		r = take_str(u, "user", "username", &a->user, reterr);
	if (r == 0)
		r = take_str(u, "user", "password", &a->password, reterr);
	if (r == 0 && !(a->data[KUBE_CERT] || a->path[KUBE_CERT]) !=
			      !(a->data[KUBE_KEY] || a->path[KUBE_KEY]))
		return err_set(reterr, -EINVAL,
			       "user: client-certificate and client-key belong together");
	return r;
}

/* The map @part of the entry @name of the list @list. */
static int find_named(const struct value *root, const char *list, const char *name,
		      const char *part, const struct value **ret, struct err *reterr)
{
	const struct value *all = NULL;
	int r = value_get_seq(root, "", list, &all, reterr);

	for (uint32_t i = 0; r > 0 && i < all->n; i++) {
		const char *is = NULL;

		if (value_get_str(all->items[i], "", "name", &is, NULL) > 0 && streq(is, name))
			return value_get_map(all->items[i], list, part, ret, reterr) < 0 ? -EINVAL
											 : 0;
	}
	return r < 0 ? r : err_set(reterr, -EINVAL, "%s: there is no '%.100s'", list, name);
}

static int find_context(const struct value *root, const struct value **ret, struct err *reterr)
{
	const char *name = "";
	int r = value_get_str(root, "", "current-context", &name, reterr);

	if (r < 0)
		return r;
	if (!*name)
		return err_set(reterr, -EINVAL, "current-context: required");
	r = find_named(root, "contexts", name, "context", ret, reterr);
	if (r == 0 && !*ret)
		return err_set(reterr, -EINVAL, "contexts: '%.100s' has no context", name);
	return r;
}

static int take_context(const struct value *root, const char *folder, struct kube_access *a,
			struct err *reterr)
{
	const struct value *context = NULL, *cluster = NULL, *user = NULL;
	_cleanup_(freep) char *cluster_name = NULL, *user_name = NULL;
	int r = find_context(root, &context, reterr);

	if (r == 0)
		r = take_str(context, "context", "cluster", &cluster_name, reterr);
	if (r == 0)
		r = take_str(context, "context", "user", &user_name, reterr);
	if (r == 0)
		r = find_named(root, "clusters", cluster_name ?: "", "cluster", &cluster, reterr);
	if (r == 0)
		r = take_cluster(cluster, folder, a, reterr);
	if (r == 0 && user_name)
		r = find_named(root, "users", user_name, "user", &user, reterr);
	return r == 0 && user ? take_user(user, folder, a, reterr) : r;
}

/**
 * kube_access_parse() - Read the current context of a kubeconfig
 * @text:   Its text, YAML or JSON
 * @len:    Bytes
 * @folder: Of the kubeconfig: what it names is relative to that
 * @ret:    Access, to be freed; untouched on failure
 * @reterr: What is wrong
 *
 * Return: 0; -EINVAL; -ENOTSUP for credentials that we do not offer
 */
int kube_access_parse(const char *text, size_t len, const char *folder, struct kube_access *ret,
		      struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	struct kube_access a = {0};
	int r = len > KUBECONFIG_MAX
			? err_set(reterr, -EFBIG, "larger than %u bytes", KUBECONFIG_MAX)
			: yaml_parse_one(text, len, &doc, reterr);

	if (r == 0 && value_root(doc)->type != VALUE_MAP)
		r = err_set(reterr, -EINVAL, "expected keys and values, found %s",
			    value_type_str(value_root(doc)->type));
	if (r == 0)
		r = take_context(value_root(doc), folder, &a, reterr);
	if (r < 0) {
		kube_access_done(&a);
		return r;
	}
	*ret = a;
	return 0;
}

/**
 * kube_access_in_cluster() - The cluster that we are a pod of
 * @host:   KUBERNETES_SERVICE_HOST, or NULL
 * @port:   KUBERNETES_SERVICE_PORT, or NULL
 * @folder: Of the service account's token and certificate authority
 * @ret:    Access, to be freed; untouched on failure
 * @reterr: What is wrong
 *
 * Source: Kubernetes, "Accessing the Kubernetes API from a Pod".
 *
 * Return: 0; -EINVAL if we are in none
 */
int kube_access_in_cluster(const char *host, const char *port, const char *folder,
			   struct kube_access *ret, struct err *reterr)
{
	bool six = host && strchr(host, ':');

	if (!host || !port || !*host || !*port)
		return err_set(reterr, -EINVAL,
			       "in-cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT "
			       "are not set: this is no pod");
	*ret = (struct kube_access){
		.url = xasprintf(six ? "https://[%s]:%s" : "https://%s:%s", host, port)};
	ret->path[KUBE_CA] = xasprintf("%s/ca.crt", folder);
	ret->path[KUBE_TOKEN] = xasprintf("%s/token", folder);
	return 0;
}
