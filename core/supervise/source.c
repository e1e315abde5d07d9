/* SPDX-License-Identifier: Apache-2.0 */
/* The service paddock.source/1: deliveries come in, one table per instance so that each has room of its own. What may
 * come in is for gate.c to say. */
#include <errno.h>
#include <stdlib.h>

#include "core/base/text.h"
#include "core/supervise/internal.h"
#include "paddock/helpers.h"

/* A spec that was read and routed once. */
struct pdk_template {
    struct pdk_task *task; /* completed; NULL: not without a `with` */
    struct pdk_task *raw;  /* as read; its `with` may be replaced */
    struct pdk_instance *instance;
    bool declared; /* its `with` is the operator's */
};

enum { ACCEPTED, BUSY, INVALID };

struct pdk_task *pdk_template_task(const pdk_template *base) {
    return base->task;
}

static int32_t count(struct pdk_member *member, int32_t rc) {
    int what = rc == 0 ? ACCEPTED : rc == -EAGAIN || rc == -ENOMEM || rc == -ESHUTDOWN ? BUSY : INVALID;
    pdk_meter_add(member->meter.deliveries[what], 1);
    if (rc == -EAGAIN) member->busy = true;
    if (rc == -ENOMEM) pdk_source_starves(member);
    return rc == -ENOMEM ? -EAGAIN : rc;
}

static int32_t check_name(const char *what, const char *text, int32_t (*check)(const char *, const char **),
                          pdk_error *err) {
    const char *why = "";
    if (check(text, &why) == 0) return 0;
    return pdk_fail(err, -EINVAL, NULL, what, why, NULL);
}

static int32_t submit_spec(struct pdk_member *member, const pdk_submission *given, struct pdk_intake *intake,
                           pdk_run *ret, pdk_error *err) {
    struct pdk_report report = {0};
    int32_t rc = pdk_gate_read(member->limits.grant, given->spec, &report, &intake->task);
    if (rc == 0) {
        intake->alone = pdk_gate_alone(member, intake->task, NULL);
        rc = pdk_submit(member->supervisor, intake, &report, ret);
        pdk_task_drop(intake->task);
    }
    return pdk_report_error(&report, rc, err);
}

static const pdk_value *input_of(const pdk_submission *given) {
    return PDK_HAS(given, input) ? given->input : NULL;
}

/* Another `with` is checked like the first one; all else was. */
static int32_t submit_varied(struct pdk_member *member, const pdk_submission *given, struct pdk_intake *intake,
                             pdk_run *ret, pdk_error *err) {
    const struct pdk_template *base = given->base;
    const struct pdk_task_change change = {.with = given->with, .input = input_of(given)};
    struct pdk_report report = {0};
    struct pdk_task *varied, *task;
    int32_t rc = pdk_task_vary(base->raw, &change, &varied);
    if (rc < 0) return pdk_report_error(&report, rc, err);
    rc = pdk_instance_complete(base->instance, varied, &report, &task);
    pdk_task_drop(varied);
    if (rc == 0) {
        intake->task = task;
        rc = pdk_submit(member->supervisor, intake, &report, ret);
        pdk_task_drop(task);
    }
    return pdk_report_error(&report, rc, err);
}

static int32_t submit_base(struct pdk_member *member, const pdk_submission *given, struct pdk_intake *intake,
                           pdk_run *ret, pdk_error *err) {
    int32_t rc = given->name ? check_name("name: ", given->name, pdk_task_name_check, err) : 0;
    if (rc == 0 && given->slot) rc = check_name("slot: ", given->slot, pdk_slot_name_check, err);
    if (rc == 0 && given->with && given->base->declared)
        rc = pdk_fail(err, -EINVAL, given->with, "with is the task's own: a message gives its input alone", NULL, NULL);
    if (rc < 0) return rc;
    intake->instance = given->base->instance;
    intake->name = given->name;
    intake->slot = given->slot;
    intake->alone = pdk_gate_alone(member, given->base->raw, given->slot);
    if (given->with || input_of(given) || !given->base->task) return submit_varied(member, given, intake, ret, err);
    struct pdk_report report = {0};
    intake->task = given->base->task;
    rc = pdk_submit(member->supervisor, intake, &report, ret);
    return rc < 0 ? pdk_report_error(&report, rc, err) : 0;
}

static int32_t submit(const pdk_source *source, const pdk_submission *given, pdk_run *ret, pdk_error *err) {
    struct pdk_member *member = source->data;
    struct pdk_supervisor *s = member->supervisor;
    if (member->draining || s->closing)
        return count(member, pdk_fail(err, -ESHUTDOWN, NULL, "shutting down", NULL, NULL));
    if (!pdk_room(s, member)) return count(member, pdk_fail(err, -EAGAIN, NULL, "no room", NULL, NULL));
    struct pdk_intake intake = {
        .source = member, .delivery = given->delivery, .deadline = given->deadline_ns, .trace = given->trace};
    if (PDK_REACHES(given, trace_state)) intake.trace_state = given->trace_state;
    if (PDK_REACHES(given, attributes)) intake.attributes = given->attributes;
    int32_t rc;
    if (given->base) {
        rc = submit_base(member, given, &intake, ret, err);
    } else {
        rc = submit_spec(member, given, &intake, ret, err);
    }
    return count(member, rc == -ENOENT ? -EINVAL : rc);
}

static uint32_t room(const pdk_source *source) {
    struct pdk_member *member = source->data;
    uint32_t left = pdk_room(member->supervisor, member);
    if (!left && !member->draining) member->busy = true;
    return left;
}

static int32_t cancel(const pdk_source *source, pdk_run handle) {
    struct pdk_member *member = source->data;
    struct pdk_supervisor *s = member->supervisor;
    const struct pdk_record *run = pdk_record_find(s, handle);
    if (!run || run->source != member || run->recorded) return -ESTALE;
    return pdk_order(s, PDK_ORDER_CANCEL, handle, PDK_CANCEL_USER, "taken back");
}

static void release(const pdk_source *source, const pdk_template *given) {
    union {
        const pdk_template *given;
        pdk_template *own;
    } both = {given};
    (void)source;
    if (!given) return;
    pdk_task_drop(both.own->task);
    pdk_task_drop(both.own->raw);
    free(both.own);
}

static int32_t make_template(struct pdk_member *member, const pdk_value *spec, struct pdk_template *made,
                             struct pdk_report *report) {
    int32_t rc = pdk_gate_read(member->limits.grant, spec, report, &made->raw);
    if (rc < 0) return rc;
    made->declared = pdk_gate_is_declared(member->limits.grant, spec);
    made->instance = pdk_router_pick(member->supervisor->router, made->raw, report);
    if (!made->instance) return -ENOENT;
    /* A kind can want parameters that only the messages have. */
    bool open = !made->declared && !pdk_values_get()->get(spec, "with");
    rc = pdk_instance_complete(made->instance, made->raw, open ? NULL : report, &made->task);
    return rc == -EINVAL && open ? 0 : rc;
}

static int32_t prepare(const pdk_source *source, const pdk_value *spec, const pdk_template **ret, pdk_error *err) {
    struct pdk_member *member = source->data;
    struct pdk_report report = {0};
    struct pdk_template *made = calloc(1, sizeof *made);
    int32_t rc = made ? make_template(member, spec, made, &report) : -ENOMEM;
    if (rc < 0) {
        release(source, made);
    } else {
        *ret = made;
    }
    return pdk_report_error(&report, rc, err);
}

void pdk_source_table(struct pdk_member *member) {
    member->source = (pdk_source){(uint32_t)sizeof member->source, 0, member, submit, room, cancel, prepare, release};
}
