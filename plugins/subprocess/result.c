/* SPDX-License-Identifier: Apache-2.0 */
/* How an attempt ended: exit codes and signals, and errors of starting, in words and for machines. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "subprocess.h"

static const struct {
    int32_t code, status, category;
} errors[] = {
    {ENOENT, PDK_FATAL, PDK_CAT_MISSING}, {ENOTDIR, PDK_FATAL, PDK_CAT_MISSING},
    {EACCES, PDK_FATAL, PDK_CAT_DENIED},  {EPERM, PDK_FATAL, PDK_CAT_DENIED},
    {EROFS, PDK_FATAL, PDK_CAT_DENIED},   {EAGAIN, PDK_FAILURE, PDK_CAT_BUSY},
    {EMFILE, PDK_FAILURE, PDK_CAT_BUSY},  {ENFILE, PDK_FAILURE, PDK_CAT_BUSY},
    {ETXTBSY, PDK_FAILURE, PDK_CAT_BUSY}, {ENOMEM, PDK_FAILURE, PDK_CAT_MEMORY},
    {ENOSPC, PDK_FAILURE, PDK_CAT_BUSY},  {ENOEXEC, PDK_FATAL, PDK_CAT_INPUT},
    {E2BIG, PDK_FATAL, PDK_CAT_INPUT},    {EINVAL, PDK_FATAL, PDK_CAT_INPUT},
    {ELOOP, PDK_FATAL, PDK_CAT_INPUT},    {ENAMETOOLONG, PDK_FATAL, PDK_CAT_INPUT},
    {EISDIR, PDK_FATAL, PDK_CAT_INPUT},   {EFBIG, PDK_FATAL, PDK_CAT_INPUT},
    {ENXIO, PDK_FATAL, PDK_CAT_INPUT},    {EBADF, PDK_FATAL, PDK_CAT_INPUT},
    {ENOTSUP, PDK_FATAL, PDK_CAT_OTHER},  {ENOSYS, PDK_FATAL, PDK_CAT_OTHER},
};

enum { MESSAGE_MAX = 384 };

static void set_message(struct pdk_sub_end *end, const char *text) {
    free(end->message);
    end->message = *text ? strdup(text) : NULL;
}

void pdk_sub_say(struct pdk_sub_end *end, int32_t status, int32_t category, const char *format, ...) {
    char text[MESSAGE_MAX];
    va_list args;
    end->status = status;
    end->category = category;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    set_message(end, text);
}

void pdk_sub_say_more(struct pdk_sub_end *end, const char *more) {
    char text[MESSAGE_MAX];
    (void)snprintf(text, sizeof text, "%s%s", end->message ? end->message : "", more);
    set_message(end, text);
}

void pdk_sub_end_move(struct pdk_sub_end *to, struct pdk_sub_end *from) {
    free(to->message);
    *to = *from;
    from->message = NULL;
}

/* strerror is for the locale of the host; these are for everybody. */
static const char *words(int32_t code) {
    if (code == EFBIG) return "too large";
    if (code == ENXIO) return "not a regular file";
    if (code == EMFILE) return "Too many open files; raise ulimit -n, or set limits.running";
    return strerrordesc_np(code) ? strerrordesc_np(code) : "unknown error";
}

void pdk_sub_say_errno(struct pdk_sub_end *end, int32_t code, const char *format, ...) {
    char text[MESSAGE_MAX];
    size_t used;
    va_list args;
    end->status = PDK_FAILURE;
    end->category = PDK_CAT_OTHER;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].code != -code) continue;
        end->status = errors[i].status;
        end->category = errors[i].category;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    used = strlen(text);
    (void)snprintf(text + used, sizeof text - used, ": %s", words(-code));
    set_message(end, text);
}

static bool has_code(const uint64_t *bits, int32_t code) {
    return code >= 0 && code <= 255 && (bits[code / 64] >> (code % 64) & 1);
}

static enum pdk_sub_exit class_of(const struct pdk_sub_task *task, int32_t code) {
    for (uint32_t i = 0; i < PDK_SUB_EXIT_FAILURE; i++)
        if (has_code(task->exits[i], code)) return (enum pdk_sub_exit)i;
    return PDK_SUB_EXIT_FAILURE;
}

static void signal_name(int32_t number, char *buf, size_t size) {
    const char *name = sigabbrev_np(number);
    if (name)
        (void)snprintf(buf, size, "SIG%s", name);
    else if (number >= SIGRTMIN && number <= SIGRTMAX)
        (void)snprintf(buf, size, "SIGRTMIN+%d", number - SIGRTMIN);
    else
        (void)snprintf(buf, size, "signal %d", number);
}

static void judge_signal(struct pdk_sub_attempt *attempt, int32_t number) {
    char name[32];
    signal_name(number, name, sizeof name);
    pdk_sub_say(&attempt->end, PDK_FAILURE, PDK_CAT_SIGNAL, "killed by %s", name);
}

/* A limit that was hit explains an end that looks like something else. */
static void judge_limits(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_options *options = &attempt->task->options;
    struct pdk_sub_end *end = &attempt->end;
    char text[100];
    if (attempt->limits & PDK_LIMIT_MEMORY) {
        end->category = PDK_CAT_MEMORY;
        (void)snprintf(text, sizeof text, ", out of memory at its limit of %llu KiB",
                       (unsigned long long)(options->memory_max / 1024));
        pdk_sub_say_more(end, text);
    }
    if (attempt->limits & PDK_LIMIT_PIDS) {
        (void)snprintf(text, sizeof text, ", refused more than %llu processes", (unsigned long long)options->pids_max);
        pdk_sub_say_more(end, text);
    }
}

void pdk_sub_judge(struct pdk_sub_attempt *attempt, const pdk_exit *how) {
    static const int32_t statuses[] = {PDK_SUCCESS, PDK_RETRY, PDK_FATAL, PDK_FAILURE};
    struct pdk_sub_end *end = &attempt->end;
    enum pdk_sub_exit class = class_of(attempt->task, how->exit_code);
    attempt->exit_code = how->exit_code;
    attempt->signal = how->signal;
    if (how->error)
        pdk_sub_say_errno(end, how->error, "nobody could tell how it ended");
    else if (how->signal)
        judge_signal(attempt, how->signal);
    else if (class == PDK_SUB_EXIT_SUCCESS)
        pdk_sub_say(end, PDK_SUCCESS, PDK_CAT_NONE, "%s", "");
    else
        pdk_sub_say(end, statuses[class], PDK_CAT_EXIT, "exit code %d", how->exit_code);
    if (end->status != PDK_SUCCESS) judge_limits(attempt);
    if (!attempt->asked) return;
    /* What ended because we asked has not done its work, whatever code it chose. */
    end->status = PDK_CANCELED;
    end->category = PDK_CAT_NONE;
    if (!end->message) pdk_sub_say(end, PDK_CANCELED, PDK_CAT_NONE, "exit code %d", how->exit_code);
}

/* "7" or "7-12", within 0..255. */
static bool read_codes(const char *text, int32_t *first, int32_t *last) {
    int32_t *to = first;
    uint32_t digits = 0;
    *first = *last = 0;
    for (; *text; text++) {
        if (*text == '-' && to == first && digits) {
            to = last;
            digits = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > 3) return false;
        *to = *to * 10 + (*text - '0');
    }
    if (to == first) *last = *first;
    return digits > 0 && *first <= *last && *last <= 255;
}

static int32_t set_code(struct pdk_sub_task *task, enum pdk_sub_exit class, int32_t code, const pdk_value *at,
                        pdk_error *err) {
    if (class_of(task, code) != PDK_SUB_EXIT_FAILURE)
        return pdk_failf(err, -EINVAL, at, "the exit code %d is here twice", code);
    task->exits[class][code / 64] |= UINT64_C(1) << (code % 64);
    return 0;
}

static int32_t read_class(const pdk_host *host, const pdk_value *list, enum pdk_sub_exit class,
                          struct pdk_sub_task *task, pdk_error *err) {
    for (size_t i = 0; i < host->values->count(list); i++) {
        const pdk_value *item = host->values->at(list, i);
        const char *text = NULL;
        int32_t first, last, rc = 0;
        if (pdk_text(host, item, &text) || !read_codes(text, &first, &last))
            return pdk_failf(err, -EINVAL, item, "an exit code is 0 to 255, or a range such as 1-63, not \"%.40s\"",
                             text ? text : "");
        for (int32_t code = first; code <= last && !rc; code++) rc = set_code(task, class, code, item, err);
        if (rc) return rc;
    }
    return 0;
}

int32_t pdk_sub_exits_read(const pdk_host *host, const pdk_value *map, struct pdk_sub_task *task, pdk_error *err) {
    static const char *const names[] = {"success", "retry", "fatal"};
    int32_t rc = 0;
    for (uint32_t i = 0; i < PDK_SUB_EXIT_FAILURE && !rc; i++)
        rc = read_class(host, host->values->get(map, names[i]), (enum pdk_sub_exit)i, task, err);
    /* 0 is success unless the spec says what success is, or what 0 is */
    if (!rc && host->values->type(host->values->get(map, "success")) == PDK_NULL &&
        class_of(task, 0) == PDK_SUB_EXIT_FAILURE)
        task->exits[PDK_SUB_EXIT_SUCCESS][0] |= 1;
    return rc;
}
