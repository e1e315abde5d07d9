/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process of its own costs a plugin: the same runs of one that does nothing, in our process and in its own, in turns
 * in the same run, through the same supervisor.
 *
 *   many   runs that are all accepted at once: per second
 *   one    a run at a time, from submit to settled: the median and the 99th of a hundred
 *   up     from nothing to a process that is up
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/isolate/isolate.h"
#include "core/loop/loop.h"

enum { ROUNDS = 7, MANY = 20000, ONES = 2000, UPS = 20 };

struct world {
    struct pdk_ev *ev;
    pdk_supervisor *supervisor;
    uint32_t left;
    bool stopped;
};

static void must(int32_t rc, const char *what, const pdk_error *err) {
    if (rc >= 0) return;
    fprintf(stderr, "%s: %s\n", what, err->message[0] ? err->message : strerror(-rc));
    exit(1);
}

static void on_settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    struct world *world = arg;
    (void)run;
    if (outcome->end != PDK_END_SUCCEEDED) {
        fprintf(stderr, "a run ended with %d: %s\n", outcome->end, outcome->last->message);
        exit(1);
    }
    if (--world->left == 0) pdk_ev_break(world->ev);
}

static void on_stopped(void *arg) {
    struct world *world = arg;
    world->stopped = true;
    pdk_ev_break(world->ev);
}

static void on_tick(void *arg) {
    pdk_ev_break(arg);
}

static bool is_up(const struct world *world) {
    const struct pdk_instance *instance = pdk_router_instance(pdk_supervisor_router(world->supervisor), 0);
    return instance->health == PDK_UP;
}

static void begin(struct world *world, bool isolated) {
    static const struct pdk_isolation isolation = {
        .mode = PDK_ISOLATION_PROCESS, .ping_every = 2 * PDK_SECOND, .ping_timeout = 10 * PDK_SECOND};
    const struct pdk_isolate_options options = {HOST, &isolation, false};
    pdk_error err = PDK_ERROR;
    memset(world, 0, sizeof *world);
    must(pdk_ev_create(&world->ev), "loop", &err);
    must(pdk_supervisor_create(&(pdk_supervisor_options){.struct_size = sizeof(pdk_supervisor_options),
                                                         .loop = pdk_ev_loop(world->ev),
                                                         .stopped = on_stopped,
                                                         .arg = world,
                                                         .history = UINT32_MAX},
                               &world->supervisor, &err),
         "supervisor", &err);
    must(isolated ? pdk_isolate_load(world->supervisor, NULL, ECHO, NULL, &options, &err)
                  : pdk_supervisor_load(world->supervisor, ECHO, NULL, &err),
         "plugin", &err);
    must(pdk_supervisor_start(world->supervisor, &err), "start", &err);
    const pdk_loop *loop = pdk_ev_loop(world->ev);
    pdk_watch tick;
    must(loop->timer(loop, 1, 50 * PDK_MICROSECOND, on_tick, world->ev, &tick), "timer", &err);
    while (!is_up(world)) pdk_ev_run(world->ev);
    loop->stop(loop, tick);
}

static void end(struct world *world) {
    (void)pdk_supervisor_shutdown(world->supervisor);
    while (!world->stopped) pdk_ev_run(world->ev);
    pdk_supervisor_destroy(world->supervisor);
    pdk_ev_once(world->ev);
    pdk_ev_free(world->ev);
}

static const pdk_value *make_spec(uint32_t number) {
    char json[160];
    const pdk_value *value = NULL;
    int size =
        snprintf(json, sizeof json, "{\"name\":\"t%u\",\"kind\":\"echo\",\"with\":{\"message\":\"hello\"}}", number);
    pdk_error err = PDK_ERROR;
    must(pdk_values_get()->parse(pdk_values_get(), json, (size_t)size, "bench", &value, &err), "spec", &err);
    return value;
}

static void submit(struct world *world, const pdk_value *spec) {
    const pdk_submit_options options = {.struct_size = sizeof options, .settled = on_settled, .arg = world};
    pdk_error err = PDK_ERROR;
    pdk_run run;
    must(pdk_supervisor_submit(world->supervisor, spec, &options, &run, &err), "submit", &err);
}

static double many(struct world *world, const pdk_value **specs) {
    uint64_t began = pdk_clock_now();
    world->left = MANY;
    for (uint32_t i = 0; i < MANY; i++) submit(world, specs[i]);
    while (world->left) pdk_ev_run(world->ev);
    return MANY * 1e9 / (double)(pdk_clock_now() - began);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void ones(struct world *world, const pdk_value *spec, double *times) {
    for (uint32_t i = 0; i < ONES; i++) {
        uint64_t began = pdk_clock_now();
        world->left = 1;
        submit(world, spec);
        while (world->left) pdk_ev_run(world->ev);
        times[i] = (double)(pdk_clock_now() - began) / 1e3;
    }
    qsort(times, ONES, sizeof *times, compare);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

int main(void) {
    static const pdk_value *specs[MANY];
    static double times[2][ONES], rates[2][ROUNDS], halves[2][ROUNDS], worst[2][ROUNDS], ups[UPS];
    struct world worlds[2];
    for (uint32_t i = 0; i < MANY; i++) specs[i] = make_spec(i);
    for (int i = 0; i < 2; i++) begin(&worlds[i], i);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 2; i++) {
            rates[i][round] = many(&worlds[i], specs);
            ones(&worlds[i], specs[0], times[i]);
            halves[i][round] = times[i][ONES / 2];
            worst[i][round] = times[i][ONES / 100 * 99];
        }
    for (int i = 0; i < 2; i++) end(&worlds[i]);
    for (int i = 0; i < UPS; i++) {
        uint64_t began = pdk_clock_now();
        begin(&worlds[0], true);
        ups[i] = (double)(pdk_clock_now() - began) / 1e6;
        end(&worlds[0]);
    }
    for (uint32_t i = 0; i < MANY; i++) pdk_values_get()->drop(specs[i]);
    double rate[2], half[2], late[2];
    for (int i = 0; i < 2; i++) {
        rate[i] = median(rates[i], ROUNDS);
        half[i] = median(halves[i], ROUNDS);
        late[i] = median(worst[i], ROUNDS);
    }
    printf("%-28s %12s %12s %8s\n", "", "in process", "isolated", "ratio");
    printf("%-28s %10.0f/s %10.0f/s %8.2f\n", "many: runs that do nothing", rate[0], rate[1], rate[0] / rate[1]);
    printf("%-28s %10.2fus %10.2fus %8.2f\n", "many: a run", 1e6 / rate[0], 1e6 / rate[1], rate[0] / rate[1]);
    printf("%-28s %10.1fus %10.1fus %8.2f\n", "one at a time: median", half[0], half[1], half[1] / half[0]);
    printf("%-28s %10.1fus %10.1fus %8.2f\n", "one at a time: 99 of 100", late[0], late[1], late[1] / late[0]);
    printf("%-28s %12s %10.1fms\n", "up: a process from nothing", "", median(ups, UPS));
    return 0;
}
