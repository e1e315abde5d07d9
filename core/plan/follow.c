/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the supervisor's events to the items, and on to the listener.
 *
 * The outcome is told by `settled`, which is never lost; events come from a ring of our own and may be. An item ends
 * here when both have come, so all that it printed comes before its end. Should its last event be lost, what tells
 * of the loss ends it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/plan/internal.h"
#include "paddock/helpers.h"

/* How much of a text is kept. */
enum { TEXT_MOST = 160, LAST_MOST = 200, REASON_MOST = 64, MESSAGE_MOST = 300, NAME_MOST = 160 };

/* The texts of an item are most often empty, and short else: so each is as large as it is. Without memory it is empty. */
static const char nothing[] = "";

static void forget(const char **text) {
    if (*text != nothing) free((char *)(uintptr_t)*text);
    *text = nothing;
}

static void note(const char **to, const char *text, size_t most) {
    if (!text) text = nothing;
    if (strcmp(*to, text) == 0) return;
    forget(to);
    char *copy = *text ? strndup(text, most) : NULL;
    if (copy) *to = copy;
}

void pdk_follow_begin(struct pdk_item *item) {
    item->text = item->last = item->reason = item->message = item->run_id = item->runner = item->trace_id =
        item->span_id = nothing;
}

void pdk_follow_free(struct pdk_item *item) {
    const char **const texts[] = {&item->text,   &item->last,   &item->reason,   &item->message,
                                  &item->run_id, &item->runner, &item->trace_id, &item->span_id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i]) forget(texts[i]);
    free(item->kept);
}

static uint64_t now(const struct pdk_plan *plan) {
    return plan->loop->now_ns(plan->loop);
}

static void tell(const struct pdk_plan *plan, const struct pdk_item *item, const pdk_event *event) {
    if (plan->options.event) plan->options.event(plan->options.arg, item, event);
}

/* Something that the plan knows and the supervisor does not. */
void pdk_follow_plan_event(const struct pdk_item *item, int32_t kind, const char *text) {
    pdk_event event = {.struct_size = sizeof event,
                       .kind = kind,
                       .unix_ns = pdk_clock_unix(),
                       .run = item->run,
                       .run_id = item->run_id,
                       .attempt = item->attempt,
                       .status = item->end,
                       .text = text,
                       .code = item->reason,
                       .trace_id = item->trace_id,
                       .span_id = item->span_id};
    tell(item->plan, item, &event);
}

static void enter(struct pdk_item *item, enum pdk_item_state state) {
    item->state = state;
    item->since = now(item->plan);
}

/* The attempt that runs is up. */
void pdk_follow_ready(struct pdk_item *item) {
    if (item->ready || item->state != PDK_ITEM_RUNNING) return;
    item->ready = true;
    pdk_graph_ready(item->plan, item);
    item->plan->loop->post(item->plan->loop, &item->plan->pump);
}

static void end_item(struct pdk_item *item) {
    pdk_probe_end(item);
    item->ready = false;
    enter(item, PDK_ITEM_ENDED);
}

/* It never reached the supervisor: an outcome of the plan's own. */
void pdk_follow_reject(struct pdk_item *item, const char *reason, const char *message) {
    item->end = PDK_END_REJECTED;
    note(&item->reason, reason, REASON_MOST);
    note(&item->message, message, MESSAGE_MOST);
    end_item(item);
    pdk_follow_plan_event(item, PDK_EVENT_REJECTED, item->message);
    pdk_plan_item_ended(item);
}

/* Nobody wants it any more, and it has not begun. */
void pdk_follow_withdraw(struct pdk_item *item, const char *message) {
    item->end = PDK_END_CANCELED;
    item->canceled = PDK_CANCEL_USER;
    note(&item->reason, "withdrawn", REASON_MOST);
    note(&item->message, message, MESSAGE_MOST);
    end_item(item);
    pdk_follow_plan_event(item, PDK_EVENT_OUTCOME, item->message);
    pdk_plan_item_ended(item);
}

static bool complete(struct pdk_item *item) {
    if (!item->settled || !item->heard || item->state == PDK_ITEM_ENDED) return false;
    end_item(item);
    return true;
}

/* In our own words, for want of the supervisor's. */
static void tell_own_end(const struct pdk_item *item) {
    pdk_follow_plan_event(item, item->end == PDK_END_REJECTED ? PDK_EVENT_REJECTED : PDK_EVENT_OUTCOME, item->message);
}

/* Events were lost, and those of outcomes may be among them: end all whose outcome is known. What of their output is
 * still to come is passed on all the same. */
static void end_settled(struct pdk_plan *plan) {
    for (uint32_t i = 0; i < plan->item_count; i++) {
        struct pdk_item *item = plan->items[i];
        if (!item->settled) continue;
        item->heard = true;
        if (!complete(item)) continue;
        tell_own_end(item);
        pdk_plan_item_ended(item);
    }
}

static void copy_outcome(struct pdk_item *item, const pdk_outcome *outcome) {
    const pdk_result *last = outcome->last;
    item->end = outcome->end;
    item->attempts = outcome->attempts;
    item->canceled = outcome->reason;
    item->category = last->category;
    item->exit_code = last->exit_code;
    item->signal = last->signal;
    if (outcome->started_ns && outcome->ended_ns > outcome->started_ns)
        item->duration = outcome->ended_ns - outcome->started_ns;
    note(&item->reason, last->code, REASON_MOST);
    if (!item->message[0]) note(&item->message, last->message, MESSAGE_MOST);
    note(&item->run_id, outcome->run_id, NAME_MOST);
    note(&item->runner, outcome->runner, NAME_MOST);
}

static bool tells_the_end(const pdk_event *event) {
    return event->kind == PDK_EVENT_OUTCOME || event->kind == PDK_EVENT_REJECTED;
}

/* The last event came before the outcome that it speaks of: it is told once the item shows that outcome. */
static void keep(struct pdk_item *item, const pdk_event *event) {
    if (!item->kept) item->kept = malloc(sizeof *item->kept);
    if (item->kept) *item->kept = *event;
}

static void tell_kept(struct pdk_item *item) {
    pdk_event *event = item->kept;
    if (!event) {
        tell_own_end(item);
        return;
    }
    event->run_id = item->run_id;
    event->text = item->message;
    event->code = item->reason;
    event->name = item->name;
    event->runner = item->runner;
    event->trace_id = item->trace_id;
    event->span_id = item->span_id;
    tell(item->plan, item, event);
    free(event);
    item->kept = NULL;
}

/* A pdk_settled whose arg is the item. */
void pdk_follow_settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    struct pdk_item *item = arg;
    (void)run;
    copy_outcome(item, outcome);
    item->settled = true;
    if (!item->heard || !complete(item)) return;
    tell_kept(item);
    pdk_plan_item_ended(item);
}

static void on_started(struct pdk_item *item, const pdk_event *event) {
    item->attempt = event->attempt;
    item->ready = false;
    item->fraction = -1;
    forget(&item->text);
    item->timed_out = false;
    note(&item->runner, event->runner, NAME_MOST);
    enter(item, PDK_ITEM_RUNNING);
    if (item->task->ready.kind == PDK_CHECK_NONE)
        pdk_follow_ready(item);
    else
        pdk_probe_begin(item);
}

/* Also of an attempt that could not start, of which no STARTED came. */
static void on_ended(struct pdk_item *item, const pdk_event *event) {
    pdk_probe_end(item);
    item->attempt = event->attempt;
    note(&item->runner, event->runner, NAME_MOST);
    item->ready = false;
    item->last_status = event->status;
    item->timed_out = item->timed_out && event->status == PDK_FAILURE && !(event->code && *event->code);
    note(&item->last, event->text, LAST_MOST);
    enter(item, PDK_ITEM_STARTING);
}

static void on_progress(struct pdk_item *item, const pdk_event *event) {
    item->fraction = event->fraction;
    if (event->text && *event->text) note(&item->text, event->text, TEXT_MOST);
}

/* A line, without its newline; cut: it goes on in the next. */
static void on_output(struct pdk_item *item, const pdk_event *event) {
    struct pdk_plan *plan = item->plan;
    struct pdk_log_file *log = item->log[event->stream == PDK_STDERR];
    if (!event->data) {
        pdk_plan_warn(plan, "%s: %s", item->name, event->text);
        return;
    }
    if (item->probe) pdk_probe_line(item, event->data, event->size);
    if (log)
        pdk_log_file_add(log, event->data, event->size, !event->truncated);
    else if (plan->options.output)
        plan->options.output(plan->options.arg, item, event);
}

/* Without memory its lines of the log go without. */
static void on_trace(struct pdk_item *item, const pdk_event *event) {
    if (!item->trace_id[0] && item->run_id[0])
        (void)pdk_table_put(&item->plan->traced, item->run_id, strlen(item->run_id), item);
    note(&item->trace_id, event->trace_id, NAME_MOST);
    note(&item->span_id, event->span_id, NAME_MOST);
}

const struct pdk_item *pdk_plan_find_traced(const struct pdk_plan *plan, const char *run_id) {
    return pdk_table_get(&plan->traced, run_id, strlen(run_id));
}

/* What an event makes of its item. */
static void apply(struct pdk_item *item, const pdk_event *event) {
    if (!item->run_id[0]) note(&item->run_id, event->run_id, NAME_MOST);
    if (event->trace_id && event->trace_id[0]) on_trace(item, event);
    switch (event->kind) {
    case PDK_EVENT_STARTED: on_started(item, event); break;
    case PDK_EVENT_ENDED: on_ended(item, event); break;
    case PDK_EVENT_STOPPING:
        enter(item, PDK_ITEM_STOPPING);
        if (event->status == PDK_CANCEL_TIMEOUT) item->timed_out = true;
        break;
    case PDK_EVENT_WAITING:
        enter(item, PDK_ITEM_BACKOFF);
        item->again = item->since + event->delay_ns;
        break;
    case PDK_EVENT_PROGRESS: on_progress(item, event); break;
    case PDK_EVENT_OUTCOME:
    case PDK_EVENT_REJECTED:
        item->heard = true;
        if (event->text && *event->text) note(&item->message, event->text, MESSAGE_MOST);
        break;
    case PDK_EVENT_READY:
        if (item->task->ready.kind != PDK_CHECK_NOTIFY) break;
        pdk_probe_end(item);
        pdk_follow_ready(item);
        break;
    default: break;
    }
}

/* Ready is the plan's word unless the runner says it: the listener hears of it once per attempt. */
static bool tell_ready(struct pdk_item *item, const pdk_event *event, bool was) {
    if (event->kind == PDK_EVENT_READY) return item->ready && !was;
    return true;
}

/* Of a plugin, of nobody, or of a run that others submitted. */
static void tell_others(const struct pdk_plan *plan, const pdk_event *event) {
    if (event->kind != PDK_EVENT_OUTPUT)
        tell(plan, NULL, event);
    else if (event->data && plan->options.output)
        plan->options.output(plan->options.arg, NULL, event);
}

static void on_event(void *arg, const pdk_event *event) {
    struct pdk_plan *plan = arg;
    struct pdk_item *item = NULL;
    if (event->run) item = pdk_table_get(&plan->runs, (const char *)&event->run, sizeof event->run);
    if (!item) {
        tell_others(plan, event);
        if (event->kind == PDK_EVENT_LOST) end_settled(plan);
        return;
    }
    if (event->kind == PDK_EVENT_OUTPUT) {
        on_output(item, event);
        return;
    }
    if (item->state == PDK_ITEM_ENDED && event->kind != PDK_EVENT_FREED) return;
    bool was = item->ready;
    apply(item, event);
    if (tells_the_end(event) && !item->settled) {
        keep(item, event);
        return;
    }
    bool ended = complete(item);
    if (tell_ready(item, event, was)) tell(plan, item, event);
    if (ended) pdk_plan_item_ended(item);
}

int32_t pdk_follow_start(struct pdk_plan *plan, pdk_error *err) {
    const pdk_control *control = pdk_supervisor_control(plan->options.supervisor);
    const pdk_filter filter = {.struct_size = sizeof filter, .events = 0xffffu};
    int32_t rc = control->subscribe(control, &filter, on_event, plan, &plan->events);
    return rc < 0 ? pdk_failf(err, rc, NULL, "cannot follow the events: %s", strerror(-rc)) : 0;
}
