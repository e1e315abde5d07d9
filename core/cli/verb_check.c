/* SPDX-License-Identifier: Apache-2.0 */
/* paddock check: all faults at once. */
#include <unistd.h>

#include "core/cli/console.h"
#include "core/cli/json.h"
#include "core/cli/load.h"

static void print_json(const struct pdk_report *report) {
    struct pdk_buffer line = PDK_BUFFER(1u << 20);
    for (uint32_t i = 0; i < report->count; i++) {
        const struct pdk_fault *fault = &report->faults[i];
        pdk_buffer_cut(&line, line.size);
        pdk_json_open(&line, NULL, '{');
        pdk_json_text(&line, "file", fault->place.file);
        if (fault->place.line) pdk_json_integer(&line, "line", fault->place.line);
        if (fault->place.column) pdk_json_integer(&line, "column", fault->place.column);
        pdk_json_text(&line, "severity", fault->severity == PDK_SEVERITY_ERROR ? "error" : "warning");
        pdk_json_text(&line, "path", fault->path);
        pdk_json_text(&line, "message", fault->message);
        if (*fault->expected) pdk_json_text(&line, "expected", fault->expected);
        if (*fault->suggestion) pdk_json_text(&line, "suggestion", fault->suggestion);
        if (*fault->plugin) pdk_json_text(&line, "plugin", fault->plugin);
        pdk_json_close(&line, '}');
        (void)printf("%s\n", pdk_buffer_string(&line));
    }
    pdk_buffer_free(&line);
}

static const char *plural(uint32_t n) {
    return n == 1 ? "" : "s";
}

/* The report has said it when there was one. */
static void print_good(const struct pdk_setup *setup) {
    struct pdk_console console = pdk_console_of(STDERR_FILENO, setup->arguments->color);
    const struct pdk_config *config = setup->config;
    if (setup->arguments->quiet || setup->report.errors || setup->report.warnings || !config) return;
    (void)fprintf(stderr, "%sno faults%s: %u task%s in %u file%s\n", pdk_tone_begin(&console, PDK_TONE_GREEN),
                  pdk_tone_end(&console, PDK_TONE_GREEN), config->task_count, plural(config->task_count),
                  config->file_count, plural(config->file_count));
}

static int check_plugins(struct pdk_setup *setup) {
    pdk_router *router = pdk_setup_router(setup);
    if (!router) return PDK_EXIT_BUG;
    for (uint32_t i = 0; i < setup->config->task_count; i++) pdk_setup_try(setup, router, setup->config->tasks[i]);
    pdk_setup_try_sources(setup, router);
    pdk_router_destroy(router);
    return 0;
}

int pdk_verb_check(struct pdk_arguments *arguments) {
    struct pdk_setup setup;
    int code = pdk_setup_read(&setup, arguments, true);
    setup.sources = "";
    if (code == 0 && !arguments->no_plugins && setup.config) code = check_plugins(&setup);
    if (code == 0) {
        if (arguments->json) {
            pdk_report_sort(&setup.report);
            print_json(&setup.report);
        } else {
            (void)pdk_setup_faults(&setup);
            print_good(&setup);
        }
        if (setup.report.errors || (arguments->strict && setup.report.warnings)) code = PDK_EXIT_FAILED;
    } else if (code == PDK_EXIT_FILE) {
        code = PDK_EXIT_FAILED;
    }
    pdk_setup_free(&setup);
    return code;
}
