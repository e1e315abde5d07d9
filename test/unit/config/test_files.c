/* SPDX-License-Identifier: Apache-2.0 */
/* Files on disk: includes, circles, limits, rights, standard input. Each test works in an empty folder of its own. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/spec/body.h"
#include "load.h"

static char folder[64], start[512];

static int enter_folder(void **state) {
    (void)state;
    (void)strlcpy(folder, "/tmp/paddock-config-XXXXXX", sizeof folder);
    return getcwd(start, sizeof start) && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int leave_folder(void **state) {
    (void)state;
    return chdir(start) == 0 && nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(name, 0644), 0);
}

static struct loaded load_one(const char *name) {
    const char *files[] = {name, NULL};
    return load_files(files);
}

static void the_usual_file(void **state) {
    (void)state;
    struct loaded loaded = load_files(NULL);
    assert_int_equal(loaded.rc, -ENOENT);
    assert_printed(&loaded, "./paddock.yaml: error: cannot be read: No such file or directory\n1 error in 1 file\n");
    unload(&loaded);
    write_file("paddock.yaml", "tasks: {web: ./web}");
    loaded = load_files(NULL);
    assert_int_equal(loaded.rc, 0);
    assert_non_null(pdk_config_task(loaded.config, "web"));
    assert_null(pdk_config_task(loaded.config, "we"));
    assert_string_equal(pdk_config_task(loaded.config, "web")->file, "./paddock.yaml");
    unload(&loaded);
}

static void includes_are_sorted_and_relative(void **state) {
    (void)state;
    assert_int_equal(mkdir("a[b", 0755) | mkdir("a[b/d", 0755), 0);
    write_file("a[b/main.yaml", "include: [d/*.yaml, one.yaml, none*.yaml]\ntasks: {first: x}\n");
    write_file("a[b/d/z.yaml", "tasks: {z: x}\n");
    write_file("a[b/d/b.yaml", "tasks: {b: {command: x, needs: z}}\n");
    write_file("a[b/one.yaml", "include: d/b.yaml\ntasks: {one: x}\n"); /* b is taken once */
    struct loaded loaded = load_one("a[b/main.yaml");
    static const char *const order[] = {"first", "b", "z", "one"};
    char cwd[160];
    assert_printed(&loaded, "");
    assert_int_equal(loaded.rc, 0);
    assert_int_equal(loaded.config->task_count, 4);
    assert_int_equal(loaded.config->file_count, 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(loaded.config->tasks[i]->plugin.name, order[i]);
    assert_string_equal(loaded.config->tasks[1]->file, "a[b/d/b.yaml");
    (void)snprintf(cwd, sizeof cwd, "%s/a[b/d/x.log", folder);
    unload(&loaded);
    write_file("a[b/d/b.yaml", "tasks: {b: {command: x, log: x.log}}\n");
    loaded = load_one("a[b/main.yaml");
    assert_string_equal(pdk_config_task(loaded.config, "b")->log.file, cwd);
    unload(&loaded);
}

/* In defaults, too, a path belongs to the file that says it. */
static void paths_start_where_they_are_written(void **state) {
    (void)state;
    assert_int_equal(mkdir("d", 0755), 0);
    write_file("main.yaml", "include: d/*.yaml\ndefaults: {cwd: work, log: {file: all.log}, env_file: .env}\n");
    write_file("d/x.yaml", "tasks: {a: x, b: {command: x, cwd: ./own, log: own.log}}\n");
    struct loaded loaded = load_one("main.yaml");
    char wanted[160];
    struct pdk_task *a = pdk_config_task(loaded.config, "a"), *b = pdk_config_task(loaded.config, "b");
    assert_printed(&loaded, "");
    (void)snprintf(wanted, sizeof wanted, "%s/work", folder);
    assert_string_equal(pdk_task_body(a)->program.cwd, wanted);
    (void)snprintf(wanted, sizeof wanted, "%s/.env", folder);
    assert_string_equal(pdk_task_body(a)->program.env_files[0].path, wanted);
    (void)snprintf(wanted, sizeof wanted, "%s/d/own", folder);
    assert_string_equal(pdk_task_body(b)->program.cwd, wanted);
    (void)snprintf(wanted, sizeof wanted, "%s/all.log", folder);
    assert_string_equal(a->log.file, wanted);
    (void)snprintf(wanted, sizeof wanted, "%s/d/own.log", folder);
    assert_string_equal(b->log.file, wanted);
    unload(&loaded);
}

static void names_are_unique_in_all_files(void **state) {
    (void)state;
    write_file("a.yaml", "include: b.yaml\ntasks:\n  web: x\nplugins: [p]\nlimits: {running: 1}\n");
    write_file("b.yaml", "tasks:\n  x: x\n  web: y\nplugins: [q, p]\nlimits: {queued: 1}\n");
    struct loaded loaded = load_one("a.yaml");
    assert_int_equal(loaded.rc, -EINVAL);
    assert_printed(&loaded, "b.yaml:3:3: error: tasks: \"web\" is here twice\n"
                            "  3 |   web: y\n"
                            "    |   ^~~ every name once; a.yaml:3:3: note: the first is here\n"
                            "b.yaml:4:14: error: plugins[1]: \"p\" is here twice\n"
                            "  4 | plugins: [q, p]\n"
                            "    |              ^ every name once; a.yaml:4:11: note: the first is here\n"
                            "b.yaml:5:1: error: \"limits\" is here twice\n"
                            "  5 | limits: {queued: 1}\n"
                            "    | ^~~~~~ every name once; a.yaml:5:1: note: the first is here\n"
                            "3 errors in 1 file\n");
    assert_int_equal(loaded.config->plugin_count, 2);
    unload(&loaded);
}

static void defaults_reach_includes(void **state) {
    (void)state;
    write_file("a.yaml",
               "include: b.yaml\ndefaults: {restart: always, env: {A: a, B: a}, stop: {grace: 1m}}\ntasks: {a: x}\n");
    write_file("b.yaml", "defaults: {env: {B: b}, stop: QUIT, manual: true}\ntasks: {b: {command: x, env: {C: c}, "
                         "stop: {to: leader}}}\n");
    struct loaded loaded = load_one("a.yaml");
    assert_printed(&loaded, "");
    struct pdk_task *a = pdk_config_task(loaded.config, "a"), *b = pdk_config_task(loaded.config, "b"), *complete;
    static const pdk_param rows[] = {PDK_PARAM("command", PDK_STRINGS, PDK_REQUIRED, NULL, ""),
                                     PDK_PARAM("env", PDK_MAP, 0, NULL, ""), PDK_PARAM("stop", PDK_MAP, 0, NULL, ""),
                                     PDK_PARAM_END};
    static const pdk_schema schema = PDK_SCHEMA("subprocess", "", rows);
    struct pdk_buffer json = PDK_BUFFER(4096);
    assert_false(a->manual);
    assert_true(b->manual);
    assert_int_equal(b->policy.restart, PDK_RESTART_ALWAYS);
    assert_int_equal(b->plugin.grace_ns, 60000000000);
    assert_int_equal(pdk_task_complete(b, &schema, NULL, "p", NULL, &complete), 0);
    (void)pdk_values_get()->print(pdk_values_get(), complete->plugin.with, PDK_JSON_SORT, pdk_buffer_write, &json);
    assert_string_equal(pdk_buffer_string(&json),
                        "{\"command\":[\"/bin/sh\",\"-c\",\"x\"],\"env\":{\"A\":\"a\",\"B\":\"b\",\"C\":\"c\"},"
                        "\"stop\":{\"signal\":\"QUIT\",\"to\":\"leader\"}}");
    pdk_buffer_free(&json);
    pdk_task_drop(complete);
    unload(&loaded);
}

static void circles_are_told(void **state) {
    (void)state;
    write_file("a.yaml", "include: b.yaml\n");
    write_file("b.yaml", "include: [a.yaml]\n");
    struct loaded loaded = load_one("a.yaml");
    assert_int_equal(loaded.rc, -ELOOP);
    assert_printed(&loaded, "b.yaml:1:11: error: include[0]: a.yaml: this includes itself: a.yaml -> b.yaml -> a.yaml\n"
                            "  1 | include: [a.yaml]\n"
                            "    |           ^~~~~~ break the circle\n"
                            "1 error in 1 file\n");
    unload(&loaded);
}

static void depth_is_limited(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) {
        char name[32], text[64];
        (void)snprintf(name, sizeof name, "%d.yaml", i);
        (void)snprintf(text, sizeof text, i < 9 ? "include: %d.yaml\n" : "tasks: {}\n", i + 1);
        write_file(name, text);
    }
    struct loaded loaded = load_one("0.yaml");
    assert_int_equal(loaded.rc, -EINVAL);
    assert_printed(&loaded, "8.yaml:1:10: error: include: includes are nested more than 8 deep\n"
                            "  1 | include: 9.yaml\n"
                            "    |          ^~~~~~\n"
                            "1 error in 1 file\n");
    unload(&loaded);
}

static void what_is_no_file(void **state) {
    (void)state;
    assert_int_equal(mkfifo("fifo.yaml", 0644), 0);
    assert_int_equal(mkdir("d.yaml", 0755), 0);
    write_file("a.yaml", "include: [fifo.yaml, d.yaml, missing.yaml]\n");
    struct loaded loaded = load_one("a.yaml");
    assert_true(loaded.rc < 0);
    assert_printed(&loaded, "a.yaml:1:11: error: include[0]: fifo.yaml: not a regular file\n"
                            "  1 | include: [fifo.yaml, d.yaml, missing.yaml]\n"
                            "    |           ^~~~~~~~~\n"
                            "a.yaml:1:22: error: include[1]: d.yaml: not a regular file\n"
                            "  1 | include: [fifo.yaml, d.yaml, missing.yaml]\n"
                            "    |                      ^~~~~~\n"
                            "a.yaml:1:30: error: include[2]: there is no such file\n"
                            "  1 | include: [fifo.yaml, d.yaml, missing.yaml]\n"
                            "    |                              ^~~~~~~~~~~~\n"
                            "3 errors in 1 file\n");
    unload(&loaded);
    loaded = load_one("d.yaml");
    assert_int_equal(loaded.rc, -EISDIR);
    unload(&loaded);
}

static void large_files_are_refused(void **state) {
    (void)state;
    char *text = malloc((4 << 20) + 2);
    assert_non_null(text);
    memset(text, '#', (4 << 20) + 1);
    text[(4 << 20) + 1] = '\0';
    write_file("large.yaml", text);
    struct loaded loaded = load_one("large.yaml");
    assert_int_equal(loaded.rc, -EFBIG);
    assert_printed(&loaded, "large.yaml: error: larger than 4MiB\n1 error in 1 file\n");
    unload(&loaded);
    text[4 << 20] = '\0'; /* just fits, but not five times */
    for (int i = 0; i < 5; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "l%d.yaml", i);
        write_file(name, text);
    }
    free(text);
    write_file("all.yaml", "include: l*.yaml\n");
    assert_int_equal(unlink("large.yaml"), 0);
    loaded = load_one("all.yaml");
    assert_int_equal(loaded.rc, -EFBIG);
    assert_int_equal(loaded.report.errors, 2); /* the fourth and the fifth */
    unload(&loaded);
}

static void writable_by_others_is_a_warning(void **state) {
    (void)state;
    write_file("a.yaml", "tasks: {web: x}\n");
    assert_int_equal(chmod("a.yaml", 0666), 0);
    struct loaded loaded = load_one("a.yaml");
    assert_int_equal(loaded.rc, 0);
    assert_int_equal(loaded.report.warnings, 1);
    assert_int_equal(loaded.report.faults[0].code, -EACCES);
    assert_string_equal(loaded.report.faults[0].message, "others may write this file");
    unload(&loaded);
}

static void standard_input(void **state) {
    (void)state;
    write_file("in", "tasks: {web: {command: x, log: a.log}, bad: {}}\n");
    int old = dup(STDIN_FILENO), fd = open("in", O_RDONLY);
    assert_true(old >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    struct loaded loaded = load_one("-");
    assert_int_equal(loaded.rc, -EINVAL);
    assert_string_equal(loaded.report.faults[0].place.file, "stdin");
    assert_true(strncmp(pdk_config_task(loaded.config, "web")->log.file, folder, strlen(folder)) == 0);
    unload(&loaded);
    (void)dup2(old, STDIN_FILENO);
    (void)close(old);
    (void)close(fd);
}

static void several_files_at_once(void **state) {
    (void)state;
    write_file("a.yaml", "tasks: {a: {command: x, needs: b}}\n");
    write_file("b.yaml", "tasks: {b: x}\n");
    const char *files[] = {"a.yaml", "b.yaml", NULL};
    struct loaded loaded = load_files(files);
    assert_printed(&loaded, "");
    assert_int_equal(loaded.config->task_count, 2);
    unload(&loaded);
    write_file("empty.yaml", "# nothing yet\n");
    loaded = load_one("empty.yaml");
    assert_int_equal(loaded.rc, 0);
    assert_int_equal(loaded.config->task_count, 0);
    unload(&loaded);
}

static void what_is_set_wins_over_the_file(void **state) {
    (void)state;
    const char *files[] = {"a.yaml", NULL}, *names[] = {"a", NULL},
               text[] = "{\"timeout\": \"5s\", \"env\": {\"B\": \"2\"}}";
    const pdk_values *values = pdk_values_get();
    struct pdk_config_set set = {.names = names};
    struct pdk_report report = {.limit = 0};
    struct pdk_config *config = NULL;
    write_file("a.yaml", "tasks: {a: {command: x, timeout: 1m, env: {A: 1}}, b: {command: x, timeout: 1m}, c: [x]}\n");
    assert_int_equal(values->parse(values, text, sizeof text - 1, "set", &set.fields, NULL), 0);
    assert_int_equal(pdk_config_load_set(files, &set, &report, &config), 0);
    assert_int_equal(config->file_count, 1);
    assert_int_equal(pdk_config_task(config, "a")->plugin.timeout_ns, 5000000000);
    assert_int_equal(values->count(values->get(pdk_config_task(config, "a")->source, "env")), 2);
    assert_int_equal(pdk_config_task(config, "b")->plugin.timeout_ns, 60000000000);
    pdk_config_free(config);
    set.names = NULL;
    assert_int_equal(pdk_config_load_set(files, &set, &report, &config), 0);
    assert_int_equal(pdk_config_task(config, "c")->plugin.timeout_ns, 5000000000);
    assert_string_equal(pdk_config_task(config, "c")->plugin.kind, "subprocess");
    pdk_config_free(config);
    values->drop(set.fields);
    pdk_report_free(&report);
}

static void a_path_of_a_plugin_is_absolute(void **state) {
    (void)state;
    char wanted[160];
    assert_int_equal(mkdir("d", 0755), 0);
    write_file("d/a.yaml", "plugins: [http, {use: ./lib/echo.so, labels: {zone: a}, config: {a: 1}, optional: true}]\n"
                           "metrics: [prometheus, {use: otlp, name: far, task_label: true}]\n");
    struct loaded loaded = load_one("d/a.yaml");
    assert_printed(&loaded, "");
    assert_string_equal(loaded.config->plugins[0].use, "http");
    assert_string_equal(loaded.config->plugins[1].name, "echo");
    assert_true(loaded.config->plugins[1].optional);
    (void)snprintf(wanted, sizeof wanted, "%s/d/lib/echo.so", folder);
    assert_string_equal(loaded.config->plugins[1].use, wanted);
    assert_int_equal(loaded.config->metrics_count, 2);
    assert_string_equal(loaded.config->metrics[1].name, "far");
    assert_true(loaded.config->metrics[1].task_label);
    unload(&loaded);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_usual_file),
        IN_FOLDER(includes_are_sorted_and_relative),
        IN_FOLDER(paths_start_where_they_are_written),
        IN_FOLDER(names_are_unique_in_all_files),
        IN_FOLDER(defaults_reach_includes),
        IN_FOLDER(circles_are_told),
        IN_FOLDER(depth_is_limited),
        IN_FOLDER(what_is_no_file),
        IN_FOLDER(large_files_are_refused),
        IN_FOLDER(writable_by_others_is_a_warning),
        IN_FOLDER(standard_input),
        IN_FOLDER(several_files_at_once),
        IN_FOLDER(what_is_set_wins_over_the_file),
        IN_FOLDER(a_path_of_a_plugin_is_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
