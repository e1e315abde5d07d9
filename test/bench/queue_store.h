/* SPDX-License-Identifier: Apache-2.0 */
/* Of bench_queue.c: the store of the queue without a supervisor, and bare SQLite beside it. */
#ifndef TEST_BENCH_QUEUE_STORE_H
#define TEST_BENCH_QUEUE_STORE_H

#include <stdint.h>
#include <time.h>

enum { JOBS = 100000, SAMPLES = 500 };

extern char folder[];               /* made by who measures */
const char *file(const char *name); /* in it; until the next one is asked for */
_Noreturn void die(const char *what, const char *why);
double cpu_us(clockid_t clock);
/* us is sorted; goal: of p99, 0: none. */
void print_percentiles(const char *row, const char *text, double *us, int count, double goal);

/* The rows of JOBS jobs through bare SQLite: jobs/s, and the CPU of one. */
double measure_bare(double *ret_cpu_us);
void measure_commit(void);
void measure_claims(uint32_t limit);

#endif
