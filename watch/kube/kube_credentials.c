// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kube_credentials.c - from access and files to what the HTTP client needs.
 *
 * A version of a file that cannot be read leaves the one before in force: files are replaced while
 * we look.  Of a file that changed, all are read: a certificate and its key belong together.
 */
#include "watch/kube/kube_credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "lib/file.h"
#include "watch/kube/kube_access.h"

#define CREDENTIAL_MAX (1u << 20) /* bytes of one file */

/*
 * struct kube_credentials
 * @kubeconfig: NULL: the service account of the pod that we are
 * @marks:      Versions last read: of @kubeconfig, then of the files
 */
struct kube_credentials {
	char *kubeconfig;
	struct kube_access access;
	struct http_server server;
	struct file_mark marks[1 + _KUBE_FILE_MAX];
};

static struct file_mark mark_of(const char *path)
{
	struct file_mark none = {0};
	struct stat st;

	return path && stat(path, &st) == 0 ? file_mark(&st) : none;
}

static int parse_kubeconfig(const char *path, struct kube_access *ret, struct err *reterr)
{
	_cleanup_(freep) char *folder = xasprintf(*path == '/' ? "%s" : "./%s", path);
	struct buf text = {0};
	int r = file_read(AT_FDCWD, path, KUBECONFIG_MAX, &text, reterr);

	*strrchr(folder, '/') = '\0'; /* beside the name given, not what a link points to */
	if (r == 0) {
		r = kube_access_parse(text.data, text.len, folder, ret, reterr);
		if (r < 0)
			(void)err_prefix(reterr, "%s: ", path);
	}
	explicit_bzero(text.data ?: "", text.len);
	buf_done(&text);
	return r;
}

static int find_access(const struct kube_credentials *c, struct kube_access *ret,
		       struct err *reterr)
{
	if (c->kubeconfig)
		return parse_kubeconfig(c->kubeconfig, ret, reterr);
	return kube_access_in_cluster(getenv("KUBERNETES_SERVICE_HOST"),
				      getenv("KUBERNETES_SERVICE_PORT"), KUBE_SERVICE_ACCOUNT, ret,
				      reterr);
}

static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
}

/* What stood in the kubeconfig, or stands in the file that it names. */
static int load(const struct kube_access *a, enum kube_file f, char **ret, struct err *reterr)
{
	struct buf text = {0};
	int r;

	if (a->data[f]) {
		*ret = xstrdup(a->data[f]);
		return 0;
	}
	if (!a->path[f])
		return 0;
	r = file_read(AT_FDCWD, a->path[f], CREDENTIAL_MAX, &text, reterr);
	if (r < 0) {
		buf_done(&text);
		return r;
	}
	*ret = text.data ? buf_take(&text) : xstrdup("");
	if (f == KUBE_TOKEN)
		trim(*ret);
	return **ret ? 0 : err_set(reterr, -EINVAL, "%s: empty", a->path[f]);
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static int make_server(const struct kube_access *a, struct http_server *ret, struct err *reterr)
{
	struct http_server s = {
		.url = copy(a->url),
		.server_name = copy(a->server_name),
		.proxy = copy(a->proxy),
		.insecure = a->insecure,
		.user = copy(a->user),
		.password = copy(a->password),
	};
	int r = load(a, KUBE_CA, &s.ca, reterr);

	if (r == 0)
		r = load(a, KUBE_CERT, &s.cert, reterr);
	if (r == 0)
		r = load(a, KUBE_KEY, &s.key, reterr);
	if (r == 0)
		r = load(a, KUBE_TOKEN, &s.token, reterr);
	if (r < 0)
		http_server_done(&s);
	else
		*ret = s;
	return r;
}

static void look(const struct kube_credentials *c, const struct kube_access *a,
		 struct file_mark *ret)
{
	ret[0] = mark_of(c->kubeconfig);
	for (int f = 0; f < _KUBE_FILE_MAX; f++)
		ret[1 + f] = mark_of(a->path[f]);
}

/* The marks are taken first: a file that changes while it is read is read once more. */
static int read_all(struct kube_credentials *c, struct err *reterr)
{
	struct file_mark marks[ARRAY_SIZE(c->marks)];
	struct kube_access a = {0};
	struct http_server s;
	int r = find_access(c, &a, reterr);

	if (r < 0)
		return r;
	look(c, &a, marks);
	r = make_server(&a, &s, reterr);
	if (r < 0) {
		kube_access_done(&a);
		return r;
	}
	kube_access_done(&c->access);
	http_server_done(&c->server);
	c->access = a;
	c->server = s;
	memcpy(c->marks, marks, sizeof(marks));
	return 0;
}

/**
 * kube_credentials_open() - Read the credentials
 * @kubeconfig: File; NULL: we are a pod, with a service account
 * @ret:        Credentials, to be closed; untouched on failure
 * @reterr:     What is wrong
 *
 * Return: 0; -errno
 */
int kube_credentials_open(const char *kubeconfig, struct kube_credentials **ret, struct err *reterr)
{
	struct kube_credentials *c = xcalloc(1, sizeof(*c));
	int r;

	c->kubeconfig = copy(kubeconfig);
	r = read_all(c, reterr);
	if (r < 0)
		(void)kube_credentials_close(c);
	else
		*ret = c;
	return r;
}

/**
 * kube_credentials_close() - Free the credentials
 * @c: Credentials or NULL
 *
 * Return: NULL
 */
struct kube_credentials *kube_credentials_close(struct kube_credentials *c)
{
	if (!c)
		return NULL;
	kube_access_done(&c->access);
	http_server_done(&c->server);
	free(c->kubeconfig);
	free(c);
	return NULL;
}

/**
 * kube_credentials_refresh() - Read them again if a file has changed
 * @c:      Credentials
 * @reterr: What is wrong with the new version
 *
 * Costs one stat() a file.  Not seen is what is written in place, with the same size, in the very
 * tick of the kernel's clock (10 ms at most; none since 6.13) in which the file was read.
 *
 * Return: 1: they are others now; 0: nothing changed; -errno: those of before stay
 */
int kube_credentials_refresh(struct kube_credentials *c, struct err *reterr)
{
	struct file_mark now[ARRAY_SIZE(c->marks)];
	bool changed = false;
	int r;

	look(c, &c->access, now);
	for (size_t i = 0; i < ARRAY_SIZE(now); i++)
		changed |= !file_mark_equal(&now[i], &c->marks[i]);
	if (!changed)
		return 0;
	r = read_all(c, reterr);
	return r < 0 ? r : 1;
}

/**
 * kube_credentials_server() - What the HTTP client needs
 * @c: Credentials
 *
 * Return: server, borrowed until the next refresh
 */
const struct http_server *kube_credentials_server(const struct kube_credentials *c)
{
	return &c->server;
}
