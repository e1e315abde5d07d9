/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks of the loop and of children share. A figure is a ratio to a floor measured in the same run,
 * the median of rounds that alternate between the two: this is the only thing that means something on a shared
 * machine.
 */
#ifndef TEST_BENCH_BENCH_H
#define TEST_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"

enum { BENCH_ROUNDS = 5 };

struct bench_pair {
    double ours, floor;
};

static inline int bench_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double bench_median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, bench_compare);
    return values[count / 2];
}

/* Measure both in turns. Each returns one figure. */
static inline struct bench_pair bench_both(double (*ours)(void *), double (*floor)(void *), void *arg) {
    double a[BENCH_ROUNDS], b[BENCH_ROUNDS];
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        b[i] = floor(arg);
        a[i] = ours(arg);
    }
    return (struct bench_pair){bench_median(a, BENCH_ROUNDS), bench_median(b, BENCH_ROUNDS)};
}

static inline void bench_head(void) {
    printf("%-4s %-52s %12s %12s %7s %8s\n", "row", "figure", "ours", "floor", "ratio", "goal");
}

/* goal: at most when more is worse, at least when more is better. */
static inline void bench_row(const char *row, const char *text, struct bench_pair pair, double goal,
                             int more_is_better) {
    double ratio = pair.floor > 0 ? pair.ours / pair.floor : 0;
    int ok = more_is_better ? ratio >= goal : ratio <= goal;
    printf("%-4s %-52s %12.1f %12.1f %7.2f %s%6.2f %s\n", row, text, pair.ours, pair.floor, ratio,
           more_is_better ? ">=" : "<=", goal, ok ? "ok" : "missed");
    fflush(stdout);
}

#endif
