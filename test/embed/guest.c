/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#include "paddock/helpers.h"

static void on_stopped(void *arg) {
    struct guest *guest = arg;
    guest->stopped = 1;
}

static void on_log(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    struct guest *guest = arg;
    (void)run_id;
    if (level >= PDK_LOG_ERROR) (void)snprintf(guest->message, sizeof guest->message, "%s: %s", part, text);
}

void guest_create(struct guest *guest, const pdk_loop *loop, void *ev_loop) {
    pdk_supervisor_options options = {.struct_size = sizeof options,
                                      .loop = loop,
                                      .ev_loop = ev_loop,
                                      .stopped = on_stopped,
                                      .log = on_log,
                                      .arg = guest};
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_supervisor_create(&options, &guest->supervisor, &err), 0);
    if (pdk_supervisor_load(guest->supervisor, SUBPROCESS, NULL, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(pdk_supervisor_start(guest->supervisor, &err), 0);
}

static void on_settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    struct guest *guest = arg;
    (void)run;
    if (outcome->end == PDK_END_SUCCEEDED) {
        guest->succeeded++;
    } else {
        guest->failed++;
        guest->exit_code = outcome->last->exit_code;
        (void)snprintf(guest->message, sizeof guest->message, "%s", outcome->last->message);
    }
    if (guest->meanwhile) guest->meanwhile(guest->arg);
    if (--guest->open == 0) pdk_supervisor_shutdown(guest->supervisor);
}

void guest_submit(struct guest *guest, const char *name, const char *script) {
    const pdk_values *v = pdk_values_get();
    pdk_submit_options options = {.struct_size = sizeof options, .settled = on_settled, .arg = guest};
    pdk_error err = PDK_ERROR;
    const pdk_value *spec;
    pdk_run run;
    char json[256];
    (void)snprintf(json, sizeof json, "{\"name\": \"%s\", \"command\": [\"sh\", \"-c\", \"%s\"]}", name, script);
    assert_int_equal(v->parse(v, json, strlen(json), "test", &spec, &err), 0);
    if (pdk_supervisor_submit(guest->supervisor, spec, &options, &run, &err) < 0) fail_msg("%s", err.message);
    v->drop(spec);
    guest->open++;
}

void guest_destroy(struct guest *guest) {
    pdk_supervisor_destroy(guest->supervisor);
}

void guest_visit(struct guest *guest) {
    guest_create(guest, NULL, NULL);
    guest_submit(guest, "quiet", ":");
    guest_submit(guest, "loud", "echo to stdout; echo to stderr >&2");
    guest_submit(guest, "seven", "exit 7");
    assert_int_equal(pdk_supervisor_run(guest->supervisor), 0);
    guest_destroy(guest);
    if (guest->succeeded != 2 || guest->exit_code != 7) print_error("%s\n", guest->message);
    assert_int_equal(guest->succeeded, 2);
    assert_int_equal(guest->failed, 1);
    assert_int_equal(guest->exit_code, 7);
}
