/* SPDX-License-Identifier: Apache-2.0 */
/* Bad input: every file data/faults/NAME.yaml prints exactly NAME.txt. With UPDATE=1 in the environment the texts are
 * written anew, to be read before they are kept. */
#include <glob.h>
#include <unistd.h>

#include "load.h"

static char *read_file(const char *name) {
    char *text = calloc(1, 1 << 18);
    FILE *file = fopen(name, "r");
    assert_non_null(text);
    if (file) {
        assert_true(fread(text, 1, (1 << 18) - 1, file) < (1 << 18) - 1);
        (void)fclose(file);
    }
    return text;
}

static void check_text(const char *name, const char *printed) {
    if (getenv("UPDATE")) {
        FILE *file = fopen(name, "w");
        assert_non_null(file);
        (void)fputs(printed, file);
        (void)fclose(file);
    }
    char *wanted = read_file(name);
    assert_string_equal(printed, wanted);
    free(wanted);
}

/* The faults that come with the schema of a kind belong to the same report. */
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
static const pdk_param auth_rows[] = {
    PDK_PARAM("user", PDK_STRING, PDK_REQUIRED, NULL, "Who"),
    PDK_PARAM("password", PDK_STRING, PDK_SECRET, NULL, "What only they know"),
    PDK_PARAM_END,
};
static const pdk_param http_rows[] = {
    {"auth", PDK_MAP, 0, NULL, "As whom", NULL, 0.0, 0.0, auth_rows},
    PDK_PARAM("old", PDK_STRING, PDK_DEPRECATED, NULL, "say url"),
    {"method", PDK_STRING, 0, "GET", "How to ask", methods, 0.0, 0.0, NULL},
    PDK_PARAM("url", PDK_STRING, PDK_REQUIRED, NULL, "Where to"),
    PDK_PARAM_END,
};
static const pdk_schema http = PDK_SCHEMA("http", "Calls a URL", http_rows);

static void complete_all(struct loaded *loaded) {
    for (uint32_t i = 0; loaded->config && i < loaded->config->task_count; i++) {
        struct pdk_task *task = loaded->config->tasks[i], *complete = NULL;
        if (strcmp(task->plugin.kind, "http") != 0) continue;
        if (pdk_task_complete(task, &http, NULL, "http", &loaded->report, &complete) == 0) pdk_task_drop(complete);
    }
    pdk_buffer_free(&loaded->printed);
    print_report(loaded);
}

static void every_fault_has_its_words(void **state) {
    glob_t found;
    (void)state;
    (void)unsetenv("APP_HOME");
    assert_int_equal(glob("*.yaml", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 12);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *files[] = {found.gl_pathv[i], NULL};
        struct loaded loaded = load_files(files);
        char name[256];
        complete_all(&loaded);
        assert_true(loaded.report.errors > 0);
        (void)snprintf(name, sizeof name, "%.*s.txt", (int)(strlen(files[0]) - 5), files[0]);
        check_text(name, pdk_buffer_string(&loaded.printed));
        unload(&loaded);
    }
    globfree(&found);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_fault_has_its_words)};
    if (chdir("unit/config/data/faults") < 0) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
