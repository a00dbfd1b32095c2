// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * api_status.c - read a Status, whole or as far as it is one.  Pure.
 *
 * Source: k8s.io/apimachinery meta/v1 Status and its StatusReason and CauseType constants.
 */
#include "watch/kube/api_status.h"

#include <stdio.h>

#include "lib/utf8.h"
#include "watch/document/json.h"

static void take_text(const struct value *map, const char *key, char *ret, size_t size)
{
	const char *text = "";

	(void)value_get_str(map, "", key, &text, NULL);
	(void)snprintf(ret, size, "%.*s", (int)utf8_cut(text, strlen(text), size - 1), text);
	for (char *p = ret; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
}

static bool has_cause(const struct value *details, const char *wanted)
{
	const struct value *causes = NULL;

	(void)value_get_seq(details, "", "causes", &causes, NULL);
	for (uint32_t i = 0; causes && i < causes->n; i++) {
		const char *reason = NULL;

		(void)value_get_str(causes->items[i], "", "reason", &reason, NULL);
		if (streq(reason, wanted))
			return true;
	}
	return false;
}

/**
 * api_status_read() - Read a Status
 * @root: Document; what it lacks stays empty
 * @ret:  Status
 */
void api_status_read(const struct value *root, struct api_status *ret)
{
	const struct value *details = NULL;
	int64_t code = 0, seconds = 0;

	*ret = (struct api_status){0};
	if (!root || root->type != VALUE_MAP)
		return;
	(void)value_get_int(root, "", "code", 0, 999, &code, NULL);
	(void)value_get_map(root, "", "details", &details, NULL);
	(void)value_get_int(details, "", "retryAfterSeconds", 0, 3600, &seconds, NULL);
	take_text(root, "reason", ret->reason, sizeof(ret->reason));
	take_text(root, "message", ret->message, sizeof(ret->message));
	ret->code = (int)code;
	ret->retry_after = (uint32_t)seconds;
	ret->too_large = has_cause(details, "ResourceVersionTooLarge");
}

/**
 * api_status_gather() - Keep what came of the body of an answer that says no
 * @body:  What came before; never more than API_STATUS_TEXT_MAX bytes
 * @bytes: What came now
 * @n:     Its number of bytes; what is too much is left out
 */
void api_status_gather(struct buf *body, const char *bytes, size_t n)
{
	buf_put(body, bytes, MIN(n, API_STATUS_TEXT_MAX - body->len));
}

/**
 * api_status_parse() - Read the body of an answer that says no
 * @text: Body, of any kind: proxies send HTML
 * @n:    Its bytes
 * @ret:  Status; empty when it is none
 */
void api_status_parse(const char *text, size_t n, struct api_status *ret)
{
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;

	if (json_parse(text, n, &doc, NULL) < 0)
		*ret = (struct api_status){0};
	else
		api_status_read(value_root(doc), ret);
}
