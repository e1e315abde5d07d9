/* SPDX-License-Identifier: Apache-2.0 */
/* A text as the YAML it becomes. */
#ifndef TEST_UNIT_IMPORT_TRANSLATE_H
#define TEST_UNIT_IMPORT_TRANSLATE_H

#include "core/import/import.h"
#include "support/unit.h"

struct translated {
    struct pdk_report report;
    struct pdk_import import;
    struct pdk_buffer yaml;
};

/* Pairs of a file's name and its text, NULL-ended. */
static inline int32_t translate(struct translated *t, enum pdk_import_format format, const char *const *files) {
    int32_t rc = 0;
    *t = (struct translated){.yaml = PDK_BUFFER(4u << 20)};
    t->import.report = &t->report;
    for (; rc == 0 && *files; files += 2)
        rc = pdk_import_text(&t->import, format, files[0], "/here", files[1], strlen(files[1]));
    if (rc == 0) rc = pdk_import_finish(&t->import);
    if (rc == 0) pdk_import_print(&t->import, &t->yaml);
    return rc == 0 ? t->yaml.error : rc;
}

static inline void forget(struct translated *t) {
    pdk_buffer_free(&t->yaml);
    pdk_report_free(&t->report);
    pdk_import_free(&t->import);
}

static inline void expect(enum pdk_import_format format, const char *file, const char *text, const char *wanted,
                          uint32_t notes) {
    struct translated t;
    const char *files[] = {file, text, NULL};
    assert_int_equal(translate(&t, format, files), 0);
    const char *tasks = strstr(t.yaml.data, "\n");
    assert_string_equal(tasks + 1, wanted);
    assert_int_equal(pdk_import_untranslated(&t.import), notes);
    forget(&t);
}

/* One fault: line, message, what was wanted. */
static inline void expect_fault(enum pdk_import_format format, const char *file, const char *text, uint32_t line,
                                const char *message, const char *wanted) {
    struct translated t;
    const char *files[] = {file, text, NULL};
    assert_int_equal(translate(&t, format, files), -EINVAL);
    assert_int_equal(t.report.count, 1);
    assert_string_equal(t.report.faults[0].message, message);
    assert_string_equal(t.report.faults[0].expected, wanted);
    assert_int_equal(t.report.faults[0].place.line, line);
    forget(&t);
}

#endif
