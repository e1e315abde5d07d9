/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering and ordering; how faults look is in report_print.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/report.h"

#define LIMIT_DEFAULT 100

bool pdk_report_is_full(const struct pdk_report *report) {
    return report->count >= (report->limit ? report->limit : LIMIT_DEFAULT);
}

static int32_t make_room(struct pdk_report *report) {
    if (report->count < report->capacity) return 0;
    uint32_t capacity = report->capacity ? report->capacity * 2 : 8;
    struct pdk_fault *faults = reallocarray(report->faults, capacity, sizeof(*faults));
    if (!faults) return -ENOMEM;
    report->faults = faults;
    report->capacity = capacity;
    return 0;
}

static const char *copy_text(struct pdk_arena *arena, const char *text) {
    return text && *text ? pdk_arena_text(arena, text, strlen(text)) : "";
}

static const char *copy_file(struct pdk_arena *arena, const char *file) {
    return file ? pdk_arena_text(arena, file, strlen(file)) : NULL;
}

/* Copies every text but those of files; 0 or -ENOMEM. */
static int32_t copy_fault(struct pdk_arena *arena, const struct pdk_fault *fault, struct pdk_fault *ret) {
    *ret = *fault;
    ret->path = copy_text(arena, fault->path);
    ret->message = copy_text(arena, fault->message);
    ret->expected = copy_text(arena, fault->expected);
    ret->suggestion = copy_text(arena, fault->suggestion);
    ret->plugin = copy_text(arena, fault->plugin);
    ret->note_text = copy_text(arena, fault->note_text);
    ret->place.file = copy_file(arena, fault->place.file);
    ret->note.file = copy_file(arena, fault->note.file);
    int lost = (fault->place.file && !ret->place.file) || (fault->note.file && !ret->note.file);
    return !lost && ret->path && ret->message && ret->expected && ret->suggestion && ret->plugin && ret->note_text
               ? 0
               : -ENOMEM;
}

static bool same(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* What many share, such as the defaults of all tasks, is checked for each and told once. */
static bool is_known(const struct pdk_report *report, const struct pdk_fault *fault) {
    for (uint32_t i = report->count; fault->place.line && i-- > 0;) {
        const struct pdk_fault *other = &report->faults[i];
        if (other->place.line == fault->place.line && other->place.column == fault->place.column &&
            other->severity == fault->severity && same(other->message, fault->message) &&
            same(other->plugin, fault->plugin) && same(other->place.file, fault->place.file))
            return true;
    }
    return false;
}

int32_t pdk_report_add(struct pdk_report *report, const struct pdk_fault *fault) {
    if (!report || is_known(report, fault)) return fault->code;
    if (fault->severity == PDK_SEVERITY_ERROR) {
        report->errors++;
    } else {
        report->warnings++;
    }
    if (pdk_report_is_full(report)) return fault->code;
    if (make_room(report) || copy_fault(&report->arena, fault, &report->faults[report->count])) {
        report->out_of_memory = 1;
        return fault->code;
    }
    report->faults[report->count].order = report->count;
    report->count++;
    return fault->code;
}

static int compare_numbers(uint32_t a, uint32_t b) {
    return (a > b) - (a < b);
}

static int compare_faults(const void *left, const void *right) {
    const struct pdk_fault *a = left, *b = right;
    int order = strcmp(a->place.file ? a->place.file : "", b->place.file ? b->place.file : "");
    if (!order) order = compare_numbers(a->place.line, b->place.line);
    if (!order) order = compare_numbers(a->place.column, b->place.column);
    return order ? order : compare_numbers(a->order, b->order);
}

void pdk_report_sort(struct pdk_report *report) {
    if (report->count > 1) qsort(report->faults, report->count, sizeof(*report->faults), compare_faults);
}

void pdk_report_free(struct pdk_report *report) {
    pdk_arena_free(&report->arena);
    free(report->faults);
    *report = (struct pdk_report){.limit = report->limit};
}
