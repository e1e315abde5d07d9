/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, and what happened before: lines for the test. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/testhost/internal.h"
#include "paddock/helpers.h"

/* A line has no newline, whatever the plugin said. */
static void on_one_line(char *line) {
    for (; *line; line++)
        if ((unsigned char)*line < ' ') *line = ' ';
}

static void keep(pdk_test *t, int32_t rule, const char *line) {
    (void)pthread_mutex_lock(&t->said);
    t->broken_count++;
    if (t->broken_kept < BROKEN_MAX) {
        struct broken *broken = &t->broken[t->broken_kept++];
        broken->rule = rule;
        (void)strlcpy(broken->line, line, sizeof broken->line);
    }
    (void)pthread_mutex_unlock(&t->said);
}

void pdk_test_break(pdk_test *t, int32_t rule, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    on_one_line(line);
    keep(t, rule, line);
    pdk_test_note(t, "BROKEN: %s", line);
    if (t->options.broken)
        t->options.broken(t->options.arg, rule, line);
    else
        (void)fprintf(stderr, "%s: %s\n", t->plugin ? t->plugin->name : "testhost", line);
}

/* The record keeps its last MiB: the older half goes when it is full. */
void pdk_test_note(pdk_test *t, const char *format, ...) {
    uint64_t ms = pdk_test_now(t) / PDK_MILLISECOND;
    va_list args;
    va_start(args, format);
    (void)pthread_mutex_lock(&t->said);
    if (t->record.size > TEXT_MAX / 2) {
        const char *end = memchr(t->record.data + t->record.size / 2, '\n', t->record.size - t->record.size / 2);
        if (end) pdk_buffer_cut(&t->record, (size_t)(end + 1 - t->record.data));
    }
    pdk_buffer_format(&t->record, "%6llu.%03llu  ", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
    pdk_buffer_format_list(&t->record, format, args);
    pdk_buffer_text(&t->record, "\n");
    (void)pthread_mutex_unlock(&t->said);
    va_end(args);
}

void pdk_test_note_log(pdk_test *t, const char *text) {
    (void)pthread_mutex_lock(&t->said);
    pdk_buffer_text(&t->log, text);
    pdk_buffer_text(&t->log, "\n");
    (void)pthread_mutex_unlock(&t->said);
}

void pdk_test_check_main(pdk_test *t, const char *call) {
    if (!pthread_equal(t->main, pthread_self()))
        pdk_test_break(t, PDK_TEST_RULE_THREAD, "%s is for the main thread, and another one called it", call);
}

int32_t pdk_test_failed(pdk_test *t, pdk_error *err, int32_t rc, const pdk_error *why, const char *what) {
    if (err) {
        uint32_t size = err->struct_size;
        *err = *why;
        err->struct_size = size;
        err->code = rc;
        return rc;
    }
    pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "%s: %s (%s)", what,
                   why->message[0] ? why->message : "no reason was told", strerror(-rc));
    return rc;
}

/* ---- for the test ---- */

int pdk_test_expect(pdk_test *t, int condition, const char *text, const char *file, int line) {
    if (condition) return condition;
    if (t)
        pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "%s:%d: expected %s", file, line, text);
    else
        (void)fprintf(stderr, "%s:%d: expected %s\n", file, line, text);
    return 0;
}

uint32_t pdk_test_broken(const pdk_test *t) {
    return t ? t->broken_count : 1;
}

const char *pdk_test_broken_line(const pdk_test *t, uint32_t i, int32_t *ret_rule) {
    if (!t || i >= t->broken_kept) return NULL;
    if (ret_rule) *ret_rule = t->broken[i].rule;
    return t->broken[i].line;
}

void pdk_test_forgive(pdk_test *t) {
    if (!t) return;
    (void)pthread_mutex_lock(&t->said);
    t->broken_count = t->broken_kept = 0;
    (void)pthread_mutex_unlock(&t->said);
}

/* A copy, for others may write on. */
static const char *show(pdk_test *t, const struct pdk_buffer *from, struct pdk_buffer *to) {
    (void)pthread_mutex_lock(&t->said);
    pdk_buffer_cut(to, to->size);
    pdk_buffer_add(to, pdk_buffer_string(from), from->size);
    (void)pthread_mutex_unlock(&t->said);
    return pdk_buffer_string(to);
}

const char *pdk_test_log(pdk_test *t) {
    return t ? show(t, &t->log, &t->shown_log) : "";
}

const char *pdk_test_record(pdk_test *t) {
    return t ? show(t, &t->record, &t->shown_record) : "";
}
