/* SPDX-License-Identifier: Apache-2.0 */
/* paddock ps: the runs of a server. */
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/frame.h"
#include "core/cli/options.h"
#include "core/cli/remote.h"
#include "core/spec/selector.h"

#define ALIVE    "queued,running,backoff,stopping,stuck"
#define INTERVAL (2 * PDK_SECOND)
#define PAGE     1000

struct listing {
    struct pdk_remote *remote;
    struct pdk_grid grid;
    struct pdk_arena arena;
    uint64_t now;
    int64_t count, most;
};

void pdk_run_titles(const struct pdk_remote *remote, struct pdk_grid *grid) {
    static const char *const titles[] = {"RUN", "TASK", "STATE", "ATTEMPTS", "AGE", "INFO", NULL};
    pdk_grid_begin(grid, 6);
    pdk_titles(remote, grid, titles);
}

void pdk_run_row(const struct pdk_console *out, struct pdk_grid *grid, struct pdk_arena *arena, const pdk_value *run,
                 uint64_t now) {
    char age[64];
    const char *state = pdk_state_of(run), *ended = pdk_get_text(run, "ended_at");
    bool alive = !*ended;
    pdk_grid_cell(grid, "%s", pdk_cell_of(arena, run, "run_id"));
    pdk_grid_cell(grid, "%s", pdk_cell_of(arena, run, "task"));
    pdk_grid_tone(grid, out, pdk_tone_of(state), pdk_cell(arena, state));
    pdk_grid_cell(grid, "%lld", (long long)pdk_get_integer(run, "attempts"));
    pdk_grid_cell(grid, "%s",
                  alive ? pdk_time_span(pdk_get_text(run, "submitted_at"), "", now, age, sizeof age)
                        : pdk_time_relative(ended, now, age, sizeof age));
    pdk_grid_cell(grid, "%s", pdk_why_of(arena, run, now));
}

static int add_run(void *arg, const pdk_value *run) {
    struct listing *listing = arg;
    if (listing->remote->arguments->json)
        pdk_print_json(run);
    else
        pdk_run_row(&listing->remote->out, &listing->grid, &listing->arena, run, listing->now);
    return ++listing->count == listing->most;
}

static void make_path(const struct pdk_arguments *a, const char *task, int64_t limit, struct pdk_buffer *path) {
    const struct pdk_remote_arguments *own = &a->remote;
    bool all = own->all || own->outcomes || own->states;
    pdk_buffer_text(path, "/v1/runs");
    pdk_url_query(path, "state", all ? NULL : ALIVE);
    pdk_url_words(path, "state", PDK_OPT_STATE, own->states);
    pdk_url_words(path, "outcome", PDK_OPT_OUTCOME, own->outcomes);
    pdk_url_query(path, "task", task);
    pdk_url_query(path, "slot", own->slot);
    pdk_url_query(path, "kind", own->kind);
    pdk_url_query(path, "runner", own->runner);
    pdk_url_query(path, "search", own->search);
    pdk_url_query(path, "selector", a->selector);
    pdk_url_number(path, "limit", limit);
}

/* Of every task that is named, or of all. */
static int list(struct pdk_remote *remote, struct listing *listing) {
    const struct pdk_arguments *a = remote->arguments;
    size_t i = 0;
    int code;
    do {
        PDK_PATH(path);
        int64_t left = listing->most - listing->count;
        make_path(a, a->names.items[i], listing->most && left < PAGE ? left : PAGE, &path);
        code = pdk_remote_pages(remote, &path, "runs", add_run, listing);
    } while (code == 0 && a->names.items[i] && a->names.items[++i] &&
             (!listing->most || listing->count < listing->most));
    return code;
}

static int print_once(struct pdk_remote *remote, const struct pdk_console *out, FILE *to) {
    struct listing listing = {.remote = remote, .now = pdk_clock_unix(), .most = remote->arguments->remote.limit};
    pdk_run_titles(remote, &listing.grid);
    int code = list(remote, &listing);
    if (code == 0 && !remote->arguments->json) pdk_grid_print(&listing.grid, out, "", to);
    pdk_grid_free(&listing.grid);
    pdk_arena_free(&listing.arena);
    return code;
}

static int draw(void *arg, FILE *to) {
    struct pdk_remote *remote = arg;
    return print_once(remote, &remote->out, to);
}

int pdk_verb_ps(struct pdk_arguments *a) {
    struct pdk_remote remote;
    bool watches = a->remote.watch && !a->json;
    struct pdk_selector selector; /* the server reads it anew; what is wrong with it is told without one, too */
    int code = pdk_arguments_selector(a, &selector);
    if (code) return code;
    code = pdk_remote_open(&remote, a, watches, 0);
    uint64_t interval = a->remote.interval_ns ? a->remote.interval_ns : INTERVAL;
    if (code == 0)
        code = watches ? pdk_frames(&remote, interval, draw, &remote) : print_once(&remote, &remote.out, stdout);
    return pdk_remote_close(&remote, code);
}
