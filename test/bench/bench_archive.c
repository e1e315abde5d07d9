/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to keep output and history: the same children and the same runs with the archive loaded and without, in turns.
 * What is kept is read again, so that nothing is counted that was lost.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "core/supervise/supervisor.h"
#include "find.h"
#include "paddock/helpers.h"
#include "stretch.h"

enum { OUTPUT = 64 << 20, RUNS = 5000 };

#define GENERATE "yes 'a line of output, as long as most of them are, with some words' | head -c 67108864"

struct bench {
    char folder[64];
    const char *spec;
    uint32_t runs;
    pdk_supervisor *supervisor;
    uint32_t left;
    uint64_t settled; /* when the last was told */
    bool keeps;
    double kept, lost; /* bytes */
};

static void check(int32_t rc, const char *what) {
    if (rc >= 0) return;
    fprintf(stderr, "bench-archive: %s: %s\n", what, strerror(-rc));
    exit(1);
}

static void load(struct bench *b, const char *file, const char *config) {
    pdk_router_entry entry = {.struct_size = sizeof entry};
    const pdk_values *values = pdk_values_get();
    pdk_error err = PDK_ERROR;
    if (config) check(values->parse(values, config, strlen(config), "bench", &entry.config, &err), "config");
    check(pdk_supervisor_load(b->supervisor, file, &entry, &err), err.message);
    values->drop(entry.config);
}

static void on_settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    struct bench *b = arg;
    (void)run, (void)outcome;
    if (--b->left) return;
    b->settled = pdk_clock_now();
    (void)pdk_supervisor_shutdown(b->supervisor);
}

/* Each with a name, and so a slot, of its own. */
static void submit(struct bench *b) {
    const pdk_submit_options options = {.struct_size = sizeof options, .settled = on_settled, .arg = b};
    const pdk_values *values = pdk_values_get();
    pdk_error err = PDK_ERROR;
    b->left = b->runs;
    for (uint32_t i = 0; i < b->runs; i++) {
        const pdk_value *spec = NULL;
        char json[512];
        (void)snprintf(json, sizeof json, "{\"name\":\"print-%u\",%s}", i, b->spec);
        check(values->parse(values, json, strlen(json), "bench", &spec, &err), "spec");
        check(pdk_supervisor_submit(b->supervisor, spec, &options, NULL, &err), err.message);
        values->drop(spec);
    }
}

/* Until all is on the disk, as far as the disk was told, or until all outcomes were told. Seconds. */
static double run(struct bench *b) {
    const struct pdk_instance_limits trusted = {.control = true};
    pdk_supervisor_options options = {
        .struct_size = sizeof options, .grace = 60 * PDK_SECOND, .flush = 60 * PDK_SECOND};
    char config[256];
    pdk_error err = PDK_ERROR;
    check(pdk_supervisor_create(&options, &b->supervisor, &err), err.message);
    load(b, SUBPROCESS, NULL);
    load(b, ECHO, NULL);
    (void)snprintf(config, sizeof config,
                   "{\"path\":\"%s/archive\",\"output\":{\"attempt\":\"4GiB\",\"task\":\"4GiB\",\"total\":\"4GiB\"}}",
                   b->folder);
    check(pdk_supervisor_limit(b->supervisor, "archive", &trusted), "limit");
    if (b->keeps) load(b, ARCHIVE, config);
    check(pdk_supervisor_start(b->supervisor, &err), err.message);
    uint64_t start = pdk_clock_now();
    submit(b);
    (void)pdk_supervisor_run(b->supervisor);
    double seconds = (double)((b->runs == 1 ? pdk_clock_now() : b->settled) - start) / 1e9;
    pdk_supervisor_destroy(b->supervisor);
    return seconds;
}

static void count_kept(struct bench *b) {
    static struct arc_stretch s;
    char output[128], folder[4096];
    int32_t rc = 1;
    (void)snprintf(output, sizeof output, "%s/archive/output", b->folder);
    if (!arc_find_run(output, "print-0", folder, sizeof folder)) return;
    s = (struct arc_stretch){.folder = folder, .attempt = 1};
    while (rc == 1 && (rc = arc_stretch_read(&s)) >= 0)
        for (size_t i = 0; i < s.count; i++) {
            b->kept += (double)s.bits[i].size;
            b->lost += (double)s.bits[i].lost;
        }
    arc_stretch_close(&s);
    check(rc, s.fault);
}

static void clean(const struct bench *b) {
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s/archive'", b->folder);
    FILE *shell = popen(command, "r");
    if (shell) (void)pclose(shell);
}

static double with(void *arg) {
    struct bench *b = arg;
    b->keeps = true;
    b->kept = b->lost = 0;
    double seconds = run(b);
    count_kept(b);
    clean(b);
    return seconds;
}

static double without(void *arg) {
    struct bench *b = arg;
    b->keeps = false;
    return run(b);
}

static struct bench_pair rates(struct bench *b, double amount) {
    struct bench_pair pair = bench_both(with, without, b);
    return (struct bench_pair){amount / pair.ours, amount / pair.floor};
}

int main(void) {
    struct bench b = {.folder = "/tmp/paddock-bench-XXXXXX"};
    if (!mkdtemp(b.folder)) return 1;
    bench_head();
    b.spec = "\"kind\":\"subprocess\",\"command\":\"" GENERATE "\"";
    b.runs = 1;
    bench_row("1", "output of one child, MB/s until it is in files", rates(&b, OUTPUT / 1e6), 0.5, 1);
    printf("     kept %.1f MB, lost %.1f MB of %.1f MB\n", b.kept / 1e6, b.lost / 1e6, OUTPUT / 1e6);
    b.spec = "\"kind\":\"echo\"";
    b.runs = RUNS;
    bench_row("2", "short runs, 1/s until all outcomes are told", rates(&b, RUNS), 0.5, 1);
    (void)rmdir(b.folder);
    return 0;
}
