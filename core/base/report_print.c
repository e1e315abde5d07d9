/* SPDX-License-Identifier: Apache-2.0 */
/* How faults look to people:
 *     FILE:LINE:COL: error: PATH: MESSAGE  [plugin NAME]
 *       3 | the line
 *         |     ^~~~ expectation; did you mean "word"?; FILE:LINE:COL: note: text
 */
#include <stdio.h>
#include <string.h>

#include "core/base/quote.h"
#include "core/base/report.h"

static const struct {
    const char *word, *color;
} severities[] = {[PDK_SEVERITY_ERROR] = {"error", "\033[31m"}, [PDK_SEVERITY_WARNING] = {"warning", "\033[33m"}};

#define BOLD  "\033[1m"
#define RESET "\033[0m"

static void put(const struct pdk_quote *quote, const char *text) {
    quote->write(quote->arg, text, strlen(text));
}

static void put_place(const struct pdk_quote *quote, const struct pdk_place *place) {
    char numbers[32] = "";
    if (!place->file) return;
    pdk_quote_clean(quote, place->file);
    if (place->line && place->column) {
        snprintf(numbers, sizeof(numbers), ":%u:%u", (unsigned)place->line, (unsigned)place->column);
    } else if (place->line) {
        snprintf(numbers, sizeof(numbers), ":%u", (unsigned)place->line);
    }
    put(quote, numbers);
    put(quote, ": ");
}

static void put_headline(const struct pdk_quote *quote, const struct pdk_fault *fault, bool color) {
    put(quote, color ? BOLD : "");
    put_place(quote, &fault->place);
    put(quote, quote->end_color);
    put(quote, quote->start_color);
    put(quote, severities[fault->severity].word);
    put(quote, ":");
    put(quote, quote->end_color);
    put(quote, " ");
    if (fault->path && *fault->path) {
        pdk_quote_clean(quote, fault->path);
        put(quote, ": ");
    }
    pdk_quote_clean(quote, fault->message ? fault->message : "");
    if (fault->plugin && *fault->plugin) {
        put(quote, "  [plugin ");
        pdk_quote_clean(quote, fault->plugin);
        put(quote, "]");
    }
}

/* The first one begins with `lead`, the others with a semicolon. */
static void put_advice(const struct pdk_quote *quote, const struct pdk_fault *fault, const char *lead) {
    if (fault->expected && *fault->expected) {
        put(quote, lead);
        pdk_quote_clean(quote, fault->expected);
        lead = "; ";
    }
    if (fault->suggestion && *fault->suggestion) {
        put(quote, lead);
        put(quote, "did you mean \"");
        pdk_quote_clean(quote, fault->suggestion);
        put(quote, "\"?");
        lead = "; ";
    }
    if (fault->note.file) {
        put(quote, lead);
        put_place(quote, &fault->note);
        put(quote, "note: ");
        pdk_quote_clean(quote, fault->note_text ? fault->note_text : "");
    }
}

void pdk_fault_print(const struct pdk_fault *fault, bool color, pdk_write write, void *arg) {
    struct pdk_quote quote = {write, arg, color ? severities[fault->severity].color : "", color ? RESET : ""};
    put_headline(&quote, fault, color);
    put(&quote, "\n");
    bool quoted = pdk_quote_place(&quote, &fault->place, fault->secret);
    bool advised =
        (fault->expected && *fault->expected) || (fault->suggestion && *fault->suggestion) || fault->note.file;
    put_advice(&quote, fault, quoted ? " " : "    ");
    if (quoted || advised) put(&quote, "\n");
}

static uint32_t count_files(const struct pdk_report *report) {
    uint32_t files = 0;
    for (uint32_t i = 0; i < report->count; i++) {
        const char *file = report->faults[i].place.file;
        bool known = !file;
        for (uint32_t j = 0; j < i && !known; j++) {
            const char *other = report->faults[j].place.file;
            known = other && strcmp(file, other) == 0;
        }
        files += !known;
    }
    return files;
}

static int put_count(const struct pdk_quote *quote, uint32_t count, const char *what, const char *lead) {
    char text[64];
    if (!count) return 0;
    snprintf(text, sizeof(text), "%s%u %s%s", lead, (unsigned)count, what, count == 1 ? "" : "s");
    put(quote, text);
    return 1;
}

static void put_summary(const struct pdk_quote *quote, const struct pdk_report *report) {
    if (!report->errors && !report->warnings) return;
    char text[64];
    uint32_t unseen = report->errors + report->warnings - report->count;
    if (unseen) {
        snprintf(text, sizeof(text), "and %u more that %s not shown\n", (unsigned)unseen, unseen == 1 ? "is" : "are");
        put(quote, text);
    }
    int any = put_count(quote, report->errors, "error", "");
    put_count(quote, report->warnings, "warning", any ? ", " : "");
    put_count(quote, count_files(report), "file", " in ");
    put(quote, "\n");
}

void pdk_report_print(const struct pdk_report *report, bool color, pdk_write write, void *arg) {
    struct pdk_quote quote = {write, arg, "", ""};
    for (uint32_t i = 0; i < report->count; i++) pdk_fault_print(&report->faults[i], color, write, arg);
    put_summary(&quote, report);
}
