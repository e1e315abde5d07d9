/* SPDX-License-Identifier: Apache-2.0 */
/* paddock route: for every task, what each runner says to it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/console.h"
#include "core/cli/json.h"
#include "core/cli/load.h"
#include "core/isolate/isolate.h"
#include "core/plan/plan.h"

/* What one runner said. */
struct candidate {
    struct pdk_instance *instance;
    enum pdk_verdict verdict;
    char reason[600];
};

/* One task being asked about. */
struct question {
    struct pdk_task *task;
    struct candidate candidates[256];
    size_t count;
    const char *runner;
};

static void print_selector(const struct pdk_selector *selector, struct pdk_buffer *to) {
    char text[300];
    for (uint32_t i = 0; i < selector->count; i++)
        pdk_buffer_format(to, "%s%s", i ? "," : "",
                          pdk_requirement_print(&selector->requirements[i], text, sizeof text));
}

static void note(void *arg, struct pdk_instance *instance, enum pdk_verdict verdict, const char *text) {
    struct question *question = arg;
    if (question->count == sizeof question->candidates / sizeof *question->candidates) return;
    struct candidate *candidate = &question->candidates[question->count++];
    *candidate = (struct candidate){.instance = instance, .verdict = verdict};
    if (verdict == PDK_VERDICT_TAKEN) question->runner = instance->name;
    (void)strlcpy(candidate->reason, text, sizeof candidate->reason);
}

/* Where a runner was configured; line 0: it was only found. */
static struct pdk_place place_of(const struct pdk_setup *setup, const struct pdk_instance *instance) {
    for (uint32_t i = 0; i < setup->config->plugin_count; i++)
        if (strcmp(setup->config->plugins[i].name, instance->name) == 0)
            return pdk_value_place(setup->config->plugins[i].at);
    return (struct pdk_place){0};
}

static void print_json(const struct pdk_setup *setup, const struct question *question, const char *selector) {
    static const char *const words[] = {"taken", "shadowed", "kind", "label", "refused"};
    struct pdk_buffer line = PDK_BUFFER(1u << 20);
    pdk_json_open(&line, NULL, '{');
    pdk_json_text(&line, "task", question->task->plugin.name);
    pdk_json_text(&line, "kind", question->task->plugin.kind);
    pdk_json_text(&line, "selector", selector);
    pdk_json_text(&line, "runner", question->runner);
    pdk_json_open(&line, "candidates", '[');
    for (size_t i = 0; i < question->count; i++) {
        const struct candidate *candidate = &question->candidates[i];
        struct pdk_place place = place_of(setup, candidate->instance);
        pdk_json_open(&line, NULL, '{');
        pdk_json_text(&line, "name", candidate->instance->name);
        pdk_json_integer(&line, "order", (int64_t)i + 1);
        pdk_json_text(&line, "verdict", words[candidate->verdict]);
        pdk_json_text(&line, "reason", candidate->reason);
        if (pdk_isolate_is(candidate->instance)) pdk_json_text(&line, "isolation", "process");
        if (place.line) {
            pdk_json_text(&line, "file", place.file);
            pdk_json_integer(&line, "line", place.line);
        }
        pdk_json_close(&line, '}');
    }
    pdk_json_close(&line, ']');
    pdk_json_close(&line, '}');
    (void)printf("%s\n", pdk_buffer_string(&line));
    pdk_buffer_free(&line);
}

static void print_text(const struct pdk_setup *setup, const struct question *question, const char *selector,
                       const struct pdk_console *console) {
    static const char *const words[] = {"YES", "-", "no", "no", "no"};
    struct pdk_grid grid;
    (void)printf("%s%s%s  kind %s%s%s\n", pdk_tone_begin(console, PDK_TONE_BOLD), question->task->plugin.name,
                 pdk_tone_end(console, PDK_TONE_BOLD), question->task->plugin.kind, *selector ? "  selector " : "",
                 selector);
    pdk_grid_begin(&grid, 5);
    for (size_t i = 0; i < question->count; i++) {
        const struct candidate *candidate = &question->candidates[i];
        struct pdk_place place = place_of(setup, candidate->instance);
        pdk_grid_cell(&grid, "%zu", i + 1);
        pdk_grid_cell(&grid, "%s", candidate->instance->name);
        pdk_grid_cell(&grid, "%s", words[candidate->verdict]);
        pdk_grid_cell(&grid, "%s", candidate->reason);
        if (place.line)
            pdk_grid_cell(&grid, "plugins: line %u%s", place.line,
                          pdk_isolate_is(candidate->instance) ? ", in a process of its own" : "");
        else
            pdk_grid_cell(&grid, "%s", "");
    }
    pdk_grid_print(&grid, console, "  ", stdout);
    pdk_grid_free(&grid);
}

/* Returns whether a runner takes it. */
static bool ask(struct pdk_setup *setup, pdk_router *router, struct pdk_task *task, const struct pdk_console *console) {
    static const char nobody[] = "no runner takes it";
    struct question *question = pdk_arena_alloc(&setup->arena, sizeof *question);
    struct pdk_buffer selector = PDK_BUFFER(4096);
    if (!question) return false;
    question->task = task;
    pdk_router_explain_task(router, task, note, question);
    print_selector(&task->selector, &selector);
    if (setup->arguments->json)
        print_json(setup, question, pdk_buffer_string(&selector));
    else
        print_text(setup, question, pdk_buffer_string(&selector), console);
    if (!question->runner && !setup->arguments->json)
        (void)printf("  %s%s%s\n", pdk_tone_begin(console, PDK_TONE_RED), nobody, pdk_tone_end(console, PDK_TONE_RED));
    pdk_buffer_free(&selector);
    return question->runner != NULL;
}

static bool chosen(const struct pdk_arguments *arguments, const struct pdk_selector *selector,
                   const struct pdk_task *task) {
    const struct pdk_requirement *failed;
    if (!arguments->names.count && !arguments->selector) return true;
    for (size_t i = 0; i < arguments->names.count; i++)
        if (strcmp(arguments->names.items[i], task->plugin.name) == 0) return true;
    return arguments->selector && pdk_selector_matches(selector, task->plugin.labels, &failed);
}

static int ask_all(struct pdk_setup *setup, pdk_router *router, const struct pdk_selector *selector) {
    struct pdk_console console = pdk_console_of(STDOUT_FILENO, setup->arguments->color);
    int code = 0;
    for (uint32_t i = 0; i < setup->config->task_count; i++) {
        struct pdk_task *task = setup->config->tasks[i];
        if (chosen(setup->arguments, selector, task) && !ask(setup, router, task, &console)) code = PDK_EXIT_NO_RUNNER;
    }
    return code;
}

/* A name that is no task, or a selector that cannot be read, is told as `run` tells it. */
static int check_names(struct pdk_setup *setup, const struct pdk_selector *selector) {
    const struct pdk_selection selection = {setup->arguments->names.items, setup->arguments->selector ? selector : NULL,
                                            true, NULL};
    struct pdk_plan *plan = NULL;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_plan_select(setup->config, &selection, &plan, &err);
    pdk_plan_free(plan);
    if (rc == 0) return 0;
    pdk_say("%s%s%s", err.message[0] ? err.message : strerror(-rc), err.hint[0] ? "; " : "", err.hint);
    return rc == -ENOENT ? PDK_EXIT_NO_SUCH : PDK_EXIT_BUG;
}

int pdk_verb_route(struct pdk_arguments *arguments) {
    struct pdk_selector selector = {0};
    struct pdk_setup setup;
    pdk_router *router = NULL;
    int code = pdk_arguments_selector(arguments, &selector);
    if (code) return code;
    code = pdk_setup_read(&setup, arguments, true);
    if (code == 0 && !(router = pdk_setup_router(&setup))) code = PDK_EXIT_BUG;
    if (code == 0) code = pdk_setup_faults(&setup);
    if (code == 0) code = check_names(&setup, &selector);
    if (code == 0) code = ask_all(&setup, router, &selector);
    pdk_router_destroy(router);
    pdk_setup_free(&setup);
    return code;
}
