/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

static const struct {
    const char *file, *text;
    enum pdk_import_format format;
} rows[] = {{"Procfile", "", PDK_IMPORT_PROCFILE},
            {"x/Procfile.dev", "", PDK_IMPORT_PROCFILE},
            {"a.service", "", PDK_IMPORT_SYSTEMD},
            {"a.timer", "", PDK_IMPORT_SYSTEMD},
            {"supervisord.conf", "", PDK_IMPORT_SUPERVISORD},
            {"/etc/crontab", "", PDK_IMPORT_CRON},
            {"/etc/cron.d/x", "", PDK_IMPORT_CRON},
            {"x", "# c\n\n[Unit]\n", PDK_IMPORT_SYSTEMD},
            {"x.conf", "; c\n[program:a]\n", PDK_IMPORT_SUPERVISORD},
            {"x", "PATH=/bin\n5 4 * * * x\n", PDK_IMPORT_CRON},
            {"x", "@daily x\n", PDK_IMPORT_CRON},
            {"x", "web: y\n", PDK_IMPORT_PROCFILE},
            {"x", "hello\n", PDK_IMPORT_GUESS},
            {"docker-compose.yml", "web: y\n", PDK_IMPORT_GUESS}};

static void guesses(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *why;
        assert_int_equal(pdk_import_guess(rows[i].file, rows[i].text, strlen(rows[i].text), &why), rows[i].format);
    }
}

static void no_guess(void **state) {
    (void)state;
    expect_fault(PDK_IMPORT_GUESS, "x", "hello\n", 0, "this is like no format that is known",
                 "say --from procfile, systemd, supervisord or cron");
    expect_fault(PDK_IMPORT_GUESS, "compose.yaml", "a: b\n", 0, "this is like no format that is known",
                 "files of Compose, and other YAML, cannot be imported");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(guesses), cmocka_unit_test(no_guess)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
