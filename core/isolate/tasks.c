/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks and their attempts, as the supervisor has them; what is asked goes over, and what comes back is checked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/isolate/proxy.h"
#include "core/value/json.h"
#include "paddock/helpers.h"

/* KEPT: more is not kept for those who read slowly; only a plugin that does not pause comes so far. */
enum { TEXT_MAX_BYTES = 16 * 1024, KEPT_MAX = 512 * 1024 };

/* ---- the table */

static bool grow(struct pdk_proxy *proxy) {
    uint32_t count = proxy->task_count ? 2 * proxy->task_count : 64;
    if (count > PDK_WIRE_TASK_MASK) return false;
    struct pdk_proxy_task **tasks = recallocarray(proxy->tasks, proxy->task_count, count, sizeof *tasks);
    if (!tasks) return false;
    proxy->tasks = tasks;
    for (; proxy->task_count < count; proxy->task_count++) {
        struct pdk_proxy_task *task = calloc(1, sizeof *task);
        if (!task) return proxy->free_task != 0;
        *task = (struct pdk_proxy_task){.proxy = proxy, .number = proxy->task_count, .next_free = proxy->free_task};
        proxy->tasks[proxy->task_count] = task;
        proxy->free_task = proxy->task_count + 1;
    }
    return true;
}

static void give_back(struct pdk_proxy_task *task) {
    struct pdk_proxy *proxy = task->proxy;
    pdk_buffer_free(&task->kept);
    *task = (struct pdk_proxy_task){.proxy = proxy, .number = task->number, .next_free = proxy->free_task};
    proxy->free_task = task->number + 1;
}

void pdk_proxy_free_tasks(struct pdk_proxy *proxy) {
    for (uint32_t i = 0; i < proxy->task_count; i++) {
        pdk_buffer_free(&proxy->tasks[i]->kept);
        free(proxy->tasks[i]);
    }
    free(proxy->tasks);
}

int32_t pdk_proxy_build(void *self, const pdk_spec *spec, void **ret_task, pdk_error *err) {
    struct pdk_proxy *proxy = self;
    int32_t rc = proxy->probe ? pdk_probe_try(proxy, spec, err) : 0;
    if (rc < 0) return rc;
    if (!proxy->free_task && !grow(proxy)) return -ENOMEM;
    struct pdk_proxy_task *task = proxy->tasks[proxy->free_task - 1];
    proxy->free_task = task->next_free;
    task->spec = spec;
    *ret_task = task;
    return 0;
}

static void end_attempt(struct pdk_proxy_task *task) {
    if (task->running) task->proxy->running--;
    task->running = false;
}

/* Those that no destroy comes for: their process is gone. */
void pdk_proxy_forget_tasks(struct pdk_proxy *proxy) {
    for (uint32_t i = 0; i < proxy->task_count; i++) {
        if (!proxy->tasks[i]->spec) continue;
        end_attempt(proxy->tasks[i]);
        give_back(proxy->tasks[i]);
    }
}

/* ---- what is asked */

static void put_key(struct pdk_buffer *json, const char *key) {
    pdk_buffer_format(json, "%s\"%s\":", json->size > 1 ? "," : "", key);
}

static void put_text(struct pdk_buffer *json, const char *key, const char *text) {
    struct pdk_json_out out = {.write = pdk_buffer_write, .arg = json, .used = 0};
    put_key(json, key);
    pdk_json_add_string(&out, text, strlen(text));
    pdk_json_flush(&out);
}

static int32_t put_value(struct pdk_buffer *json, const char *key, const pdk_value *value) {
    if (!value) return 0;
    put_key(json, key);
    return pdk_values_get()->print(pdk_values_get(), value, PDK_JSON_PLAIN, pdk_buffer_write, json);
}

int32_t pdk_spec_print(const pdk_spec *spec, struct pdk_buffer *json) {
    pdk_buffer_text(json, "{");
    put_text(json, "kind", spec->kind);
    put_text(json, "name", spec->name);
    put_text(json, "slot", spec->slot);
    put_key(json, "timeout_ns");
    pdk_buffer_format(json, "%lld", (long long)(spec->timeout_ns < INT64_MAX ? spec->timeout_ns : INT64_MAX));
    put_key(json, "grace_ns");
    pdk_buffer_format(json, "%lld", (long long)(spec->grace_ns < INT64_MAX ? spec->grace_ns : INT64_MAX));
    int32_t rc = put_value(json, "with", spec->with);
    if (rc == 0) rc = put_value(json, "labels", spec->labels);
    if (rc == 0) rc = put_value(json, "input", spec->input);
    if (rc == 0) rc = put_value(json, "whole", spec->whole);
    pdk_buffer_text(json, "}");
    return rc < 0 ? rc : json->error;
}

static int32_t send_build(struct pdk_proxy_task *task) {
    struct pdk_proxy *proxy = task->proxy;
    struct pdk_buffer json = PDK_BUFFER(PDK_PAYLOAD_MAX);
    int32_t rc = pdk_spec_print(task->spec, &json);
    if (rc == 0) rc = pdk_link_send(proxy->link, PDK_MESSAGE_BUILD, task->number, json.data, json.size, NULL, 0);
    pdk_buffer_free(&json);
    if (rc == 0) task->process = proxy->processes;
    return rc;
}

static int32_t send_start(struct pdk_proxy_task *task, const pdk_start *start) {
    struct pdk_proxy *proxy = task->proxy;
    const char *state = PDK_HAS(start, trace_state) ? start->trace_state : "";
    uint64_t now = start->deadline_ns ? proxy->host->now_ns(proxy->host) : 0;
    const struct pdk_wire_start numbers = {.deadline_ns = start->deadline_ns > now ? start->deadline_ns - now
                                                          : start->deadline_ns     ? 1
                                                                                   : 0,
                                           .task = task->number,
                                           .number = start->number,
                                           .run_id_size = (uint32_t)strlen(start->run_id),
                                           .trace_size = (uint32_t)strlen(start->trace),
                                           .trace_state_size = (uint32_t)strlen(state)};
    const struct pdk_wire_part parts[] = {{&numbers, sizeof numbers},
                                          {start->run_id, numbers.run_id_size},
                                          {start->trace, numbers.trace_size},
                                          {state, numbers.trace_state_size}};
    task->attempt = start->attempt;
    task->remote = ++proxy->starts << PDK_WIRE_TASK_BITS | task->number;
    return pdk_link_send_parts(proxy->link, PDK_MESSAGE_START, task->remote, parts, 4);
}

static int32_t start(void *arg, const pdk_start *start, pdk_error *err) {
    struct pdk_proxy_task *task = arg;
    struct pdk_proxy *proxy = task->proxy;
    if (!proxy->link || !proxy->created)
        return pdk_fail(err, -EAGAIN, NULL, "the process of its plugin is not up", NULL, NULL);
    int32_t rc = task->process == proxy->processes ? 0 : send_build(task);
    if (rc == 0) rc = send_start(task, start);
    if (rc == -EMSGSIZE || rc == -E2BIG)
        return pdk_fail(err, -EINVAL, NULL, "it is too large for a plugin in a process of its own", NULL, NULL);
    if (rc < 0)
        return pdk_fail(err, rc == -ENOMEM ? rc : -EAGAIN, NULL,
                        "the process of its plugin takes nothing: ", strerror(-rc), NULL);
    task->running = true;
    task->paused = false;
    task->untold = 0;
    pdk_buffer_free(&task->kept);
    task->kept = PDK_BUFFER((size_t)2 * PDK_PAYLOAD_MAX);
    proxy->running++;
    return 0;
}

/* Only to who is asked while its attempt is on; one whose process has died hears nothing any more. */
static void ask(const struct pdk_proxy_task *task, enum pdk_message type, const void *number, size_t size) {
    struct pdk_proxy *proxy = task->proxy;
    if (proxy->link && task->process == proxy->processes)
        (void)pdk_link_send(proxy->link, type, task->remote, number, size, NULL, 0);
}

static void hear_kept(struct pdk_proxy_task *task, bool all);

static void cancel(void *task, int32_t reason) {
    ask(task, PDK_MESSAGE_CANCEL, &reason, sizeof reason);
}

/* Whoever reads slowly has had time enough. */
static void kill_task(void *task) {
    hear_kept(task, true);
    ask(task, PDK_MESSAGE_KILL, NULL, 0);
}

static void resume(void *arg) {
    struct pdk_proxy_task *task = arg;
    if (!task->paused) return;
    task->paused = false;
    hear_kept(task, false);
}

static int32_t reload(void *task) {
    ask(task, PDK_MESSAGE_RELOAD, NULL, 0);
    return 0;
}

static void destroy(void *arg) {
    struct pdk_proxy_task *task = arg;
    struct pdk_proxy *proxy = task->proxy;
    end_attempt(task);
    if (proxy->link && task->process == proxy->processes)
        (void)pdk_link_send(proxy->link, PDK_MESSAGE_DESTROY, task->number, NULL, 0, NULL, 0);
    give_back(task);
}

const pdk_task_ops pdk_proxy_task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, kill_task, resume, destroy, reload};

/* ---- what comes back */

/* The task whose newest attempt of this process it is: a number that was made up finds nothing that is another's. */
static struct pdk_proxy_task *find(const struct pdk_proxy *proxy, uint64_t remote) {
    uint64_t number = remote & PDK_WIRE_TASK_MASK;
    struct pdk_proxy_task *task = number < proxy->task_count ? proxy->tasks[number] : NULL;
    return task && task->spec && task->process == proxy->processes && task->remote == remote ? task : NULL;
}

static const char *take_text(struct pdk_frame_rest *rest, size_t size, char *buf, size_t most) {
    const char *text = pdk_rest_bytes(rest, size);
    if (!size || !text) return NULL;
    if (size > most - 1) size = most - 1;
    memcpy(buf, text, size);
    buf[size] = '\0';
    return buf;
}

/* Without what it has produced it has not succeeded. */
static void spoil(pdk_result *result, const char *message) {
    if (result->status != PDK_SUCCESS) return;
    result->status = PDK_FAILURE;
    result->category = PDK_CAT_INTERNAL;
    result->message = message;
}

static void hear_done(struct pdk_proxy *proxy, struct pdk_proxy_task *task, const struct pdk_frame *frame) {
    const pdk_values *v = pdk_values_get();
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    struct pdk_wire_done n;
    char code[256], message[4200];
    pdk_rest_take(&rest, &n, sizeof n);
    const pdk_usage usage = {(uint32_t)sizeof usage, 0, n.user_ns, n.system_ns, n.max_rss, n.read_bytes,
                             n.written_bytes};
    pdk_result result = PDK_RESULT(n.status, n.category, NULL);
    result.exit_code = n.exit_code;
    result.signal = n.signal;
    result.retry_after_ns = n.retry_after_ns;
    result.usage = n.has_usage ? &usage : NULL;
    result.code = take_text(&rest, n.code_size, code, sizeof code);
    result.message = take_text(&rest, n.message_size, message, sizeof message);
    const char *json = pdk_rest_bytes(&rest, n.output_size);
    if (json && n.output_size && v->parse(v, json, n.output_size, proxy->instance->name, &result.output, NULL) < 0)
        spoil(&result, "its output could not be read");
    if (task) end_attempt(task);
    /* 0 is nobody's: the supervisor says that the plugin misbehaves, and no other's attempt can be hit. */
    (void)proxy->host->done(proxy->host, task ? task->attempt : 0, &result);
    v->drop(result.output);
}

/* What start answers in our own process (core/supervise/said.c has the same for that). */
static const struct {
    int32_t error, status, category;
    const char *code;
} errors[] = {
    {-EAGAIN, PDK_FAILURE, PDK_CAT_BUSY, "busy"},        {-ENOMEM, PDK_FAILURE, PDK_CAT_MEMORY, "no_memory"},
    {-ENOTSUP, PDK_FATAL, PDK_CAT_INPUT, "unsupported"}, {-EINVAL, PDK_FATAL, PDK_CAT_INPUT, "invalid"},
    {-ENOENT, PDK_FATAL, PDK_CAT_MISSING, "not_found"},  {-EACCES, PDK_FATAL, PDK_CAT_DENIED, "denied"},
    {0, PDK_FAILURE, PDK_CAT_OTHER, "start_failed"},
};

static void hear_failed(struct pdk_proxy *proxy, struct pdk_proxy_task *task, const struct pdk_frame *frame) {
    struct pdk_remote_error remote;
    char message[1400], where[512] = "";
    if (!task || !task->running || !pdk_remote_error_read(frame, &remote)) return;
    const pdk_value *at = remote.at[0] ? pdk_pointer_in_spec(task->spec, remote.at) : NULL;
    if (at) (void)pdk_values_get()->where(at, where, sizeof where);
    if (!remote.error.message[0]) {
        const char *text = strerrordesc_np(-remote.numbers.code);
        (void)strlcpy(remote.error.message, text ? text : "its start failed", sizeof remote.error.message);
    }
    (void)snprintf(message, sizeof message, "%s%s%s%s%s", where, *where ? ": " : "", remote.error.message,
                   remote.error.hint[0] ? "; " : "", remote.error.hint);
    size_t i = 0;
    while (errors[i].error && errors[i].error != remote.numbers.code) i++;
    if (!remote.numbers.built) task->process = 0; /* built again, if there is a next time */
    end_attempt(task);
    pdk_end(proxy->host, task->attempt, errors[i].status, errors[i].category, errors[i].code, message);
}

/* A little at a time is not worth a message: what is missing is less than makes anybody wait. */
static void tell_taken(struct pdk_proxy_task *task, size_t bytes) {
    task->untold += bytes;
    if (task->untold < PDK_WIRE_WINDOW / 4) return;
    ask(task, PDK_MESSAGE_TAKEN, &task->untold, sizeof task->untold);
    task->untold = 0;
}

static void hear_output(struct pdk_proxy *proxy, struct pdk_proxy_task *task, const struct pdk_frame *frame) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    int32_t stream;
    pdk_rest_take(&rest, &stream, sizeof stream);
    if (!task || !task->running) return;
    if (proxy->host->output(proxy->host, task->attempt, stream, rest.data, rest.size) == PDK_PAUSE) task->paused = true;
    tell_taken(task, rest.size);
}

static void hear_progress(struct pdk_proxy *proxy, const struct pdk_proxy_task *task, const struct pdk_frame *frame) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    struct pdk_wire_progress numbers;
    char text[TEXT_MAX_BYTES];
    pdk_rest_take(&rest, &numbers, sizeof numbers);
    const char *said = take_text(&rest, rest.size, text, sizeof text);
    if (task && task->running)
        (void)proxy->host->progress(proxy->host, task->attempt, numbers.fraction,
                                    numbers.has_text ? (said ? said : "") : NULL);
}

static void hear_log(struct pdk_proxy *proxy, const struct pdk_proxy_task *task, const struct pdk_frame *frame) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    int32_t level;
    char text[TEXT_MAX_BYTES];
    pdk_rest_take(&rest, &level, sizeof level);
    const char *said = take_text(&rest, rest.size, text, sizeof text);
    proxy->host->log(proxy->host, level, task ? task->attempt : 0, said ? said : "");
}

static void hear_now(struct pdk_proxy *proxy, struct pdk_proxy_task *task, const struct pdk_frame *frame) {
    switch ((int)frame->type) {
    case PDK_MESSAGE_DONE: hear_done(proxy, task, frame); break;
    case PDK_MESSAGE_FAILED: hear_failed(proxy, task, frame); break;
    case PDK_MESSAGE_OUTPUT: hear_output(proxy, task, frame); break;
    case PDK_MESSAGE_PROGRESS: hear_progress(proxy, task, frame); break;
    case PDK_MESSAGE_LOG: hear_log(proxy, task, frame); break;
    case PDK_MESSAGE_READY:
        if (task && task->running) (void)proxy->host->ready(proxy->host, task->attempt);
        break;
    default: break;
    }
}

/* What was kept, up to where it has to pause again; or all of it. */
static void hear_kept(struct pdk_proxy_task *task, bool all) {
    struct pdk_buffer kept = task->kept;
    size_t at = 0, wanted;
    struct pdk_frame frame;
    const char *why;
    task->kept = PDK_BUFFER(kept.limit);
    while (at < kept.size && (all || !task->paused)) {
        int64_t took = pdk_frame_next(kept.data + at, kept.size - at, PDK_TO_PADDOCK, &frame, &wanted, &why);
        if (took <= 0) break;
        hear_now(task->proxy, task, &frame);
        at += (size_t)took;
    }
    pdk_buffer_cut(&kept, at);
    pdk_buffer_free(&task->kept);
    task->kept = kept;
}

void pdk_proxy_hear_all(struct pdk_proxy *proxy) {
    for (uint32_t i = 0; i < proxy->task_count; i++)
        if (proxy->tasks[i]->kept.size) hear_kept(proxy->tasks[i], true);
}

/* Output that readers are not ready for waits here, and so does the end that comes behind it. */
static bool keep(struct pdk_proxy_task *task, const struct pdk_frame *frame) {
    const struct pdk_frame_head head = {(uint32_t)frame->size, (uint16_t)frame->type, 0, frame->id};
    if (!task || !task->running || (!task->paused && !task->kept.size)) return false;
    if (frame->type != PDK_MESSAGE_OUTPUT && frame->type != PDK_MESSAGE_DONE) return false;
    if (task->kept.size > KEPT_MAX) hear_kept(task, true);
    size_t whole = task->kept.size;
    pdk_buffer_add(&task->kept, (const char *)&head, sizeof head);
    pdk_buffer_add(&task->kept, frame->data, frame->size);
    if (!task->kept.error) return true;
    task->kept.size = whole; /* without memory nothing is kept back */
    task->kept.error = 0;
    hear_kept(task, true);
    return false;
}

void pdk_proxy_hear(struct pdk_proxy *proxy, const struct pdk_frame *frame) {
    struct pdk_proxy_task *task = find(proxy, frame->id);
    if (!keep(task, frame)) hear_now(proxy, task, frame);
}
