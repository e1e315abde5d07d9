/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least of a program around a supervisor with a console, for the tests that stand beside it.
 *
 *     console-host FOLDER CONFIG [fake]     FOLDER of plugins; CONFIG of the console, as JSON; fake: a queue and an archive
 *
 * It says "ready" and reads commands: mark (forget what was measured), latency (say how late and how busy the loop was since), fds (how
 * many are open), fail N (the N-th allocation from now on fails, in a program that has the console built in; whether the
 * last one did is said), stop. The end of its input is a stop too.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/supervise/supervisor.h"
#include "fake.h"
#include "paddock/helpers.h"
#ifdef FAILS
#include "support/fail_alloc.h"
#endif

enum { SAMPLES = 1 << 20 };

#define BEAT PDK_MILLISECOND

struct program {
    pdk_supervisor *supervisor;
    const pdk_loop *loop;
    const pdk_values *values;
    uint64_t last;
    uint64_t last_busy;
    uint32_t count;
    uint32_t late[SAMPLES]; /* microseconds */
    uint32_t busy[SAMPLES]; /* microseconds of processor time between two beats: no other process counts */
};

/* ---- how late the loop is ---- */

static uint64_t processor_time(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * PDK_SECOND + (uint64_t)time.tv_nsec;
}

static void on_beat(void *arg) {
    struct program *p = arg;
    uint64_t now = p->loop->now_ns(p->loop), passed = now - p->last, busy = processor_time();
    if (p->count < SAMPLES) {
        p->busy[p->count] = (uint32_t)((busy - p->last_busy) / 1000);
        p->late[p->count++] = passed > BEAT ? (uint32_t)((passed - BEAT) / 1000) : 0;
    }
    p->last = now;
    p->last_busy = busy;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Median, 99th percentile and maximum. */
static void say(uint32_t *samples, uint32_t n) {
    qsort(samples, n, sizeof *samples, compare);
    printf(" %u %u %u", samples[n / 2], samples[(size_t)n * 99 / 100], samples[n - 1]);
}

static void say_latency(struct program *p) {
    if (!p->count) p->late[0] = p->busy[0] = 0, p->count = 1;
    printf("latency");
    say(p->late, p->count);
    say(p->busy, p->count);
    printf("\n");
    p->count = 0;
}

static void say_fds(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = -3; /* . and .. and this one */
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    printf("fds %d\n", count);
}

/* ---- commands ---- */

static void fail_allocation(const char *number) {
#ifdef FAILS
    bool happened = pdk_fail_happened();
    pdk_fail_at(0);
    printf("failed %d\n", happened);
    (void)fflush(stdout);
    pdk_fail_at(strtol(number, NULL, 10));
#else
    printf("failed %s\n", number);
#endif
}

static void stop(struct program *p) {
    (void)pdk_supervisor_shutdown(p->supervisor);
}

static void on_input(void *arg, uint32_t events) {
    struct program *p = arg;
    char line[64];
    (void)events;
    ssize_t size = read(0, line, sizeof line - 1);
    line[size > 0 ? size : 0] = '\0';
    if (!strcmp(line, "mark\n"))
        p->count = 0, printf("marked\n");
    else if (!strcmp(line, "latency\n"))
        say_latency(p);
    else if (!strncmp(line, "fail ", 5))
        fail_allocation(line + 5);
    else if (!strcmp(line, "fds\n"))
        say_fds();
    else
        stop(p);
    (void)fflush(stdout);
    if (size <= 0) (void)close(0);
}

/* ---- what a console may ask of a program ---- */

static int32_t put_json(const struct program *p, pdk_writer *w, const char *json) {
    const pdk_value *value = NULL;
    int32_t rc = p->values->parse(p->values, json, strlen(json), "host", &value, NULL);
    if (rc < 0) return rc;
    p->values->put_value(w, value);
    p->values->drop(value);
    return 0;
}

static int32_t program_inspect(void *arg, const char *subject, const pdk_value *given, pdk_writer *w, pdk_error *err) {
    (void)given, (void)err;
    if (strcmp(subject, "tasks") != 0) return -ENOENT;
    return put_json(arg, w,
                    "[{\"task\":\"declared\",\"kind\":\"echo\",\"description\":\"Says it\",\"manual\":true,"
                    "\"place\":\"paddock.yaml:2\"}]");
}

static int32_t program_submit(struct program *p, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    const char *name = "";
    const pdk_value *spec = NULL;
    pdk_run run = 0;
    int32_t rc = 0;
    if (p->values->string(p->values->get(params, "task"), &name) < 0)
        return p->values->count(params) && p->values->get(params, "name")
                   ? -ENOTSUP
                   : pdk_fail(err, -EINVAL, params, "neither \"task\" nor \"name\" is there", NULL, NULL);
    if (strcmp(name, "declared") != 0)
        return pdk_fail(err, -ENOENT, p->values->get(params, "task"), "there is no task \"", name, "\"");
    rc = p->values->parse(p->values, "{\"name\":\"declared\",\"kind\":\"echo\"}", 33, "host", &spec, err);
    if (rc == 0) rc = pdk_supervisor_submit(p->supervisor, spec, NULL, &run, err);
    p->values->drop(spec);
    if (rc < 0) return rc;
    p->values->put_map(w);
    p->values->key(w, "run");
    p->values->put_int(w, (int64_t)run);
    p->values->end(w);
    return 0;
}

static int32_t program_command(void *arg, const char *verb, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    struct program *p = arg;
    const char *task = "";
    if (!strcmp(verb, "submit")) return program_submit(p, params, w, err);
    if (!strcmp(verb, "reload")) return put_json(p, w, "{\"added\":[],\"changed\":[],\"removed\":[],\"unchanged\":1}");
    if (!strcmp(verb, "shutdown")) stop(p);
    (void)p->values->string(p->values->get(params, "task"), &task);
    if (strcmp(verb, "shutdown") != 0 && strcmp(task, "declared") != 0)
        return pdk_fail(err, -ENOENT, NULL, "there is no task \"", task, "\"");
    return put_json(p, w, "{}");
}

static const struct pdk_program_ops program_ops = {program_inspect, program_command};

/* ---- its life ---- */

static void log_line(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    static const char *const words[] = {"debug", "info", "warn", "error", "bug"};
    (void)arg;
    if (level >= PDK_LOG_INFO) fprintf(stderr, "%s %s %s %s\n", words[level], part, run_id, text);
}

static int fail(const char *what, const pdk_error *err) {
    fprintf(stderr, "console-host: %s: %s\n", what, err->message);
    return 2;
}

static int load(struct program *p, const char *folder, const char *name, const char *config) {
    pdk_router_entry entry = {.struct_size = sizeof entry};
    pdk_error err = PDK_ERROR;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s.so", folder, name);
    int32_t rc = 0;
    if (config) rc = p->values->parse(p->values, config, strlen(config), "config", &entry.config, &err);
#ifdef FAILS
    if (rc == 0 && !strcmp(name, "console"))
        rc = pdk_supervisor_add(p->supervisor, &pdk_plugin_entry, &entry, &err);
    else
#endif
        if (rc == 0)
        rc = pdk_supervisor_load(p->supervisor, path, &entry, &err);
    p->values->drop(entry.config);
    return rc < 0 ? fail(name, &err) : 0;
}

static int begin(struct program *p, char **argv, bool fake) {
    const struct pdk_instance_limits trusted = {.control = true};
    static const char *const plugins[] = {"prometheus", "echo", "sleep", "subprocess"};
    pdk_error err = PDK_ERROR;
    pdk_watch watch;
    (void)pdk_supervisor_limit(p->supervisor, "console", &trusted);
    (void)pdk_supervisor_limit(p->supervisor, "fake", &trusted);
    pdk_supervisor_program(p->supervisor, &program_ops, p);
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
        if (load(p, argv[1], plugins[i], NULL)) return 2;
    if (fake && pdk_supervisor_add(p->supervisor, &fake_plugin, NULL, &err) < 0) return fail("fake", &err);
    if (load(p, argv[1], "console", argv[2])) return 2;
    if (pdk_supervisor_start(p->supervisor, &err) < 0) return fail("start", &err);
    p->last = p->loop->now_ns(p->loop);
    if (p->loop->timer(p->loop, BEAT, BEAT, on_beat, p, &watch) < 0) return 2;
    return p->loop->io(p->loop, 0, PDK_READ, on_input, p, &watch) < 0 ? 2 : 0;
}

int main(int argc, char **argv) {
    static struct program p;
    pdk_supervisor_options options = {
        .struct_size = sizeof options, .log = log_line, .grace = 2 * PDK_SECOND, .name = "console-host"};
    pdk_error err = PDK_ERROR;
    if (argc < 3) return 2;
    p.values = pdk_values_get();
    if (pdk_supervisor_create(&options, &p.supervisor, &err) < 0) return fail("create", &err);
    p.loop = pdk_supervisor_loop(p.supervisor);
    int code = begin(&p, argv, argc > 3);
    if (code) stop(&p);
    printf(code ? "failed\n" : "ready\n");
    (void)fflush(stdout);
    (void)pdk_supervisor_run(p.supervisor);
    pdk_supervisor_destroy(p.supervisor);
    return code;
}
