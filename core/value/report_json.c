/* SPDX-License-Identifier: Apache-2.0 */
/* Faults for programs: `check --json`. */
#include <string.h>

#include "core/value/json.h"
#include "core/value/scalar.h"

struct line {
    struct pdk_json_out out;
    const char *lead; /* what stands before the next field */
};

static void add_name(struct line *line, const char *name) {
    pdk_json_add(&line->out, line->lead, strlen(line->lead));
    pdk_json_add_string(&line->out, name, strlen(name));
    pdk_json_add(&line->out, ":", 1);
    line->lead = ",";
}

static void add_text(struct line *line, const char *name, const char *text) {
    if (!text || !*text) return;
    add_name(line, name);
    pdk_json_add_string(&line->out, text, strlen(text));
}

static void add_number(struct line *line, const char *name, uint32_t number) {
    char text[PDK_NUMBER_TEXT];
    if (!number) return;
    add_name(line, name);
    pdk_json_add(&line->out, text, pdk_integer_format(number, text));
}

static void print_fault(const struct pdk_fault *fault, pdk_write write, void *arg) {
    struct line line = {.lead = "{"};
    line.out.write = write;
    line.out.arg = arg;
    add_text(&line, "file", fault->place.file);
    add_number(&line, "line", fault->place.line);
    add_number(&line, "column", fault->place.column);
    add_text(&line, "severity", fault->severity == PDK_SEVERITY_ERROR ? "error" : "warning");
    add_text(&line, "path", fault->path);
    add_text(&line, "message", fault->message);
    add_text(&line, "expected", fault->expected);
    add_text(&line, "suggestion", fault->suggestion);
    pdk_json_add(&line.out, "}\n", 2);
    pdk_json_flush(&line.out);
}

void pdk_report_print_json(const struct pdk_report *report, pdk_write write, void *arg) {
    for (uint32_t i = 0; i < report->count; i++) print_fault(&report->faults[i], write, arg);
}
