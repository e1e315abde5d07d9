/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of specs share: JSON in, tasks and printed faults out. */
#ifndef TEST_UNIT_SPEC_READ_H
#define TEST_UNIT_SPEC_READ_H

#include "support/unit.h"

#include "core/base/buffer.h"
#include "core/spec/schema.h"
#include "core/spec/spec.h"

/* Single quotes count as double ones, so that JSON is readable in C. */
static inline const pdk_value *json(const char *text) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *value = NULL;
    char *copy = strdup(text);
    pdk_error err = PDK_ERROR;
    assert_non_null(copy);
    for (char *p = copy; *p; p++)
        if (*p == '\'') *p = '"';
    if (values->parse(values, copy, strlen(copy), "test", &value, &err) < 0) fail_msg("%s: %s", text, err.message);
    free(copy);
    return value;
}

static inline void assert_json(const pdk_value *value, const char *wanted) {
    struct pdk_buffer buffer = PDK_BUFFER(1 << 16);
    assert_int_equal(pdk_values_get()->print(pdk_values_get(), value, PDK_JSON_SORT, pdk_buffer_write, &buffer), 0);
    for (size_t i = 0; i < buffer.size; i++)
        if (buffer.data[i] == '"') buffer.data[i] = '\'';
    assert_string_equal(pdk_buffer_string(&buffer), wanted);
    pdk_buffer_free(&buffer);
}

/* "MESSAGE / EXPECTED / SUGGESTION" of the only fault, or of all, one a line. */
static inline void assert_faults(struct pdk_report *report, const char *wanted) {
    struct pdk_buffer buffer = PDK_BUFFER(1 << 16);
    pdk_report_sort(report);
    for (uint32_t i = 0; i < report->count; i++) {
        const struct pdk_fault *fault = &report->faults[i];
        pdk_buffer_format(&buffer, "%s%s: %s", i ? "\n" : "", fault->path, fault->message);
        if (*fault->expected) pdk_buffer_format(&buffer, " / %s", fault->expected);
        if (*fault->suggestion) pdk_buffer_format(&buffer, " / %s?", fault->suggestion);
    }
    assert_string_equal(pdk_buffer_string(&buffer), wanted);
    pdk_buffer_free(&buffer);
}

static const struct pdk_task_options of_source = {.name = NULL};
static const struct pdk_task_options of_file = {.name = "t", .folder = "/f", .trusted = true};

static inline struct pdk_task *task_with(const char *text, const struct pdk_task_options *options) {
    const pdk_value *value = json(text);
    struct pdk_report report = {.limit = 0};
    struct pdk_task *task = NULL;
    int32_t rc = pdk_task_read(value, options, &report, &task);
    assert_faults(&report, "");
    assert_int_equal(rc, 0);
    pdk_values_get()->drop(value);
    pdk_report_free(&report);
    return task;
}

/* A good task of a file. */
static inline struct pdk_task *task(const char *text) {
    return task_with(text, &of_file);
}

static inline void assert_refused_with(const char *text, const struct pdk_task_options *options, const char *wanted) {
    const pdk_value *value = json(text);
    struct pdk_report report = {.limit = 0};
    struct pdk_task *task = NULL;
    assert_int_equal(pdk_task_read(value, options, &report, &task), -EINVAL);
    assert_null(task);
    assert_faults(&report, wanted);
    pdk_values_get()->drop(value);
    pdk_report_free(&report);
}

static inline void assert_refused(const char *text, const char *wanted) {
    assert_refused_with(text, &of_file, wanted);
}

/* The rows of a kind that runs programs. */
static const pdk_param program_rows[] = {
    PDK_PARAM("command", PDK_STRINGS, PDK_REQUIRED, NULL, "argv"),
    PDK_PARAM("env", PDK_MAP, 0, NULL, "environment"),
    PDK_PARAM("env_file", PDK_LIST, 0, NULL, "more of it"),
    PDK_PARAM("cwd", PDK_STRING, PDK_REQUIRED, NULL, "folder"),
    PDK_PARAM("user", PDK_STRING, 0, NULL, "who"),
    PDK_PARAM("resources", PDK_MAP, 0, NULL, "limits"),
    PDK_PARAM("exit", PDK_MAP, 0, NULL, "codes"),
    PDK_PARAM("stop", PDK_MAP, 0, NULL, "signal"),
    PDK_PARAM("input", PDK_ANY, 0, NULL, "payload"),
    PDK_PARAM("reload", PDK_MAP, 0, NULL, "what reload does"),
    PDK_PARAM("notify", PDK_BOOL, 0, "false", "socket"),
    PDK_PARAM("nice", PDK_INT, 0, NULL, "nice"),
    PDK_PARAM_END,
};
static const pdk_schema program = PDK_SCHEMA("subprocess", "Runs a program", program_rows);

#endif
