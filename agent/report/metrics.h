/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.h - the Prometheus text format: heads, values with labels, histograms.  Pure.
 *
 *	metric_head(&b, "manx_objects", METRIC_GAUGE, "Objects known, by kind.");
 *	metric_value(&b, "manx_objects", METRIC_LABELS({"kind", "Pod"}), 12);
 *
 * Units are base units (seconds, bytes) and part of the name; counters end in _total.
 * Source: Prometheus "Exposition formats", text format 0.0.4.
 */
#pragma once

#include "lib/buf.h"

#define METRICS_CONTENT_TYPE  "text/plain; version=0.0.4; charset=utf-8"
#define HISTOGRAM_BUCKETS_MAX 20

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, _METRIC_TYPE_MAX };

struct metric_label {
	const char *name, *value;
};

/* METRIC_LABELS() - the labels of one value: METRIC_LABELS({"verb", "ADD"}, {"result", "ok"}) */
#define METRIC_LABELS(...) ((const struct metric_label[]){__VA_ARGS__, {NULL, NULL}})

/*
 * struct histogram - counts by size of what was observed
 * @bounds: Upper bounds, ascending, borrowed, the last one finite
 * @counts: Of each bucket by itself; the last is for what is above every bound
 */
struct histogram {
	const double *bounds;
	size_t n_bounds;
	uint64_t counts[HISTOGRAM_BUCKETS_MAX + 1];
	double sum;
	uint64_t n;
};

extern const double histogram_seconds[]; /* 50 us to 10 s, for latencies */
extern const size_t histogram_seconds_n;

void metric_head(struct buf *out, const char *name, enum metric_type type, const char *help);
void metric_value(struct buf *out, const char *name, const struct metric_label *labels,
		  double value);
void metric_count(struct buf *out, const char *name, const struct metric_label *labels,
		  uint64_t value);

void histogram_init(struct histogram *h, const double *bounds, size_t n_bounds);
void histogram_observe(struct histogram *h, double value);
void histogram_print(struct buf *out, const char *name, const struct metric_label *labels,
		     const struct histogram *h);
