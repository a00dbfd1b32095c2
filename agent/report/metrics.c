// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metrics.c - write the Prometheus text format.  Pure.
 *
 * Takes names that are literals of ours (checked by assertion) and label values from anywhere
 * (escaped here).  Limits: HISTOGRAM_BUCKETS_MAX bounds a histogram.
 */
#include "agent/report/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const type_names[_METRIC_TYPE_MAX] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
};

const double histogram_seconds[] = {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002,
				    0.005,   0.01,   0.02,   0.05,   0.1,   0.2,
				    0.5,     1,	     2,	     5,	     10};
const size_t histogram_seconds_n = ARRAY_SIZE(histogram_seconds);

static bool name_valid(const char *s)
{
	if (!*s || (*s >= '0' && *s <= '9'))
		return false;
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
	       '\0';
}

static void put_escaped(struct buf *out, const char *s, bool quotes)
{
	for (; *s; s++) {
		if (*s == '\n')
			buf_puts(out, "\\n");
		else if (*s == '\\')
			buf_puts(out, "\\\\");
		else if (*s == '"' && quotes)
			buf_puts(out, "\\\"");
		else
			buf_putc(out, *s);
	}
}

/* Twelve digits, then exact if those do not read back: 0.1 stays "0.1". */
static void put_number(struct buf *out, double v)
{
	char text[32];

	if (isnan(v)) {
		buf_puts(out, "NaN");
		return;
	}
	if (isinf(v)) {
		buf_puts(out, v > 0 ? "+Inf" : "-Inf");
		return;
	}
	(void)snprintf(text, sizeof(text), "%.12g", v);
	if (strtod(text, NULL) != v)
		(void)snprintf(text, sizeof(text), "%.17g", v);
	buf_puts(out, text);
}

/**
 * metric_head() - Write HELP and TYPE, once before the values of a name
 * @out:  Where to
 * @name: [a-zA-Z_][a-zA-Z0-9_]*
 * @type: Type
 * @help: One sentence
 */
void metric_head(struct buf *out, const char *name, enum metric_type type, const char *help)
{
	assert(name_valid(name) && type < _METRIC_TYPE_MAX);
	buf_printf(out, "# HELP %s ", name);
	put_escaped(out, help, false);
	buf_printf(out, "\n# TYPE %s %s\n", name, type_names[type]);
}

static void put_labels(struct buf *out, const struct metric_label *labels, const char *le)
{
	char open = '{';

	for (; labels && labels->name; labels++) {
		assert(name_valid(labels->name));
		buf_printf(out, "%c%s=\"", open, labels->name);
		put_escaped(out, labels->value ? labels->value : "", true);
		buf_putc(out, '"');
		open = ',';
	}
	if (le) {
		buf_printf(out, "%cle=\"%s\"", open, le);
		open = ',';
	}
	if (open == ',')
		buf_putc(out, '}');
	buf_putc(out, ' ');
}

/**
 * metric_value() - Write one value
 * @out:    Where to
 * @name:   As in metric_head()
 * @labels: METRIC_LABELS(), or NULL for none; values are UTF-8, escaped here
 * @value:  Value; NaN and infinities are valid
 */
void metric_value(struct buf *out, const char *name, const struct metric_label *labels,
		  double value)
{
	buf_puts(out, name);
	put_labels(out, labels, NULL);
	put_number(out, value);
	buf_putc(out, '\n');
}

/**
 * metric_count() - Write one whole number, exact up to 2^64 - 1
 * @out:    Where to
 * @name:   As in metric_head()
 * @labels: METRIC_LABELS(), or NULL for none
 * @value:  Value
 */
void metric_count(struct buf *out, const char *name, const struct metric_label *labels,
		  uint64_t value)
{
	buf_puts(out, name);
	put_labels(out, labels, NULL);
	buf_printf(out, "%" PRIu64 "\n", value);
}

/**
 * histogram_init() - Empty a histogram
 * @h:        Histogram
 * @bounds:   Upper bounds, ascending, finite; must outlive @h
 * @n_bounds: How many, 1 to HISTOGRAM_BUCKETS_MAX
 */
void histogram_init(struct histogram *h, const double *bounds, size_t n_bounds)
{
	assert(n_bounds > 0 && n_bounds <= HISTOGRAM_BUCKETS_MAX);
	*h = (struct histogram){.bounds = bounds, .n_bounds = n_bounds};
}

/**
 * histogram_observe() - Count one observation
 * @h:     Histogram
 * @value: Value, in the unit of the bounds; a bound belongs to the bucket that it ends
 */
void histogram_observe(struct histogram *h, double value)
{
	size_t i = 0;

	while (i < h->n_bounds && !(value <= h->bounds[i]))
		i++;
	h->counts[i]++;
	h->sum += value;
	h->n++;
}

static void put_bucket(struct buf *out, const char *name, const struct metric_label *labels,
		       const char *le, uint64_t count)
{
	buf_printf(out, "%s_bucket", name);
	put_labels(out, labels, le);
	buf_printf(out, "%" PRIu64 "\n", count);
}

/**
 * histogram_print() - Write buckets (cumulative), sum and count
 * @out:    Where to; metric_head() with METRIC_HISTOGRAM comes before
 * @name:   Name without suffix
 * @labels: METRIC_LABELS(), or NULL for none
 * @h:      Histogram
 */
void histogram_print(struct buf *out, const char *name, const struct metric_label *labels,
		     const struct histogram *h)
{
	uint64_t below = 0;

	for (size_t i = 0; i < h->n_bounds; i++) {
		struct buf le = {0};

		below += h->counts[i];
		put_number(&le, h->bounds[i]);
		put_bucket(out, name, labels, le.data, below);
		buf_done(&le);
	}
	put_bucket(out, name, labels, "+Inf", h->n);
	buf_printf(out, "%s_sum", name);
	put_labels(out, labels, NULL);
	put_number(out, h->sum);
	buf_printf(out, "\n%s_count", name);
	put_labels(out, labels, NULL);
	buf_printf(out, "%" PRIu64 "\n", h->n);
}
