/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor with its real loop and real processes, and plugins that have some of their own. Nothing sleeps: what is
 * waited for is looked at whenever something happens. */
#ifndef TEST_ISOLATE_WORLD_H
#define TEST_ISOLATE_WORLD_H

#include "support/unit.h"

#include "core/isolate/isolate.h"
#include "core/loop/loop.h"

enum { WORLD_RUNS = 64, WORLD_TEXT = 64 * 1024 };

struct world_run {
    pdk_run run;
    bool settled;
    int32_t end, status, category, exit_code;
    uint32_t started, attempts; /* as events tell, and the outcome */
    char code[64], message[512], output[2048];
    pdk_usage usage;
};

struct world {
    struct pdk_ev *ev;
    const pdk_loop *loop;
    pdk_supervisor *supervisor;
    struct world_run runs[WORLD_RUNS];
    uint32_t run_count;
    char log[WORLD_TEXT], out[WORLD_TEXT]; /* all that was logged; all output */
    bool stopped, late;
};

struct world *world_begin(void);
void world_end(struct world *world); /* shuts it down, and waits for that */

/* What an entry says by default: a process, and a loop thread that is asked often. */
struct pdk_isolation world_isolation(void);

/* Enter a plugin: file is a path; name NULL: its own. config: JSON, or NULL. probe: as in the options. */
int32_t world_isolate(struct world *world, const char *file, const char *name, const char *config,
                      const struct pdk_isolation *isolation, bool probe, pdk_error *err);
void world_load(struct world *world, const char *file); /* in this process */
void world_start(struct world *world);

/* Submit a spec of JSON with ' for ". kill_wait_ms: 0: as usual. */
struct world_run *world_submit(struct world *world, const char *spec, uint32_t kill_wait_ms);

/* Wait for a condition; a failure when it does not come. */
#define world_until(world, condition)                                                      \
    do {                                                                                   \
        while (!(condition) && !(world)->late) pdk_ev_run((world)->ev);                    \
        if (!(condition)) fail_msg("%s did not come; log:\n%s", #condition, (world)->log); \
    } while (0)

struct pdk_instance *world_instance(struct world *world, const char *name);
bool world_is_up(struct world *world, const char *name);
int32_t world_warden(struct world *world, const char *name);
int32_t world_host(struct world *world, const char *name); /* the process that runs the plugin, which is up */
uint32_t world_count(const char *text, const char *part);
bool world_lives(int32_t pid);

#endif
