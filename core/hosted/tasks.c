/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks and their attempts. Paddock numbers them; a number that is not known here is passed over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/traceparent.h"
#include "hosted.h"
#include "paddock/helpers.h"

#define EARLY_MAX ((size_t)64 << 20)

static struct pdk_hosted_task *find(const struct pdk_hosted *hosted, uint64_t id) {
    struct pdk_hosted_task *task = id < hosted->task_count ? hosted->tasks[id] : NULL;
    return task && task->document ? task : NULL;
}

struct pdk_hosted_task *pdk_hosted_on(const struct pdk_hosted *hosted, uint64_t attempt) {
    struct pdk_hosted_task *task = find(hosted, attempt & PDK_WIRE_TASK_MASK);
    return task && task->attempt == attempt && !task->ended ? task : NULL;
}

/* The place for a task. Other threads look into the table. */
static struct pdk_hosted_task *place(struct pdk_hosted *hosted, uint64_t id) {
    if (id > PDK_WIRE_TASK_MASK) return NULL;
    if (id >= hosted->task_count) {
        uint32_t count = hosted->task_count ? hosted->task_count : 64;
        while (count <= id) count *= 2;
        pthread_mutex_lock(&hosted->lock);
        struct pdk_hosted_task **tasks = recallocarray(hosted->tasks, hosted->task_count, count, sizeof *tasks);
        if (tasks) {
            hosted->tasks = tasks;
            hosted->task_count = count;
        }
        pthread_mutex_unlock(&hosted->lock);
        if (!tasks) return NULL;
    }
    if (!hosted->tasks[id]) hosted->tasks[id] = calloc(1, sizeof *hosted->tasks[id]);
    return hosted->tasks[id];
}

static const char *text_of(const pdk_value *document, const char *key) {
    const char *text = "";
    (void)pdk_values_get()->string(pdk_values_get()->get(document, key), &text);
    return text;
}

static uint64_t number_of(const pdk_value *document, const char *key) {
    int64_t number = 0;
    (void)pdk_values_get()->integer(pdk_values_get()->get(document, key), &number);
    return number > 0 ? (uint64_t)number : 0;
}

static void read_spec(const pdk_value *document, pdk_spec *spec) {
    const pdk_values *v = pdk_values_get();
    *spec = (pdk_spec){.struct_size = (uint32_t)sizeof *spec,
                       .kind = text_of(document, "kind"),
                       .name = text_of(document, "name"),
                       .slot = text_of(document, "slot"),
                       .with = v->get(document, "with"),
                       .labels = v->get(document, "labels"),
                       .input = v->get(document, "input"),
                       .whole = v->get(document, "whole"),
                       .timeout_ns = number_of(document, "timeout_ns"),
                       .grace_ns = number_of(document, "grace_ns")};
    if (!spec->with) spec->with = &pdk_value_empty_map;
    if (!spec->labels) spec->labels = &pdk_value_empty_map;
    if (!spec->whole) spec->whole = &pdk_value_empty_map;
}

/* What paddock asks a runner by when it has it in its own process. */
static int32_t build(struct pdk_hosted *hosted, struct pdk_hosted_task *task, pdk_error *err) {
    const pdk_runner_ops *runner = hosted->instance->plugin->runner;
    void *self = hosted->instance->self;
    if (PDK_HAS(runner, supports) && !runner->supports(self, &task->spec, err)) {
        err->message[sizeof err->message - 1] = '\0';
        if (!err->message[0]) pdk_fail(err, -ENOTSUP, NULL, "it does not support this task", NULL, NULL);
        return -ENOTSUP;
    }
    int32_t rc = runner->build_task(self, &task->spec, &task->task, err);
    if (rc == 0) return 0;
    task->task = NULL;
    err->message[sizeof err->message - 1] = '\0';
    if (rc > 0)
        return pdk_failf(err, -EINVAL, NULL, "build_task returned %d, which is neither 0 nor a negative errno", rc);
    if (!err->message[0]) pdk_fail(err, rc, err->at, "build_task failed: ", strerror(-rc), NULL);
    return rc == -ENOMEM ? rc : -EINVAL;
}

static void forget_error(struct pdk_hosted_task *task) {
    free(task->error);
    task->error = NULL;
}

void pdk_hosted_build(struct pdk_hosted *hosted, uint64_t id, const char *json, size_t size) {
    const pdk_values *v = pdk_values_get();
    struct pdk_hosted_task *task = place(hosted, id);
    pdk_error err = PDK_ERROR;
    if (!task || task->task || !hosted->instance) return;
    const pdk_value *document = NULL, *before = task->document;
    forget_error(task);
    int32_t rc = v->parse(v, json, size, "spec", &document, &err);
    pthread_mutex_lock(&hosted->lock);
    task->document = document;
    pthread_mutex_unlock(&hosted->lock);
    v->drop(before);
    if (rc == 0) {
        read_spec(task->document, &task->spec);
        rc = build(hosted, task, &err);
    }
    if (rc == 0) return;
    task->error = malloc(sizeof *task->error);
    err.code = rc;
    if (task->error) *task->error = err;
}

static const pdk_error no_memory = {sizeof no_memory, -ENOMEM, NULL, "out of memory", ""};

static const pdk_error *error_of(const struct pdk_hosted_task *task) {
    return task && task->error ? task->error : &no_memory;
}

void pdk_hosted_try(struct pdk_hosted *hosted, uint64_t id) {
    const struct pdk_hosted_task *task = find(hosted, id);
    const pdk_error *err = error_of(task);
    bool built = task && task->task;
    pdk_hosted_send_error(hosted, PDK_MESSAGE_TRIED, id, built ? 0 : err->code, built, built ? NULL : err);
}

/* ---- attempts */

/* The dones that were made inside of start, behind what start says. The lock keeps later ones behind them. */
static void send_early(struct pdk_hosted *hosted) {
    size_t at = 0, wanted;
    struct pdk_frame frame;
    const char *why;
    pthread_mutex_lock(&hosted->lock);
    hosted->starting = 0;
    while (at < hosted->early.size) {
        int64_t took =
            pdk_frame_next(hosted->early.data + at, hosted->early.size - at, PDK_TO_PADDOCK, &frame, &wanted, &why);
        if (took <= 0) break;
        pdk_hosted_send(hosted, frame.type, frame.id, frame.data, frame.size, NULL, 0);
        at += (size_t)took;
    }
    pdk_buffer_free(&hosted->early);
    hosted->early = PDK_BUFFER(EARLY_MAX);
    pthread_mutex_unlock(&hosted->lock);
}

static int32_t call_start(struct pdk_hosted *hosted, struct pdk_hosted_task *task, const pdk_start *start,
                          pdk_error *err) {
    int32_t rc = hosted->instance->plugin->runner->task->start(task->task, start, err);
    err->message[sizeof err->message - 1] = '\0';
    if (rc <= 0) return rc;
    return pdk_failf(err, -EIO, NULL, "start gave %d, neither 0 nor a negative errno", rc);
}

static void start_built(struct pdk_hosted *hosted, struct pdk_hosted_task *task, const pdk_start *start) {
    pdk_error err = PDK_ERROR;
    pthread_mutex_lock(&hosted->lock);
    task->attempt = hosted->starting = start->attempt;
    task->ended = task->paused = false;
    task->unread = 0;
    pthread_mutex_unlock(&hosted->lock);
    int32_t rc = call_start(hosted, task, start, &err);
    if (rc < 0) {
        pthread_mutex_lock(&hosted->lock);
        task->ended = true;
        pthread_mutex_unlock(&hosted->lock);
        pdk_hosted_send_error(hosted, PDK_MESSAGE_FAILED, start->attempt, rc, true, &err);
    }
    send_early(hosted);
}

void pdk_hosted_start(struct pdk_hosted *hosted, const struct pdk_frame *frame) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    struct pdk_wire_start numbers;
    char run_id[256] = "", trace[PDK_TRACEPARENT_MAX + 1] = "", state[PDK_TRACESTATE_MAX + 1] = "";
    pdk_rest_take(&rest, &numbers, sizeof numbers);
    if (numbers.run_id_size >= sizeof run_id || numbers.trace_size >= sizeof trace ||
        numbers.trace_state_size >= sizeof state)
        rest.bad = 1;
    pdk_rest_take(&rest, run_id, rest.bad ? 0 : numbers.run_id_size);
    pdk_rest_take(&rest, trace, rest.bad ? 0 : numbers.trace_size);
    pdk_rest_take(&rest, state, rest.bad ? 0 : numbers.trace_state_size);
    struct pdk_hosted_task *task = find(hosted, numbers.task);
    if (!task || !task->task) {
        const pdk_error *err = error_of(task);
        pdk_hosted_send_error(hosted, PDK_MESSAGE_FAILED, frame->id, err->code, false, err);
        return;
    }
    const pdk_start start = {.struct_size = (uint32_t)sizeof start,
                             .number = numbers.number,
                             .attempt = frame->id,
                             .run_id = run_id,
                             .deadline_ns =
                                 numbers.deadline_ns ? pdk_time_add(pdk_clock_now(), numbers.deadline_ns) : 0,
                             .trace = trace,
                             .trace_state = state};
    start_built(hosted, task, &start);
}

static struct pdk_hosted_task *task_on(struct pdk_hosted *hosted, uint64_t attempt) {
    pthread_mutex_lock(&hosted->lock);
    struct pdk_hosted_task *task = pdk_hosted_on(hosted, attempt);
    pthread_mutex_unlock(&hosted->lock);
    return task;
}

/* True: so much was read on that it may go on. */
static bool take(struct pdk_hosted *hosted, struct pdk_hosted_task *task, uint64_t bytes) {
    pthread_mutex_lock(&hosted->lock);
    task->unread -= bytes < task->unread ? bytes : task->unread;
    bool resume = task->paused && task->unread <= PDK_WIRE_WINDOW / 2;
    if (resume) task->paused = false;
    pthread_mutex_unlock(&hosted->lock);
    return resume;
}

/* What crosses a done that is on its way asks nothing any more. */
void pdk_hosted_ask(struct pdk_hosted *hosted, const struct pdk_frame *frame) {
    struct pdk_hosted_task *task = task_on(hosted, frame->id);
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    uint64_t bytes;
    int32_t reason;
    if (!task) return;
    const pdk_task_ops *ops = hosted->instance->plugin->runner->task;
    switch ((int)frame->type) {
    case PDK_MESSAGE_CANCEL:
        pdk_rest_take(&rest, &reason, sizeof reason);
        ops->cancel(task->task, reason);
        break;
    case PDK_MESSAGE_KILL:
        if (PDK_HAS(ops, kill)) ops->kill(task->task);
        break;
    case PDK_MESSAGE_TAKEN:
        pdk_rest_take(&rest, &bytes, sizeof bytes);
        if (take(hosted, task, bytes) && PDK_HAS(ops, resume)) ops->resume(task->task);
        break;
    case PDK_MESSAGE_RELOAD:
        if (PDK_HAS(ops, reload)) (void)ops->reload(task->task);
        break;
    default: break;
    }
}

void pdk_hosted_destroy(struct pdk_hosted *hosted, uint64_t id) {
    struct pdk_hosted_task *task = find(hosted, id);
    if (!task) return;
    if (task->task) hosted->instance->plugin->runner->task->destroy(task->task);
    pthread_mutex_lock(&hosted->lock);
    const pdk_value *document = task->document;
    task->task = NULL;
    task->document = NULL;
    pthread_mutex_unlock(&hosted->lock);
    pdk_values_get()->drop(document);
    forget_error(task);
}

/* ---- done */

struct telling {
    struct pdk_wire_done numbers;
    pdk_result result;
    pdk_usage usage;
    struct pdk_buffer output;
};

static uint32_t size_of(const char *text, size_t most) {
    return text ? (uint32_t)strnlen(text, most) : 0;
}

static int32_t print_output(struct telling *t) {
    const pdk_values *v = pdk_values_get();
    int32_t rc = v->print(v, t->result.output, PDK_JSON_PLAIN, pdk_buffer_write, &t->output);
    if (rc == 0) rc = t->output.error;
    if (rc < 0) pdk_buffer_free(&t->output);
    return rc;
}

/* A plugin may be older than we are: what it does not have is 0. */
static void read_result(struct telling *t, const pdk_result *given) {
    pdk_result *result = &t->result;
    memcpy(result, given, given->struct_size < sizeof *result ? given->struct_size : sizeof *result);
    if (result->usage) {
        size_t size = result->usage->struct_size < sizeof t->usage ? result->usage->struct_size : sizeof t->usage;
        memcpy(&t->usage, result->usage, size);
    }
    int32_t rc = result->output ? print_output(t) : 0;
    if (rc < 0 && result->status == PDK_SUCCESS) {
        result->status = PDK_FAILURE;
        result->category = PDK_CAT_INTERNAL;
        result->message = rc == -ENOMEM ? "there is no memory to hand over its output"
                                        : "its output is too large for a process of its own to hand over";
    }
    t->numbers = (struct pdk_wire_done){.status = result->status,
                                        .category = result->category,
                                        .exit_code = result->exit_code,
                                        .signal = result->signal,
                                        .retry_after_ns = result->retry_after_ns,
                                        .user_ns = t->usage.user_ns,
                                        .system_ns = t->usage.system_ns,
                                        .max_rss = t->usage.max_rss,
                                        .read_bytes = t->usage.read_bytes,
                                        .written_bytes = t->usage.written_bytes,
                                        .has_usage = result->usage != NULL,
                                        .code_size = size_of(result->code, 1024),
                                        .message_size = size_of(result->message, 16384),
                                        .output_size = (uint32_t)t->output.size};
}

/* Under the lock: behind the start that is on. */
static void keep_early(struct pdk_hosted *hosted, uint64_t attempt, const struct pdk_wire_part *parts, size_t count) {
    struct pdk_frame_head head = {.type = PDK_MESSAGE_DONE, .id = attempt};
    for (size_t i = 0; i < count; i++) head.size += (uint32_t)parts[i].size;
    if (hosted->early.size + sizeof head + head.size > EARLY_MAX) return; /* its first done is there already */
    pdk_buffer_add(&hosted->early, (const char *)&head, sizeof head);
    for (size_t i = 0; i < count; i++)
        if (parts[i].size) pdk_buffer_add(&hosted->early, parts[i].data, parts[i].size);
    if (hosted->early.error) pdk_hosted_no_memory("keep what is done");
}

static void tell(struct pdk_hosted *hosted, uint64_t attempt, const struct telling *t) {
    const struct pdk_wire_part parts[] = {{&t->numbers, sizeof t->numbers},
                                          {t->result.code, t->numbers.code_size},
                                          {t->result.message, t->numbers.message_size},
                                          {t->output.data, t->numbers.output_size}};
    pthread_mutex_lock(&hosted->lock);
    bool early = hosted->starting && hosted->starting == attempt;
    if (early) keep_early(hosted, attempt, parts, sizeof parts / sizeof *parts);
    pthread_mutex_unlock(&hosted->lock);
    if (!early) pdk_hosted_write(hosted, PDK_MESSAGE_DONE, attempt, parts, sizeof parts / sizeof *parts);
}

/* One that comes twice or was made up goes over as well: paddock has the words for it. */
int32_t pdk_hosted_done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    struct pdk_hosted *hosted = host->data;
    struct telling t = {.output = PDK_BUFFER(PDK_JSON_SIZE_MAX)};
    read_result(&t, result);
    pthread_mutex_lock(&hosted->lock);
    struct pdk_hosted_task *task = find(hosted, attempt & PDK_WIRE_TASK_MASK);
    int32_t rc = !task || task->attempt != attempt ? -ESTALE : task->ended ? -EALREADY : 0;
    if (rc == 0) task->ended = true;
    pthread_mutex_unlock(&hosted->lock);
    tell(hosted, attempt, &t);
    pdk_buffer_free(&t.output);
    return rc;
}
