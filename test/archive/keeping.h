/* SPDX-License-Identifier: Apache-2.0 */
/* An archive without a host around it: what it writes and keeps is tried in one thread. */
#ifndef TEST_ARCHIVE_KEEPING_H
#define TEST_ARCHIVE_KEEPING_H

#include "core/value/value.h"
#include "instance.h"
#include "place.h"

static struct archive *a;
static char said[8192];
static uint64_t now_ns;

static __attribute__((unused)) void on_log(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    (void)host, (void)level, (void)attempt;
    (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", text);
}

static __attribute__((unused)) uint64_t get_now(const pdk_host *host) {
    (void)host;
    return now_ns;
}

static __attribute__((unused)) void begin(void) {
    static pdk_host host;
    host = (pdk_host){
        .struct_size = sizeof host, .values = pdk_values_get(), .now_ns = get_now, .unix_ns = get_now, .log = on_log};
    a = calloc(1, sizeof *a);
    a->host = &host;
    a->values = host.values;
    a->options = (struct arc_options){.segment = 4096,
                                      .attempt = 16384,
                                      .task = 1 << 20,
                                      .total = 1 << 20,
                                      .runs = 10,
                                      .output_age = 1000 * SECOND,
                                      .history_age = 1000 * SECOND};
    (void)snprintf(a->options.root, sizeof a->options.root, "%s", place);
    TAILQ_INIT(&a->output.opened);
    TAILQ_INIT(&a->keeper.fresh);
    TAILQ_INIT(&a->keeper.taken);
    TAILQ_INIT(&a->keeper.cold);
    TAILQ_INIT(&a->keeper.due);
    a->writer.lock_fd = a->history.fd = a->journal.fd = -1;
    a->writer.fault = 1;
    said[0] = '\0';
}

/* As a program that is gone, killed or not. */
static __attribute__((unused)) void end(void) {
    arc_journal_close(a);
    arc_history_close(a);
    arc_keeper_stop(a);
    arc_text_free(&a->output.text);
    free(a->writer.news);
    free(a->history.entries);
    free(a->history.volumes);
    free(a->history.pending);
    arc_text_free(&a->history.text);
    free(a);
}

static __attribute__((unused)) int setup(void **state) {
    if (make_place(state) < 0) return -1;
    now_ns = UINT64_C(1767323045000000000);
    begin();
    assert_int_equal(mkdir(in_place("output"), 0700), 0);
    return mkdir(in_place("runs"), 0700);
}

static __attribute__((unused)) int teardown(void **state) {
    end();
    return remove_place(state);
}

static struct arc_run its_run;
static struct arc_try of;
static struct arc_attempt one;

static __attribute__((unused)) void make_attempt(void) {
    of = (struct arc_try){.number = 1};
    one = (struct arc_attempt){.run = &its_run, .of = &of, .number = 1, .fd = -1};
    (void)snprintf(one.folder, sizeof one.folder, "web/run-1");
}

static __attribute__((unused)) void print(const char *data, uint64_t lost) {
    size_t size = strlen(data);
    struct arc_chunk *chunk = calloc(1, sizeof *chunk + size);
    *chunk = (struct arc_chunk){.attempt = &one, .unix_ns = now_ns, .lost = lost, .stream = PDK_STDOUT, .size = size};
    memcpy(chunk->data, data, size);
    arc_output_chunk(a, chunk);
    arc_output_flush(a);
    free(chunk);
}

/* It is as if nobody had changed it since then. */
static __attribute__((unused)) void set_age(const char *name, time_t changed) {
    const struct timespec times[2] = {{changed, 0}, {changed, 0}};
    assert_int_equal(utimensat(AT_FDCWD, in_place(name), times, 0), 0);
}

#endif
