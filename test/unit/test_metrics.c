// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_metrics.c - the Prometheus text: numbers, escapes, histograms; and what promtool says to it.
 */
#include "agent/report/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/report/process.h"

#define assert_text(buf, text)                          \
	do {                                            \
		assert_string_equal((buf)->data, text); \
		buf_reset(buf);                         \
	} while (0)

static void test_head_escapes_help(void **state _unused_)
{
	struct buf b = {0};

	metric_head(&b, "manx_objects", METRIC_GAUGE, "Objects, by \"kind\" \\ and\nmore.");
	assert_text(&b, "# HELP manx_objects Objects, by \"kind\" \\\\ and\\nmore.\n"
			"# TYPE manx_objects gauge\n");
	metric_head(&b, "manx_errors_total", METRIC_COUNTER, "Errors.");
	assert_text(&b, "# HELP manx_errors_total Errors.\n# TYPE manx_errors_total counter\n");
	buf_done(&b);
}

static void test_value_formats_numbers(void **state _unused_)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "m 0\n"},
		{0.1, "m 0.1\n"},
		{-2.5, "m -2.5\n"},
		{1e21, "m 1e+21\n"},
		{1753900000.25, "m 1753900000.25\n"},
		{1.0 / 3, "m 0.33333333333333331\n"},
		{INFINITY, "m +Inf\n"},
		{-INFINITY, "m -Inf\n"},
		{NAN, "m NaN\n"},
	};
	struct buf b = {0};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		metric_value(&b, "m", NULL, cases[i].value);
		assert_text(&b, cases[i].text);
	}
	buf_done(&b);
}

static void test_count_is_exact_beyond_double(void **state _unused_)
{
	struct buf b = {0};

	metric_count(&b, "m", NULL, UINT64_MAX);
	assert_text(&b, "m 18446744073709551615\n");
	metric_count(&b, "m", NULL, (UINT64_C(1) << 53) + 1);
	assert_text(&b, "m 9007199254740993\n");
	buf_done(&b);
}

static void test_labels_are_escaped(void **state _unused_)
{
	struct buf b = {0};

	metric_value(&b, "m", METRIC_LABELS({"kind", "Pod"}), 1);
	assert_text(&b, "m{kind=\"Pod\"} 1\n");
	metric_value(&b, "m", METRIC_LABELS({"a", "x\"y\\z\nw"}, {"b", ""}), 1);
	assert_text(&b, "m{a=\"x\\\"y\\\\z\\nw\",b=\"\"} 1\n");
	metric_value(&b, "m", METRIC_LABELS({"a", NULL}), 1);
	assert_text(&b, "m{a=\"\"} 1\n");
	buf_done(&b);
}

static void test_histogram_is_cumulative(void **state _unused_)
{
	static const double bounds[] = {0.1, 1, 10};
	struct histogram h;
	struct buf b = {0};

	histogram_init(&h, bounds, ARRAY_SIZE(bounds));
	histogram_observe(&h, 0.05);
	histogram_observe(&h, 0.1); /* a bound belongs to its bucket: le is "less or equal" */
	histogram_observe(&h, 5);
	histogram_observe(&h, 11);
	histogram_print(&b, "t_seconds", NULL, &h);
	assert_text(&b, "t_seconds_bucket{le=\"0.1\"} 2\n"
			"t_seconds_bucket{le=\"1\"} 2\n"
			"t_seconds_bucket{le=\"10\"} 3\n"
			"t_seconds_bucket{le=\"+Inf\"} 4\n"
			"t_seconds_sum 16.15\n"
			"t_seconds_count 4\n");
	buf_done(&b);
}

static void test_histogram_with_labels_and_without_observations(void **state _unused_)
{
	static const double bounds[] = {0.5};
	struct histogram h;
	struct buf b = {0};

	histogram_init(&h, bounds, ARRAY_SIZE(bounds));
	histogram_print(&b, "t", METRIC_LABELS({"verb", "ADD"}), &h);
	assert_text(&b, "t_bucket{verb=\"ADD\",le=\"0.5\"} 0\n"
			"t_bucket{verb=\"ADD\",le=\"+Inf\"} 0\n"
			"t_sum{verb=\"ADD\"} 0\n"
			"t_count{verb=\"ADD\"} 0\n");
	buf_done(&b);
}

static void test_histogram_nan_is_above_every_bound(void **state _unused_)
{
	static const double bounds[] = {1};
	struct histogram h;

	histogram_init(&h, bounds, ARRAY_SIZE(bounds));
	histogram_observe(&h, NAN);
	assert_int_equal(h.counts[0], 0);
	assert_int_equal(h.counts[1], 1);
	assert_int_equal(h.n, 1);
}

static void test_default_bounds_ascend(void **state _unused_)
{
	assert_true(histogram_seconds_n <= HISTOGRAM_BUCKETS_MAX);
	for (size_t i = 1; i < histogram_seconds_n; i++)
		assert_true(histogram_seconds[i - 1] < histogram_seconds[i]);
}

static void test_process_figures_are_plausible(void **state _unused_)
{
	struct process_stats before, p;
	struct buf b = {0};
	int pair[2];

	assert_int_equal(process_read(&before), 0);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(process_read(&p), 0);
	assert_int_equal(p.open_fds, before.open_fds + 2);
	close(pair[0]);
	close(pair[1]);
	assert_true(p.resident_bytes > 100000 && p.resident_bytes <= p.virtual_bytes);
	assert_true(p.max_fds >= p.open_fds);
	assert_true(p.cpu_seconds >= 0 && p.cpu_seconds < 3600);
	process_metrics(&p, &b);
	assert_non_null(strstr(b.data, "\nprocess_resident_memory_bytes "));
	assert_non_null(strstr(b.data, "\nprocess_open_fds "));
	buf_done(&b);
}

static void write_sample(struct buf *b)
{
	struct process_stats p = {0};
	struct histogram h;

	assert_int_equal(process_read(&p), 0);
	process_metrics(&p, b);
	histogram_init(&h, histogram_seconds, histogram_seconds_n);
	histogram_observe(&h, 0.003);
	metric_head(b, "manx_cni_seconds", METRIC_HISTOGRAM, "Time of a CNI call, in seconds.");
	histogram_print(b, "manx_cni_seconds", METRIC_LABELS({"verb", "ADD"}), &h);
	histogram_print(b, "manx_cni_seconds", METRIC_LABELS({"verb", "DEL"}), &h);
	metric_head(b, "manx_problems", METRIC_GAUGE, "Objects set aside, with \\ and \"quotes\".");
	metric_value(b, "manx_problems", METRIC_LABELS({"object", "a\"b\\c\nd"}), 1);
}

/* The real checker; run from the top folder. */
static void test_promtool_accepts_it(void **state _unused_)
{
	struct buf b = {0};
	FILE *checker;

	write_sample(&b);
	checker = popen("promtool=$(scripts/get-promtool) && $promtool check metrics 2>&1", "w");
	assert_non_null(checker);
	assert_int_equal(fwrite(b.data, 1, b.len, checker), b.len);
	assert_int_equal(pclose(checker), 0);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head_escapes_help),
		cmocka_unit_test(test_value_formats_numbers),
		cmocka_unit_test(test_count_is_exact_beyond_double),
		cmocka_unit_test(test_labels_are_escaped),
		cmocka_unit_test(test_histogram_is_cumulative),
		cmocka_unit_test(test_histogram_with_labels_and_without_observations),
		cmocka_unit_test(test_histogram_nan_is_above_every_bound),
		cmocka_unit_test(test_default_bounds_ascend),
		cmocka_unit_test(test_process_figures_are_plausible),
		cmocka_unit_test(test_promtool_accepts_it),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
