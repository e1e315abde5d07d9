/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once: nothing leaks, nothing breaks, -ENOMEM comes back. And the caps. */
#include "translate.h"

#include "core/import/internal.h"
#include "support/fail_alloc.h"

static const char *const procfile[] = {"Procfile", "release: x\nweb: y $PORT\na: ${X} \"b\"\na: z\n", NULL};
static const char *const wrong[] = {"Procfile", "web: y\nwhat is this\n", NULL};
static const char *const cron[] = {"cron.d/x", "PATH=/bin\nMAILTO=a\n*/5 * * * * root a %b\n@daily root b\n", NULL};
static const char *const supervisord[] = {
    "s.conf",
    "[supervisord]\nenvironment=A=b\n[program:a]\ncommand=x %(process_num)02d "
    "%(ENV_X)s\nnumprocs=2\npriority=1\nstdout_logfile=/x\nfoo=bar\n[program:b]\n"
    "command=y\nuser=z\nexitcodes=0,2\n[group:g]\nprograms=a\n[include]\nfiles=x\n",
    NULL};
static const char *const systemd[] = {
    "a@b.service",
    "[Unit]\nDescription=x %i\nAfter=b.service c.service\n[Service]\nType=notify\nUser=a\n"
    "Environment=\"A=b c\"\nEnvironmentFile=-/x\nExecStartPre=/p\nExecStart=/x $A ${B} %h\n"
    "ExecReload=/r $MAINPID\nExecStop=/s\nRestart=always\nRestartSec=5\nLimitNOFILE=1:2\n"
    "SuccessExitStatus=3\nCapabilityBoundingSet=CAP_KILL\nProtectHome=1\n",
    "b.service",
    "[Service]\nType=oneshot\nExecStart=/a\nExecStart=-/b\n",
    "b.timer",
    "[Timer]\nOnUnitActiveSec=5\nPersistent=1\n",
    NULL};

static const struct {
    enum pdk_import_format format;
    const char *const *files;
} inputs[] = {{PDK_IMPORT_PROCFILE, procfile},
              {PDK_IMPORT_PROCFILE, wrong},
              {PDK_IMPORT_CRON, cron},
              {PDK_IMPORT_SUPERVISORD, supervisord},
              {PDK_IMPORT_SYSTEMD, systemd}};

static int32_t run(void *arg) {
    size_t i = *(size_t *)arg;
    struct translated t;
    int32_t rc = translate(&t, inputs[i].format, inputs[i].files);
    if (rc == -EINVAL && inputs[i].files == wrong) rc = 0;
    forget(&t);
    return rc;
}

static void sweep(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(inputs); i++) assert_in_range(pdk_fail_sweep(run, &i), 5, 1000);
}

static int32_t run_file(void *arg) {
    struct pdk_report report = {.limit = 0};
    struct pdk_import import = {.report = &report};
    int32_t rc = pdk_import_file(&import, PDK_IMPORT_GUESS, arg, NULL);
    if (rc == 0) rc = pdk_import_finish(&import);
    pdk_report_free(&report);
    pdk_import_free(&import);
    return rc;
}

static void sweep_files(void **state) {
    (void)state;
    assert_in_range(pdk_fail_sweep(run_file, (void *)(uintptr_t) "unit/import/data/app.service"), 5, 1000);
    assert_in_range(pdk_fail_sweep(run_file, (void *)(uintptr_t) "unit/import/data/supervisord.conf"), 5, 1000);
}

/* So many times the same line. */
static char *many(const char *line, size_t count) {
    size_t size = strlen(line);
    char *text = malloc(size * count + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) memcpy(text + i * size, line, size);
    text[size * count] = '\0';
    return text;
}

static void too_much(enum pdk_import_format format, const char *begin, const char *line, size_t count,
                     const char *said) {
    struct translated t;
    char *rest = many(line, count), *text = malloc(strlen(begin) + strlen(rest) + 2);
    assert_non_null(text);
    (void)snprintf(text, strlen(begin) + strlen(rest) + 2, "%s%s\n", begin, rest);
    const char *files[] = {"a.service", text, NULL};
    assert_int_equal(translate(&t, format, files), -EINVAL);
    assert_string_equal(t.report.faults[0].message, said);
    forget(&t);
    free(rest);
    free(text);
}

static void caps(void **state) {
    (void)state;
    too_much(PDK_IMPORT_PROCFILE, "", "a: b\n", PDK_IMPORT_TASKS + 1, "more than 10000 tasks");
    too_much(PDK_IMPORT_PROCFILE, "a: ", "x", PDK_IMPORT_LINE_BYTES, "a line of more than 64KiB");
    too_much(PDK_IMPORT_PROCFILE, "", "# 345678\n", (4u << 20) / 9 + 1, "larger than 4MiB");
    too_much(PDK_IMPORT_SYSTEMD, "[Service]\nExecStart=", "x \\\n", PDK_IMPORT_LINE_BYTES / 2,
             "a line of more than 64KiB");
    too_much(PDK_IMPORT_SYSTEMD, "[Service]\n", "EnvironmentFile=/x\n", PDK_IMPORT_ENTRIES + 1,
             "more than 200000 values, or 2000 in one place");
}

static void many_notes(void **state) {
    struct translated t;
    char *text = many("[Service]\nExecStart=/x\nFoo=1\nFoo=2\n", PDK_IMPORT_NOTES);
    const char *files[] = {"a.service", text, NULL};
    (void)state;
    assert_int_equal(translate(&t, PDK_IMPORT_SYSTEMD, files), 0);
    assert_non_null(strstr(t.yaml.data, "what follows is more than can be told\n"));
    assert_int_equal(pdk_import_untranslated(&t.import), PDK_IMPORT_NOTES + 1);
    forget(&t);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sweep), cmocka_unit_test(sweep_files), cmocka_unit_test(caps),
                                       cmocka_unit_test(many_notes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
