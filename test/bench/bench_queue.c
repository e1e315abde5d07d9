/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The durable queue, over what the same statements of SQLite cost when nothing else happens:
 *
 *   rate      submit to recorded outcome of tasks that do nothing, durability full: asked through paddock.queue/1, run by
 *             a supervisor. Beside it the same rows through the same indexes in a bare loop, in batches as large. The CPU of
 *             the thread that writes is what bounds it where nothing else wants the machine
 *   latency   submit to start when idle, beside one bare commit of one row
 *   archive   the rate again with the plugin archive loaded, as `paddock serve` does, beside without
 *   claim     with a backlog of a million: the call, and with the commit around it
 *
 *   bench-queue rates             without latency and claims
 *   bench-queue backlog JOBS N    alone: jobs/s of a backlog with N of them out at a time, for graphile.py
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "core/supervise/supervisor.h"
#include "core/value/value.h"
#include "paddock/queue.h"
#include "queue_store.h"
#include "support/extension.h"
#include "support/runner.h"

enum { ROUNDS = 3, OPEN_MOST = 40000, PENDING = 16384 };

static const pdk_values *values;
static pdk_supervisor *supervisor;
static const pdk_loop *loop;
static const pdk_queue *queue;

static uint64_t starts, last_start;

static int32_t start(void *task, const pdk_start *info, pdk_error *err) {
    pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, NULL);
    (void)task, (void)err;
    starts++;
    last_start = pdk_clock_now();
    return runner_host->done(runner_host, info->attempt, &result);
}

/* ---- the whole of it ---- */

static void log_line(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    (void)arg, (void)run_id;
    if (level >= PDK_LOG_WARN) (void)fprintf(stderr, "%s: %s\n", part, text);
}

static const pdk_value *parse(const char *text) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (values->parse(values, text, strlen(text), "bench", &value, &err) < 0) die("JSON", err.message);
    return value;
}

static uint32_t pending = PENDING;
static bool archived; /* the archive is loaded, too */

static const char *own_folder(char *buf, size_t size, const char *of) {
    (void)snprintf(buf, size, "%s/%s.archive", folder, of);
    return buf;
}

#ifdef ARCHIVE
static void load_archive(const char *of) {
    const struct pdk_instance_limits trusted = {.control = true};
    pdk_router_entry entry = {.struct_size = sizeof entry};
    pdk_error err = PDK_ERROR;
    char config[256], path[128];
    (void)snprintf(config, sizeof config, "{\"path\":\"%s\"}", own_folder(path, sizeof path, of));
    entry.config = parse(config);
    (void)pdk_supervisor_limit(supervisor, "archive", &trusted);
    if (pdk_supervisor_load(supervisor, ARCHIVE, &entry, &err) < 0) die("archive", err.message);
    values->drop(entry.config);
}
#else
static void load_archive(const char *of) {
    (void)of;
}
#endif

static void bring_up(const char *name) {
    static const char *const own_kinds[] = {"noop", NULL};
    static struct pdk_task *const no_tasks[] = {NULL};
    static const struct pdk_grant grant = {no_tasks, own_kinds, NULL};
    const struct pdk_instance_limits limits = {.pending = pending, .grant = &grant};
    pdk_supervisor_options options = {.struct_size = sizeof options, .log = log_line};
    pdk_router_entry entry = {.struct_size = sizeof entry};
    pdk_error err = PDK_ERROR;
    char config[256];
    (void)snprintf(config, sizeof config, "{\"path\":\"%s\"}", file(name));
    entry.config = parse(config);
    if (pdk_supervisor_create(&options, &supervisor, &err) < 0) die("create", err.message);
    loop = pdk_supervisor_loop(supervisor);
    (void)pdk_supervisor_limit(supervisor, "queue", &limits);
    if (pdk_supervisor_add(supervisor, &noop, NULL, &err) < 0) die("noop", err.message);
    if (pdk_supervisor_load(supervisor, QUEUE, &entry, &err) < 0) die("queue", err.message);
    if (archived) load_archive(name);
    if (pdk_supervisor_start(supervisor, &err) < 0) die("start", err.message);
    queue = find_extension(supervisor, PDK_QUEUE_1);
    values->drop(entry.config);
}

static double writer_us[ROUNDS], loop_us[ROUNDS]; /* CPU of a job */
static double last_loop_us, last_others_us;

static void run_until_down(void) {
    (void)pdk_supervisor_run(supervisor);
    pdk_supervisor_destroy(supervisor);
}

static struct {
    const pdk_value *submission;
    uint32_t asked, answered, left, rejected;
    uint64_t began, ended;
    pdk_call again;
} rate;

static void look(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    const pdk_value *totals = values->get(value, "totals");
    int64_t ready = 1, running = 1;
    (void)arg;
    if (rc < 0) die("stats", err->message);
    (void)values->integer(values->get(totals, "ready"), &ready);
    (void)values->integer(values->get(totals, "running"), &running);
    if (ready || running) {
        (void)queue->ask(queue, "stats", NULL, look, NULL);
        return;
    }
    rate.ended = pdk_clock_now();
    (void)pdk_supervisor_shutdown(supervisor);
}

static void submit_more(void *arg);

static void answered(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)arg, (void)value;
    if (rc < 0) die("submit", err ? err->message : "");
    rate.answered++;
    if (rate.answered == JOBS)
        (void)queue->ask(queue, "stats", NULL, look, NULL);
    else if (rate.asked < JOBS)
        loop->post(loop, &rate.again);
}

static void submit_more(void *arg) {
    (void)arg;
    for (int i = 0; rate.asked < JOBS && rate.asked - rate.answered < OPEN_MOST && i < 2048; i++, rate.asked++)
        if (queue->ask(queue, "submit", rate.submission, answered, NULL) < 0) break;
    if (!rate.asked) loop->post(loop, &rate.again); /* it has not begun yet */
}

static long least_kept = JOBS;

static void count_kept(const char *of) {
    char command[256], path[128];
    long count = 0;
    (void)snprintf(command, sizeof command, "zcat -f %s/runs/* | wc -l", own_folder(path, sizeof path, of));
    FILE *shell = popen(command, "r");
    if (!shell || fscanf(shell, "%ld", &count) != 1) die("count", "no shell");
    (void)pclose(shell);
    if (count < least_kept) least_kept = count;
}

static double measure_rate(void *arg) {
    static uint32_t round;
    char name[32];
    (void)arg;
    (void)snprintf(name, sizeof name, "rate-%u.db", round++);
    bring_up(name);
    memset(&rate, 0, sizeof rate);
    rate.submission = parse("{\"spec\":{\"name\":\"hello\",\"kind\":\"noop\"}}");
    rate.again = (pdk_call){submit_more, NULL, {NULL, NULL}};
    double all = cpu_us(CLOCK_PROCESS_CPUTIME_ID), own = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    rate.began = pdk_clock_now();
    loop->post(loop, &rate.again);
    run_until_down();
    all = cpu_us(CLOCK_PROCESS_CPUTIME_ID) - all;
    own = cpu_us(CLOCK_THREAD_CPUTIME_ID) - own;
    loop_us[(round - 1) % ROUNDS] = last_loop_us = own / JOBS;
    writer_us[(round - 1) % ROUNDS] = last_others_us = (all - own) / JOBS;
    values->drop(rate.submission);
    if (archived) count_kept(name);
    return JOBS / ((double)(rate.ended - rate.began) / 1e9);
}

#ifdef ARCHIVE
/* One round, and what it took. */
static double measure_beside(bool with, double *loop_cpu, double *others_cpu) {
    archived = with;
    double jobs = measure_rate(NULL);
    *loop_cpu = last_loop_us;
    *others_cpu = last_others_us;
    return jobs;
}

static void measure_archive(void) {
    double rates[2][ROUNDS], own[2][ROUNDS], others[2][ROUNDS], more[2];
    for (int i = 0; i < ROUNDS; i++)
        for (int with = 0; with < 2; with++) rates[with][i] = measure_beside(with, &own[with][i], &others[with][i]);
    archived = false;
    struct bench_pair pair = {bench_median(rates[1], ROUNDS), bench_median(rates[0], ROUNDS)};
    more[0] = bench_median(own[1], ROUNDS) - bench_median(own[0], ROUNDS);
    more[1] = bench_median(others[1], ROUNDS) - bench_median(others[0], ROUNDS);
    bench_row("55", "the same with the archive loaded; without", pair, 0.8, 1);
    printf("     goal 100000/s: %s; histories kept of %d runs: %ld\n", pair.ours >= 100000 ? "ok" : "missed", JOBS,
           least_kept);
    printf("     CPU of a history, us: the loop's thread %.1f; the writer, until all is told, %.1f\n", more[0],
           more[1]);
}
#else
static void measure_archive(void) {}
#endif

/* ---- a backlog, with few out at a time ---- */

static void one_asked(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)arg, (void)value;
    if (rc < 0) die("pause", err->message);
}

static struct {
    uint32_t jobs, left;
    uint64_t began, ended;
    pdk_watch watch;
} backlog;

static void look_at_backlog(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    int64_t left = 0;
    (void)arg;
    if (rc < 0) die("stats", err->message);
    for (int i = 0; i < 2; i++) {
        int64_t n = 0;
        (void)values->integer(values->get(values->get(value, "totals"), i ? "running" : "ready"), &n);
        left += n;
    }
    if (left || backlog.ended) return;
    backlog.ended = pdk_clock_now();
    loop->stop(loop, backlog.watch);
    (void)pdk_supervisor_shutdown(supervisor);
}

static void on_backlog_timer(void *arg) {
    (void)arg;
    (void)queue->ask(queue, "stats", NULL, look_at_backlog, NULL);
}

static void backlog_resumed(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)arg, (void)value;
    if (rc < 0) die("resume", err->message);
    (void)loop->timer(loop, 5000000, 5000000, on_backlog_timer, NULL, &backlog.watch);
}

static void backlog_submitted(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)value;
    if (rc < 0) die("submit", err->message);
    if (--backlog.left) return;
    backlog.began = pdk_clock_now();
    (void)queue->ask(queue, "resume", arg, backlog_resumed, NULL);
}

static int measure_backlog(uint32_t jobs, uint32_t out) {
    backlog.jobs = backlog.left = jobs;
    pending = out;
    bring_up("out.db");
    const pdk_value *submission = parse("{\"spec\":{\"name\":\"hello\",\"kind\":\"noop\"}}");
    const pdk_value *topic = parse("{\"topic\":\"default\"}");
    (void)queue->ask(queue, "pause", topic, one_asked, NULL);
    for (uint32_t i = 0; i < jobs; i++)
        (void)queue->ask(queue, "submit", submission, backlog_submitted, (void *)(uintptr_t)topic);
    run_until_down();
    values->drop(submission);
    values->drop(topic);
    printf("%.1f\n", jobs / ((double)(backlog.ended - backlog.began) / 1e9));
    return 0;
}

/* ---- one at a time ---- */

static struct {
    const pdk_value *submission;
    uint64_t began;
    double us[SAMPLES];
    int count;
    pdk_watch watch;
} single;

static void one_more(void *arg);

static void one_answered(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)arg, (void)value;
    if (rc < 0) die("submit", err->message);
}

static void one_started(void *arg) {
    (void)arg;
    if (last_start < single.began) return;
    single.us[single.count++] = (double)(last_start - single.began) / 1e3;
    if (single.count < SAMPLES) {
        one_more(NULL);
        return;
    }
    loop->stop(loop, single.watch);
    (void)pdk_supervisor_shutdown(supervisor);
}

static void one_more(void *arg) {
    (void)arg;
    single.began = pdk_clock_now();
    (void)queue->ask(queue, "submit", single.submission, one_answered, NULL);
}

static void measure_latency(void) {
    bring_up("latency.db");
    single.submission = parse("{\"spec\":{\"name\":\"hello\",\"kind\":\"noop\"}}");
    last_start = 0;
    single.began = UINT64_MAX;
    (void)loop->timer(loop, 100000000, 0, one_more, NULL, &single.watch);
    (void)loop->timer(loop, 120000000, 10000000, one_started, NULL, &single.watch);
    run_until_down();
    values->drop(single.submission);
    print_percentiles("52", "submit to start, idle, durability full", single.us, SAMPLES, 10000);
}

static int leave(void) {
    (void)fflush(stdout);
    return execlp("rm", "rm", "-rf", folder, (char *)NULL);
}

int main(int argc, char **argv) {
    values = pdk_values_get();
    if (!mkdtemp(folder)) die("folder", strerror(errno));
    if (argc == 4 && strcmp(argv[1], "backlog") == 0) {
        (void)measure_backlog((uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10));
        (void)fflush(stdout);
        return leave();
    }
    bench_head();
    double ours[ROUNDS], bare[ROUNDS], bare_us[ROUNDS]; /* CPU of a job */
    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = measure_bare(&bare_us[i]);
        ours[i] = measure_rate(NULL);
    }
    struct bench_pair pair = {bench_median(ours, ROUNDS), bench_median(bare, ROUNDS)};
    bench_row("51", "submit to outcome, jobs/s, durability full", pair, 0.5, 1);
    struct bench_pair cpu = {bench_median(writer_us, ROUNDS), bench_median(bare_us, ROUNDS)};
    printf("     goal 100000/s: %s\n", pair.ours >= 100000 ? "ok" : "missed");
    bench_row("", "   CPU of a job, us: the writer; bare SQLite", cpu, 1.3, 0);
    printf("     CPU of a job, us: the loop's thread %.1f; a core for the writer makes %.0f jobs/s\n",
           bench_median(loop_us, ROUNDS), 1e6 / cpu.ours);
    measure_archive();
    if (argc == 2) return leave();
    measure_latency();
    measure_commit();
    measure_claims(1);
    measure_claims(64);
    return leave();
}
