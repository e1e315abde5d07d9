/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that we do not trust with our memory: it runs in a process of its own, with limits, in a supervisor with a loop
 * of its own. Whatever it does there costs the attempts that it has on.
 *     embed_isolated ECHO.so [PADDOCK-HOST]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <paddock/helpers.h>
#include <paddock/supervisor.h>

static const char limits[] = "{\"mode\": \"process\", \"rlimits\": {\"nofile\": 256}, \"seccomp\": \"default\"}";
static const char spec[] = "{\"name\": \"hello\", \"kind\": \"echo\", \"with\": {\"message\": \"Hello\"}}";

static void die(const char *what, const pdk_error *err) {
    fprintf(stderr, "%s: %s%s%s\n", what, err->message, err->hint[0] ? "; " : "", err->hint);
    exit(1);
}

static const pdk_value *parse(const char *json) {
    const pdk_value *value;
    pdk_error err = PDK_ERROR;
    if (pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "example", &value, &err) < 0) die("parse", &err);
    return value;
}

/* We have one run, so the end of it is the end. */
static void settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    const char *text = "";
    (void)run;
    pdk_values_get()->string(outcome->last->output, &text);
    printf("%s: %s\n", outcome->run_id, outcome->end == PDK_END_SUCCEEDED ? text : outcome->last->message);
    pdk_supervisor_shutdown(arg);
}

static void load(pdk_supervisor *supervisor, const char *plugin, const char *program) {
    const pdk_value *isolation = parse(limits);
    pdk_isolated_options how = {.struct_size = sizeof how, .flags = PDK_ISOLATED_ASK, .program = program};
    pdk_error err = PDK_ERROR;
    how.isolation = isolation;
    if (pdk_supervisor_load_isolated(supervisor, plugin, NULL, &how, &err) < 0) die(plugin, &err);
    pdk_values_get()->drop(isolation);
}

int main(int argc, char **argv) {
    pdk_supervisor_options options = {.struct_size = sizeof options};
    pdk_submit_options how = {.struct_size = sizeof how, .settled = settled};
    pdk_supervisor *supervisor;
    pdk_error err = PDK_ERROR;
    pdk_run run;
    if (argc < 2) {
        fprintf(stderr, "usage: embed_isolated ECHO.so [PADDOCK-HOST]\n");
        return 2;
    }
    if (pdk_supervisor_create(&options, &supervisor, &err) < 0) die("create", &err);
    load(supervisor, argv[1], argc > 2 ? argv[2] : NULL);
    if (pdk_supervisor_start(supervisor, &err) < 0) die("start", &err);

    const pdk_value *value = parse(spec);
    how.arg = supervisor;
    if (pdk_supervisor_submit(supervisor, value, &how, &run, &err) < 0) die("submit", &err);
    pdk_values_get()->drop(value);

    pdk_supervisor_run(supervisor);
    pdk_supervisor_destroy(supervisor);
    return 0;
}
