/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_stream.h - lists and watches of the Kubernetes API, decoded while their bytes arrive.  Pure.
 *
 * Takes bytes in pieces of any size; gives typed objects one by one.  Of each object only the
 * fields that Manx uses are kept, so that memory is that of one object, whatever the list.
 *
 * Limits: API_TOKEN_MAX bytes of one string or number, API_OBJECT_MAX of one object as it is sent.
 * What an object keeps has the limits of value.h; one that exceeds them is given with a problem,
 * as one that was set aside: the others are not its fault.
 */
#pragma once

#include "watch/kube/api_status.h"
#include "watch/object/object.h"

#define API_TOKEN_MAX	 (4u << 20)
#define API_OBJECT_MAX	 (16u << 20)
#define API_CONTINUE_MAX 8192 /* bytes of a continue token */

/* What to accept: of objects only their metadata, in a list or one by one in a watch. */
#define API_METADATA_LIST "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
#define API_METADATA	  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

enum api_shape {
	API_LIST,  /* {"metadata":{...},"items":[...]} */
	API_WATCH, /* {"type":...,"object":...} one after the other */
};

/* enum api_event - what a watch tells; items of a list come as API_ADDED */
enum api_event {
	API_ADDED,
	API_MODIFIED,
	API_DELETED,
	API_BOOKMARK, /* no object: only how far the watch has come */
	API_ERROR,    /* no object: the watch is over */
	_API_EVENT_MAX
};

/*
 * struct api_item - one event
 * @object:  API_ADDED, API_MODIFIED, API_DELETED: now the taker's
 * @version: metadata.resourceVersion; 0: none, or no number
 * @initial_end: API_BOOKMARK: everything that there was at the beginning has been told
 * @status:  API_ERROR: borrowed
 */
struct api_item {
	enum api_event event;
	struct object *object;
	uint64_t version;
	bool initial_end;
	const struct api_status *status;
};

/**
 * typedef api_item_fn - Takes one event
 * @arg:  Context
 * @item: Event; its object is the taker's
 *
 * Return: false: enough, the stream ends
 */
typedef bool api_item_fn(void *arg, const struct api_item *item);

/*
 * struct api_list_end - what a list says of itself, once it is complete
 * @version:       metadata.resourceVersion
 * @continue_from: metadata.continue, borrowed from the stream; NULL: this was the last page
 */
struct api_list_end {
	uint64_t version;
	const char *continue_from;
};

struct api_stream;

struct api_stream *api_stream_new(enum api_shape shape, enum kind kind, api_item_fn *fn, void *arg);
struct api_stream *api_stream_free(struct api_stream *s);
int api_stream_feed(struct api_stream *s, const char *bytes, size_t n, struct err *reterr);
int api_stream_end(struct api_stream *s, struct api_list_end *ret, struct err *reterr);
uint64_t api_stream_take_unknown(struct api_stream *s);
