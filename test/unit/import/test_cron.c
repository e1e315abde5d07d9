/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#define CRONTAB(text, wanted, notes) expect(PDK_IMPORT_CRON, "crontab", text, wanted, notes)

static void periods(void **state) {
    static const struct {
        const char *times, *every;
    } rows[] = {{"* * * * *", "1m"},  {"*/5 * * * *", "5m"}, {"*/60 * * * *", "1h"},
                {"17 * * * *", "1h"}, {"0 */6 * * *", "6h"}, {"@hourly", "1h"}};
    char text[64], wanted[160];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(text, sizeof text, "%s run x\n", rows[i].times);
        (void)snprintf(wanted, sizeof wanted,
                       "tasks:\n  run:\n    command: run x\n    # crontab:1: %s\n    every: %s\n", rows[i].times,
                       rows[i].every);
        CRONTAB(text, wanted, 0);
    }
}

static void times_of_day(void **state) {
    static const char *const rows[] = {"*/7 * * * *", "0 3 * * *",   "@daily",         "5-55/10 * * * *",
                                       "0 */5 * * *", "* * * * 1-5", "*/5 9-17 * * *", "0 0 1 jan mon"};
    char text[64], wanted[256];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(text, sizeof text, "%s run\n", rows[i]);
        (void)snprintf(
            wanted, sizeof wanted,
            "tasks:\n  run:\n    command: run\n    # crontab:1: schedule: \"%s\" comes with a later version\n"
            "    manual: true\n",
            rows[i]);
        CRONTAB(text, wanted, 1);
    }
}

static void commands(void **state) {
    (void)state;
    CRONTAB("@reboot /opt/x/serve --now\n", "tasks:\n  serve: /opt/x/serve --now\n", 0);
    CRONTAB("@reboot test -x /bin/y && /bin/y; z\n", "tasks:\n  y: test -x /bin/y && /bin/y; z\n", 0);
    CRONTAB("@reboot date +\\%F%a%b\n", "tasks:\n  date: {command: date +%F, with: {stdin: \"a\\nb\\n\"}}\n", 0);
    CRONTAB("SHELL=/bin/bash\n@reboot echo ${X}\n", "tasks:\n  echo: [/bin/bash, -c, \"echo $${X}\"]\n", 0);
}

static void variables(void **state) {
    (void)state;
    CRONTAB("PATH=/bin:/sbin\nA = 'b c'\n@reboot x\n@reboot y\n",
            "defaults: {env: {PATH: \"/bin:/sbin\", A: b c}}\ntasks:\n  x: x\n  y: y\n", 0);
    CRONTAB("MAILTO=me\nMAILTO=\"\"\n@reboot x\n", "# crontab:1: MAILTO=me: Paddock sends no mail\ntasks:\n  x: x\n",
            1);
    CRONTAB("A=1\n@reboot x\nA=2\n@reboot y\n",
            "tasks:\n  x: {command: x, env: {A: 1}}\n  y: {command: y, env: {A: 2}}\n", 0);
}

static void users(void **state) {
    (void)state;
    expect(PDK_IMPORT_CRON, "etc/cron.d/job", "@reboot me x y\n", "tasks:\n  job: {command: x y, user: me}\n", 0);
    expect(PDK_IMPORT_CRON, "/etc/crontab", "@reboot me x y\n", "tasks:\n  x: {command: x y, user: me}\n", 0);
    expect(PDK_IMPORT_CRON, "standard input", "@reboot root x y\n", "tasks:\n  x: {command: x y, user: root}\n", 0);
    expect(PDK_IMPORT_CRON, "standard input", "@reboot me x y\n", "tasks:\n  me: me x y\n", 0);
}

static void faults(void **state) {
    static const char wanted[] = "expected minute, hour, day, month, day of the week";
    (void)state;
    expect_fault(PDK_IMPORT_CRON, "crontab", "# c\n* * x * * y\n", 2, "\"x\" is not a time", wanted);
    expect_fault(PDK_IMPORT_CRON, "crontab", "* * *\n", 1, "a time is missing", wanted);
    expect_fault(PDK_IMPORT_CRON, "crontab", "* * * * *\n", 1, "there is no command", "expected TIMES COMMAND");
    expect_fault(PDK_IMPORT_CRON, "cron.d/x", "@daily root\n", 1, "there is no command", "expected TIMES USER COMMAND");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(periods),  cmocka_unit_test(times_of_day),
                                       cmocka_unit_test(commands), cmocka_unit_test(variables),
                                       cmocka_unit_test(users),    cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
