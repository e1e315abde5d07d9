/* SPDX-License-Identifier: Apache-2.0 */
/* The process of one check: its verdict is left in memory that the parent sees, even when this process goes suddenly. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/text.h"
#include "core/verify/internal.h"

enum { KINDS_MAX = 256 };

bool pdk_verify_is_open(const struct pdk_verify *v) {
    return v->result->state == PDK_VERIFY_RUNNING && !v->verdict;
}

__attribute__((format(printf, 3, 0))) static void say(struct pdk_verify *v, uint32_t verdict, const char *format,
                                                      va_list args) {
    if (!pdk_verify_is_open(v) || v->rules_alone) return;
    (void)vsnprintf(v->result->seen, sizeof v->result->seen, format, args);
    v->verdict = verdict;
}

/* Which allocation had failed belongs to what is said. */
void pdk_verify_fail(struct pdk_verify *v, const char *format, ...) {
    size_t size;
    va_list args;
    bool first = pdk_verify_is_open(v);
    va_start(args, format);
    say(v, PDK_VERIFY_FAILED, format, args);
    va_end(args);
    size = strlen(v->result->seen);
    if (first && v->allocation)
        (void)snprintf(v->result->seen + size, sizeof v->result->seen - size, ", when allocation %u failed",
                       v->allocation);
}

void pdk_verify_skip(struct pdk_verify *v, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(v, PDK_VERIFY_SKIPPED, format, args);
    va_end(args);
}

static bool plays(const pdk_plugin *plugin, const char *group) {
    if (!strcmp(group, "runner")) return plugin->runner != NULL;
    if (!strcmp(group, "source")) return plugin->source != NULL;
    if (!strcmp(group, "metrics")) return plugin->metrics != NULL;
    return true;
}

/* Does it serve the kind that was asked for? */
static bool serves(struct pdk_verify *v) {
    const pdk_schema *const *kinds = v->plugin->runner ? v->plugin->runner->kinds : NULL;
    const char *names[KINDS_MAX + 1] = {NULL}, *near;
    for (size_t i = 0; kinds && kinds[i] && i < KINDS_MAX; i++) {
        names[i] = kinds[i]->name;
        if (!strcmp(names[i], v->subject->kind)) return true;
    }
    near = pdk_nearest(v->subject->kind, names);
    if (!near) near = names[0];
    (void)snprintf(v->result->seen, sizeof v->result->seen, "it serves no kind \"%s\"%s%s%s", v->subject->kind,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    v->verdict = PDK_VERIFY_NO_KIND;
    return false;
}

/* Read what it is before any of it is called. */
static bool look(struct pdk_verify *v, struct pdk_library *library) {
    pdk_error err = PDK_ERROR;
    if (!strcmp(v->check->group, "file")) return true;
    (void)strlcpy(v->result->where, "the loading of the file", sizeof v->result->where);
    if (pdk_library_open(v->subject->path, library, &err) < 0) {
        pdk_verify_skip(v, "the file is not loaded: see checks 1 and 2");
        return false;
    }
    v->result->where[0] = '\0';
    v->plugin = library->plugin;
    if (v->subject->kind && !serves(v)) return false;
    if (plays(v->plugin, v->check->group)) return true;
    v->verdict = PDK_VERIFY_NOT_MEANT;
    return false;
}

int pdk_verify_child(const struct pdk_verify_check *check, const struct pdk_verify_subject *subject, int fd) {
    struct pdk_library library = {NULL, NULL};
    struct pdk_verify v = {.check = check, .subject = subject};
    void *shared = mmap(NULL, sizeof *v.result, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) return 1;
    v.result = shared;
    if (look(&v, &library)) check->run(&v);
    v.result->where[0] = '\0';
    v.result->state = v.verdict ? v.verdict : PDK_VERIFY_PASSED;
    if (library.plugin) pdk_library_free(&library);
    (void)munmap(shared, sizeof *v.result);
    return 0;
}
