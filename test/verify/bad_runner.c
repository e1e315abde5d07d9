/* SPDX-License-Identifier: Apache-2.0 */
/* A runner that works in a job, waits for a timer, and runs a child; see bad.h for what is wrong with it. */
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bad.h"

struct walker {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_pool *pool;
    const pdk_process *process;
    const pdk_value *config;
    struct walk *last;
    int fd;
    bool asked;
    pdk_watch watch;
};

struct walk {
    struct walker *walker;
    char *name, *note;
    pdk_attempt attempt, first;
    pdk_job job;
    pdk_watch timer;
    pdk_child child;
    bool running, canceled, killed, paused, job_is_on, built_twice;
    pdk_watch late;
};

static struct walker only;       /* of 130 */
static const pdk_host *one_host; /* of 131 */
static struct walk one_walk;     /* of 312 */
static int counter;              /* of 300, 311 */
static void *volatile leaked;    /* of 140, 250 */
static pdk_call one_call;        /* of 453 */
static pdk_job one_job;          /* of 454 */

/* ---- an attempt ---- */

static void late(void *arg) {
    struct walk *walk = arg;
    walk->late = 0;
    (void)walk->walker->host->progress(walk->walker->host, walk->attempt, 0.5, NULL);
}

static void nothing(void *arg) {
    (void)arg;
}

static void ready(void *arg, uint32_t events) {
    (void)arg, (void)events;
}

static void *forever(void *arg) {
    (void)arg;
    for (;;) (void)poll(NULL, 0, 1000);
    return NULL;
}

static const pdk_host *host_of(const struct walk *walk) {
    return BAD(131) ? one_host : walk->walker->host;
}

static void after_done(struct walk *walk, const pdk_host *host, pdk_attempt attempt) {
    pthread_t thread;
    if (BAD(350)) (void)pdk_succeed(host, attempt, NULL);
    if (BAD(370)) (void)host->output(host, attempt, PDK_STDOUT, "late\n", 5);
    if (BAD(371)) host->log(host, PDK_LOG_INFO, attempt, "late");
    if (BAD(372)) (void)walk->walker->loop->timer(walk->walker->loop, 60000000000U, 0, late, walk, &walk->late);
    if (BAD(450)) (void)walk->walker->loop->timer(walk->walker->loop, 1000000000000000U, 0, nothing, NULL, &walk->late);
    if (BAD(451) && !pthread_create(&thread, NULL, forever, NULL)) (void)pthread_detach(thread);
    if (BAD(452)) (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void end(struct walk *walk, int32_t status, int32_t category, const char *message) {
    const pdk_host *host = host_of(walk);
    pdk_attempt attempt = BAD(381) ? walk->first : walk->attempt;
    walk->running = false;
    free(BAD(460) ? NULL : walk->note);
    walk->note = NULL;
    if (BAD(351)) return;
    if (BAD(360)) status = 9;
    if (BAD(361)) category = 99;
    (void)pdk_end(host, attempt, status, category, NULL, message);
    after_done(walk, host, attempt);
}

static void end_well(struct walk *walk) {
    if (walk->canceled)
        end(walk, PDK_CANCELED, PDK_CAT_NONE, "canceled");
    else
        end(walk, PDK_SUCCESS, PDK_CAT_NONE, NULL);
}

/* ---- its child ---- */

static void child_failed(void *arg, const pdk_error *err) {
    struct walk *walk = arg;
    walk->child = 0;
    if (!BAD(491)) end(walk, PDK_FAILURE, PDK_CAT_OTHER, err->message);
}

static void child_ended(void *arg, const pdk_exit *how) {
    struct walk *walk = arg;
    (void)how;
    walk->child = 0;
    end_well(walk);
}

static const pdk_child_ops child_ops = {PDK_HEAD(pdk_child_ops), NULL, child_failed, NULL, child_ended, NULL, NULL};

static void spawn(struct walk *walk) {
    static const char *const argv[] = {"true", NULL};
    const pdk_process *process = walk->walker->process;
    pdk_command command = {.struct_size = (uint32_t)sizeof command,
                           .argv = argv,
                           .cwd_fd = -1,
                           .input_fd = -1,
                           .stdout_to = PDK_STREAM_CAPTURE,
                           .stderr_to = PDK_STREAM_JOIN,
                           .umask = -1,
                           .nice = PDK_UNCHANGED,
                           .oom_score = PDK_UNCHANGED};
    pdk_error err = PDK_ERROR;
    int32_t rc = process->spawn(process, walk->attempt, &command, &child_ops, walk, &walk->child, &err);
    if (rc < 0) walk->child = 0;
    if (rc < 0 && !BAD(490)) end(walk, PDK_FAILURE, PDK_CAT_BUSY, err.message);
}

/* ---- its timer ---- */

static void fired(void *arg) {
    struct walk *walk = arg;
    const pdk_host *host = host_of(walk);
    walk->timer = 0;
    walk->paused = host->output(host, walk->attempt, PDK_STDOUT, "half\n", 5) == PDK_PAUSE;
    if (BAD(362)) (void)host->progress(host, walk->attempt, 7, NULL);
    if (BAD(210)) (void)host->progress(host, 12345, 0.5, NULL);
    if (BAD(211)) (void)walk->walker->process->kill(walk->walker->process, 99999);
    if (!walk->paused) spawn(walk);
}

static void wait_a_while(struct walk *walk) {
    const pdk_loop *loop = walk->walker->loop;
    uint64_t delay = BAD(400) ? 3600000000000U : 1000000U;
    int32_t rc = loop->timer(loop, delay, 0, fired, walk, &walk->timer);
    if (rc < 0 && !BAD(500)) end(walk, PDK_FAILURE, PDK_CAT_OTHER, "no timer");
}

/* ---- its job ---- */

static void work(void *arg) {
    struct walk *walk = arg;
    pdk_watch watch;
    if (!BAD(200)) return;
    if (walk->walker->loop->timer(walk->walker->loop, 0, 0, nothing, NULL, &watch)) return;
    walk->late = watch;
}

static void job_done(void *arg, int32_t status) {
    struct walk *walk = arg;
    walk->job_is_on = false;
    if (BAD(480) && status < 0) return;
    if (walk->canceled)
        end(walk, PDK_CANCELED, PDK_CAT_NONE, "canceled");
    else if (status < 0)
        end(walk, PDK_FAILURE, PDK_CAT_OTHER, "the job did not run");
    else
        wait_a_while(walk);
}

/* ---- the table of tasks ---- */

static void misbehave(const struct walk *walk) {
    const pdk_host *host = walk->walker->host;
    if (BAD(170)) (void)printf("hello from start\n"), (void)fflush(stdout);
    if (BAD(171)) (void)fprintf(stderr, "hello from start\n");
    if (BAD(180)) (void)setenv("PADDOCK_BAD", "1", 1);
    if (BAD(181)) (void)signal(SIGUSR1, SIG_IGN);
    if (BAD(182)) (void)!chdir("/");
    if (BAD(183)) (void)umask(0123);
    if (BAD(184)) (void)setlocale(LC_ALL, "C.UTF-8");
    if (BAD(190)) host->log(host, PDK_LOG_INFO, 0, "two\nlines");
    if (BAD(191)) host->log(host, PDK_LOG_BUG, 0, "a bug");
    if (BAD(340)) (void)poll(NULL, 0, 400);
    if (BAD(342))
        for (;;) (void)poll(NULL, 0, 1000);
    if (BAD(343)) exit(3);
}

static int32_t start(void *task, const pdk_start *how, pdk_error *err) {
    struct walk *walk = task;
    int32_t rc;
    misbehave(walk);
    if (BAD(380) && how->number > 1) return pdk_fail(err, -EBUSY, NULL, "once is enough", NULL, NULL);
    walk->note = malloc(100);
    if (BAD(510)) walk->note[0] = 'a';
    if (!walk->note) return -ENOMEM;
    walk->attempt = how->attempt;
    if (!walk->first) walk->first = how->attempt;
    walk->running = true;
    walk->canceled = walk->killed = walk->paused = false;
    walk->walker->last = walk;
    walk->job = (pdk_job){.struct_size = (uint32_t)sizeof walk->job, .work = work, .done = job_done, .arg = walk};
    rc = walk->walker->pool->submit(walk->walker->pool, &walk->job);
    walk->job_is_on = rc == 0;
    if (rc == 0) return 0;
    if (BAD(470)) return 0;
    walk->running = false;
    free(walk->note);
    walk->note = NULL;
    if (BAD(471)) (void)pdk_succeed(walk->walker->host, walk->attempt, NULL);
    return pdk_fail(err, rc, NULL, "the pool is full", NULL, NULL);
}

static void cancel_timer(struct walk *walk) {
    walk->walker->loop->stop(walk->walker->loop, walk->timer);
    walk->timer = 0;
    walk->paused = false;
    end_well(walk);
}

static void cancel(void *task, int32_t reason) {
    struct walk *walk = task;
    (void)reason;
    if (BAD(390)) walk = walk->walker->last;
    if (BAD(410) && !walk->running) (void)pdk_succeed(walk->walker->host, walk->attempt, NULL);
    if (BAD(411) && !walk->running) walk->note[0] = 'a';
    if (BAD(400) || !walk->running) return;
    walk->canceled = true;
    if (walk->job_is_on) (void)walk->walker->pool->cancel(walk->walker->pool, &walk->job);
    if (BAD(430) && walk->paused) return;
    if (walk->timer || walk->paused) cancel_timer(walk);
    if (walk->child && !BAD(401)) (void)walk->walker->process->signal(walk->walker->process, walk->child, SIGTERM, 0);
}

static void insist(void *task) {
    struct walk *walk = task;
    if (walk->child && !BAD(420)) (void)walk->walker->process->kill(walk->walker->process, walk->child);
}

static void resume(void *task) {
    struct walk *walk = task;
    if (!walk->running || !walk->paused) return;
    walk->paused = false;
    spawn(walk);
}

static int32_t reload(void *task) {
    (void)task;
    return BAD(440) ? 5 : 0;
}

static void destroy_task(void *task) {
    struct walk *walk = task;
    if (walk->late && !BAD(450)) walk->walker->loop->stop(walk->walker->loop, walk->late);
    if (walk->walker->last == walk) walk->walker->last = NULL;
    if (!BAD(330)) free(walk->name);
    if (!BAD(312)) free(walk);
}

static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, insist, resume, destroy_task, reload};

/* ---- specs ---- */

static int32_t supports(void *self, const pdk_spec *spec, pdk_error *why) {
    struct walker *walker = self;
    (void)spec;
    if (BAD(300) && ++counter % 2 == 0) return pdk_fail(why, 0, NULL, "not this time", NULL, NULL);
    if (BAD(301)) (void)walker->loop->timer(walker->loop, 1, 0, nothing, NULL, &walker->watch);
    return BAD(302) ? 7 : 1;
}

static int32_t refuse(struct walker *walker, const pdk_value *at, void **ret, pdk_error *err) {
    if (BAD(320)) return -EINVAL;
    if (BAD(243)) (void)walker->host->values->hold(at);
    if (BAD(321)) *ret = walker;
    if (BAD(322)) at = walker->config;
    return pdk_fail(err, -EINVAL, at, "the name is empty", NULL, NULL);
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct walker *walker = self;
    const char *name = "";
    const pdk_value *value = walker->host->values->get(spec->with, "name");
    if (BAD(240)) (void)walker->host->values->hold(value);
    struct walk *walk;
    int32_t rc = pdk_need_string(walker->host, spec->with, "name", &name, err);
    if (rc < 0) return rc;
    if (!*name) return refuse(walker, value, ret, err);
    if (BAD(313)) walker->host->log(walker->host, PDK_LOG_ERROR, 0, "built");
    if (BAD(310)) walker->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (BAD(311) && ++counter % 3 == 0) return pdk_fail(err, -EINVAL, NULL, "not this time", NULL, NULL);
    walk = BAD(312) ? &one_walk : calloc(1, sizeof *walk);
    if (!walk) return BAD(511) ? pdk_fail(err, -EIO, NULL, "something", NULL, NULL) : -ENOMEM;
    walk->walker = walker;
    walk->name = strdup(name);
    if (!walk->name) {
        if (!BAD(312)) free(walk);
        return -ENOMEM;
    }
    *ret = walk;
    return 0;
}

static const pdk_param params[] = {
    PDK_PARAM("name", PDK_STRING, PDK_REQUIRED, NULL, "Who walks"),
    {"steps", PDK_INT, 0, BAD(21) ? "99" : "3", BAD(161) ? "" : "How far", NULL, 1, 10, NULL},
    PDK_PARAM_END,
};
static const pdk_schema kind = PDK_SCHEMA("walk", "Takes a walk", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, supports, build};

/* ---- instances ---- */

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct walker *walker = BAD(130) ? &only : calloc(1, sizeof *walker);
    if (BAD(100)) return pdk_fail(err, -EINVAL, NULL, "not today", NULL, NULL);
    if (BAD(101)) (void)poll(NULL, 0, 400);
    if (BAD(102)) abort();
    if (!walker && BAD(151)) return pdk_fail(err, -EIO, NULL, "something", NULL, NULL);
    if (!walker && !BAD(150)) return -ENOMEM;
    walker->host = one_host = host;
    walker->config = config;
    walker->loop = host->get_extension(host, PDK_LOOP_1);
    walker->pool = host->get_extension(host, PDK_POOL_1);
    walker->process = host->get_extension(host, PDK_PROCESS_1);
    walker->fd = BAD(110) || BAD(141) ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    if (BAD(111)) (void)walker->loop->timer(walker->loop, 1000000000000U, 0, nothing, NULL, &walker->watch);
    if (BAD(140)) leaked = malloc(100);
    if (BAD(120) && !walker->loop) {
        free(walker);
        return pdk_fail(err, -ENOTSUP, NULL, "a loop is needed", NULL, NULL);
    }
    *ret = walker;
    return 0;
}

/* A value of its own, for nothing. */
static void make_value(const pdk_values *values) {
    const pdk_value *made = NULL;
    pdk_writer *w = values->open(values);
    values->put_int(w, 7);
    if (BAD(241)) return;
    if (values->close(w, &made, NULL) < 0) return;
    if (BAD(244)) (void)values->close(w, NULL, NULL);
    values->drop(made);
    if (BAD(242)) values->drop(made);
}

static int32_t begin(void *self, pdk_error *err) {
    struct walker *walker = self;
    char *text = NULL;
    (void)err;
    make_value(walker->host->values);
    if (BAD(250) && asprintf(&text, "%500d", FAULT) > 0) leaked = text; /* by the C library's own malloc */
    walker->host->health(walker->host, PDK_UP, "walking");
    if (BAD(233)) walker->host->stopped(walker->host);
    return 0;
}

static void stop(void *self) {
    struct walker *walker = self;
    if (BAD(230)) return;
    walker->host->stopped(walker->host);
    if (BAD(231)) walker->host->stopped(walker->host);
    if (BAD(232)) walker->host->health(walker->host, PDK_UP, "still here");
}

static void leave_behind(struct walker *walker) {
    pdk_child child;
    pdk_error err = PDK_ERROR;
    const char *const argv[] = {"walk", NULL};
    const pdk_command command = {
        .struct_size = (uint32_t)sizeof command, .program = "walk", .argv = argv, .cwd_fd = -1};
    one_call = (pdk_call){.run = nothing};
    one_job = (pdk_job){.struct_size = (uint32_t)sizeof one_job, .work = nothing};
    if (BAD(453)) walker->loop->post(walker->loop, &one_call);
    if (BAD(454)) (void)walker->pool->submit(walker->pool, &one_job);
    if (BAD(455)) (void)walker->process->spawn(walker->process, 0, &command, &child_ops, NULL, &child, &err);
    if (BAD(456)) (void)walker->loop->io(walker->loop, 0, PDK_READ, ready, NULL, &walker->watch);
}

static void destroy(void *self) {
    struct walker *walker = self;
    if (walker->watch) walker->loop->stop(walker->loop, walker->watch);
    if (walker->fd >= 0 && !BAD(141)) close(walker->fd);
    if (walker->loop) leave_behind(walker);
    if (!BAD(130)) free(walker);
}

static const void *extension(void *self, const char *id) {
    (void)id;
    return BAD(220) ? self : NULL;
}

#if FAULT == 30
PDK_EXPORT int bad_export(void);
int bad_export(void) {
    return 1;
}
#endif

#if FAULT == 40
extern const char *pdk_version(void) __attribute__((weak));
const char *(*const bad_import)(void) = pdk_version;
#endif

#if FAULT == 50 || FAULT == 51
static volatile int touched;
#endif

#if FAULT == 50
__attribute__((constructor)) static void constructor(void) {
    touched = 1;
}
#elif FAULT == 51
__attribute__((destructor)) static void destructor(void) {
    touched = 1;
}
#endif

const pdk_plugin pdk_plugin_entry = {BAD(20) ? 7 : PDK_MAGIC,
                                     PDK_ABI,
                                     (uint32_t)sizeof(pdk_plugin),
                                     PDK_ABI_MAKE(1, 0),
                                     0,
                                     0,
                                     "walk",
                                     "1",
                                     "",
                                     "Takes walks",
                                     NULL,
                                     NULL,
                                     &runner,
                                     NULL,
                                     NULL,
                                     create,
                                     begin,
                                     stop,
                                     destroy,
                                     extension};
