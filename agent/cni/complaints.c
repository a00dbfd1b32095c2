// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * complaints.c - has it been said?  Pure.
 *
 * By verb, pod and reason; the container is another one at each try of a kubelet.
 */
#include "agent/cni/complaints.h"

#include <stdio.h>

#include "agent/cni/cni_internal.h"
#include "lib/hash.h"

/**
 * complaint_is_new() - Is it to be logged?
 * @c:       What was, learns this one
 * @verb:    Of the request
 * @pod:     "namespace/name", or what is known of it
 * @message: Reason
 * @now:     Monotonic time, microseconds
 *
 * Return: true, and false for COMPLAINTS_REST after that, unless COMPLAINTS_MAX others came
 */
bool complaint_is_new(struct complaints *c, const char *verb, const char *pod, const char *message,
		      uint64_t now)
{
	_cleanup_(freep) char *text = xasprintf("%s %s %s", verb, pod, message);
	uint64_t key = hash_stable(text, strlen(text)) | 1; /* 0 is a free place */

	for (size_t i = 0; i < COMPLAINTS_MAX; i++) {
		if (c->key[i] != key)
			continue;
		if (now < c->at[i] + COMPLAINTS_REST)
			return false;
		c->at[i] = now;
		return true;
	}
	c->key[c->next] = key;
	c->at[c->next] = now;
	c->next = (c->next + 1) % COMPLAINTS_MAX;
	return true;
}

/* The value of a key of CNI_ARGS, as a message shows it; "" without it. */
static const char *shown_arg(const char *args, const char *key, char buf[static CNI_SHOWN_MAX])
{
	_cleanup_(freep) char *value = NULL;
	size_t len = strlen(key);

	for (const char *p = args; p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
		if (strncmp(p, key, len) == 0 && p[len] == '=') {
			value = xstrndup(p + len + 1, strcspn(p + len + 1, ";"));
			break;
		}
	return cni_shown(value ? value : "", buf);
}

/**
 * complaint_pod() - Which pod a request is about that could not be read
 * @args: CNI_ARGS, any bytes; or NULL
 * @ret:  "namespace/name", each cut to what a message shows
 *
 * Return: @ret
 */
const char *complaint_pod(const char *args, char ret[static COMPLAINT_POD_SIZE])
{
	char ns[CNI_SHOWN_MAX], name[CNI_SHOWN_MAX];

	(void)snprintf(ret, COMPLAINT_POD_SIZE, "%s/%s", shown_arg(args, "K8S_POD_NAMESPACE", ns),
		       shown_arg(args, "K8S_POD_NAME", name));
	return ret;
}
