/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance. Nothing is touched before start, so that `paddock check` changes no file. */
#include "instance.h"

#include <errno.h>

static void look(struct archive *archive) {
    if (!archive->writer_stopped || archive->calls || archive->told_stopped) return;
    archive->told_stopped = true;
    archive->host->stopped(archive->host);
}

void arc_release(struct archive *archive) {
    archive->calls--;
    look(archive);
}

void arc_complain(struct archive *archive, const char *text) {
    uint64_t hash = arc_hash(text, strlen(text));
    if (atomic_exchange(&archive->complained, hash) != hash) archive->host->log(archive->host, PDK_LOG_ERROR, 0, text);
}

void arc_writer_stopped(struct archive *archive) {
    archive->writer_stopped = true;
    look(archive);
}

/* The clock that the host's now_ns goes by is not for pthread_cond; delays are. */
static int init_wake(pthread_cond_t *wake) {
    pthread_condattr_t clock;
    int rc = pthread_condattr_init(&clock);
    if (rc) return rc;
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    rc = pthread_cond_init(wake, &clock);
    (void)pthread_condattr_destroy(&clock);
    return rc;
}

static void init(struct archive *archive) {
    (void)pthread_mutex_init(&archive->writer.lock, NULL); /* neither can fail where this runs */
    (void)pthread_mutex_init(&archive->keeper.lock, NULL);
    (void)pthread_mutex_init(&archive->history.lock, NULL);
    (void)init_wake(&archive->writer.wake);
    (void)init_wake(&archive->keeper.wake);
    (void)init_wake(&archive->keeper.gone);
    TAILQ_INIT(&archive->writer.gathered);
    TAILQ_INIT(&archive->writer.incoming);
    TAILQ_INIT(&archive->writer.outgoing);
    TAILQ_INIT(&archive->keeper.fresh);
    TAILQ_INIT(&archive->keeper.taken);
    TAILQ_INIT(&archive->keeper.cold);
    TAILQ_INIT(&archive->keeper.due);
    TAILQ_INIT(&archive->output.opened);
    TAILQ_INIT(&archive->readings);
    TAILQ_INIT(&archive->askings);
    TAILQ_INIT(&archive->young);
    archive->writer.lock_fd = archive->history.fd = archive->journal.fd = -1;
    archive->writer.fault = 1; /* nothing was said yet */
}

int32_t arc_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct archive *archive = calloc(1, sizeof *archive);
    if (!archive) return -ENOMEM;
    archive->service =
        (pdk_archive){(uint32_t)sizeof archive->service, 0, archive, arc_read, arc_resume, arc_stop, arc_show};
    archive->host = host;
    archive->values = host->values;
    archive->control = host->get_extension(host, PDK_CONTROL_1);
    archive->loop = host->get_extension(host, PDK_LOOP_1);
    archive->pool = host->get_extension(host, PDK_POOL_1);
    init(archive);
    int32_t rc = arc_options_read(host, config, &archive->options, err);
    if (rc < 0)
        arc_destroy(archive);
    else
        *ret = archive;
    return rc;
}

int32_t arc_start(void *self, pdk_error *err) {
    struct archive *archive = self;
    if (!archive->control) {
        if (err) pdk_append(err->hint, sizeof err->hint, "`allow: [control]` where it is configured");
        return pdk_fail(err, -ENOTSUP, NULL, "it may not listen to the supervisor", NULL, NULL);
    }
    if (!archive->loop || !archive->pool) return pdk_fail(err, -ENOTSUP, NULL, "this host has no loop", NULL, NULL);
    if (!PDK_HAS(archive->control, print_event))
        return pdk_fail(err, -ENOTSUP, NULL, "this host is too old", NULL, NULL);
    int32_t rc = arc_live_begin(archive, err);
    if (rc == 0) rc = arc_keeper_start(archive, err);
    if (rc == 0) rc = arc_writer_start(archive, err);
    if (rc == 0) return 0;
    arc_live_end(archive);
    arc_keeper_stop(archive);
    return rc;
}

void arc_stop_all(void *self) {
    struct archive *archive = self;
    archive->stopping = true;
    arc_readings_end(archive);
    arc_askings_end(archive);
    arc_live_end(archive);
    arc_writer_stop(archive);
}

void arc_destroy(void *self) {
    struct archive *archive = self;
    arc_live_free(archive);
    free(archive->writer.news);
    free(archive->history.entries);
    free(archive->history.volumes);
    free(archive->history.pending);
    arc_text_free(&archive->history.text);
    arc_text_free(&archive->output.text);
    (void)pthread_cond_destroy(&archive->writer.wake);
    (void)pthread_cond_destroy(&archive->keeper.wake);
    (void)pthread_cond_destroy(&archive->keeper.gone);
    (void)pthread_mutex_destroy(&archive->writer.lock);
    (void)pthread_mutex_destroy(&archive->keeper.lock);
    (void)pthread_mutex_destroy(&archive->history.lock);
    free(archive);
}

const void *arc_extension(void *self, const char *id) {
    const struct archive *archive = self;
    return strcmp(id, PDK_ARCHIVE_1) == 0 ? &archive->service : NULL;
}
