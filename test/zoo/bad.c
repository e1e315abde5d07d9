/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runner that breaks the rules of runner.h while it runs, in the way that `how` says. The supervisor must notice,
 * report it and go on; nothing here may harm another run. What goes on after the end of a task lives on the heap and
 * belongs to the thread that does it, as the task itself may be gone by then.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <paddock/helpers.h>

struct bad {
    const pdk_host *host;
    int32_t (*start)(struct bad *bad, const pdk_start *start, pdk_error *err);
};

/* Something a thread will do in a while. */
struct later {
    const pdk_host *host;
    pdk_attempt attempt;
    int64_t ms;
    int32_t status;
};

static void *do_later(void *arg) {
    struct later *later = arg;

    poll(NULL, 0, (int)later->ms);
    later->host->output(later->host, later->attempt, PDK_STDOUT, "late\n", 5);
    pdk_end(later->host, later->attempt, later->status, PDK_CAT_OTHER, NULL, "from a thread");
    free(later);
    return NULL;
}

static int32_t in_a_thread(const struct bad *bad, pdk_attempt attempt, int64_t ms, int32_t status) {
    struct later *later = calloc(1, sizeof *later);
    pthread_t thread;
    int32_t rc;

    if (!later) return -ENOMEM;
    *later = (struct later){bad->host, attempt, ms, status};
    rc = -pthread_create(&thread, NULL, do_later, later);
    if (rc == 0)
        pthread_detach(thread);
    else
        free(later);
    return rc;
}

/* done twice: the first stands. */
static int32_t twice(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)err;
    pdk_succeed(bad->host, start->attempt, NULL);
    pdk_end(bad->host, start->attempt, PDK_FAILURE, PDK_CAT_OTHER, NULL, "the second");
    return 0;
}

/* Nobody ever says done, whoever asks. */
static int32_t never(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)bad, (void)start, (void)err;
    return 0;
}

/* A proper end, but from a thread: this is allowed. */
static int32_t thread(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)err;
    return in_a_thread(bad, start->attempt, 0, PDK_SUCCESS);
}

/* Eight threads race to be the first. */
static int32_t storm(struct bad *bad, const pdk_start *start, pdk_error *err) {
    int32_t rc = 0;

    (void)err;
    for (int i = 0; rc == 0 && i < 8; i++) rc = in_a_thread(bad, start->attempt, 1, PDK_SUCCESS);
    return rc;
}

/* Output and another done when all is over. */
static int32_t late(struct bad *bad, const pdk_start *start, pdk_error *err) {
    int32_t rc = in_a_thread(bad, start->attempt, 60, PDK_FATAL);

    (void)err;
    if (rc == 0) pdk_succeed(bad->host, start->attempt, NULL);
    return rc;
}

/* Deaf to cancel and kill; it ends by itself after a while. */
static int32_t deaf(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)err;
    return in_a_thread(bad, start->attempt, 150, PDK_SUCCESS);
}

/* Says done, and then that it did not start. */
static int32_t liar(struct bad *bad, const pdk_start *start, pdk_error *err) {
    pdk_succeed(bad->host, start->attempt, NULL);
    return pdk_fail(err, -EIO, NULL, "not started, after all", NULL, NULL);
}

/* The first attempt's late done comes during the second. */
static int32_t ghost(struct bad *bad, const pdk_start *start, pdk_error *err) {
    int32_t rc;

    (void)err;
    if (start->number > 1) return in_a_thread(bad, start->attempt, 70, PDK_FATAL);
    rc = in_a_thread(bad, start->attempt, 30, PDK_SUCCESS);
    if (rc == 0) pdk_end(bad->host, start->attempt, PDK_RETRY, PDK_CAT_BUSY, NULL, "again");
    return rc;
}

/* Ends attempts that it made up. */
static int32_t guess(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)err;
    pdk_succeed(bad->host, 0, NULL);
    pdk_succeed(bad->host, UINT64_MAX, NULL);
    pdk_succeed(bad->host, start->attempt + 1, NULL);
    pdk_succeed(bad->host, start->attempt ^ (UINT64_C(1) << 40), NULL);
    return pdk_succeed(bad->host, start->attempt, NULL);
}

/* A result whose numbers and pointers mean nothing. */
static int32_t odd(struct bad *bad, const pdk_start *start, pdk_error *err) {
    pdk_result result = PDK_RESULT(77, -5, NULL);

    (void)err;
    result.retry_after_ns = UINT64_MAX;
    result.exit_code = -1;
    result.signal = 9999;
    return bad->host->done(bad->host, start->attempt, &result);
}

/* start answers with a number that is neither 0 nor an errno. */
static int32_t positive(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)bad, (void)start, (void)err;
    return 42;
}

/* Says that it was cancelled, though nobody asked. */
static int32_t canceled(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)err;
    return pdk_end(bad->host, start->attempt, PDK_CANCELED, PDK_CAT_NONE, NULL, NULL);
}

/* Fails to start, and says nothing. */
static int32_t silent(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)bad, (void)start, (void)err;
    return -EIO;
}

/* Writes without end and without looking at PDK_PAUSE, then ends. */
static int32_t flood(struct bad *bad, const pdk_start *start, pdk_error *err) {
    static const char line[] = "a line of output that nobody wants to read, over and over again\n";

    (void)err;
    for (int i = 0; i < 100000; i++) bad->host->output(bad->host, start->attempt, PDK_STDOUT, line, sizeof line - 1);
    return pdk_succeed(bad->host, start->attempt, NULL);
}

/* Takes its process with it. */
static int32_t crash(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)bad, (void)start, (void)err;
    raise(SIGKILL);
    return 0;
}

static void *do_abort(void *arg) {
    (void)arg;
    abort();
}

/* A thread of its own takes its process with it. */
static int32_t abort_in_a_thread(struct bad *bad, const pdk_start *start, pdk_error *err) {
    pthread_t thread;

    (void)bad, (void)start, (void)err;
    return -pthread_create(&thread, NULL, do_abort, NULL);
}

static void *do_brief(void *arg) {
    struct later *later = arg;

    pdk_end(later->host, later->attempt, later->status, PDK_CAT_NONE, NULL, NULL);
    poll(NULL, 0, (int)later->ms);
    abort();
}

/* Ends well, and takes its process with it a moment later. */
static int32_t brief(struct bad *bad, const pdk_start *start, pdk_error *err) {
    struct later *later = calloc(1, sizeof *later);
    pthread_t thread;

    (void)err;
    if (!later) return -ENOMEM;
    *later = (struct later){bad->host, start->attempt, 50, PDK_SUCCESS};
    return -pthread_create(&thread, NULL, do_brief, later);
}

/* start never returns. */
static int32_t hang(struct bad *bad, const pdk_start *start, pdk_error *err) {
    (void)bad, (void)start, (void)err;
    for (;;) poll(NULL, 0, -1);
    return 0;
}

/* Takes all the memory there is. */
static int32_t hog(struct bad *bad, const pdk_start *start, pdk_error *err) {
    enum { PIECE = 1 << 20 };
    char *piece;

    (void)bad, (void)start, (void)err;
    while ((piece = malloc(PIECE)))
        for (size_t i = 0; i < PIECE; i += 512) ((volatile char *)piece)[i] = 1;
    abort();
}

static const char *const hows[] = {"twice", "never", "thread",   "storm",    "late",   "deaf",  "liar",
                                   "ghost", "guess", "positive", "canceled", "silent", "flood", "crash",
                                   "odd",   "abort", "hang",     "hog",      "brief",  NULL};
static int32_t (*const starts[])(struct bad *, const pdk_start *, pdk_error *) = {
    twice, never,    thread,   storm,  late,  deaf,  liar, ghost,
    guess, positive, canceled, silent, flood, crash, odd,  abort_in_a_thread,
    hang,  hog,      brief};

static int32_t start(void *task, const pdk_start *start, pdk_error *err) {
    struct bad *bad = task;

    return bad->start(bad, start, err);
}

static void cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct bad *bad = calloc(1, sizeof *bad);
    const char *how = NULL;

    if (!bad) return -ENOMEM;
    bad->host = self;
    if (pdk_need_string(bad->host, spec->with, "how", &how, err) == 0)
        for (size_t i = 0; hows[i]; i++)
            if (strcmp(how, hows[i]) == 0) bad->start = starts[i];
    if (!bad->start) {
        free(bad);
        return -EINVAL;
    }
    *ret = bad;
    return 0;
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static void destroy(void *self) {
    (void)self;
}

static const pdk_param params[] = {{"how", PDK_STRING, PDK_REQUIRED, NULL, "Which rule to break", hows, 0.0, 0.0, NULL},
                                   PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("bad", "Misbehaves", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, NULL, NULL, free, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, NULL, build};
const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, "bad", "1", "", "Breaks the rules, for tests", NULL, NULL, &runner, NULL, NULL, create, NULL, NULL,
    destroy,         NULL};
