/* SPDX-License-Identifier: Apache-2.0 */
/* loop/1, pool/1 and process/1 of the mock host: either scripted by the test, or those of the core. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop/loop.h"
#include "core/process/process.h"
#include "mock_host.h"

struct watch {
    LIST_ENTRY(watch) link;
    pdk_watch handle;
    int32_t fd; /* -1: a timer */
    uint32_t events;
    uint64_t due, repeat;
    void (*ready)(void *arg, uint32_t events);
    void (*fire)(void *arg);
    void *arg;
};
LIST_HEAD(watches, watch);

enum { JOBS_MAX = 64, POSTS_MAX = 256 };

struct mock_services {
    pdk_loop loop;
    pdk_pool pool;
    pdk_process process;
    struct watches watches;
    uint64_t next;
    pdk_job *jobs[JOBS_MAX];
    uint32_t job_count;
    pdk_call *posts[POSTS_MAX];
    uint32_t post_count;
    pthread_mutex_t lock; /* of the posts */
    /* real */
    struct pdk_ev *ev;
    struct pdk_threads *threads;
    struct pdk_spawner *spawner;
    pdk_call wake;
};

/* ---- the loop ---- */

static struct mock_services *of_loop(const pdk_loop *loop) {
    return ((struct mock *)loop->data)->services;
}

static struct watch *add_watch(const pdk_loop *loop, void *arg, pdk_watch *ret) {
    struct mock_services *s = of_loop(loop);
    struct watch *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->handle = *ret = s->next++;
    w->fd = -1;
    w->arg = arg;
    LIST_INSERT_HEAD(&s->watches, w, link);
    return w;
}

static int32_t loop_io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                       pdk_watch *ret) {
    struct watch *w;
    mock_check_main(loop->data, "loop->io");
    w = add_watch(loop, arg, ret);
    w->fd = fd;
    w->events = events;
    w->ready = ready;
    return 0;
}

static struct watch *find_watch(const pdk_loop *loop, pdk_watch handle) {
    struct watch *w;
    LIST_FOREACH(w, &of_loop(loop)->watches, link) {
        if (w->handle == handle) return w;
    }
    return NULL;
}

static int32_t loop_change(const pdk_loop *loop, pdk_watch handle, uint32_t events) {
    struct watch *w = find_watch(loop, handle);
    if (w) w->events = events;
    return w ? 0 : -ESTALE;
}

static int32_t loop_timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                          pdk_watch *ret) {
    struct watch *w;
    mock_check_main(loop->data, "loop->timer");
    w = add_watch(loop, arg, ret);
    w->due = ((struct mock *)loop->data)->now + delay;
    w->repeat = repeat;
    w->fire = fire;
    return 0;
}

static int32_t loop_child(const pdk_loop *loop, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                          void *arg, pdk_watch *ret) {
    (void)pid, (void)pidfd, (void)ended, (void)arg, (void)ret;
    mock_broken(loop->data, "a plugin starts children by process/1");
    return -ENOTSUP;
}

static void loop_stop(const pdk_loop *loop, pdk_watch handle) {
    struct watch *w = find_watch(loop, handle);
    mock_check_main(loop->data, "loop->stop");
    if (!w) return;
    LIST_REMOVE(w, link);
    free(w);
}

static void loop_post(const pdk_loop *loop, pdk_call *call) {
    struct mock_services *s = of_loop(loop);
    (void)pthread_mutex_lock(&s->lock);
    assert_true(s->post_count < POSTS_MAX);
    s->posts[s->post_count++] = call;
    (void)pthread_mutex_unlock(&s->lock);
}

static uint64_t loop_now(const pdk_loop *loop) {
    return ((struct mock *)loop->data)->now;
}

static struct watch *next_timer(struct mock_services *s, uint64_t until) {
    struct watch *w, *found = NULL;
    LIST_FOREACH(w, &s->watches, link) {
        if (w->fd < 0 && w->due <= until && (!found || w->due < found->due)) found = w;
    }
    return found;
}

void mock_advance(struct mock *m, uint64_t ns) {
    uint64_t until = m->now + ns;
    struct watch *w;
    while ((w = next_timer(m->services, until))) {
        void (*fire)(void *) = w->fire;
        void *arg = w->arg;
        m->now = w->due > m->now ? w->due : m->now;
        if (w->repeat)
            w->due += w->repeat;
        else
            loop_stop(&m->services->loop, w->handle);
        fire(arg);
    }
    m->now = until;
    mock_turn(m);
}

uint32_t mock_timers(const struct mock *m) {
    struct watch *w;
    uint32_t n = 0;
    LIST_FOREACH(w, &m->services->watches, link) n += w->fd < 0;
    return n;
}

static void run_posts(struct mock_services *s) {
    for (uint32_t i = 0; i < s->post_count; i++) s->posts[i]->run(s->posts[i]->arg);
    s->post_count = 0;
}

/* One look at every descriptor; a callback may stop any watch, so look for each of them again. */
void mock_turn(struct mock *m) {
    pdk_watch handles[64];
    uint32_t count = 0;
    struct watch *w;
    run_posts(m->services);
    LIST_FOREACH(w, &m->services->watches, link) {
        if (w->fd >= 0 && count < 64) handles[count++] = w->handle;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pollfd p = {-1, POLLIN, 0};
        w = find_watch(&m->services->loop, handles[i]);
        if (!w || !(w->events & PDK_READ)) continue;
        p.fd = w->fd;
        if (poll(&p, 1, 0) > 0) w->ready(w->arg, PDK_READ);
    }
}

/* ---- the pool ---- */

static int32_t pool_submit(const pdk_pool *pool, pdk_job *job) {
    struct mock *m = pool->data;
    mock_check_main(m, "pool->submit");
    if (m->options.pool_is_full) return -EAGAIN;
    assert_true(m->services->job_count < JOBS_MAX);
    m->services->jobs[m->services->job_count++] = job;
    return 0;
}

/* The done of a job that is cancelled follows later, as the real one's does. */
static void canceled_later(void *arg) {
    pdk_job *job = arg;
    void (*done)(void *, int32_t) = job->done;
    done(job->arg, -ECANCELED);
}

static int32_t pool_cancel(const pdk_pool *pool, pdk_job *job) {
    struct mock *m = pool->data;
    struct mock_services *s = m->services;
    static pdk_call call;
    for (uint32_t i = 0; i < s->job_count; i++) {
        if (s->jobs[i] != job) continue;
        memmove(&s->jobs[i], &s->jobs[i + 1], (--s->job_count - i) * sizeof *s->jobs);
        call = (pdk_call){canceled_later, job, {0}};
        loop_post(&s->loop, &call);
        return 0;
    }
    return -EBUSY;
}

static void *run_work(void *arg) {
    pdk_job *job = arg;
    job->work(job->arg);
    return NULL;
}

uint32_t mock_run_jobs(struct mock *m) {
    struct mock_services *s = m->services;
    uint32_t n = 0;
    while (s->job_count > 0) {
        pdk_job *job = s->jobs[0];
        pthread_t thread;
        memmove(&s->jobs[0], &s->jobs[1], --s->job_count * sizeof *s->jobs);
        assert_int_equal(pthread_create(&thread, NULL, run_work, job), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        job->done(job->arg, 0);
        n++;
    }
    return n;
}

uint32_t mock_jobs(const struct mock *m) {
    return m->services->job_count;
}

/* ---- processes ---- */

static char **copy_strings(const char *const *from) {
    size_t n = 0;
    char **to;
    while (from && from[n]) n++;
    to = calloc(n + 1, sizeof *to);
    assert_non_null(to);
    for (size_t i = 0; i < n; i++) {
        to[i] = strdup(from[i]);
        assert_non_null(to[i]);
    }
    return to;
}

static void free_strings(char **strings) {
    for (size_t i = 0; strings && strings[i]; i++) free(strings[i]);
    free(strings);
}

/* All that an fd holds, from where it stands. */
static char *contents(int32_t fd) {
    char *text = calloc(1, 4 * 1024 * 1024);
    ssize_t n;
    assert_non_null(text);
    n = fd < 0 ? 0 : pread(fd, text, 4 * 1024 * 1024 - 1, lseek(fd, 0, SEEK_CUR));
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void copy_command(struct mock_child *child, const pdk_command *command) {
    child->command = *command;
    child->argv = copy_strings(command->argv);
    child->env = copy_strings(command->env);
    assert_true(command->pass_count <= 64 && command->group_count <= 64);
    for (uint32_t i = 0; i < command->pass_count; i++) child->pass_fds[i] = command->pass_fds[i];
    for (uint32_t i = 0; i < command->group_count; i++) child->groups[i] = command->groups[i];
    if (command->input_fd >= 0) child->input = contents(command->input_fd);
    if (command->pass_count) child->script = contents(command->pass_fds[command->pass_count - 1]);
}

static int32_t process_spawn(const pdk_process *process, pdk_attempt attempt, const pdk_command *command,
                             const pdk_child_ops *ops, void *arg, pdk_child *ret, pdk_error *err) {
    struct mock *m = process->data;
    struct mock_child *child;
    mock_check_main(m, "process->spawn");
    if (m->options.spawn_rc) return pdk_fail(err, m->options.spawn_rc, NULL, "the mock spawns nothing", NULL, NULL);
    if (command->struct_size != sizeof *command) mock_broken(m, "command.struct_size is %u", command->struct_size);
    child = calloc(1, sizeof *child);
    assert_non_null(child);
    child->mock = m;
    child->attempt = attempt;
    child->ops = ops;
    child->arg = arg;
    child->handle = *ret = m->services->next++;
    copy_command(child, command);
    TAILQ_INSERT_TAIL(&m->children, child, link);
    return 0;
}

static struct mock_child *find_child(const pdk_process *process, pdk_child handle) {
    struct mock *m = process->data;
    struct mock_child *child;
    TAILQ_FOREACH(child, &m->children, link) {
        if (child->handle == handle && !child->over) return child;
    }
    return NULL;
}

static int32_t process_signal(const pdk_process *process, pdk_child handle, int32_t signal, int32_t leader_alone) {
    struct mock_child *child = find_child(process, handle);
    if (!child) return -ESTALE;
    assert_true(child->signal_count < 16);
    child->signals[child->signal_count] = signal;
    child->leader_alone[child->signal_count++] = leader_alone != 0;
    return 0;
}

static int32_t process_kill(const pdk_process *process, pdk_child handle) {
    struct mock_child *child = find_child(process, handle);
    if (child) child->killed = true;
    return child ? 0 : -ESTALE;
}

static int32_t process_resume(const pdk_process *process, pdk_child handle) {
    struct mock_child *child = find_child(process, handle);
    if (child) child->resumed++;
    return child ? 0 : -ESTALE;
}

struct mock_child *mock_last_child(struct mock *m) {
    struct mock_child *child = TAILQ_LAST(&m->children, mock_children);
    assert_non_null(child);
    return child;
}

void mock_child_started(struct mock_child *child, int32_t pid) {
    assert_false(child->started || child->over);
    child->started = true;
    if (child->ops->started) child->ops->started(child->arg, pid);
}

void mock_child_failed(struct mock_child *child, int32_t code, const char *message) {
    pdk_error err = PDK_ERROR;
    assert_false(child->started || child->over);
    child->over = true;
    (void)pdk_fail(&err, code, NULL, message, NULL, NULL);
    child->ops->failed(child->arg, &err);
}

void mock_child_ended(struct mock_child *child, int32_t exit_code, int32_t signal) {
    pdk_exit how = {.struct_size = sizeof how, .exit_code = exit_code, .signal = signal};
    assert_false(child->over);
    child->over = true;
    how.usage = (pdk_usage){.struct_size = sizeof how.usage, .user_ns = 5, .max_rss = 4096};
    child->ops->ended(child->arg, &how);
}

const char *mock_env(const struct mock_child *child, const char *name) {
    size_t size = strlen(name);
    for (char **entry = child->env; *entry; entry++)
        if (!strncmp(*entry, name, size) && (*entry)[size] == '=') return *entry + size + 1;
    return NULL;
}

/* ---- those of the core ---- */

static void woken(void *arg) {
    pdk_ev_break(((struct mock *)arg)->services->ev);
}

void mock_services_wake(struct mock *m) {
    if (!m->options.real) return;
    pdk_ev_loop(m->services->ev)->post(pdk_ev_loop(m->services->ev), &m->services->wake);
}

static int32_t real_output(void *arg, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    return mock_take_output(arg, attempt, stream, data, size);
}

static int32_t make_real(struct mock *m) {
    struct mock_services *s = m->services;
    struct pdk_spawner_options options = {.cgroups = 0, .output = real_output, .arg = m};
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_ev_create(&s->ev);
    s->wake = (pdk_call){woken, m, {0}};
    if (!rc) rc = pdk_threads_create(pdk_ev_loop(s->ev), 2, 0, &s->threads);
    options.loop = pdk_ev_loop(s->ev);
    if (!rc) rc = pdk_spawner_create(&options, &s->spawner, &err);
    if (rc) print_error("the core's services: %d %s\n", rc, err.message);
    return rc;
}

static void too_late(void *arg) {
    *(bool *)arg = true;
    /* the loop is broken by whoever watches this */
}

/* Turns of the loop until it is so; a minute at most, for a test that hangs tells less than one that fails. */
static void wait_until(struct mock_attempt *attempt, bool (*is_so)(const struct mock_attempt *, const char *),
                       const char *text) {
    struct mock *m = attempt->task->mock;
    const pdk_loop *loop = pdk_ev_loop(m->services->ev);
    bool late = false;
    pdk_watch watch, breaker;
    assert_int_equal(loop->timer(loop, SECONDS(60), 0, too_late, &late, &watch), 0);
    assert_int_equal(loop->timer(loop, SECONDS(60), 0, woken, m, &breaker), 0);
    while (!is_so(attempt, text) && !late) pdk_ev_run(m->services->ev);
    loop->stop(loop, watch);
    loop->stop(loop, breaker);
    if (late)
        fail_msg("a minute has passed; stdout: %s", attempt->output[PDK_STDOUT] ? attempt->output[PDK_STDOUT] : "");
}

static bool is_done(const struct mock_attempt *attempt, const char *text) {
    (void)text;
    return attempt->done > 0;
}

static bool has_said(const struct mock_attempt *attempt, const char *text) {
    const char *said = attempt->output[PDK_STDOUT];
    return attempt->done || (said && strstr(said, text));
}

void mock_wait(struct mock_attempt *attempt) {
    wait_until(attempt, is_done, NULL);
}

void mock_wait_output(struct mock_attempt *attempt, const char *text) {
    wait_until(attempt, has_said, text);
}

/* ---- all of them ---- */

int32_t mock_services_make(struct mock *m) {
    struct mock_services *s = calloc(1, sizeof *s);
    assert_non_null(s);
    m->services = s;
    s->next = 1;
    LIST_INIT(&s->watches);
    assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
    s->loop =
        (pdk_loop){PDK_HEAD(pdk_loop), m, loop_io, loop_change, loop_timer, loop_child, loop_stop, loop_post, loop_now};
    s->pool = (pdk_pool){PDK_HEAD(pdk_pool), m, pool_submit, pool_cancel};
    s->process = (pdk_process){PDK_HEAD(pdk_process), m, process_spawn, process_signal, process_kill, process_resume};
    return m->options.real ? make_real(m) : 0;
}

const void *mock_service(struct mock *m, const char *id) {
    struct mock_services *s = m->services;
    bool real = m->options.real;
    if (!strcmp(id, PDK_LOOP_1)) return real ? pdk_ev_loop(s->ev) : &s->loop;
    if (!strcmp(id, PDK_POOL_1)) return real ? pdk_threads_pool(s->threads) : &s->pool;
    if (!strcmp(id, PDK_PROCESS_1)) return real ? pdk_spawner_service(s->spawner) : &s->process;
    return NULL;
}

static void free_child(struct mock *m, struct mock_child *child) {
    if (!child->over) mock_broken(m, "a child still runs: %s", child->argv[0]);
    TAILQ_REMOVE(&m->children, child, link);
    free_strings(child->argv);
    free_strings(child->env);
    free(child->input);
    free(child->script);
    free(child);
}

void mock_services_free(struct mock *m) {
    struct mock_services *s = m->services;
    run_posts(s);
    if (s->job_count) mock_broken(m, "%u jobs were left waiting", s->job_count);
    while (!LIST_EMPTY(&s->watches)) {
        struct watch *w = LIST_FIRST(&s->watches);
        mock_broken(m, "a watch of %s was left", w->fd < 0 ? "a timer" : "a descriptor");
        loop_stop(&s->loop, w->handle);
    }
    while (!TAILQ_EMPTY(&m->children)) free_child(m, TAILQ_FIRST(&m->children));
    if (m->options.real) {
        pdk_spawner_free(s->spawner);
        pdk_threads_free(s->threads);
        pdk_ev_free(s->ev);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}
