// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * manifest.c - the text of one manifest file to the list of its objects.
 *
 * Takes: a file's name and text.  Gives: its objects in order, or a message that names file, line
 * and field.  A file with an error of syntax is not taken at all; a document without identity is
 * left out and reported.  Pure.
 */
#include <errno.h>
#include <inttypes.h>

#include "lib/utf8.h"
#include "watch/document/json.h"
#include "watch/document/yaml.h"
#include "watch/folder/manifests.h"
#include "watch/object/decode.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && streq(s + n - m, end);
}

static bool printable(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return utf8_valid(s, strlen(s));
}

/**
 * manifest_name_ok() - Test whether a file of this name is a manifest
 * @name: Name without directory
 *
 * Hidden files, backups and swap files of editors are none, and neither are names that could not
 * be shown: control characters, not UTF-8.
 *
 * Return: true for *.yaml, *.yml and *.json
 */
bool manifest_name_ok(const char *name)
{
	return name[0] != '.' && printable(name) &&
	       (ends_with(name, ".yaml") || ends_with(name, ".yml") || ends_with(name, ".json"));
}

/* "line 12: text" becomes "web.yaml:12: text", as compilers write it. */
static int name_place(struct err *e, const char *name)
{
	unsigned long line;
	char rest[sizeof(e->msg)], *end;

	if (!e || !str_starts(e->msg, "line "))
		return err_prefix(e, "%s: ", name);
	line = strtoul(e->msg + strlen("line "), &end, 10);
	memcpy(rest, end, strlen(end) + 1);
	return err_set(e, e->code, "%s:%lu%s", name, line, rest);
}

/* struct run - one file being parsed */
struct run {
	const char *name;
	struct manifest *m;
};

static void take_object(void *arg, enum decode_outcome outcome, struct object *o, uint32_t line)
{
	struct run *run = arg;

	if (outcome == DECODE_UNKNOWN_KIND)
		run->m->unknown++;
	else
		vec_push(&run->m->entries, (struct manifest_entry){o, line});
}

static int take_document(void *arg, const struct value_doc *d)
{
	struct run *run = arg;
	const struct value *root = value_root(d);
	struct err err = {0};

	if (decode_document(root, take_object, run, &err) < 0)
		vec_push(&run->m->problems,
			 xasprintf("%s:%" PRIu32 ": %s", run->name, root->line, err.msg));
	return 0;
}

/**
 * manifest_parse() - Read the objects of one file
 * @name:   Name of the file: ".json" makes it JSON, anything else YAML; begins the message
 * @text:   Its content
 * @len:    Bytes of @text
 * @ret:    What it holds; free with manifest_done()
 * @reterr: Message "web.yaml:12: ...", or NULL
 *
 * Return: 0; -EINVAL for an error of syntax: then the file holds nothing that could be trusted
 */
int manifest_parse(const char *name, const char *text, size_t len, struct manifest *ret,
		   struct err *reterr)
{
	_cleanup_(manifest_done) struct manifest m = {0};
	struct run run = {.name = name, .m = &m};
	int r;

	if (ends_with(name, ".json"))
		r = json_parse_stream(text, len, take_document, &run, reterr);
	else
		r = yaml_parse(text, len, take_document, &run, reterr);
	if (r < 0) {
		(void)name_place(reterr, name);
		return r;
	}
	*ret = TAKE(m, (struct manifest){0});
	return 0;
}
