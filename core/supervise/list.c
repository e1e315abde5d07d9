/* SPDX-License-Identifier: Apache-2.0 */
/* Runs for who asks: those that are on and those remembered, in the order they were accepted. */
#include <stdio.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { LIST_LIMIT = 1000 };

static const int32_t public_states[PDK_STATES] = {
    [PDK_STATE_NEW] = PDK_RUN_QUEUED,        [PDK_STATE_QUEUED] = PDK_RUN_QUEUED,
    [PDK_STATE_READY] = PDK_RUN_QUEUED,      [PDK_STATE_HELD] = PDK_RUN_QUEUED,
    [PDK_STATE_STARTING] = PDK_RUN_RUNNING,  [PDK_STATE_RUNNING] = PDK_RUN_RUNNING,
    [PDK_STATE_STOPPING] = PDK_RUN_STOPPING, [PDK_STATE_KILLING] = PDK_RUN_STOPPING,
    [PDK_STATE_STUCK] = PDK_RUN_STUCK,       [PDK_STATE_WAITING] = PDK_RUN_WAITING,
    [PDK_STATE_ENDED] = PDK_RUN_ENDED,
};

int32_t pdk_public_state(enum pdk_state state) {
    return public_states[state];
}

/* A run that is READY waits for one of these. */
static void say_ready(const struct pdk_supervisor *s, const struct pdk_record *run, char *buf, size_t size) {
    const struct pdk_member *member = run->member;
    if (s->paused) {
        (void)strlcpy(buf, "paused, like all", size);
    } else if (atomic_load(&member->instance->health) == PDK_DOWN) {
        (void)snprintf(buf, size, "waits for runner %s, which is down%s%s", member->instance->name,
                       member->health_text[0] ? ": " : "", member->health_text);
    } else if (!pdk_member_has_room(member)) {
        (void)snprintf(buf, size, "waits for runner %s: %u of %u are running", member->instance->name, member->running,
                       member->limits.running);
    } else if (s->options.running) {
        (void)snprintf(buf, size, "waits: %u of %u are running", s->running, s->options.running);
    }
}

static void say_outcome(const struct pdk_record *run, char *buf, size_t size) {
    if (run->note) {
        (void)strlcpy(buf, run->note, size);
    } else if (run->why) {
        (void)strlcpy(buf, run->why, size);
    } else if (run->end != PDK_END_SUCCEEDED && run->end != PDK_END_CANCELED && run->end != PDK_END_REJECTED) {
        (void)pdk_say_result(&run->last, run->timed_out, run->view->timeout_ns, buf, size);
    } else {
        (void)strlcpy(buf, run->last.result.struct_size ? run->last.result.message : "", size);
    }
}

static void say(const struct pdk_supervisor *s, const struct pdk_record *run, char *buf, size_t size) {
    *buf = '\0';
    if (run->recorded) {
        say_outcome(run, buf, size);
    } else if (run->state == PDK_STATE_QUEUED) {
        (void)snprintf(buf, size, "waits for slot %s behind %s", run->slot_name, pdk_record_short(run->slot->owner));
    } else if (run->state == PDK_STATE_HELD) {
        (void)strlcpy(buf, "paused", size);
    } else if (run->state == PDK_STATE_READY) {
        say_ready(s, run, buf, size);
    } else if (run->state == PDK_STATE_WAITING) {
        (void)pdk_say_result(&run->last, run->timed_out, run->view->timeout_ns, buf, size);
    } else if (run->progress) {
        (void)strlcpy(buf, run->progress, size);
    }
}

static void fill_attempts(const struct pdk_supervisor *s, const struct pdk_record *run, pdk_run_info *info) {
    const pdk_result *last = &run->last.result;
    info->code = run->code ? run->code : last->struct_size ? last->code : "";
    info->status = last->status;
    info->category = last->category;
    info->exit_code = last->exit_code;
    info->signal = last->signal;
    info->retries = run->past.retries;
    info->ready = run->ready && run->cell;
    if (run->cell) {
        info->attempt = pdk_cell_handle(run->cell);
        info->attempt_ns = pdk_unix_of(s, run->began);
    }
    if (run->state == PDK_STATE_WAITING) info->next_ns = pdk_unix_of(s, run->phase.due);
}

static void fill(const struct pdk_supervisor *s, const struct pdk_record *run, const char *text, pdk_run_info *info) {
    *info = (pdk_run_info){.struct_size = (uint32_t)sizeof *info,
                           .state = public_states[run->state],
                           .run = run->handle,
                           .run_id = run->run_id,
                           .name = run->name,
                           .kind = run->view->kind,
                           .slot = run->slot_name,
                           .runner = run->member->instance->name,
                           .attempts = run->past.attempts,
                           .end = run->end,
                           .submitted_ns = run->accepted_unix,
                           .started_ns = run->started_unix,
                           .ended_ns = run->ended_unix,
                           .fraction = run->fraction,
                           .text = text,
                           .seq = run->seq,
                           .paused = run->paused,
                           .reason = run->cause};
    fill_attempts(s, run, info);
}

static bool matches(const struct pdk_record *run, const pdk_filter *filter) {
    if (!filter) return true;
    if (PDK_HAS(filter, states) && !(filter->states >> public_states[run->state] & 1)) return false;
    if (PDK_HAS(filter, run) && filter->run != run->handle) return false;
    if (PDK_HAS(filter, name) && strcmp(filter->name, run->name) != 0) return false;
    if (PDK_HAS(filter, run_id) && strcmp(filter->run_id, run->run_id) != 0) return false;
    return !PDK_HAS(filter, slot) || strcmp(filter->slot, run->slot_name) == 0;
}

/* Where the last page ended, even if that run has been forgotten since: handles rise with each submission. */
static struct pdk_record *first_after(const struct pdk_supervisor *s, pdk_run after) {
    struct pdk_record *run = pdk_record_find(s, after);
    if (run) return TAILQ_NEXT(run, all);
    TAILQ_FOREACH(run, &s->all, all) {
        if (run->handle > after) break;
    }
    return run;
}

/* The same from the other end; 0: all are behind it. */
static struct pdk_record *first_before(const struct pdk_supervisor *s, pdk_run after) {
    struct pdk_record *run = pdk_record_find(s, after);
    if (run) return TAILQ_PREV(run, pdk_records, all);
    TAILQ_FOREACH_REVERSE(run, &s->all, pdk_records, all) {
        if (!after || run->handle < after) break;
    }
    return run;
}

/* In what order the runs are gone through, and from where. */
struct walk {
    bool single, newest;
};

static struct pdk_record *first(const struct pdk_supervisor *s, const pdk_filter *filter, struct walk *walk) {
    pdk_run after = filter && PDK_HAS(filter, after) ? filter->after : 0;
    walk->single = filter && PDK_HAS(filter, run);
    walk->newest = filter && PDK_HAS(filter, newest);
    if (filter && PDK_HAS(filter, below)) after = filter->below << PDK_INDEX_BITS;
    if (walk->single) return pdk_record_find(s, filter->run);
    return walk->newest ? first_before(s, after) : first_after(s, after);
}

static struct pdk_record *following(struct pdk_record *run, const struct walk *walk) {
    if (walk->single) return NULL;
    return walk->newest ? TAILQ_PREV(run, pdk_records, all) : TAILQ_NEXT(run, all);
}

int32_t pdk_list_runs(const pdk_control *control, const pdk_filter *filter,
                      int32_t (*each)(void *arg, const pdk_run_info *), void *arg) {
    const struct pdk_supervisor *s = control->data;
    int32_t limit = LIST_LIMIT, count = 0;
    struct walk walk;
    char text[512];
    if (filter && PDK_HAS(filter, limit) && filter->limit < INT32_MAX) limit = (int32_t)filter->limit;
    struct pdk_record *run = first(s, filter, &walk);
    for (struct pdk_record *next; run && count < limit; run = next) {
        next = following(run, &walk);
        if (!matches(run, filter)) continue;
        pdk_run_info info;
        say(s, run, text, sizeof text);
        fill(s, run, text, &info);
        count++;
        if (each(arg, &info)) break;
    }
    return count;
}
