/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive: what runs print and what becomes of them, in files.
 *
 *   the loop's thread    live.c      what is on: tapped, noted, handed to the writer
 *                        reading.c   who reads output; the reading itself is a job of the host's pool
 *                        show.c      who asks for runs; the same
 *   the writer           writer.c    what was handed over, in order
 *                        output.c    the files of attempts
 *                        history.c   the file of runs that have ended, and its index; journal.c: of those that have not
 *   the keeper           keeper.c    packs what is cold, removes what is too old or too much; holds.c: but not what is in use
 *
 *   describe.c           a run as a map        record.c file.c gzip.c names.c text.c   formats
 */
#ifndef ARCHIVE_INSTANCE_H
#define ARCHIVE_INSTANCE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "names.h"
#include "paddock/archive.h"
#include "paddock/control.h"
#include "paddock/helpers.h"
#include "paddock/loop.h"
#include "text.h"

#define SECOND UINT64_C(1000000000)

enum { ARC_PATH = PATH_MAX + 1024, ARC_BUCKETS = 4096, ARC_EVENTS = 200, ARC_TRIES = 100 };

struct archive;

struct arc_options {
    char root[PATH_MAX];
    uint64_t segment, attempt, task, total, buffer;   /* bytes */
    uint64_t output_age, compress_after, history_age; /* ns */
    int32_t compress;
    int64_t runs;
};

extern const pdk_schema arc_config;
int32_t arc_options_read(const pdk_host *host, const pdk_value *config, struct arc_options *o, pdk_error *err);

/* ---- what is on; the main thread's until it is handed over ---- */

/* A copy with all that it points to. */
struct arc_event {
    TAILQ_ENTRY(arc_event) all;
    struct arc_try *of; /* whose end this is, while it is among the events of its run, which own it */
    pdk_event event;
    pdk_usage usage;
    char data[];
};
TAILQ_HEAD(arc_events, arc_event);

struct arc_info {
    pdk_run_info info;
    char data[];
};

/* An attempt as history tells it. */
struct arc_try {
    TAILQ_ENTRY(arc_try) all;
    uint32_t number;
    uint64_t started_ns, bytes, lost;
    _Atomic uint64_t dropped;    /* what the writer could not write */
    struct arc_attempt *attempt; /* that the writer still has; NULL: none */
    struct arc_event *ended;     /* NULL: it has not; its own, where `of` is NULL */
};
TAILQ_HEAD(arc_tries, arc_try);

enum arc_op_kind { ARC_CHUNK, ARC_CLOSE, ARC_BEGIN, ARC_END };

/* What the writer is to do, in order. */
struct arc_op {
    TAILQ_ENTRY(arc_op) link;
    enum arc_op_kind kind;
};
TAILQ_HEAD(arc_ops, arc_op);

/* An attempt that prints. */
struct arc_attempt {
    struct arc_op close;
    TAILQ_ENTRY(arc_attempt) all;
    struct arc_run *run;
    struct arc_try *of;
    uint32_t number;
    bool closing;    /* main: the writer was told */
    uint64_t unsaid; /* what is lost and no chunk has told yet; the writer's once closing */

    /* writer */
    TAILQ_ENTRY(arc_attempt) opened;
    int fd;               /* -1: not open */
    bool begun;           /* there is a file of it */
    bool live;            /* the keeper knows that its folder is in use */
    bool made_folder;     /* and has not been told of it */
    uint64_t start, size; /* of that file: its first offset, its bytes */
    uint64_t offset, gap; /* where the next byte goes; how many are missing before it */
    char folder[2 * ARC_NAME_MAX];
};
TAILQ_HEAD(arc_attempts, arc_attempt);

struct arc_chunk {
    struct arc_op op;
    struct arc_attempt *attempt;
    uint64_t unix_ns, lost;
    int32_t stream;
    size_t size;
    char data[];
};

struct arc_run {
    struct arc_op op;     /* END */
    struct arc_run *next; /* of its bucket */
    uint64_t seq;
    pdk_run handle;
    char *run_id, *task;
    struct arc_events events;
    struct arc_tries tries;
    struct arc_attempts attempts;
    uint32_t event_count, try_count;
    _Atomic uint64_t stored; /* bytes of all its attempts that are in files */
    uint64_t events_omitted, tries_omitted;
    bool begun, ended;
    bool stuck;            /* it has ended, and is known until it is freed, as it may print on */
    bool written;          /* and only for that, as what is kept of it is in files */
    bool unkept;           /* it is gone when the writer has closed its attempts */
    struct arc_info *info; /* when it has ended */
    TAILQ_ENTRY(arc_run) young_link;
    uint64_t young_ns; /* since when it is among the young; 0: it is not */
};
TAILQ_HEAD(arc_runs, arc_run);

struct arc_begin {
    struct arc_op op;
    struct arc_info *info;
};

struct arc_event *arc_event_copy(const pdk_event *event);
struct arc_info *arc_info_copy(const pdk_run_info *info);

int32_t arc_live_begin(struct archive *archive, pdk_error *err);
void arc_live_end(struct archive *archive);
void arc_live_free(struct archive *archive);
struct arc_run *arc_live_find(const struct archive *archive, const char *run_id);
struct arc_attempt *arc_live_attempt(const struct arc_run *run, uint32_t number); /* 0: the last; NULL: it is over */
void arc_live_closed(struct archive *archive, struct arc_attempt *attempt);
void arc_live_written(struct archive *archive, struct arc_run *run);

/* ---- describe.c [any] ---- */
/* A run as it is written down: one map in JSON. */
void arc_print(const struct archive *archive, const struct arc_run *run, const pdk_run_info *info,
               struct arc_text *text);
/* What was written down as it is told, which you own: the map of describe_run, with history and events. */
int32_t arc_expand(const struct archive *archive, const pdk_value *run, const pdk_value **ret);
void arc_put_members(const pdk_values *values, pdk_writer *w, const pdk_value *map);

/* ---- history ---- */

struct arc_entry {
    uint64_t seq, task;
    uint32_t file, place, size;
    uint32_t outcome; /* hash of its word */
};

struct arc_volume {
    uint32_t number, count;
    uint64_t newest_ns;
};

struct arc_history {
    pthread_mutex_t lock;      /* of the index: the writer adds, the keeper removes, readers look */
    struct arc_entry *entries; /* by seq */
    size_t count, capacity;
    struct arc_volume *volumes; /* by number */
    size_t volume_count, volume_capacity;
    int fd; /* the writer's: of the last volume; -1: none */
    uint32_t volume;
    uint64_t size;
    struct arc_text text; /* lines that are to be written, all to this volume */
    size_t line;          /* where in it the last one begins */
    uint64_t newest_ns;   /* of these */
    size_t pending_count, pending_capacity;
    struct arc_entry *pending; /* of these, with their places in text */
};

/* [writer] */
int32_t arc_history_open(struct archive *archive);
/* A line more, which is written and found after the next flush. text: of the run, JSON; it becomes part of the line. */
struct arc_text *arc_history_begin(struct archive *archive, uint64_t seq, uint64_t ended_ns, const char *outcome,
                                   const char *task);
int32_t arc_history_end(struct archive *archive, uint64_t ended_ns);
int32_t arc_history_add(struct archive *archive, uint64_t seq, uint64_t ended_ns, const char *outcome, const char *task,
                        const pdk_value *run);
int32_t arc_history_flush(struct archive *archive);
bool arc_history_has(struct archive *archive, uint64_t seq); /* [any] */
void arc_history_trim(struct archive *archive);              /* [keeper] */
void arc_history_close(struct archive *archive);
/* [any] Of those entries that match, newest first, at most count. task 0, outcomes NULL: all. */
size_t arc_history_select(struct archive *archive, uint64_t before, uint64_t task, const uint32_t *outcomes,
                          size_t outcome_count, struct arc_entry *ret, size_t count);
bool arc_history_find(struct archive *archive, uint64_t seq, struct arc_entry *ret);
/* [any] The run of an entry, which you own. -ENOENT: it was removed meanwhile. -EIO: *err names the file. */
int32_t arc_history_read(struct archive *archive, const struct arc_entry *entry, struct arc_text *cache,
                         uint32_t *cached, const pdk_value **ret, pdk_error *err);
uint32_t arc_outcome_hash(const char *word);

/* ---- the journal of those that are on [writer] ---- */

struct arc_journal {
    int fd;
    uint64_t size, least; /* of the file; when it was last written anew */
    struct arc_text text; /* what is to be written */
    struct arc_line {
        uint64_t seq;
        char *text;
    } * lines; /* of those that are on, by seq */
    size_t count, capacity;
};

int32_t arc_journal_open(struct archive *archive); /* runs of a program that was killed become history */
void arc_journal_begin(struct archive *archive, const pdk_run_info *info);
void arc_journal_ended(struct archive *archive, uint64_t seq);
int32_t arc_journal_flush(struct archive *archive);
void arc_journal_close(struct archive *archive);

/* ---- output [writer] ---- */

struct arc_output {
    struct arc_text text; /* records of current that are not written */
    struct arc_attempt *current;
    uint64_t content; /* bytes that they are about */
    uint64_t data;    /* of these, what was printed */
    struct arc_attempts opened;
    uint32_t opened_count;
};

void arc_output_chunk(struct archive *archive, const struct arc_chunk *chunk);
void arc_output_close(struct archive *archive, struct arc_attempt *attempt);
void arc_output_flush(struct archive *archive);

/* ---- the writer ---- */

struct arc_writer {
    pthread_t thread;
    struct arc_ops gathered; /* main */
    pdk_call kick, answer, farewell;
    bool ending, started;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct arc_ops incoming, outgoing;
    bool stop;
    char *news; /* of its health, for the main thread to tell; NULL: none */
    int32_t news_state;
    _Atomic uint64_t waiting; /* bytes in chunks */
    _Atomic uint32_t ends;    /* runs that have ended and are not written */

    /* writer */
    bool ready;
    uint64_t tried_ns;
    int lock_fd;
    int32_t fault;     /* what was last said; 0: all is well */
    uint64_t fault_ns; /* when it was last so */
};

int32_t arc_writer_start(struct archive *archive, pdk_error *err);
void arc_writer_add(struct archive *archive, struct arc_op *op);
void arc_writer_stop(struct archive *archive);
/* [writer] One line when something stops working, one when it works again (rc 0). */
void arc_writer_say(struct archive *archive, int32_t rc, const char *what, const char *path);

/* ---- the keeper ---- */

enum {
    ARC_ROTATED = 1, /* others of the same attempt may be too much now */
    ARC_VOLUME = 2,  /* of the history */
    ARC_FOLDER = 4   /* the first file in a folder that was made for it */
};

struct arc_item {
    TAILQ_ENTRY(arc_item) all;
    uint64_t due_ns, size;
    uint32_t is;
    bool held; /* its folder is in use until it is counted */
    bool counted;
    char path[]; /* below the root */
};
TAILQ_HEAD(arc_items, arc_item);

struct arc_keeper {
    pthread_t thread;
    bool started, stop;
    pthread_mutex_t lock;
    pthread_cond_t wake, gone; /* gone: a folder that was being removed */
    struct arc_items fresh;    /* by the lock */
    void *live;                /* by the lock: a tree of the folders that are in use */
    struct arc_items taken;    /* the keeper's: counted */
    struct arc_items cold;     /* to be packed now */
    struct arc_items due;      /* and later */
    uint32_t due_count;
    uint64_t total;
    void *tasks;                /* a tree of what each has */
    uint64_t swept_ns, vain_ns; /* vain: until then there is nothing to remove */
    int32_t fault;
    _Atomic uint64_t open_bytes; /* in files that are still written */
    _Atomic bool full;           /* there is nothing left that could be removed */
};

int32_t arc_keeper_start(struct archive *archive, pdk_error *err);
void arc_keeper_stop(struct archive *archive);
/* [writer] A file is finished. path is below the root; is: of ARC_ROTATED and so on. */
void arc_keeper_take(struct archive *archive, const char *path, uint64_t size, uint32_t is);
/* [writer] The folder of a run, "task/run", is in use: it is not removed until it was released as often. Where it is being
 * removed, this waits until it is gone. False: no memory. */
bool arc_keeper_hold(struct archive *archive, const char *folder);
void arc_keeper_release(struct archive *archive, const char *folder); /* [writer, keeper] */
bool arc_keeper_holds(struct archive *archive, const char *folder);   /* [keeper] */
/* [keeper] It is to be removed, and to be given back then. False: it is in use, or there is no memory. */
bool arc_keeper_claim(struct archive *archive, const char *folder);
void arc_keeper_give_back(struct archive *archive, const char *folder);
/* [keeper] Look at all that is kept. first: count it, and tidy what a program that was killed has left. */
void arc_keeper_sweep(struct archive *archive, bool first);
void arc_keeper_turn(struct archive *archive); /* [keeper] What is to be done now. */

/* ---- readers ---- */

struct arc_reading;
TAILQ_HEAD(arc_readings, arc_reading);
struct arc_asking;
TAILQ_HEAD(arc_askings, arc_asking);

int32_t arc_read(const pdk_archive *, const char *run_id, const pdk_read_options *,
                 int32_t (*piece)(void *arg, const pdk_piece *), void (*end)(void *arg, int32_t rc, const pdk_error *),
                 void *arg, pdk_reading_id *ret);
void arc_resume(const pdk_archive *, pdk_reading_id);
void arc_stop(const pdk_archive *, pdk_reading_id);
void arc_readings_stir(struct archive *archive); /* there may be more */
void arc_askings_begin(struct archive *archive); /* those that waited until what was kept is known */
void arc_readings_end(struct archive *archive);

int32_t arc_show(const pdk_archive *, const char *run_id, const pdk_value *filter,
                 void (*reply)(void *arg, int32_t rc, const pdk_value *, const pdk_error *), void *arg);
void arc_askings_end(struct archive *archive);

/* ---- the instance ---- */

struct archive {
    pdk_archive service;
    const pdk_host *host;
    const pdk_values *values;
    const pdk_control *control;
    const pdk_loop *loop;
    const pdk_pool *pool;
    struct arc_options options;
    struct arc_run *buckets[ARC_BUCKETS];
    uint32_t run_count;
    uint64_t unkept; /* runs that had no room */
    pdk_watch events, tap, aging;
    struct arc_runs young; /* that have started and are not in the journal, oldest first */
    struct arc_writer writer;
    struct arc_output output;
    struct arc_history history;
    struct arc_journal journal;
    struct arc_keeper keeper;
    struct arc_readings readings;
    struct arc_askings askings;
    pdk_reading_id next_reading;
    uint32_t calls; /* jobs and calls that are on */
    bool stopping, writer_stopped, told_stopped, loaded;
    _Atomic uint64_t complained; /* the hash of the last complaint */
};

void arc_release(struct archive *archive); /* a call has come back */
/* [any] A line of the log, unless it was the last one of these, too: people ask again. */
void arc_complain(struct archive *archive, const char *text);
void arc_writer_stopped(struct archive *archive);
int32_t arc_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err);
int32_t arc_start(void *self, pdk_error *err);
void arc_stop_all(void *self);
void arc_destroy(void *self);
const void *arc_extension(void *self, const char *id);

#endif
