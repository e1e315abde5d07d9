/* SPDX-License-Identifier: Apache-2.0 */
/* The service paddock.control/1. What changes something becomes a command; the answer says whether it was in time. */
#include <errno.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

static int32_t submit(const pdk_control *control, const pdk_value *spec, pdk_run *ret, pdk_error *err) {
    return pdk_supervisor_submit(control->data, spec, NULL, ret, err);
}

/* NULL: too late, its outcome is out. */
static struct pdk_record *in_time(const struct pdk_supervisor *s, pdk_run handle) {
    struct pdk_record *run = pdk_record_find(s, handle);
    return run && !run->recorded ? run : NULL;
}

static int32_t cancel(const pdk_control *control, pdk_run run, const char *why) {
    struct pdk_supervisor *s = control->data;
    return in_time(s, run) ? pdk_order(s, PDK_ORDER_CANCEL, run, PDK_CANCEL_USER, why) : -ESTALE;
}

static int32_t force(const pdk_control *control, pdk_run run, const char *why) {
    struct pdk_supervisor *s = control->data;
    return in_time(s, run) ? pdk_order(s, PDK_ORDER_FORCE, run, PDK_CANCEL_USER, why) : -ESTALE;
}

static int32_t pause_run(const pdk_control *control, pdk_run run) {
    struct pdk_supervisor *s = control->data;
    return !run || in_time(s, run) ? pdk_order(s, PDK_ORDER_PAUSE, run, 0, NULL) : -ESTALE;
}

static int32_t resume(const pdk_control *control, pdk_run run) {
    struct pdk_supervisor *s = control->data;
    return !run || in_time(s, run) ? pdk_order(s, PDK_ORDER_RESUME, run, 0, NULL) : -ESTALE;
}

static int32_t pause_slot(const pdk_control *control, const char *slot) {
    return pdk_slot_hold(control->data, slot);
}

static int32_t resume_slot(const pdk_control *control, const char *slot) {
    return pdk_slot_release(control->data, slot);
}

static const void *find(const pdk_control *control, const char *id) {
    const struct pdk_supervisor *s = control->data;
    const struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        const struct pdk_instance *instance = member->instance;
        if (!PDK_HAS(instance->plugin, get_extension)) continue;
        const void *found = instance->plugin->get_extension(instance->self, id);
        if (found) return found;
    }
    return NULL;
}

static int32_t abandon(const pdk_control *control, pdk_run handle) {
    struct pdk_supervisor *s = control->data;
    const struct pdk_record *run = pdk_record_find(s, handle);
    if (!run || run->state == PDK_STATE_ENDED) return -ESTALE;
    return run->state == PDK_STATE_STUCK ? pdk_order(s, PDK_ORDER_ABANDON, handle, 0, NULL) : -EBUSY;
}

static int32_t reload(const pdk_control *control, pdk_run handle) {
    struct pdk_supervisor *s = control->data;
    const struct pdk_record *run = in_time(s, handle);
    if (!run) return -ESTALE;
    if (!PDK_HAS(run->ops, reload)) return -ENOTSUP;
    if (run->state != PDK_STATE_RUNNING || pdk_cell_posted(run->cell)) return -EBUSY;
    return run->ops->reload(run->task);
}

static int32_t command(const pdk_control *control, const char *verb, const pdk_value *params, const pdk_value **ret,
                       pdk_error *err) {
    const struct pdk_supervisor *s = control->data;
    const pdk_values *values = pdk_values_get();
    const pdk_value *answer = NULL;
    int32_t rc = -ENOTSUP;
    pdk_writer *w = values->open(values);
    if (s->program) rc = s->program->command(s->program_arg, verb, params, w, err);
    if (rc < 0) {
        (void)values->close(w, NULL, NULL);
        return rc == -ENOTSUP ? pdk_fail(err, rc, NULL, "this program has no command \"", verb, "\"") : rc;
    }
    rc = values->close(w, &answer, err);
    if (rc == 0 && ret)
        *ret = answer;
    else
        values->drop(answer);
    return rc;
}

void pdk_supervisor_number(pdk_supervisor *supervisor, uint64_t first, uint64_t (*number)(void *arg, uint64_t seq),
                           void *arg) {
    supervisor->next_seq = first;
    supervisor->numbered = first;
    supervisor->number = number;
    supervisor->number_arg = arg;
}

uint64_t pdk_supervisor_next_number(const pdk_supervisor *supervisor) {
    return supervisor->next_seq;
}

void pdk_supervisor_program(pdk_supervisor *supervisor, const struct pdk_program_ops *ops, void *arg) {
    supervisor->program = ops;
    supervisor->program_arg = arg;
}

void pdk_control_table(struct pdk_supervisor *s, pdk_control *control) {
    *control = (pdk_control){.struct_size = (uint32_t)sizeof *control,
                             .data = s,
                             .submit = submit,
                             .cancel = cancel,
                             .force = force,
                             .pause = pause_run,
                             .resume = resume,
                             .abandon = abandon,
                             .reload = reload,
                             .list = pdk_list_runs,
                             .subscribe = pdk_subscribe,
                             .unsubscribe = pdk_unsubscribe,
                             .inspect = pdk_inspect_subject,
                             .pause_slot = pause_slot,
                             .resume_slot = resume_slot,
                             .describe_run = pdk_describe_run,
                             .describe_event = pdk_describe_event,
                             .find = find,
                             .command = command,
                             .tap = pdk_tap,
                             .print_run = pdk_print_run,
                             .print_event = pdk_print_event};
}
