/* SPDX-License-Identifier: Apache-2.0 */
/* Any YAML as a task, of a file and of a source, with or without defaults: it is refused with a reason, or it can be
 * completed, copied and dropped. The root is the task, or a map with `task` and `defaults`. */
#include <errno.h>
#include <string.h>

#include "core/spec/schema.h"
#include "core/spec/spec.h"
#include "core/yaml/yaml.h"
#include "fuzz.h"

static const char *const words[] = {"one", "two", NULL};
static const pdk_param pair_rows[] = {
    PDK_PARAM("key", PDK_STRING, PDK_REQUIRED, NULL, "Key"),
    PDK_PARAM("secret", PDK_STRING, PDK_SECRET, NULL, "Secret"),
    PDK_PARAM("count", PDK_INT, 0, "1", "Count"),
    PDK_PARAM_END,
};
static const pdk_param rows[] = {
    PDK_PARAM("command", PDK_STRINGS, PDK_REQUIRED, NULL, "argv"),
    PDK_PARAM("env", PDK_MAP, 0, NULL, "Environment"),
    PDK_PARAM("env_file", PDK_LIST, 0, NULL, "More of it"),
    PDK_PARAM("cwd", PDK_STRING, 0, NULL, "Folder"),
    PDK_PARAM("user", PDK_STRING, 0, NULL, "Who"),
    PDK_PARAM("resources", PDK_MAP, 0, NULL, "Limits"),
    PDK_PARAM("exit", PDK_MAP, 0, NULL, "Codes"),
    PDK_PARAM("stop", PDK_MAP, 0, NULL, "Signal"),
    PDK_PARAM("input", PDK_ANY, 0, NULL, "Payload"),
    PDK_PARAM("reload", PDK_MAP, 0, NULL, "Reload"),
    PDK_PARAM("notify", PDK_BOOL, 0, "false", "Socket"),
    {"word", PDK_STRING, PDK_DEPRECATED, "one", "Word", words, 0.0, 0.0, NULL},
    {"number", PDK_NUMBER, 0, "0.5", "Number", NULL, 0.0, 10.0, NULL},
    PDK_PARAM("time", PDK_DURATION, 0, "30s", "Time"),
    PDK_PARAM("size", PDK_SIZE, 0, "1MiB", "Size"),
    PDK_PARAM("map", PDK_STRING_MAP, 0, "{a: b}", "Map"),
    {"pairs", PDK_LIST, 0, NULL, "Pairs", NULL, 0.0, 3.0, pair_rows},
    {"pair", PDK_MAP, 0, NULL, "Pair", NULL, 0.0, 0.0, pair_rows},
    PDK_PARAM_END,
};
static const pdk_param few_rows[] = {{"map", PDK_STRING_MAP, 0, "{a: b}", "Map", NULL, 0.0, 0.0, NULL}, PDK_PARAM_END};
static const pdk_schema all = PDK_SCHEMA("subprocess", "", rows), few = PDK_SCHEMA("few", "", few_rows);

static void show(struct pdk_report *report) {
    pdk_report_sort(report);
    pdk_report_print(report, true, ignore_text, NULL);
    pdk_report_free(report);
}

static void complete(struct pdk_task *task, const pdk_schema *schema) {
    const pdk_values *values = pdk_values_get();
    struct pdk_report report = {0};
    struct pdk_task *completed = NULL;
    int32_t rc = pdk_task_complete(task, schema, NULL, "fuzz", &report, &completed);
    MUST(rc == 0 || rc == -EINVAL || rc == -E2BIG);
    if (rc == 0) {
        MUST(report.errors == 0);
        MUST(values->type(completed->plugin.with) == PDK_MAP);
        (void)values->print(values, completed->plugin.with, PDK_JSON_PLAIN, ignore_text, NULL);
    }
    show(&report);
    pdk_task_drop(completed);
}

static void use(struct pdk_task *task) {
    struct pdk_task *copy = NULL;
    MUST(task->plugin.name && task->plugin.slot && task->plugin.kind && task->plugin.with && task->plugin.labels &&
         task->plugin.whole);
    MUST(task->after && task->needs && task->replicas >= 1 && task->replicas <= 1000);
    MUST(task->policy.backoff_max >= task->policy.backoff_first);
    MUST(task->policy.backoff_factor >= 1 << 20);
    (void)pdk_selector_matches(&task->selector, task->plugin.labels, NULL);
    complete(task, &few);
    MUST(pdk_task_vary(task, &(struct pdk_task_change){.name = "other", .slot = "slot", .replica = 1}, &copy) == 0);
    pdk_task_drop(task);
    complete(copy, &all);
    pdk_task_drop(copy);
}

static void read_task(const pdk_value *value, const pdk_value *defaults, bool trusted) {
    struct pdk_task_options options = {.name = trusted ? "fuzz" : NULL,
                                       .defaults = defaults,
                                       .folder = "/fuzz",
                                       .interpolate = trusted,
                                       .trusted = trusted};
    struct pdk_report report = {0};
    struct pdk_task *task = NULL;
    int32_t rc = pdk_task_read(value, &options, &report, &task);
    MUST(rc == 0 || report.errors > 0);
    MUST(rc < 0 || report.errors == 0);
    if (task) use(task);
    show(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *root = NULL, *task, *defaults;
    struct pdk_report report = {0};
    int32_t rc = pdk_yaml_parse("fuzz.yaml", (const char *)data, size, &report, &root);
    if (rc == 0) {
        task = values->get(root, "task");
        defaults = values->get(root, "defaults");
        if (defaults && values->type(defaults) != PDK_MAP) defaults = NULL;
        read_task(task ? task : root, task ? defaults : NULL, true);
        read_task(task ? task : root, task ? defaults : NULL, false);
    }
    pdk_report_free(&report);
    values->drop(root);
    return 0;
}
