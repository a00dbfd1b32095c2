/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure.h - what the programs of test/bench share: a clock, samples, and figures as lines of JSON.
 *
 * A program prints one object a line: {"name":...,"unit":...,"min":...,"median":...,"p99":...,
 * "max":...,"n":...} and the parameters of that figure; test/bench/bench shows and keeps them. With
 * BENCH_QUICK in the environment there are fewer rounds: to see that everything works.
 */
#pragma once

#include "lib/err.h"
#include "lib/vec.h"

/* struct samples - of one figure, in its unit */
struct samples {
	VEC(double) v;
};

/* struct parameter - a list is ended by one without a name */
struct parameter {
	const char *name;
	int64_t value;
};

#define PARAMETERS(...) ((const struct parameter[]){__VA_ARGS__, {NULL, 0}})

_noreturn_ void bench_fail(const char *what, const struct err *e);
bool bench_quick(void);
size_t bench_rounds(size_t n);
double bench_usec(void);
double samples_median(struct samples *s);
void figure_samples(const char *name, const char *unit, struct samples *s,
		    const struct parameter *p);
void figure_value(const char *name, const char *unit, double value, const struct parameter *p);
