/* SPDX-License-Identifier: Apache-2.0 */
/* Rows 1 to 5 and 9: what the process service costs above the barest program that starts children. */
#include <sys/resource.h>

#include "bench.h"
#include "core/loop/loop.h"
#include "core/process/process.h"
#include "floor_spawn.h"

enum { TINY_COUNT = 4000, TRUE_COUNT = 1000, MANY_FDS = 10000, MANY_BYTES = 256 << 20, BIG_JOBS = 300 };

struct load {
    const char *program, *argument;
    int count, in_flight;
    uint32_t threads;
    int32_t capture, cgroups;
    uint32_t floor_threads;
};

/* ---- ours ---- */

struct bench {
    const struct load *load;
    struct pdk_ev *ev;
    struct pdk_spawner *spawner;
    const pdk_process *process;
    pdk_command command;
    const char *argv[3];
    int asked, started, over, expect_signal;
    uint64_t bytes;
    pid_t *pids; /* of those that have started; NULL: nobody asks */
    int stop_at;
};

static void spawn_one(struct bench *bench);

static void on_failed(void *arg, const pdk_error *err) {
    (void)arg;
    fprintf(stderr, "bench: %s\n", err->message);
    exit(1);
}

static int32_t on_output(void *arg, int32_t stream, const char *data, size_t size) {
    struct bench *bench = arg;
    (void)stream, (void)data;
    bench->bytes += size;
    return 0;
}

static void on_ended(void *arg, const pdk_exit *end) {
    struct bench *bench = arg;
    if (end->exit_code || end->signal != bench->expect_signal) {
        fprintf(stderr, "bench: a child ended with %d, signal %d\n", end->exit_code, end->signal);
        exit(1);
    }
    bench->over++;
    if (bench->asked < bench->load->count) spawn_one(bench);
    if (bench->over == bench->stop_at) pdk_ev_break(bench->ev);
}

static void on_started(void *arg, int32_t pid) {
    struct bench *bench = arg;
    if (!bench->pids) return;
    bench->pids[bench->started++] = pid;
    if (bench->started == bench->load->count) pdk_ev_break(bench->ev);
}

static const pdk_child_ops OPS = {sizeof OPS, 0, on_started, on_failed, on_output, on_ended, NULL, NULL};

static void spawn_one(struct bench *bench) {
    pdk_child child;
    pdk_error err = PDK_ERROR;
    if (bench->process->spawn(bench->process, 0, &bench->command, &OPS, bench, &child, &err) < 0) on_failed(NULL, &err);
    bench->asked++;
}

static void bench_open(struct bench *bench, const struct load *load) {
    static const char *const no_env[] = {NULL};
    pdk_error err = PDK_ERROR;
    *bench = (struct bench){.load = load, .argv = {load->program, load->argument, NULL}, .stop_at = load->count};
    if (pdk_ev_create(&bench->ev) < 0) exit(1);
    struct pdk_spawner_options options = {
        .loop = pdk_ev_loop(bench->ev), .threads = load->threads, .cgroups = load->cgroups};
    if (pdk_spawner_create(&options, &bench->spawner, &err) < 0) on_failed(NULL, &err);
    bench->process = pdk_spawner_service(bench->spawner);
    bench->command = (pdk_command){.struct_size = sizeof(pdk_command),
                                   .argv = bench->argv,
                                   .env = no_env,
                                   .cwd_fd = -1,
                                   .input_fd = -1,
                                   .stdout_to = load->capture,
                                   .stderr_to = load->capture,
                                   .umask = -1,
                                   .nice = PDK_UNCHANGED,
                                   .oom_score = PDK_UNCHANGED};
}

static void bench_close(struct bench *bench) {
    pdk_spawner_free(bench->spawner);
    pdk_ev_free(bench->ev);
    free(bench->pids);
}

static double per_second(uint64_t from, int count) {
    return count * 1e9 / (double)(pdk_clock_now() - from);
}

static double ours_rate(void *arg) {
    struct bench bench;
    const struct load *load = arg;
    bench_open(&bench, load);
    uint64_t from = pdk_clock_now();
    for (int i = 0; i < load->in_flight; i++) spawn_one(&bench);
    pdk_ev_run(bench.ev);
    double rate = per_second(from, load->count);
    bench_close(&bench);
    return rate;
}

/* ---- floor ---- */

struct floor_part {
    pthread_t thread;
    const struct load *load;
    int count, in_flight;
};

static void *floor_run(void *arg) {
    const struct floor_part *part = arg;
    struct floor_spawner spawner;
    int started = 0, over = 0;
    floor_open(&spawner, part->load->program, part->load->argument);
    while (over < part->count) {
        while (started < part->count && started - over < part->in_flight) {
            floor_start(&spawner, NULL);
            started++;
        }
        over += floor_reap(&spawner, 0);
    }
    floor_close(&spawner);
    return NULL;
}

static double floor_rate(void *arg) {
    const struct load *load = arg;
    struct floor_part parts[2];
    int count = (int)load->floor_threads;
    uint64_t from = pdk_clock_now();
    for (int i = 0; i < count; i++) {
        parts[i] = (struct floor_part){0, load, load->count / count, load->in_flight / count};
        pthread_create(&parts[i].thread, NULL, floor_run, &parts[i]);
    }
    for (int i = 0; i < count; i++) pthread_join(parts[i].thread, NULL);
    return per_second(from, load->count);
}

/* ---- rows 1 and 2 ---- */

static void bench_rates(void) {
    struct load tiny = {TINY, NULL, TINY_COUNT, 4, 1, PDK_STREAM_NULL, 0, 1};
    bench_row("2", "tiny child, one thread to one, jobs/s", bench_both(ours_rate, floor_rate, &tiny), 0.9, 1);
    tiny.threads = tiny.floor_threads = 2;
    bench_row("2", "tiny child, two threads to two, jobs/s", bench_both(ours_rate, floor_rate, &tiny), 0.85, 1);
    struct load truth = {"/bin/true", NULL, TRUE_COUNT, 4, 2, PDK_STREAM_CAPTURE, 0, 1};
    bench_row("1", "/bin/true with two streams, to bare one, jobs/s", bench_both(ours_rate, floor_rate, &truth), 0.95,
              1);
}

/* ---- rows 3 and 4: the same with and without a burden ---- */

static double ours_burdened_fds(void *arg) {
    static int fds[MANY_FDS];
    for (int i = 0; i < MANY_FDS; i++) fds[i] = fcntl(0, F_DUPFD_CLOEXEC, 64);
    double rate = fds[MANY_FDS - 1] < 0 ? 0 : ours_rate(arg);
    for (int i = 0; i < MANY_FDS; i++) close(fds[i]);
    return rate;
}

static double ours_burdened_memory(void *arg) {
    char *memory = malloc(MANY_BYTES);
    if (!memory) exit(1);
    memset(memory, 1, MANY_BYTES);
    double rate = ours_rate(arg);
    free(memory);
    return rate;
}

static void bench_burdens(void) {
    struct load tiny = {TINY, NULL, TINY_COUNT, 4, 2, PDK_STREAM_NULL, 0, 2};
    bench_row("3", "10,000 open fds to none, jobs/s", bench_both(ours_burdened_fds, ours_rate, &tiny), 0.9, 1);
    bench_row("4", "256 MiB resident to none, jobs/s", bench_both(ours_burdened_memory, ours_rate, &tiny), 0.9, 1);
}

/* ---- row 5: capture ---- */

static double us_captured(void *arg) {
    struct load load = *(struct load *)arg;
    load.capture = PDK_STREAM_CAPTURE;
    return 1e6 / ours_rate(&load);
}

static double us_plain(void *arg) {
    return 1e6 / ours_rate(arg);
}

static const char *const DD_ARGS[] = {"/bin/dd", "if=/dev/zero", "bs=65536", "count=4096", "status=none", NULL};

enum { DD_BYTES = 4096 * 65536 };

static double ours_bandwidth(void *arg) {
    struct bench bench;
    struct load load = {"/bin/dd", NULL, 1, 1, 1, PDK_STREAM_CAPTURE, 0, 1};
    (void)arg;
    bench_open(&bench, &load);
    bench.command.argv = DD_ARGS;
    uint64_t from = pdk_clock_now();
    spawn_one(&bench);
    pdk_ev_run(bench.ev);
    double rate = DD_BYTES * 1e9 / (double)(pdk_clock_now() - from) / (1 << 20);
    if (bench.bytes != DD_BYTES) exit(1);
    bench_close(&bench);
    return rate;
}

static double pipe_bandwidth(void *arg) {
    static char buffer[64 * 1024];
    uint64_t bytes = 0, from = pdk_clock_now();
    (void)arg;
    FILE *pipe = popen("exec /bin/dd if=/dev/zero bs=65536 count=4096 status=none", "re");
    for (ssize_t size; (size = read(fileno(pipe), buffer, sizeof buffer)) > 0;) bytes += (uint64_t)size;
    if (pclose(pipe) != 0) exit(1);
    return (double)bytes * 1e9 / (double)(pdk_clock_now() - from) / (1 << 20);
}

static void bench_capture(void) {
    struct load tiny = {TINY, NULL, TINY_COUNT, 4, 1, PDK_STREAM_NULL, 0, 1};
    struct bench_pair pair = bench_both(us_captured, us_plain, &tiny);
    printf("%-4s %-52s %12.1f %12.1f %+7.1f <=%+6.1f %s\n", "5", "two streams captured to none, us per job", pair.ours,
           pair.floor, pair.ours - pair.floor, 25.0, pair.ours - pair.floor <= 25 ? "ok" : "missed");
    bench_row("5", "256 MiB through one stream, MiB/s", bench_both(ours_bandwidth, pipe_bandwidth, NULL), 0.7, 1);
}

/* ---- row 9: exits among many ---- */

enum { SAMPLES = 200 };

static uint64_t cpu_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * PDK_SECOND +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * PDK_MICROSECOND;
}

struct exits {
    double noticed_us, cpu_us;
};

/* They are killed as the floor's are, one by one and not by group: what is measured is how their end is noticed. */
static struct exits ours_exits(int count) {
    struct bench bench;
    double times[SAMPLES];
    struct load load = {TINY, "pause", count, 16, 1, PDK_STREAM_NULL, 0, 1};
    bench_open(&bench, &load);
    bench.pids = calloc((size_t)count, sizeof *bench.pids);
    for (int i = 0; i < count; i++) spawn_one(&bench);
    pdk_ev_run(bench.ev);
    bench.expect_signal = SIGKILL;
    for (int i = 0; i < SAMPLES; i++) {
        uint64_t from = pdk_clock_now();
        bench.stop_at = i + 1;
        kill(bench.pids[i], SIGKILL);
        pdk_ev_run(bench.ev);
        times[i] = (double)(pdk_clock_now() - from) / 1000;
    }
    uint64_t from = cpu_ns();
    bench.stop_at = count;
    for (int i = SAMPLES; i < count; i++) kill(bench.pids[i], SIGKILL);
    pdk_ev_run(bench.ev);
    double cpu = (double)(cpu_ns() - from) / 1000 / (count - SAMPLES);
    bench_close(&bench);
    return (struct exits){bench_median(times, SAMPLES), cpu};
}

static struct exits floor_exits(int count) {
    struct floor_spawner spawner;
    double times[SAMPLES];
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    floor_open(&spawner, TINY, "pause");
    for (int i = 0; i < count; i++) floor_start(&spawner, &pids[i]);
    for (int i = 0; i < SAMPLES; i++) {
        uint64_t from = pdk_clock_now();
        kill(pids[i], SIGKILL);
        floor_reap(&spawner, SIGKILL);
        times[i] = (double)(pdk_clock_now() - from) / 1000;
    }
    uint64_t from = cpu_ns();
    for (int i = SAMPLES; i < count; i++) kill(pids[i], SIGKILL);
    for (int left = count - SAMPLES; left > 0;) left -= floor_reap(&spawner, SIGKILL);
    double cpu = (double)(cpu_ns() - from) / 1000 / (count - SAMPLES);
    floor_close(&spawner);
    free(pids);
    return (struct exits){bench_median(times, SAMPLES), cpu};
}

static void bench_exits(void) {
    enum { ROUNDS = 3 };
    double noticed[4][ROUNDS], cpu[4][ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        const struct exits all[4] = {floor_exits(1000), ours_exits(1000), floor_exits(10000), ours_exits(10000)};
        for (int k = 0; k < 4; k++) {
            noticed[k][i] = all[k].noticed_us;
            cpu[k][i] = all[k].cpu_us;
        }
    }
    double n[4], c[4];
    for (int k = 0; k < 4; k++) {
        n[k] = bench_median(noticed[k], ROUNDS);
        c[k] = bench_median(cpu[k], ROUNDS);
    }
    bench_row("9", "10,000 children: exit noticed, p50, us", (struct bench_pair){n[3], n[2]}, 1.25, 0);
    bench_row("9", "10,000 children: CPU per exit in a burst, us", (struct bench_pair){c[3], c[2]}, 1.25, 0);
    bench_row("9", "exit noticed, 10,000 to 1,000, us", (struct bench_pair){n[3], n[1]}, 1.3, 0);
    bench_row("9", "CPU per exit, 10,000 to 1,000, us", (struct bench_pair){c[3], c[1]}, 1.3, 0);
}

/* ---- what a cgroup per attempt costs, for the choice of the default ---- */

static double us_tracked(void *arg) {
    struct load load = *(struct load *)arg;
    load.cgroups = 1;
    return 1e6 / ours_rate(&load);
}

static void bench_tracking(void) {
    struct load tiny = {TINY, NULL, TINY_COUNT, 4, 1, PDK_STREAM_NULL, 0, 1};
    if (geteuid() != 0) return;
    struct bench_pair pair = bench_both(us_tracked, us_plain, &tiny);
    printf("     %-52s %12.1f %12.1f %7.2f\n", "a cgroup for each to none, us per job", pair.ours, pair.floor,
           pair.ours / pair.floor);
}

int main(int argc, char **argv) {
    static const struct part {
        const char *name;
        void (*run)(void);
    } PARTS[] = {{"rates", bench_rates},
                 {"burdens", bench_burdens},
                 {"capture", bench_capture},
                 {"tracking", bench_tracking},
                 {"exits", bench_exits}};
    bench_head();
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (argc < 2 || strcmp(argv[1], PARTS[i].name) == 0) PARTS[i].run();
    return 0;
}
