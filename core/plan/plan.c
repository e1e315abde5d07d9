/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a plan: submit what may go, reject what never can, stop, and end when every item has its outcome. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/internal.h"
#include "paddock/helpers.h"

const char *pdk_item_state_name(enum pdk_item_state state) {
    static const char *const names[] = {"waiting", "queued", "starting", "running", "backoff", "stopping", "ended"};
    return names[state];
}

void pdk_plan_warn(struct pdk_plan *plan, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (plan->options.warn) plan->options.warn(plan->options.arg, text);
}

static const char *reason_of(int32_t code) {
    switch (code) {
    case -ENOENT: return "no_runner";
    case -ESHUTDOWN: return "shutting_down";
    default: return "invalid";
    }
}

/* The supervisor did not take it: say it with the first fault, in one line. */
static void refused(struct pdk_item *item, int32_t code, const struct pdk_report *report) {
    const char *message = report->count ? report->faults[0].message : strerror(-code);
    pdk_follow_reject(item, reason_of(code), message);
}

/* 0: submitted or rejected. -EAGAIN: later. */
static int32_t submit_item(struct pdk_plan *plan, struct pdk_item *item) {
    pdk_submit_options options = {.struct_size = sizeof options,
                                  .settled = pdk_follow_settled,
                                  .arg = item,
                                  .trace = plan->options.trace,
                                  .trace_state = plan->options.trace_state};
    struct pdk_report report = {0};
    int32_t rc = pdk_supervisor_submit_task(plan->options.supervisor, item->task, &options, &report, &item->run);
    if (rc == 0) {
        item->state = PDK_ITEM_QUEUED;
        item->since = plan->loop->now_ns(plan->loop);
        if (pdk_table_put(&plan->runs, (const char *)&item->run, sizeof item->run, item) < 0) {
            item->heard = true; /* no event will find it: the outcome alone ends it */
            pdk_plan_warn(plan, "out of memory: %s runs, but cannot be followed", item->name);
        }
    } else if (rc != -EAGAIN) {
        refused(item, rc, &report);
    }
    pdk_report_free(&report);
    return rc == -EAGAIN ? rc : 0;
}

static int32_t submit_group(struct pdk_plan *plan, struct pdk_group *group) {
    for (uint32_t i = 0; i < group->count; i++) {
        struct pdk_item *item = &group->items[i];
        if (item->run || item->state == PDK_ITEM_ENDED) continue;
        if (plan->stopping)
            pdk_follow_reject(item, "shutting_down", "Paddock is shutting down");
        else if (submit_item(plan, item) == -EAGAIN)
            return -EAGAIN;
    }
    return 0;
}

static void reject_group(struct pdk_group *group) {
    char message[200] = "Paddock is shutting down";
    const char *reason = "shutting_down";
    if (group->because) {
        reason = "needs_failed";
        (void)snprintf(message, sizeof message, "%s did not succeed", group->because->name);
    }
    for (uint32_t i = 0; i < group->count; i++)
        if (group->items[i].state == PDK_ITEM_WAITING && !group->items[i].run)
            pdk_follow_reject(&group->items[i], reason, message);
}

/* Work off the groups whose fate is known. Posted, so that nothing is submitted inside a call of the supervisor; to
 * reject is another matter. */
static void pump(void *arg) {
    struct pdk_plan *plan = arg;
    struct pdk_group *group;
    while ((group = pdk_graph_take(plan))) {
        if (group->fate == PDK_FATE_GO && !plan->stopping) {
            if (submit_group(plan, group) == -EAGAIN) {
                group->fate = PDK_FATE_OPEN; /* too many at once: the next outcome tries again */
                pdk_graph_queue(plan, group, PDK_FATE_GO);
                break;
            }
        } else {
            reject_group(group);
        }
        group->fate = PDK_FATE_DONE;
    }
    if (plan->leaving) pdk_change_sweep(plan);
    pdk_plan_check_end(plan);
}

void pdk_plan_poke(struct pdk_plan *plan) {
    plan->loop->post(plan->loop, &plan->pump);
}

static bool makes_stop(const struct pdk_plan *plan, const struct pdk_item *item) {
    if (item->group->leaving) return false;
    if (plan->options.exit_with && strcmp(plan->options.exit_with, item->group->task->plugin.name) == 0) return true;
    if (plan->options.stop_on == PDK_STOP_ON_EXIT) return true;
    return plan->options.stop_on == PDK_STOP_ON_FAILURE && item->end != PDK_END_SUCCEEDED;
}

/* An item has its outcome: free what waited for it, and see whether that ends the rest. */
void pdk_plan_item_ended(struct pdk_item *item) {
    struct pdk_plan *plan = item->plan;
    plan->open--;
    item->group->open--;
    pdk_graph_ended(plan, item);
    if (!plan->stopping && makes_stop(plan, item)) {
        if (plan->open)
            pdk_plan_warn(plan, "%s %s: stopping the rest", item->name,
                          item->end == PDK_END_SUCCEEDED ? "has ended" : "did not succeed");
        if (plan->open) pdk_plan_stop(plan);
    }
    pdk_plan_poke(plan);
}

void pdk_plan_check_end(struct pdk_plan *plan) {
    if (plan->options.stays && !plan->stopping) return;
    if (plan->finished || plan->open || !pdk_log_files_idle(plan)) return;
    plan->finished = true;
    if (plan->options.finished) plan->options.finished(plan->options.arg);
}

int32_t pdk_item_prepare(struct pdk_item *item, struct pdk_plan *plan, pdk_error *err) {
    const struct pdk_output_files *log = &item->task->log;
    item->plan = plan;
    item->since = plan->loop->now_ns(plan->loop);
    if (item->task->ready.kind != PDK_CHECK_NONE) {
        int32_t rc = pdk_probe_create(item, err);
        if (rc < 0) return rc;
    }
    if (!log->file) return 0;
    int32_t rc = pdk_log_file_get(plan, log->file, log->max_size, log->keep, &item->log[0]);
    if (rc < 0) return rc;
    return pdk_log_file_get(plan, log->stderr_file ? log->stderr_file : log->file, log->max_size, log->keep,
                            &item->log[1]);
}

void pdk_plan_tell_waiting(const struct pdk_item *item) {
    char text[300];
    if (item->group->blockers) pdk_follow_plan_event(item, PDK_PLAN_WAITS, pdk_item_waits_for(item, text, sizeof text));
}

int32_t pdk_plan_start(struct pdk_plan *plan, const struct pdk_plan_options *options, pdk_error *err) {
    plan->options = *options;
    plan->loop = pdk_supervisor_loop(options->supervisor);
    plan->pump = (pdk_call){.run = pump, .arg = plan};
    for (uint32_t i = 0; i < plan->item_count; i++) {
        int32_t rc = pdk_item_prepare(plan->items[i], plan, err);
        if (rc < 0) return rc;
    }
    int32_t rc = pdk_follow_start(plan, err);
    if (rc < 0) return rc;
    for (uint32_t i = 0; i < plan->item_count; i++) pdk_plan_tell_waiting(plan->items[i]);
    pdk_graph_begin(plan);
    plan->loop->post(plan->loop, &plan->pump);
    return 0;
}

void pdk_plan_stop(struct pdk_plan *plan) {
    if (plan->stopping) return;
    plan->stopping = true;
    for (uint32_t i = 0; i < plan->group_count; i++) pdk_graph_queue(plan, plan->groups[i], PDK_FATE_NEVER);
    pump(plan);
    (void)pdk_supervisor_shutdown(plan->options.supervisor);
}

void pdk_plan_free(struct pdk_plan *plan) {
    if (!plan) return;
    for (uint32_t i = 0; i < plan->group_count; i++) pdk_group_free(plan->groups[i]);
    free(plan->groups);
    free(plan->items);
    pdk_log_files_free(plan);
    pdk_table_free(&plan->runs);
    pdk_table_free(&plan->traced);
    pdk_arena_free(&plan->arena);
    free(plan);
}
