/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs that are on: running.jsonl has a line when one begins, {"seq":12,"task":"web","run":{...}}, and one when it has ended,
 * {"ended":12}. What a program that was killed left open becomes history: those runs are lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "gzip.h"
#include "instance.h"

enum { COMPACT = 1 << 20, JOURNAL_MAX = 256 << 20, PIECE = 64 << 10 };

static void path_of(const struct archive *archive, const char *name, char *buf, size_t size) {
    arc_path(buf, size, "%s/%s", archive->options.root, name);
}

/* ---- those that are on, by number ---- */

static size_t place_of(const struct arc_journal *j, uint64_t seq) {
    size_t low = 0, high = j->count;
    if (j->count && j->lines[j->count - 1].seq < seq) return j->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (j->lines[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* text becomes its own. */
static void enter(struct arc_journal *j, uint64_t seq, char *text) {
    size_t at = place_of(j, seq);
    if (at < j->count && j->lines[at].seq == seq) {
        free(j->lines[at].text);
        j->lines[at].text = text;
        return;
    }
    if (j->count == j->capacity) {
        size_t capacity = j->capacity ? j->capacity * 2 : 64;
        struct arc_line *lines = realloc(j->lines, capacity * sizeof *lines);
        if (!lines) {
            free(text);
            return;
        }
        j->lines = lines;
        j->capacity = capacity;
    }
    memmove(j->lines + at + 1, j->lines + at, (j->count - at) * sizeof *j->lines);
    j->lines[at] = (struct arc_line){seq, text};
    j->count++;
}

static void leave(struct arc_journal *j, uint64_t seq) {
    size_t at = place_of(j, seq);
    if (at == j->count || j->lines[at].seq != seq) return;
    free(j->lines[at].text);
    j->count--;
    memmove(j->lines + at, j->lines + at + 1, (j->count - at) * sizeof *j->lines);
}

/* ---- of a program that is gone ---- */

static void put_text(const pdk_values *v, pdk_writer *w, const char *key, const char *text) {
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

/* What was known when it began, and that it is lost. */
static int32_t make_lost(const struct archive *archive, const pdk_value *run, const pdk_value **ret) {
    static const char *const changed[] = {"state", "outcome", "message", "ratio", "ready", "attempt_started_at"};
    const pdk_values *v = archive->values;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < v->count(run); i++) {
        size_t k = 0;
        while (k < sizeof changed / sizeof *changed && strcmp(changed[k], v->key_at(run, i)) != 0) k++;
        if (k < sizeof changed / sizeof *changed) continue;
        v->key(w, v->key_at(run, i));
        v->put_value(w, v->at(run, i));
    }
    put_text(v, w, "state", "ended");
    put_text(v, w, "outcome", "lost");
    put_text(v, w, "message", "the program ended before it did");
    static const char *const lists[] = {"history", "events"};
    for (size_t i = 0; i < 2; i++) {
        v->key(w, lists[i]);
        v->put_list(w);
        v->end(w);
    }
    v->end(w);
    return v->close(w, ret, NULL);
}

static void lose(struct archive *archive, const struct arc_line *line) {
    const pdk_values *v = archive->values;
    const pdk_value *value = NULL, *lost = NULL;
    const char *task = "";
    if (v->parse(v, line->text, strlen(line->text), "running.jsonl", &value, NULL) < 0) return;
    (void)v->string(v->get(value, "task"), &task);
    if (make_lost(archive, v->get(value, "run"), &lost) == 0)
        (void)arc_history_add(archive, line->seq, archive->host->unix_ns(archive->host), "lost", task, lost);
    v->drop(lost);
    v->drop(value);
}

static void take_line(struct archive *archive, const char *line, size_t size) {
    const pdk_values *v = archive->values;
    const pdk_value *value = NULL;
    int64_t seq = 0;
    if (v->parse(v, line, size, "running.jsonl", &value, NULL) < 0) return; /* torn by whoever was killed */
    if (v->integer(v->get(value, "ended"), &seq) == 0) {
        leave(&archive->journal, (uint64_t)seq);
    } else if (v->integer(v->get(value, "seq"), &seq) == 0 && seq > 0) {
        char *text = strndup(line, size);
        if (text) enter(&archive->journal, (uint64_t)seq, text);
    }
    v->drop(value);
}

static int32_t read_all(const char *path, struct arc_text *text) {
    char piece[PIECE];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? 0 : -errno;
    do {
        got = read(fd, piece, sizeof piece);
        if (got > 0) arc_text_add(text, piece, (size_t)got);
    } while ((got > 0 && text->size < JOURNAL_MAX) || (got < 0 && errno == EINTR));
    int32_t rc = got < 0 ? -errno : text->failed ? -ENOMEM : 0;
    (void)close(fd);
    return rc;
}

static void take_over(struct archive *archive, const struct arc_text *text) {
    struct arc_journal *j = &archive->journal;
    for (size_t at = 0; at < text->size;) {
        const char *start = text->data + at, *newline = memchr(start, '\n', text->size - at);
        if (!newline) break;
        take_line(archive, start, (size_t)(newline - start));
        at += (size_t)(newline - start) + 1;
    }
    for (size_t i = 0; i < j->count; i++)
        if (!arc_history_has(archive, j->lines[i].seq)) lose(archive, &j->lines[i]);
    while (j->count) leave(j, j->lines[j->count - 1].seq);
}

/* ---- ours ---- */

static int32_t put(int fd, const struct arc_text *text) {
    ssize_t n;
    do n = write(fd, text->data, text->size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (size_t)n < text->size ? -ENOSPC : 0;
}

/* A new file with what is on, in the place of the old one. */
static int32_t rewrite(struct archive *archive) {
    struct arc_journal *j = &archive->journal;
    struct arc_text text = {0};
    char path[ARC_PATH], fresh[ARC_PATH];
    path_of(archive, "running.jsonl", path, sizeof path);
    path_of(archive, "running.jsonl.new", fresh, sizeof fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    for (size_t i = 0; i < j->count; i++) arc_text_format(&text, "%s\n", j->lines[i].text);
    int32_t rc = text.failed ? -ENOMEM : text.size ? put(fd, &text) : 0;
    if (rc == 0 && rename(fresh, path) < 0) rc = -errno;
    if (rc == 0) {
        if (j->fd >= 0) (void)close(j->fd);
        j->fd = fd;
        j->size = j->least = text.size;
    } else {
        (void)close(fd);
        (void)unlink(fresh);
    }
    arc_text_free(&text);
    return rc;
}

int32_t arc_journal_open(struct archive *archive) {
    struct arc_text text = {0};
    char path[ARC_PATH];
    path_of(archive, "running.jsonl", path, sizeof path);
    int32_t rc = read_all(path, &text);
    if (rc < 0) {
        arc_writer_say(archive, rc, "cannot read", path); /* it stays as it is, and is tried again */
    } else {
        take_over(archive, &text);
        rc = arc_history_flush(archive);
        if (rc == 0) rc = rewrite(archive);
    }
    arc_text_free(&text);
    return rc;
}

void arc_journal_begin(struct archive *archive, const pdk_run_info *info) {
    struct arc_journal *j = &archive->journal;
    const pdk_value *value = NULL;
    struct arc_text text = {0};
    if (archive->control->describe_run(archive->control, info, &value) < 0) return;
    arc_text_format(&text, "{\"seq\":%llu,\"task\":\"%s\",\"run\":", (unsigned long long)arc_seq(info->run_id),
                    info->name);
    (void)archive->values->print(archive->values, value, PDK_JSON_PLAIN, arc_text_write, &text);
    arc_text_add(&text, "}", 2);
    archive->values->drop(value);
    if (text.failed) {
        arc_text_free(&text);
        return;
    }
    arc_text_format(&j->text, "%s\n", text.data);
    enter(j, arc_seq(info->run_id), text.data);
}

void arc_journal_ended(struct archive *archive, uint64_t seq) {
    arc_text_format(&archive->journal.text, "{\"ended\":%llu}\n", (unsigned long long)seq);
    leave(&archive->journal, seq);
}

int32_t arc_journal_flush(struct archive *archive) {
    struct arc_journal *j = &archive->journal;
    if (!j->text.size && !j->text.failed) return 0;
    int32_t rc = j->text.failed || j->fd < 0 ? -EIO : put(j->fd, &j->text);
    if (rc == 0) j->size += j->text.size;
    arc_text_clear(&j->text);
    /* One that has a hole is written anew, as soon as that works. */
    if (rc < 0 || j->size > COMPACT + 2 * j->least) rc = rewrite(archive);
    if (rc == 0) return 0;
    if (j->fd >= 0) (void)close(j->fd);
    j->fd = -1;
    return rc;
}

void arc_journal_close(struct archive *archive) {
    struct arc_journal *j = &archive->journal;
    if (j->fd >= 0) (void)close(j->fd);
    j->fd = -1;
    while (j->count) leave(j, j->lines[j->count - 1].seq);
    free(j->lines);
    arc_text_free(&j->text);
    j->lines = NULL;
}
