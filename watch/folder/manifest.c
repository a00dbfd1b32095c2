// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * manifest.c - the text of one manifest file to the list of its objects.
 *
 * Takes: a file's name and text.  Gives: its objects in order, or a message that names file, line
 * and field.  A file with an error of syntax is not taken at all; a document without identity is
 * left out and reported, and where it may be a policy a stand-in isolates whom it may be for. Pure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/intern.h"
#include "lib/utf8.h"
#include "watch/document/json.h"
#include "watch/document/place.h"
#include "watch/document/yaml.h"
#include "watch/folder/manifests.h"
#include "watch/object/decode.h"
#include "watch/object/kind.h"
#include "watch/object/netpol.h"

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
	       (str_ends(name, ".yaml") || str_ends(name, ".yml") || str_ends(name, ".json"));
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

/* --- names of stand-ins ------------------------------------------------------------------------
 */

#define NAME_SHOWN_MAX 150 /* bytes of a file's name that the name of a stand-in bears */

/**
 * manifest_stand_in_name() - Name a stand-in
 * @file: Name of the file
 * @what: What of it, a word
 *
 * Whatever else is in the file's name, the result is one word, and that file's own.
 *
 * Return: "web.yaml:12", interned
 */
const char *manifest_stand_in_name(const char *file, const char *what)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	_cleanup_(freep) char *name = xstrndup(file, NAME_SHOWN_MAX), *whole = NULL;
	bool as_is = strlen(name) == strlen(file);

	for (char *p = name + strspn(name, plain); *p; p += strspn(p, plain)) {
		as_is = false;
		*p = '_';
	}
	if (as_is)
		whole = xasprintf("%s:%s", name, what);
	else
		whole = xasprintf("%s-%08" PRIx32 ":%s", name,
				  (uint32_t)hash_stable(file, strlen(file)), what);
	return intern(whole);
}

static void put_isolated(struct buf *b, const struct object *o)
{
	if (streq(o->ns, NS_EVERY))
		buf_puts(b, "every namespace");
	else
		buf_printf(b, "namespace %s", o->ns);
	if (as_netpol(o)->selects.n)
		buf_puts(b, " that it selects");
}

/**
 * manifest_isolated() - Say whom stand-ins isolate
 * @m: Manifest with stand-ins alone
 *
 * Return: "; pods of namespace shop are isolated until this is mended", to be freed; NULL if nobody
 */
char *manifest_isolated(const struct manifest *m)
{
	struct buf b = {0};

	vec_foreach (e, &m->entries) {
		buf_puts(&b, e == m->entries.v ? "; pods of " : ", ");
		put_isolated(&b, e->o);
	}
	if (m->entries.n)
		buf_puts(&b, " are isolated until this is mended");
	return m->entries.n ? buf_take(&b) : NULL;
}

/* --- documents ---------------------------------------------------------------------------------
 */

/* struct run - one file being parsed; @stand_in is the document's last */
struct run {
	const char *name;
	struct manifest *m;
	struct object *stand_in;
};

static void warn(void *arg, const char *text, uint32_t line)
{
	struct run *run = arg;

	vec_push(&run->m->warnings, xasprintf("%s:%" PRIu32 ": %s", run->name, line, text));
}

static void take_object(void *arg, enum decode_outcome outcome, struct object *o,
			const struct value *at)
{
	struct run *run = arg;
	char line[16];

	switch (outcome) {
	case DECODE_UNKNOWN_KIND:
		run->m->unknown++;
		return;
	case DECODE_STAND_IN:
		(void)snprintf(line, sizeof(line), "%" PRIu32, at->line);
		o->name = manifest_stand_in_name(run->name, line);
		run->stand_in = o;
		break;
	case DECODE_OK:
		if (!kinds[o->kind]->fails_closed) /* there such are errors */
			fields_each_near(at, kinds[o->kind]->fields, warn, run);
		break;
	}
	vec_push(&run->m->entries, (struct manifest_entry){o, at->line});
}

/* "items: []" is no file that was cut off: there "items:" would have no value. */
static bool is_empty_list(const struct value *root)
{
	const struct value *items = root->type == VALUE_MAP ? value_get(root, "items") : NULL;

	return items && items->type == VALUE_SEQ && items->n == 0;
}

static int take_document(void *arg, const struct value_doc *d)
{
	struct run *run = arg;
	const struct value *root = value_root(d);
	_cleanup_(freep) char *who = NULL;
	struct manifest stand_in = {0};
	struct err err = {0};
	uint32_t line;

	run->stand_in = NULL;
	run->m->lists |= is_empty_list(root);
	if (decode_document(root, take_object, run, &err) == 0)
		return 0;
	line = place_take_line(err.msg);
	if (run->stand_in)
		vec_push(&stand_in.entries, (struct manifest_entry){run->stand_in, 0});
	who = manifest_isolated(&stand_in);
	vec_done(&stand_in.entries);
	vec_push(&run->m->problems, xasprintf("%s:%" PRIu32 ": %s%s", run->name,
					      line ? line : root->line, err.msg, who ?: ""));
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

	if (str_ends(name, ".json"))
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

/**
 * manifest_empty() - Does a file hold nothing at all?
 * @m: Its content
 *
 * Return: true for nothing but white space and comments, or lists without a value for their items;
 * false for a list that says in words that it has none
 */
bool manifest_empty(const struct manifest *m)
{
	return m->entries.n == 0 && m->problems.n == 0 && m->unknown == 0 && !m->lists;
}
