/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that writes. What the loop's thread hands over in one turn, and what gathers while the disk is busy, is one
 * batch; then those who read are told that there is more.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "instance.h"

#define STAYS (5 * SECOND) /* a disk that is full takes a little now and then: that is not yet well */

/* ---- main ---- */

static void kick(void *arg) {
    struct archive *archive = arg;
    struct arc_writer *writer = &archive->writer;
    (void)pthread_mutex_lock(&writer->lock);
    writer->stop = writer->ending;
    TAILQ_CONCAT(&writer->incoming, &writer->gathered, link);
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
}

void arc_writer_add(struct archive *archive, struct arc_op *op) {
    TAILQ_INSERT_TAIL(&archive->writer.gathered, op, link);
    archive->loop->post(archive->loop, &archive->writer.kick);
}

static void take_back(struct archive *archive, struct arc_op *op) {
    union {
        struct arc_op *op;
        struct arc_attempt *attempt;
        struct arc_run *run;
    } is = {op};
    if (op->kind == ARC_CLOSE)
        arc_live_closed(archive, is.attempt);
    else
        arc_live_written(archive, is.run);
}

static void answer(void *arg) {
    struct archive *archive = arg;
    struct arc_ops done = TAILQ_HEAD_INITIALIZER(done);
    struct arc_op *op;
    (void)pthread_mutex_lock(&archive->writer.lock);
    TAILQ_CONCAT(&done, &archive->writer.outgoing, link);
    char *news = archive->writer.news;
    int32_t state = archive->writer.news_state;
    archive->writer.news = NULL;
    (void)pthread_mutex_unlock(&archive->writer.lock);
    if (news) archive->host->health(archive->host, state, news); /* from here it is heard, and the host logs it */
    free(news);
    while ((op = TAILQ_FIRST(&done))) {
        TAILQ_REMOVE(&done, op, link);
        take_back(archive, op);
    }
    if (!archive->loaded) arc_askings_begin(archive);
    arc_readings_stir(archive);
}

/* Posted behind the last answer, so that no call of ours is left in the loop. */
static void farewell(void *arg) {
    struct archive *archive = arg;
    (void)pthread_join(archive->writer.thread, NULL);
    archive->writer.started = false;
    arc_writer_stopped(archive);
}

/* ---- writer ---- */

void arc_writer_say(struct archive *archive, int32_t rc, const char *what, const char *path) {
    struct arc_writer *writer = &archive->writer;
    uint64_t now = archive->host->now_ns(archive->host);
    char *text = NULL;
    if (rc) writer->fault_ns = now;
    if (rc == writer->fault || (!rc && now - writer->fault_ns < STAYS)) return;
    bool again = writer->fault < 0 && !rc;
    writer->fault = rc;
    if (rc)
        rc = asprintf(&text, "%s %s: %s; output and history are lost until that works", what, path, strerror(-rc));
    else
        rc = asprintf(&text, "it writes to %s%s", archive->options.root, again ? " again" : "");
    (void)pthread_mutex_lock(&writer->lock);
    free(writer->news);
    writer->news = rc < 0 ? NULL : text;
    writer->news_state = writer->fault ? PDK_DEGRADED : PDK_UP;
    (void)pthread_mutex_unlock(&writer->lock);
}

static int32_t make(const struct archive *archive, const char *below) {
    char path[ARC_PATH];
    arc_path(path, sizeof path, "%s%s", archive->options.root, below);
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int32_t lock_root(struct archive *archive) {
    char path[ARC_PATH];
    arc_path(path, sizeof path, "%s/lock", archive->options.root);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        archive->writer.lock_fd = fd;
        return 0;
    }
    int32_t rc = -errno;
    (void)close(fd);
    return rc;
}

/* Once it works; until then every second. */
static bool is_ready(struct archive *archive) {
    struct arc_writer *writer = &archive->writer;
    uint64_t now = archive->host->now_ns(archive->host);
    if (writer->ready) return true;
    if (writer->tried_ns && now - writer->tried_ns < SECOND) return false;
    writer->tried_ns = now;
    int32_t rc = make(archive, "");
    if (rc == 0) rc = make(archive, "/output");
    if (rc == 0) rc = make(archive, "/runs");
    if (rc == 0 && writer->lock_fd < 0) rc = lock_root(archive);
    if (rc == 0) rc = arc_history_open(archive);
    if (rc == 0) rc = arc_journal_open(archive);
    writer->ready = rc == 0;
    arc_writer_say(archive, rc, rc == -EWOULDBLOCK ? "another archive has" : "cannot use", archive->options.root);
    return writer->ready;
}

static const char *const ends[] = {"succeeded", "failed", "fatal", "canceled", "timed_out", "rejected", "lost"};

static void write_end(struct archive *archive, struct arc_run *run) {
    const pdk_run_info *info = &run->info->info;
    const char *word = info->end >= 0 && (size_t)info->end < sizeof ends / sizeof *ends ? ends[info->end] : "lost";
    struct arc_text *text = arc_history_begin(archive, run->seq, info->ended_ns, word, run->task);
    arc_print(archive, run, info, text);
    (void)arc_history_end(archive, info->ended_ns);
    if (run->begun) arc_journal_ended(archive, run->seq);
}

static void give_up(struct arc_op *op) {
    union {
        struct arc_op *op;
        struct arc_chunk *chunk;
    } is = {op};
    if (op->kind == ARC_CHUNK) {
        is.chunk->attempt->gap += is.chunk->size + is.chunk->lost;
        atomic_fetch_add(&is.chunk->attempt->of->dropped, is.chunk->size);
    }
}

static void carry_out(struct archive *archive, struct arc_op *op) {
    union {
        struct arc_op *op;
        struct arc_chunk *chunk;
        struct arc_attempt *attempt;
        struct arc_run *run;
        struct arc_begin *begin;
    } is = {op};
    switch (op->kind) {
    case ARC_CHUNK: arc_output_chunk(archive, is.chunk); break;
    case ARC_CLOSE: arc_output_close(archive, is.attempt); break;
    case ARC_BEGIN: arc_journal_begin(archive, &is.begin->info->info); break;
    case ARC_END: write_end(archive, is.run); break;
    }
}

/* What is the writer's is freed here, what is the loop's goes back. */
static void finish(struct archive *archive, struct arc_op *op, struct arc_ops *back) {
    union {
        struct arc_op *op;
        struct arc_chunk *chunk;
        struct arc_begin *begin;
    } is = {op};
    if (op->kind == ARC_CHUNK) {
        atomic_fetch_sub(&archive->writer.waiting, is.chunk->size);
        free(is.chunk);
    } else if (op->kind == ARC_BEGIN) {
        free(is.begin->info);
        free(is.begin);
    } else {
        TAILQ_INSERT_TAIL(back, op, link);
    }
}

static void run_batch(struct archive *archive, struct arc_ops *batch) {
    struct arc_ops back = TAILQ_HEAD_INITIALIZER(back);
    struct arc_op *op;
    bool ready = is_ready(archive);
    while ((op = TAILQ_FIRST(batch))) {
        TAILQ_REMOVE(batch, op, link);
        if (ready)
            carry_out(archive, op);
        else
            give_up(op);
        finish(archive, op, &back);
    }
    if (ready) {
        arc_output_flush(archive);
        (void)arc_history_flush(archive); /* before the journal says that they have ended */
        int32_t rc = arc_journal_flush(archive);
        if (rc < 0) arc_writer_say(archive, rc, "cannot write the journal of", archive->options.root);
    }
    (void)pthread_mutex_lock(&archive->writer.lock);
    TAILQ_CONCAT(&archive->writer.outgoing, &back, link);
    (void)pthread_mutex_unlock(&archive->writer.lock);
    archive->loop->post(archive->loop, &archive->writer.answer);
}

/* With the lock held. False: nothing more will come. */
static bool take(struct arc_writer *writer, struct arc_ops *batch) {
    while (!writer->stop && TAILQ_EMPTY(&writer->incoming)) (void)pthread_cond_wait(&writer->wake, &writer->lock);
    TAILQ_CONCAT(batch, &writer->incoming, link);
    return !writer->stop || !TAILQ_EMPTY(batch);
}

static void *work(void *arg) {
    struct archive *archive = arg;
    struct arc_writer *writer = &archive->writer;
    struct arc_ops batch = TAILQ_HEAD_INITIALIZER(batch);
    bool more;
    run_batch(archive, &batch); /* opens it */
    do {
        (void)pthread_mutex_lock(&writer->lock);
        more = take(writer, &batch);
        (void)pthread_mutex_unlock(&writer->lock);
        if (more) run_batch(archive, &batch);
    } while (more);
    arc_keeper_stop(archive);
    arc_journal_close(archive);
    arc_history_close(archive);
    if (writer->lock_fd >= 0) (void)close(writer->lock_fd);
    archive->loop->post(archive->loop, &writer->answer);
    archive->loop->post(archive->loop, &writer->farewell);
    return NULL;
}

/* ---- main ---- */

/* Signals are for the host's thread. */
static int create_thread(struct archive *archive) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&archive->writer.thread, NULL, work, archive);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) (void)pthread_setname_np(archive->writer.thread, "paddock-archive");
    return rc;
}

int32_t arc_writer_start(struct archive *archive, pdk_error *err) {
    struct arc_writer *writer = &archive->writer;
    writer->kick = (pdk_call){kick, archive, {NULL, NULL}};
    writer->answer = (pdk_call){answer, archive, {NULL, NULL}};
    writer->farewell = (pdk_call){farewell, archive, {NULL, NULL}};
    int rc = create_thread(archive);
    if (rc) return pdk_fail(err, -rc, NULL, "no thread: ", strerror(rc), NULL);
    writer->started = true;
    return 0;
}

/* The kick may be waiting in the loop already: it is the one that stops. */
void arc_writer_stop(struct archive *archive) {
    archive->writer.ending = true;
    archive->loop->post(archive->loop, &archive->writer.kick);
}
