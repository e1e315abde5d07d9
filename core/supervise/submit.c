/* SPDX-License-Identifier: Apache-2.0 */
/* From a spec to a run: read, routed, built and reserved for in the caller's turn; then nothing can fail any more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

void pdk_spec_options(struct pdk_task_options *options) {
    *options = (struct pdk_task_options){.folder = "/"};
}

static void error_text(const struct pdk_fault *fault, uint32_t more, pdk_error *err) {
    char place[400] = "";
    if (fault->place.file && fault->place.line) {
        (void)snprintf(place, sizeof place, "%s:%u:%u: ", fault->place.file, fault->place.line, fault->place.column);
    } else if (fault->place.file) {
        (void)snprintf(place, sizeof place, "%s: ", fault->place.file);
    }
    (void)snprintf(err->message, sizeof err->message, "%s%s%s%s", place, fault->path ? fault->path : "",
                   fault->path && *fault->path ? ": " : "", fault->message);
    if (more) {
        size_t used = strlen(err->message);
        (void)snprintf(err->message + used, sizeof err->message - used, " (and %u more)", more);
    }
    const char *expected = fault->expected ? fault->expected : "", *near = fault->suggestion ? fault->suggestion : "";
    (void)snprintf(err->hint, sizeof err->hint, "%s%s%s%s%s", expected, *expected && *near ? "; " : "",
                   *near ? "did you mean \"" : "", near, *near ? "\"?" : "");
}

int32_t pdk_report_error(struct pdk_report *report, int32_t code, pdk_error *err) {
    if (err && code < 0) {
        pdk_report_sort(report);
        err->code = code;
        err->at = NULL;
        err->hint[0] = '\0';
        if (report->count) {
            error_text(&report->faults[0], report->errors > 1 ? report->errors - 1 : 0, err);
        } else {
            (void)pdk_fail(err, code, NULL,
                           code == -EAGAIN      ? "too many runs are waiting"
                           : code == -ESHUTDOWN ? "shutting down"
                           : code == -ENOMEM    ? "out of memory"
                                                : "it cannot be run",
                           NULL, NULL);
        }
    }
    pdk_report_free(report);
    return code;
}

/* The task of a template was routed and completed before; only the plugin's part is left. */
static int32_t build_prepared(struct pdk_record *run, const struct pdk_intake *intake, struct pdk_report *report) {
    const pdk_runner_ops *runner = intake->instance->plugin->runner;
    pdk_error err;
    void *task = NULL;
    pdk_error_clear(&err);
    int32_t rc = runner->build_task(intake->instance->self, run->view, &task, &err);
    if (rc == -ENOMEM) return rc;
    if (rc != 0) {
        if (!err.message[0]) (void)pdk_fail(&err, -EINVAL, NULL, "its runner cannot build it", NULL, NULL);
        (void)pdk_value_fault_error(report, intake->task->source, intake->instance->plugin->name, &err);
        return -EINVAL;
    }
    run->task = task;
    run->built = true;
    run->ops = runner->task;
    run->spec = pdk_task_hold(intake->task);
    return 0;
}

/* The plugin sees the slot while it builds, so that a task which gets one of its own is varied before. */
static int32_t route(struct pdk_supervisor *s, const struct pdk_intake *intake, const char *slot,
                     struct pdk_report *report, struct pdk_built *ret) {
    const struct pdk_task_change change = {.slot = slot};
    struct pdk_task *task = NULL;
    int32_t rc = slot ? pdk_task_vary(intake->task, &change, &task) : 0;
    if (rc == 0) rc = pdk_router_build_task(s->router, slot ? task : intake->task, report, ret);
    pdk_task_drop(task);
    return rc;
}

static int32_t build(struct pdk_supervisor *s, struct pdk_record *run, const struct pdk_intake *intake,
                     struct pdk_report *report) {
    struct pdk_instance *instance = intake->instance;
    char own[PDK_SLOT_BYTES];
    const char *slot = intake->slot;
    int32_t rc;
    run->alone = intake->alone;
    if (run->alone) slot = pdk_record_slot(run, intake->name ? intake->name : intake->task->plugin.name, own);
    if (instance) {
        rc = pdk_record_name(run, instance->name, intake->task, intake->name, slot);
        if (rc == 0) rc = build_prepared(run, intake, report);
    } else {
        struct pdk_built built;
        rc = route(s, intake, slot, report, &built);
        if (rc < 0) return rc;
        run->spec = built.task;
        run->task = built.self;
        run->ops = built.ops;
        run->built = true;
        instance = built.instance;
        rc = pdk_record_name(run, instance->name, built.task, NULL, NULL);
    }
    if (rc == 0) run->member = pdk_member_of(s, instance);
    return rc == 0 && !run->member ? -ENOMEM : rc;
}

static int32_t make_ring(struct pdk_ring *ring, uint32_t size) {
    if (!size) return 0;
    ring->times = calloc(size, sizeof *ring->times);
    if (!ring->times) return -ENOMEM;
    ring->size = size;
    return 0;
}

static int32_t make_rings(struct pdk_record *run) {
    int32_t rc = make_ring(&run->past.starts, pdk_policy_starts(&run->spec->policy));
    return rc ? rc : make_ring(&run->past.failures, pdk_policy_failures(&run->spec->policy));
}

static void undo(struct pdk_supervisor *s, struct pdk_record *run) {
    if (run->built) run->ops->destroy(run->task);
    pdk_record_free(s, run);
}

static void accept(struct pdk_supervisor *s, struct pdk_record *run, const struct pdk_intake *intake) {
    uint64_t own = run->spec->deadline ? pdk_time_add(s->now, run->spec->deadline) : 0;
    run->deadline = own && (!intake->deadline || own < intake->deadline) ? own : intake->deadline;
    run->total.kind = PDK_INPUT_T_TOTAL;
    run->accepted = s->now;
    run->accepted_unix = pdk_unix_of(s, s->now);
    run->source = intake->source;
    run->delivery = intake->delivery;
    run->settled = intake->settled;
    run->arg = intake->arg;
    if (s->hold_count) run->paused = pdk_slot_is_held(s, run->slot_name);
    s->accepted++;
    s->live++;
    if (run->source) {
        run->source->pending++;
        pdk_meter_add(run->source->meter.pending, 1);
    }
    pdk_meter_add(run->source ? run->source->meter.submitted : s->meters.submitted, 1);
    STAILQ_INSERT_TAIL(&s->orders, &run->admit, next);
    pdk_wake(s);
}

int32_t pdk_submit(struct pdk_supervisor *s, const struct pdk_intake *intake, struct pdk_report *report, pdk_run *ret) {
    if (!s->turning && !atomic_load_explicit(&s->wake->posted, memory_order_relaxed)) {
        /* those that come together are accepted at one time */
        pdk_clock(s);
        atomic_store_explicit(&s->main, (uint64_t)pthread_self(), memory_order_relaxed);
    }
    struct pdk_record *run = pdk_record_create(s);
    if (!run) return -ENOMEM;
    int32_t rc = build(s, run, intake, report);
    if (rc == 0) rc = make_rings(run);
    if (rc == 0 && (s->tracers || intake->trace)) rc = pdk_trace_begin(s, run, intake);
    if (rc < 0) {
        undo(s, run);
        return rc;
    }
    accept(s, run, intake);
    if (ret) *ret = run->handle;
    return 0;
}

int32_t pdk_supervisor_submit_task(pdk_supervisor *supervisor, struct pdk_task *task, const pdk_submit_options *options,
                                   struct pdk_report *report, pdk_run *ret) {
    struct pdk_intake intake = {.task = task};
    if (options && PDK_REACHES(options, settled)) intake.settled = options->settled;
    if (options && PDK_REACHES(options, arg)) intake.arg = options->arg;
    if (options && PDK_REACHES(options, trace)) intake.trace = options->trace;
    if (options && PDK_REACHES(options, deadline_ns)) intake.deadline = options->deadline_ns;
    if (options && PDK_REACHES(options, trace_state)) intake.trace_state = options->trace_state;
    if (supervisor->closing) return -ESHUTDOWN;
    if (!pdk_room(supervisor, NULL)) return -EAGAIN;
    return pdk_submit(supervisor, &intake, report, ret);
}

int32_t pdk_supervisor_submit(pdk_supervisor *supervisor, const pdk_value *spec, const pdk_submit_options *options,
                              pdk_run *ret, pdk_error *err) {
    struct pdk_report report = {0};
    struct pdk_task_options read;
    struct pdk_task *task;
    pdk_spec_options(&read);
    int32_t rc = pdk_task_read(spec, &read, &report, &task);
    if (rc == 0) {
        rc = pdk_supervisor_submit_task(supervisor, task, options, &report, ret);
        pdk_task_drop(task);
    }
    return pdk_report_error(&report, rc, err);
}
