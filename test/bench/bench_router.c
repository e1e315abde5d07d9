/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes and loading, each beside the plainest thing that does the same. Figures are medians of 5, ratios are of one
 * run. The route is the worst case: all runners serve the kind, half of them have one of the two labels wanted, half
 * the other, only the last has both.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/plugin/router.h"

enum { ROUNDS = 5, LABELS = 6, WANTED = 2, FILES = 200 };

struct plain { /* a runner, for the two scans */
    const char *kind, *keys[LABELS];
    char values[LABELS][16];
    uint32_t kind_id, key_ids[LABELS], value_ids[LABELS];
};

static const char *const keys[LABELS] = {"os", "arch", "owner", "rack", "zone", "tier"};
static volatile const void *sink;

static double now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *figures) {
    qsort(figures, ROUNDS, sizeof *figures, by_size);
    return figures[ROUNDS / 2];
}

static void describe(struct plain *runner, size_t i, size_t count) {
    runner->kind = "subprocess";
    runner->kind_id = 1;
    for (uint32_t k = 0; k < LABELS; k++) {
        runner->keys[k] = keys[k];
        runner->key_ids[k] = k + 1;
        runner->value_ids[k] = 100 + (uint32_t)(i % 7);
        snprintf(runner->values[k], sizeof runner->values[k], "value-%zu", i % 7);
    }
    if (i % 2 == 0 || i == count - 1)
        strlcpy(runner->values[4], "gpu", sizeof runner->values[4]), runner->value_ids[4] = 1;
    if (i % 2 == 1 || i == count - 1)
        strlcpy(runner->values[5], "gold", sizeof runner->values[5]), runner->value_ids[5] = 2;
}

static bool plain_has(const struct plain *runner, const char *key, const char *value) {
    for (int k = 0; k < LABELS; k++)
        if (strcmp(runner->keys[k], key) == 0) return strcmp(runner->values[k], value) == 0;
    return false;
}

static const struct plain *by_texts(const struct plain *runners, size_t count, const char *kind,
                                    const char *const *wanted) {
    for (size_t i = 0; i < count; i++) {
        bool all = strcmp(runners[i].kind, kind) == 0;
        for (int w = 0; all && w < WANTED; w++) all = plain_has(&runners[i], wanted[2 * w], wanted[2 * w + 1]);
        if (all) return &runners[i];
    }
    return NULL;
}

static bool has_ids(const struct plain *runner, uint32_t key, uint32_t value) {
    for (int k = 0; k < LABELS; k++)
        if (runner->key_ids[k] == key) return runner->value_ids[k] == value;
    return false;
}

static const struct plain *by_ids(const struct plain *runners, size_t count, uint32_t kind, const uint32_t *wanted) {
    for (size_t i = 0; i < count; i++) {
        bool all = runners[i].kind_id == kind;
        for (int w = 0; all && w < WANTED; w++) all = has_ids(&runners[i], wanted[2 * w], wanted[2 * w + 1]);
        if (all) return &runners[i];
    }
    return NULL;
}

static const pdk_value *labels_of(const struct plain *runner) {
    const pdk_values *v = pdk_values_get();
    pdk_writer *w = v->open(v);
    const pdk_value *labels = NULL;
    pdk_error err = PDK_ERROR;

    v->put_map(w);
    for (int k = 0; k < LABELS; k++) {
        v->key(w, runner->keys[k]);
        v->put_string(w, runner->values[k], strlen(runner->values[k]));
    }
    v->end(w);
    v->close(w, &labels, &err);
    return labels;
}

struct world {
    struct plain *runners;
    const pdk_value **labels;
    struct pdk_routes *routes;
    size_t count;
};

static void world_make(struct world *world, size_t count) {
    static const char *const kinds[] = {"subprocess", NULL};

    world->count = count;
    world->runners = calloc(count, sizeof *world->runners);
    world->labels = calloc(count, sizeof(*world->labels));
    if (!world->runners || !world->labels || pdk_routes_create(&world->routes) < 0) abort();
    for (size_t i = 0; i < count; i++) {
        describe(&world->runners[i], i, count);
        world->labels[i] = labels_of(&world->runners[i]);
        if (pdk_routes_add(world->routes, &world->runners[i], kinds, world->labels[i]) < 0) abort();
    }
}

static void world_free(struct world *world) {
    pdk_routes_free(world->routes);
    for (size_t i = 0; i < world->count; i++) pdk_values_get()->drop(world->labels[i]);
    free(world->labels);
    free(world->runners);
}

/* ns of one route in each of the three ways, which must agree. */
static void route(const struct world *world, const struct pdk_selector *selector, double ns[3]) {
    static const char *const texts[] = {"zone", "gpu", "tier", "gold"};
    static const uint32_t ids[] = {5, 1, 6, 2};
    const struct plain *last = &world->runners[world->count - 1];
    size_t slow = 2000000 / world->count, fast = 1000000;
    double times[4] = {now(), 0, 0, 0};

    for (size_t i = 0; i < slow; i++) sink = by_texts(world->runners, world->count, "subprocess", texts);
    if (sink != last) abort();
    times[1] = now();
    for (size_t i = 0; i < slow; i++) sink = by_ids(world->runners, world->count, 1, ids);
    if (sink != last) abort();
    times[2] = now();
    for (size_t i = 0; i < fast; i++) sink = pdk_routes_pick(world->routes, "subprocess", selector, NULL, NULL);
    if (sink != last) abort();
    times[3] = now();
    for (int way = 0; way < 3; way++) ns[way] = (times[way + 1] - times[way]) / (double)(way < 2 ? slow : fast);
}

static void bench_routes(size_t count) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    pdk_error err = PDK_ERROR;
    struct world world = {0};
    double all[3][ROUNDS], ns[3];

    if (pdk_selector_parse("zone=gpu,tier=gold", &arena, &selector, &err) < 0) abort();
    world_make(&world, count);
    for (int round = 0; round < ROUNDS; round++) {
        route(&world, &selector, ns);
        for (int way = 0; way < 3; way++) all[way][round] = ns[way];
    }
    for (int way = 0; way < 3; way++) ns[way] = median(all[way]);
    printf("%5zu runners: strcmp %8.0f ns, interned ids %6.0f ns, paddock %4.0f ns: %6.1fx, %5.1fx\n", count, ns[0],
           ns[1], ns[2], ns[0] / ns[2], ns[1] / ns[2]);
    world_free(&world);
    pdk_arena_free(&arena);
}

static void plain_load(const char *folder) {
    char path[64];

    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/p%d.so", folder, i);
        sink = dlsym(dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), "pdk_plugin_entry");
        if (!sink) abort();
    }
}

static void checked_load(const char *folder) {
    pdk_error err = PDK_ERROR;
    char path[64];

    for (int i = 0; i < FILES; i++) {
        struct pdk_library library;
        snprintf(path, sizeof path, "%s/p%d.so", folder, i);
        if (pdk_library_open(path, &library, &err) < 0) abort();
        pdk_library_free(&library);
    }
}

static void router_load(const char *folder) {
    pdk_router *router;
    pdk_error err = PDK_ERROR;
    char path[64], name[16];

    if (pdk_router_create(NULL, &router, &err) < 0) abort();
    for (int i = 0; i < FILES; i++) {
        pdk_router_entry entry = {.struct_size = sizeof entry, .name = name};
        snprintf(path, sizeof path, "%s/p%d.so", folder, i);
        snprintf(name, sizeof name, "p%d", i);
        if (pdk_router_load(router, path, &entry, &err) < 0) abort();
    }
    pdk_router_destroy(router);
}

/* In a process of its own: what is loaded stays. */
static double timed(void (*load)(const char *), const char *folder) {
    double taken = 0;
    int ends[2], status;
    pid_t pid;

    if (pipe(ends) < 0 || (pid = fork()) < 0) abort();
    if (pid == 0) {
        double start = now();
        load(folder);
        taken = now() - start;
        _exit(write(ends[1], &taken, sizeof taken) != (ssize_t)sizeof taken);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0 || read(ends[0], &taken, sizeof taken) != (ssize_t)sizeof taken)
        abort();
    close(ends[0]);
    close(ends[1]);
    return taken;
}

static void copy_plugins(const char *folder) {
    static char data[1 << 20];
    FILE *from = fopen(GREET, "re");
    size_t size = from ? fread(data, 1, sizeof data, from) : 0;
    char path[64];

    if (size == 0 || size == sizeof data) abort();
    fclose(from);
    for (int i = 0; i < FILES; i++) {
        FILE *to;
        snprintf(path, sizeof path, "%s/p%d.so", folder, i);
        to = fopen(path, "we");
        if (!to || fwrite(data, 1, size, to) != size || fclose(to) != 0) abort();
    }
}

static void bench_load(void) {
    char folder[] = "/tmp/paddock-bench-XXXXXX", path[64];
    double all[3][ROUNDS], ns[3];

    if (!mkdtemp(folder)) abort();
    copy_plugins(folder);
    for (int round = 0; round < ROUNDS; round++) {
        all[0][round] = timed(plain_load, folder);
        all[1][round] = timed(checked_load, folder);
        all[2][round] = timed(router_load, folder);
    }
    for (int way = 0; way < 3; way++) ns[way] = median(all[way]) / 1e6;
    printf("%5d plugins: dlopen and dlsym %.2f ms; checked and loaded %.2f ms: %.2fx (goal 1.5x); "
           "made and entered, too, %.2f ms: %.2fx\n",
           FILES, ns[0], ns[1], ns[1] / ns[0], ns[2], ns[2] / ns[0]);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/p%d.so", folder, i);
        unlink(path);
    }
    rmdir(folder);
}

int main(void) {
    printf("goal with 1000 runners: 150 ns, 100x strcmp, 10x interned ids\n");
    bench_routes(10);
    bench_routes(100);
    bench_routes(1000);
    fflush(stdout);
    bench_load();
    return 0;
}
