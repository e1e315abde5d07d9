/* SPDX-License-Identifier: Apache-2.0 */
/* How it all ended: for people a table and a line, for programs a number. */
#include <signal.h>
#include <string.h>

#include "core/base/text.h"
#include "core/cli/run.h"

#define MOST_ROWS 40u /* beyond, only what did not succeed is listed */

/* It was stopped because all was to end, which is nobody's failure. */
static bool was_stopped(const struct pdk_item *item) {
    if (item->end == PDK_END_REJECTED) return strcmp(item->reason, "shutting_down") == 0;
    return item->end == PDK_END_CANCELED && item->canceled == PDK_CANCEL_SHUTDOWN;
}

static bool has_failed(const struct pdk_item *item) {
    return item->end != PDK_END_SUCCEEDED && !was_stopped(item);
}

static const char *end_of(const struct pdk_item *item) {
    return was_stopped(item) ? item->attempts ? "stopped" : "not started" : pdk_end_name(item->end);
}

static void add_row(const struct pdk_item *item, const struct pdk_console *console, struct pdk_grid *grid) {
    char why[400], time[32];
    enum pdk_tone tone = has_failed(item) ? PDK_TONE_RED : was_stopped(item) ? PDK_TONE_DIM : PDK_TONE_GREEN;
    pdk_grid_cell(grid, "%s", item->name);
    pdk_grid_cell(grid, "%s%s%s", pdk_tone_begin(console, tone), end_of(item), pdk_tone_end(console, tone));
    pdk_grid_cell(grid, "%u", item->attempts);
    pdk_grid_cell(grid, "%s", item->attempts ? pdk_duration_about(item->duration, time, sizeof time) : "-");
    pdk_grid_cell(grid, "%s", was_stopped(item) ? "" : pdk_run_why(item, why, sizeof why));
}

static void print_table(struct pdk_session *session) {
    const struct pdk_item *item;
    struct pdk_grid grid;
    pdk_grid_begin(&grid, 5);
    for (size_t i = 0; i < 5; i++)
        pdk_grid_cell(&grid, "%s", (const char *const[]){"TASK", "OUTCOME", "ATTEMPTS", "TIME", "REASON"}[i]);
    for (size_t i = 0; (item = pdk_plan_item(session->plan, i)); i++)
        if (session->item_count <= MOST_ROWS || has_failed(item)) add_row(item, &session->screen.err, &grid);
    if (grid.count > 5) pdk_grid_print(&grid, &session->screen.err, "", stderr);
    pdk_grid_free(&grid);
}

/* "5 tasks: 4 succeeded, 1 failed" */
static void print_sum(const struct pdk_session *session) {
    static const struct {
        int32_t end;
        const char *word;
        enum pdk_tone tone;
    } words[] = {{PDK_END_SUCCEEDED, "succeeded", PDK_TONE_GREEN}, {-1, "stopped", PDK_TONE_DIM},
                 {PDK_END_FAILED, "failed", PDK_TONE_RED},         {PDK_END_FATAL, "fatal", PDK_TONE_RED},
                 {PDK_END_TIMED_OUT, "timed out", PDK_TONE_RED},   {PDK_END_CANCELED, "canceled", PDK_TONE_YELLOW},
                 {PDK_END_REJECTED, "rejected", PDK_TONE_RED},     {PDK_END_LOST, "lost", PDK_TONE_RED}};
    const struct pdk_console *console = &session->screen.err;
    const char *before = ": ";
    (void)fprintf(stderr, "%zu task%s", session->item_count, session->item_count == 1 ? "" : "s");
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        const struct pdk_item *item;
        size_t count = 0;
        for (size_t i = 0; (item = pdk_plan_item(session->plan, i)); i++)
            count += (was_stopped(item) ? -1 : item->end) == words[k].end;
        if (!count) continue;
        (void)fprintf(stderr, "%s%s%zu %s%s", before, pdk_tone_begin(console, words[k].tone), count, words[k].word,
                      pdk_tone_end(console, words[k].tone));
        before = ", ";
    }
    (void)fputc('\n', stderr);
}

/* A command that was not even started has printed nothing that tells why. */
static void tell_single(const struct pdk_session *session) {
    const struct pdk_item *item = pdk_plan_item(session->plan, 0);
    char why[400];
    bool printed = item->category == PDK_CAT_EXIT;
    if (!has_failed(item) || printed || session->signal) return;
    pdk_say("%s: %s", session->arguments->command[0], pdk_run_why(item, why, sizeof why));
}

void pdk_run_summary(struct pdk_session *session) {
    if (session->single && session->level <= PDK_LOG_ERROR) tell_single(session);
    if (session->single || session->arguments->quiet || session->json_log) return;
    if (session->arguments->json && !session->screen.err.tty) return;
    print_table(session);
    print_sum(session);
}

/* The code of one command, as a shell would have it. */
static int code_of(const struct pdk_item *item) {
    if (item->end == PDK_END_SUCCEEDED) return item->exit_code;
    if (item->end == PDK_END_TIMED_OUT) return PDK_EXIT_TIMED_OUT;
    if (item->signal) return PDK_EXIT_SIGNAL + item->signal;
    if (item->category == PDK_CAT_EXIT && item->exit_code) return item->exit_code;
    if (item->category == PDK_CAT_MISSING) return PDK_EXIT_NOT_FOUND;
    if (item->category == PDK_CAT_DENIED) return PDK_EXIT_NOT_EXECUTABLE;
    return PDK_EXIT_FAILED;
}

static const struct pdk_item *asked_for(const struct pdk_session *session) {
    const struct pdk_item *item;
    const char *name = session->arguments->exit_code_from;
    if (session->single) return pdk_plan_item(session->plan, 0);
    for (size_t i = 0; name && (item = pdk_plan_item(session->plan, i)); i++)
        if (strcmp(item->name, name) == 0 || strcmp(item->group ? item->task->plugin.name : "", name) == 0) return item;
    return NULL;
}

static int code_of_all(const struct pdk_session *session) {
    const struct pdk_item *item;
    for (size_t i = 0; (item = pdk_plan_item(session->plan, i)); i++)
        if (has_failed(item)) return PDK_EXIT_FAILED;
    return PDK_EXIT_GOOD;
}

int pdk_run_exit_code(const struct pdk_session *session) {
    const struct pdk_item *item = asked_for(session);
    if (session->signal) return PDK_EXIT_SIGNAL + session->signal;
    int code = item ? code_of(item) : code_of_all(session);
    return code == PDK_EXIT_GOOD && session->output_failed ? PDK_EXIT_FAILED : code;
}
