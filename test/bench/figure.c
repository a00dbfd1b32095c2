// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * figure.c - figures as lines of JSON on standard output.
 */
#include "test/bench/figure.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "lib/jsonw.h"

/**
 * bench_fail() - End the program: nothing can be measured
 * @what: What failed
 * @e:    Why; NULL: errno says it
 */
_noreturn_ void bench_fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		      e ? e->msg : strerror(errno));
	exit(1);
}

/**
 * bench_quick() - Is this a short run, to see that everything works?
 *
 * Return: true if so
 */
bool bench_quick(void)
{
	return getenv("BENCH_QUICK");
}

/**
 * bench_rounds() - How many rounds to measure
 * @n: Rounds of a full run
 *
 * Return: @n; a tenth of it, but 3 at least, in a short run
 */
size_t bench_rounds(size_t n)
{
	return bench_quick() ? MAX(n / 10, 3) : n;
}

/**
 * bench_usec() - Monotonic time
 *
 * Return: microseconds, with decimals
 */
double bench_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of sorted samples. */
static double percentile(const struct samples *s, size_t percent)
{
	return s->v.n ? s->v.v[(s->v.n - 1) * percent / 100] : 0;
}

/**
 * samples_median() - Median of samples
 * @s: Samples, at least one; sorted afterwards
 *
 * Return: the median
 */
double samples_median(struct samples *s)
{
	vec_sort(&s->v, order);
	return percentile(s, 50);
}

static void begin(struct jsonw *w, const char *name, const char *unit)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "name", name);
	jsonw_str(w, "unit", unit);
}

static void end(struct jsonw *w, const struct parameter *p)
{
	for (; p && p->name; p++)
		jsonw_int(w, p->name, p->value);
	jsonw_end(w, '}');
	(void)puts(w->out->data);
	(void)fflush(stdout);
}

/**
 * figure_samples() - Print a figure of many samples: least, median, 99th percentile, most
 * @name: Name
 * @unit: Of the samples: "us", "ms"
 * @s:    Samples, at least one; empty afterwards
 * @p:    PARAMETERS(), or NULL
 */
void figure_samples(const char *name, const char *unit, struct samples *s,
		    const struct parameter *p)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct jsonw w = {.out = &b};

	vec_sort(&s->v, order);
	begin(&w, name, unit);
	jsonw_double(&w, "min", percentile(s, 0));
	jsonw_double(&w, "median", percentile(s, 50));
	jsonw_double(&w, "p99", percentile(s, 99));
	jsonw_double(&w, "max", percentile(s, 100));
	jsonw_uint(&w, "n", s->v.n);
	end(&w, p);
	vec_done(&s->v);
}

/**
 * figure_value() - Print a figure that is one number
 * @name:  Name
 * @unit:  Its unit
 * @value: The number
 * @p:     PARAMETERS(), or NULL
 */
void figure_value(const char *name, const char *unit, double value, const struct parameter *p)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct jsonw w = {.out = &b};

	begin(&w, name, unit);
	jsonw_double(&w, "value", value);
	end(&w, p);
}
