// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * json.c - JSON text to documents: yajl's event parser drives the builder of value.h.
 *
 * Takes: text of any size, hostile.  Gives: complete documents, or a message with the line.
 * Limits: those of value.h; RFC 8259 with UTF-8 checked, duplicate keys refused, no byte order
 * mark, no comments.  Documents of a stream are separated by white space.  yajl's tree interface
 * is never used (CVE-2023-33460 is there).  Pure.
 */
#include "watch/document/json.h"

#include <errno.h>
#include <inttypes.h>

#include "watch/document/json_events.h"

/*
 * struct run - one text being parsed
 * @line:     At offset @newline, the first line end not counted yet, or that of the text
 * @gap_from: Offset at which the last document ended, SIZE_MAX before the first
 * @fn:       NULL: the one document stays in @doc
 * @as_go:    Build documents that are read as Go reads them
 * @result:   Below 0: a callback stopped the parser, @reterr is set
 */
struct run {
	struct json_events events;
	yajl_handle parser;
	const char *text;
	size_t len;
	size_t newline;
	uint32_t line;
	size_t gap_from;
	bool as_go;
	struct value_doc *doc;
	document_fn *fn;
	void *arg;
	int result;
	struct err *reterr;
};

static void run_done(struct run *run)
{
	if (run->parser)
		yajl_free(run->parser);
	(void)value_doc_free(run->doc);
}

static size_t find_newline(const struct run *run, size_t from)
{
	const char *p = from < run->len ? memchr(run->text + from, '\n', run->len - from) : NULL;

	return p ? (size_t)(p - run->text) : run->len;
}

/* The line of the byte before @offset; offsets only grow. */
static uint32_t count_to(struct run *run, size_t offset)
{
	while (run->newline < MIN(offset, run->len)) {
		run->line++;
		run->newline = find_newline(run, run->newline + 1);
	}
	return run->line;
}

/* Line of the token that a callback is called for: yajl has consumed just up to its end, and no
 * token spans lines. */
static uint32_t token_line(struct run *run)
{
	return count_to(run, yajl_get_bytes_consumed(run->parser));
}

/* The first token of a further document must stand apart from the document before. */
static bool starts_apart(struct run *run)
{
	if (run->gap_from == SIZE_MAX || run->doc)
		return true;
	if (strchr(" \t\r\n", run->text[run->gap_from]) && run->text[run->gap_from])
		return true;
	run->result = err_set(run->reterr, -EINVAL,
			      "line %" PRIu32 ": text directly after the end of a document",
			      token_line(run));
	return false;
}

/* Before a value: is there a document, may it begin?  yajl wants 0 to stop. */
static bool ready(struct run *run)
{
	if (!starts_apart(run))
		return false;
	if (run->doc)
		return true;
	run->doc = value_doc_new();
	if (run->as_go)
		value_build_as_go(run->doc);
	return true;
}

/* After an event within a document: stop on a failure. */
static int go_on(struct run *run, int r)
{
	run->result = r;
	return r >= 0;
}

/* After an event that may end a document: hand a complete one over. */
static int settle(struct run *run, int r)
{
	if (!go_on(run, r))
		return 0;
	if (!value_build_complete(run->doc) || !run->fn)
		return 1;
	run->gap_from = yajl_get_bytes_consumed(run->parser);
	run->result = run->fn(run->arg, run->doc);
	run->doc = value_doc_free(run->doc);
	return run->result >= 0;
}

static int on_scalar(void *ctx, enum value_type type, const void *text, size_t n)
{
	struct run *run = ctx;

	if (!ready(run))
		return 0;
	return settle(run,
		      value_build_scalar(run->doc, token_line(run), type, text, n, run->reterr));
}

static int on_begin(void *ctx, enum value_type type)
{
	struct run *run = ctx;

	if (!ready(run))
		return 0;
	return go_on(run, value_build_begin(run->doc, token_line(run), type, run->reterr));
}

static int on_key(void *ctx, const char *text, size_t n)
{
	struct run *run = ctx;

	return go_on(run, value_build_key(run->doc, token_line(run), text, n, run->reterr));
}

static int on_end(void *ctx)
{
	struct run *run = ctx;

	return settle(run, value_build_end(run->doc, run->reterr));
}

/* yajl's own finding, "parse error: premature EOF\n", with the line. */
static int parser_error(struct run *run, size_t offset)
{
	unsigned char *s = yajl_get_error(run->parser, 0, NULL, 0);
	int r = err_set(run->reterr, -EINVAL, "line %" PRIu32 ": %.*s", count_to(run, offset),
			(int)strcspn((char *)s, "\n"), (char *)s);

	yajl_free_error(run->parser, s);
	return r;
}

static int run_text(struct run *run)
{
	yajl_status status;

	status = yajl_parse(run->parser, (const unsigned char *)run->text, run->len);
	if (status == yajl_status_error)
		return parser_error(run, yajl_get_bytes_consumed(run->parser));
	if (status == yajl_status_ok) {
		/* A number at the very end is only now complete, and yajl forgets its offset. */
		(void)count_to(run, run->len);
		status = yajl_complete_parse(run->parser);
	}
	if (status == yajl_status_client_canceled)
		return run->result;
	if (status == yajl_status_error)
		return parser_error(run, run->len);
	return 0;
}

static bool blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!text[i] || !strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

static int parse(struct run *run, bool stream)
{
	run->events = (struct json_events){on_scalar, on_begin, on_key, on_end};
	run->parser = json_events_parser(&run->events);
	(void)yajl_config(run->parser, yajl_allow_multiple_values, (int)stream);
	run->line = 1;
	run->newline = find_newline(run, 0);
	run->gap_from = SIZE_MAX;
	return run_text(run);
}

static int parse_one(struct run *run, struct value_doc **ret)
{
	int r = parse(run, false);

	if (r == 0)
		*ret = TAKE(run->doc, NULL);
	return r;
}

/**
 * json_parse() - Parse a text that is one document
 * @text:   Text, need not end in NUL
 * @len:    Bytes of @text
 * @ret:    The document; free with value_doc_free()
 * @reterr: Message that begins with the line, or NULL
 *
 * Time: O(len).  Source of the grammar: RFC 8259.
 *
 * Return: 0; -EINVAL for bad input, for none, and for anything behind the document
 */
int json_parse(const char *text, size_t len, struct value_doc **ret, struct err *reterr)
{
	_cleanup_(run_done) struct run run = {.text = text ?: "", .len = len, .reterr = reterr};

	return parse_one(&run, ret);
}

/**
 * json_parse_as_go() - Parse a document that was written for a program in Go, to read it as that
 * @text:   Text, need not end in NUL
 * @len:    Bytes of @text
 * @ret:    The document; free with value_doc_free()
 * @reterr: Message that begins with the line, or NULL
 *
 * The accessors of value.h find keys of its maps whatever their case (of letters beyond ASCII those
 * two count that Go folds to k and s), and the last of several; a null after a scalar leaves it.
 * Of a map that is there twice Go merges the fields; here the last one counts.
 * Source: https://pkg.go.dev/encoding/json#Unmarshal and encoding/json/fold.go.
 *
 * Return: 0; -EINVAL for what is no JSON, for none, and for anything behind the document
 */
int json_parse_as_go(const char *text, size_t len, struct value_doc **ret, struct err *reterr)
{
	_cleanup_(run_done) struct run run = {
		.text = text ?: "", .len = len, .as_go = true, .reterr = reterr};

	return parse_one(&run, ret);
}

/**
 * json_parse_stream() - Parse any number of documents separated by white space
 * @text:   Text, need not end in NUL
 * @len:    Bytes of @text
 * @fn:     Called for each complete document in order, also when a later one is broken
 * @arg:    For @fn
 * @reterr: Message that begins with the line, or NULL
 *
 * Time: O(len).  Source of the grammar: RFC 8259.
 *
 * Return: 0, also for no document at all; -EINVAL for bad input; what @fn returned below 0
 */
int json_parse_stream(const char *text, size_t len, document_fn *fn, void *arg, struct err *reterr)
{
	_cleanup_(value_doc_freep) struct value_doc *cut = NULL;

	return json_salvage(text, len, fn, arg, &cut, reterr);
}

/**
 * json_salvage() - Parse what can be parsed of a text that is broken
 * @text:    Text
 * @len:     Bytes of @text
 * @fn:      Called for each complete document in order
 * @arg:     For @fn
 * @ret_cut: On failure: the document that broke, as far as it came; NULL when it had not begun.
 *           Free with value_doc_free()
 * @reterr:  Message that begins with the line, or NULL
 *
 * Return: as json_parse_stream()
 */
int json_salvage(const char *text, size_t len, document_fn *fn, void *arg,
		 struct value_doc **ret_cut, struct err *reterr)
{
	_cleanup_(run_done) struct run run = {
		.text = text ?: "", .len = len, .fn = fn, .arg = arg, .reterr = reterr};
	int r = blank(text, len) ? 0 : parse(&run, true);

	if (r < 0)
		*ret_cut = run.doc && value_build_cut(run.doc) ? TAKE(run.doc, NULL) : NULL;
	return r;
}
