/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs that have ended, a line of JSON each, in volumes of a limited size: runs/00000001.jsonl. A line begins so that the
 * index can be made without reading the rest:
 *
 *     {"seq":12,"ended_ns":1767323045123456789,"outcome":"succeeded","task":"web","run":{...}}
 *
 * The index is in memory, by the number of the run. A program begins a volume of its own, so the torn end of one that was
 * killed stays where it is, and is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gzip.h"
#include "instance.h"

enum { TEXT_FULL = 256 << 10, VOLUME = 1 << 20, VOLUME_MAX = 64 << 20, PIECE = 64 << 10 };

static void path_of(const struct archive *archive, uint32_t number, bool cold, char *buf, size_t size) {
    arc_path(buf, size, "%s/runs/%08u.jsonl%s", archive->options.root, number, cold ? ".gz" : "");
}

/* ---- the index, under its lock ---- */

/* The first that is not lower. */
static size_t place_of(const struct arc_history *h, uint64_t seq) {
    size_t low = 0, high = h->count;
    if (h->count && h->entries[h->count - 1].seq < seq) return h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (h->entries[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t insert(struct arc_history *h, const struct arc_entry *entry) {
    size_t at = place_of(h, entry->seq);
    if (at < h->count && h->entries[at].seq == entry->seq) {
        h->entries[at] = *entry; /* it was told again, or comes from a life that began to count anew */
        return 0;
    }
    if (h->count == h->capacity) {
        size_t capacity = h->capacity ? h->capacity * 2 : 256;
        struct arc_entry *entries = realloc(h->entries, capacity * sizeof *entries);
        if (!entries) return -ENOMEM;
        h->entries = entries;
        h->capacity = capacity;
    }
    memmove(h->entries + at + 1, h->entries + at, (h->count - at) * sizeof *h->entries);
    h->entries[at] = *entry;
    h->count++;
    return 0;
}

static struct arc_volume *volume_of(struct arc_history *h, uint32_t number) {
    if (h->volume_count && h->volumes[h->volume_count - 1].number == number) return &h->volumes[h->volume_count - 1];
    if (h->volume_count == h->volume_capacity) {
        size_t capacity = h->volume_capacity ? h->volume_capacity * 2 : 16;
        struct arc_volume *volumes = realloc(h->volumes, capacity * sizeof *volumes);
        if (!volumes) return NULL;
        h->volumes = volumes;
        h->volume_capacity = capacity;
    }
    h->volumes[h->volume_count] = (struct arc_volume){.number = number};
    return &h->volumes[h->volume_count++];
}

/* All are of one volume. */
static int32_t enter(struct arc_history *h, const struct arc_entry *entries, size_t count, uint64_t newest_ns) {
    int32_t rc = 0;
    (void)pthread_mutex_lock(&h->lock);
    struct arc_volume *volume = volume_of(h, entries->file);
    if (!volume) rc = -ENOMEM;
    for (size_t i = 0; i < count && rc == 0; i++)
        if ((rc = insert(h, &entries[i])) == 0) volume->count++;
    if (rc == 0 && volume->newest_ns < newest_ns) volume->newest_ns = newest_ns;
    (void)pthread_mutex_unlock(&h->lock);
    return rc;
}

bool arc_history_find(struct archive *archive, uint64_t seq, struct arc_entry *ret) {
    struct arc_history *h = &archive->history;
    (void)pthread_mutex_lock(&h->lock);
    size_t at = place_of(h, seq);
    bool found = at < h->count && h->entries[at].seq == seq;
    if (found) *ret = h->entries[at];
    (void)pthread_mutex_unlock(&h->lock);
    return found;
}

bool arc_history_has(struct archive *archive, uint64_t seq) {
    struct arc_entry entry;
    return arc_history_find(archive, seq, &entry);
}

static bool is_one_of(uint32_t outcome, const uint32_t *outcomes, size_t count) {
    size_t i = 0;
    while (i < count && outcomes[i] != outcome) i++;
    return !count || i < count;
}

size_t arc_history_select(struct archive *archive, uint64_t before, uint64_t task, const uint32_t *outcomes,
                          size_t outcome_count, struct arc_entry *ret, size_t count) {
    struct arc_history *h = &archive->history;
    size_t found = 0;
    (void)pthread_mutex_lock(&h->lock);
    for (size_t at = before ? place_of(h, before) : h->count; at-- > 0 && found < count;) {
        const struct arc_entry *entry = &h->entries[at];
        if (task && entry->task != task) continue;
        if (is_one_of(entry->outcome, outcomes, outcome_count)) ret[found++] = *entry;
    }
    (void)pthread_mutex_unlock(&h->lock);
    return found;
}

/* ---- lines ---- */

uint32_t arc_outcome_hash(const char *word) {
    return (uint32_t)arc_hash(word, strlen(word));
}

static const char *skip(const char *at, const char *end, const char *word) {
    size_t size = strlen(word);
    return at && (size_t)(end - at) >= size && !memcmp(at, word, size) ? at + size : NULL;
}

static const char *take_number(const char *at, const char *end, uint64_t *ret) {
    const char *start = at;
    *ret = 0;
    for (; at && at < end && *at >= '0' && *at <= '9'; at++) *ret = *ret * 10 + (uint64_t)(*at - '0');
    return at && at > start && at - start < 20 ? at : NULL;
}

/* Up to the quote that is followed by what is to come next. */
static const char *take_word(const char *at, const char *end, const char *next, const char **ret, size_t *ret_size) {
    const char *stop = at ? memmem(at, (size_t)(end - at), next, strlen(next)) : NULL;
    *ret = at;
    *ret_size = stop ? (size_t)(stop - at) : 0;
    return stop ? stop + strlen(next) : NULL;
}

static bool read_line(const char *line, size_t size, struct arc_entry *entry, uint64_t *ended_ns) {
    const char *end = line + size, *at, *outcome, *task;
    size_t outcome_size, task_size;
    at = take_number(skip(line, end, "{\"seq\":"), end, &entry->seq);
    at = take_number(skip(at, end, ",\"ended_ns\":"), end, ended_ns);
    at = take_word(skip(at, end, ",\"outcome\":\""), end, "\",\"task\":\"", &outcome, &outcome_size);
    at = take_word(at, end, "\",\"run\":{", &task, &task_size);
    if (!at || size < 3 || memcmp(end - 3, "}}\n", 3) != 0) return false;
    entry->outcome = (uint32_t)arc_hash(outcome, outcome_size);
    entry->task = arc_hash(task, task_size);
    entry->size = (uint32_t)size;
    return true;
}

/* ---- volumes that are there ---- */

/* -ENOENT; -EIO with *err. */
static int32_t load(const struct archive *archive, uint32_t number, struct arc_text *text, pdk_error *err) {
    struct arc_gzip *file = NULL;
    char path[ARC_PATH], piece[PIECE];
    int64_t got = 0;
    path_of(archive, number, false, path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        path_of(archive, number, true, path, sizeof path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0 && errno == ENOENT) return -ENOENT;
    if (fd < 0) return pdk_failf(err, -EIO, NULL, "%s: %s", path, strerror(errno));
    if (arc_gzip_open(fd, &file) < 0) return -ENOMEM;
    arc_text_clear(text);
    while (text->size < VOLUME_MAX && (got = arc_gzip_read(file, piece, sizeof piece)) > 0)
        arc_text_add(text, piece, (size_t)got);
    arc_gzip_close(file);
    if (got < 0 && got != -ENOMEM)
        return pdk_failf(err, -EIO, NULL, "%s: %s", path, got == -EBADMSG ? "it is damaged" : "it cannot be read");
    return got < 0 || text->failed ? -ENOMEM : 0;
}

static int32_t enter_lines(struct archive *archive, uint32_t number, const struct arc_text *text) {
    uint64_t line = 0;
    int32_t rc = 0;
    for (size_t at = 0; at < text->size && rc == 0;) {
        const char *start = text->data + at, *newline = memchr(start, '\n', text->size - at);
        struct arc_entry entry = {.file = number, .place = (uint32_t)at};
        uint64_t ended_ns = 0;
        if (!newline) break; /* it was cut off */
        line++;
        at += (size_t)(newline - start) + 1;
        if (read_line(start, (size_t)(newline - start) + 1, &entry, &ended_ns))
            rc = enter(&archive->history, &entry, 1, ended_ns);
        else
            pdk_logf(archive->host, PDK_LOG_WARN, 0,
                     "%s/runs/%08u.jsonl, line %llu: a run is wanted there, this is none; it is left out",
                     archive->options.root, number, (unsigned long long)line);
    }
    return rc;
}

/* One without a run that can be read is as old as its file. */
static int32_t enter_file(struct archive *archive, uint32_t number) {
    struct arc_history *h = &archive->history;
    char plain[ARC_PATH], packed[ARC_PATH];
    struct stat status;
    path_of(archive, number, false, plain, sizeof plain);
    path_of(archive, number, true, packed, sizeof packed);
    if (stat(plain, &status) < 0 && stat(packed, &status) < 0) return 0;
    (void)pthread_mutex_lock(&h->lock);
    struct arc_volume *volume = volume_of(h, number);
    if (volume && !volume->count)
        volume->newest_ns = (uint64_t)status.st_mtim.tv_sec * SECOND + (uint64_t)status.st_mtim.tv_nsec;
    (void)pthread_mutex_unlock(&h->lock);
    return volume ? 0 : -ENOMEM;
}

static int32_t read_volume(struct archive *archive, uint32_t number) {
    struct arc_text text = {0};
    pdk_error err = PDK_ERROR;
    int32_t rc = load(archive, number, &text, &err);
    if (rc == -EIO) pdk_logf(archive->host, PDK_LOG_WARN, 0, "%s; its runs are left out", err.message);
    if (rc == 0 || rc == -EIO) rc = enter_lines(archive, number, &text);
    arc_text_free(&text);
    if (rc == -ENOENT) return 0;
    return rc == 0 ? enter_file(archive, number) : rc;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static size_t list_volumes(const struct archive *archive, uint32_t **ret) {
    char path[ARC_PATH];
    size_t count = 0, capacity = 0;
    arc_path(path, sizeof path, "%s/runs", archive->options.root);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char *end = NULL;
        unsigned long number = strtoul(entry->d_name, &end, 10);
        if (end != entry->d_name + 8 || strncmp(end, ".jsonl", 6) != 0 || number == 0 || strstr(end, ".new")) continue;
        if (count == capacity) {
            uint32_t *more = realloc(*ret, (capacity = capacity ? capacity * 2 : 64) * sizeof **ret);
            if (!more) break;
            *ret = more;
        }
        (*ret)[count++] = (uint32_t)number;
    }
    if (folder) (void)closedir(folder);
    if (count) qsort(*ret, count, sizeof **ret, compare);
    return count;
}

/* The keeper looks which one is ours. */
static void set_volume(struct arc_history *h, uint32_t number) {
    (void)pthread_mutex_lock(&h->lock);
    h->volume = number;
    (void)pthread_mutex_unlock(&h->lock);
}

/* To the keeper, which packs it in time; nothing happens to one that is packed. */
static void hand_over(struct archive *archive, uint32_t number, uint64_t size) {
    char path[64];
    arc_path(path, sizeof path, "runs/%08u.jsonl", number);
    arc_keeper_take(archive, path, size, ARC_VOLUME);
}

int32_t arc_history_open(struct archive *archive) {
    struct arc_history *h = &archive->history;
    uint32_t *numbers = NULL;
    int32_t rc = 0;
    size_t count = list_volumes(archive, &numbers);
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] <= h->volume) continue; /* both plain and packed, or a second try */
        rc = read_volume(archive, numbers[i]);
        if (rc < 0) break; /* no memory: a second try begins with this one */
        set_volume(h, numbers[i]);
        hand_over(archive, numbers[i], 0);
    }
    free(numbers);
    return rc;
}

/* ---- adding ---- */

static void end_volume(struct archive *archive) {
    struct arc_history *h = &archive->history;
    if (h->fd < 0) return;
    (void)close(h->fd);
    h->fd = -1;
    hand_over(archive, h->volume, h->size);
}

static int32_t begin_volume(struct archive *archive) {
    struct arc_history *h = &archive->history;
    char path[ARC_PATH];
    if (h->fd >= 0 && h->size < VOLUME) return 0;
    end_volume(archive);
    path_of(archive, h->volume + 1, false, path, sizeof path);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    set_volume(h, h->volume + 1);
    h->fd = fd;
    h->size = 0;
    return 0;
}

static int32_t append(struct arc_history *h, const char *data, size_t size) {
    ssize_t n;
    do n = write(h->fd, data, size);
    while (n < 0 && errno == EINTR);
    int32_t rc = n < 0 ? -errno : (size_t)n < size ? -ENOSPC : 0;
    if (rc == 0) {
        h->size += size;
    } else if (ftruncate(h->fd, (off_t)h->size) < 0) {
        (void)close(h->fd);
        h->fd = -1;
    }
    return rc;
}

/* So many of what is pending, which stand at data. */
static int32_t write_lines(struct archive *archive, struct arc_entry *entries, size_t count, const char *data,
                           size_t size) {
    struct arc_history *h = &archive->history;
    int32_t rc = begin_volume(archive);
    for (size_t i = 0, place = h->size; i < count; place += entries[i++].size) {
        entries[i].file = h->volume;
        entries[i].place = (uint32_t)place;
    }
    if (rc == 0) rc = append(h, data, size);
    return rc == 0 ? enter(h, entries, count, h->newest_ns) : rc;
}

/* Where all do not fit those that do are written. */
int32_t arc_history_flush(struct archive *archive) {
    struct arc_history *h = &archive->history;
    char path[ARC_PATH];
    if (!h->pending_count) return 0;
    int32_t rc = write_lines(archive, h->pending, h->pending_count, h->text.data, h->text.size);
    for (size_t i = 0, at = 0; rc < 0 && h->pending_count > 1 && i < h->pending_count; at += h->pending[i++].size)
        (void)write_lines(archive, &h->pending[i], 1, h->text.data + at, h->pending[i].size);
    path_of(archive, h->volume, false, path, sizeof path);
    arc_writer_say(archive, rc, "cannot write", path);
    arc_text_clear(&h->text);
    h->pending_count = 0;
    h->newest_ns = 0;
    return rc;
}

static bool has_place(struct arc_history *h) {
    size_t capacity = h->pending_capacity ? h->pending_capacity * 2 : 64;
    if (h->pending_count < h->pending_capacity) return true;
    struct arc_entry *pending = realloc(h->pending, capacity * sizeof *pending);
    if (!pending) return false;
    h->pending = pending;
    h->pending_capacity = capacity;
    return true;
}

struct arc_text *arc_history_begin(struct archive *archive, uint64_t seq, uint64_t ended_ns, const char *outcome,
                                   const char *task) {
    struct arc_text *text = &archive->history.text;
    archive->history.line = text->size;
    arc_text_put(text, "{\"seq\":");
    arc_text_number(text, seq);
    arc_text_put(text, ",\"ended_ns\":");
    arc_text_number(text, ended_ns);
    arc_text_put(text, ",\"outcome\":\"");
    arc_text_put(text, outcome);
    arc_text_put(text, "\",\"task\":\"");
    arc_text_put(text, task);
    arc_text_put(text, "\",\"run\":");
    return text;
}

int32_t arc_history_end(struct archive *archive, uint64_t ended_ns) {
    struct arc_history *h = &archive->history;
    struct arc_entry entry = {0};
    uint64_t read_ns;
    arc_text_put(&h->text, "}\n");
    int32_t rc = h->text.failed || !has_place(h) ? -ENOMEM : 0;
    if (rc == 0 && !read_line(h->text.data + h->line, h->text.size - h->line, &entry, &read_ns)) rc = -EINVAL;
    if (rc < 0) {
        arc_writer_say(archive, rc, "cannot write the history below", archive->options.root);
        h->text.size = h->line; /* the lines before it are whole */
        h->text.failed = false;
        return rc;
    }
    h->pending[h->pending_count++] = entry;
    if (h->newest_ns < ended_ns) h->newest_ns = ended_ns;
    return h->text.size < TEXT_FULL ? 0 : arc_history_flush(archive);
}

int32_t arc_history_add(struct archive *archive, uint64_t seq, uint64_t ended_ns, const char *outcome, const char *task,
                        const pdk_value *run) {
    struct arc_text *text = arc_history_begin(archive, seq, ended_ns, outcome, task);
    if (archive->values->print(archive->values, run, PDK_JSON_PLAIN, arc_text_write, text) < 0) text->failed = true;
    return arc_history_end(archive, ended_ns);
}

void arc_history_close(struct archive *archive) {
    if (archive->history.fd >= 0) (void)close(archive->history.fd);
    archive->history.fd = -1;
}

/* ---- reading ---- */

int32_t arc_history_read(struct archive *archive, const struct arc_entry *entry, struct arc_text *cache,
                         uint32_t *cached, const pdk_value **ret, pdk_error *err) {
    const pdk_values *v = archive->values;
    const pdk_value *line = NULL;
    char origin[64];
    bool loaded = *cached == entry->file && entry->place + (size_t)entry->size <= cache->size;
    int32_t rc = loaded ? 0 : load(archive, entry->file, cache, err);
    *cached = rc == 0 ? entry->file : 0;
    if (rc < 0) return rc;
    (void)snprintf(origin, sizeof origin, "runs/%08u.jsonl", entry->file);
    if (entry->place + (size_t)entry->size <= cache->size)
        rc = v->parse(v, cache->data + entry->place, entry->size - 1, origin, &line, err);
    *ret = rc == 0 ? v->hold(v->get(line, "run")) : NULL;
    v->drop(line);
    if (rc == -ENOMEM) return rc;
    if (*ret && v->type(*ret) == PDK_MAP) return 0;
    v->drop(*ret);
    *ret = NULL;
    return pdk_failf(err, -EIO, NULL, "%s/%s, byte %u: a run is wanted there, this is none", archive->options.root,
                     origin, entry->place);
}

/* ---- the keeper ---- */

static void forget_oldest(struct arc_history *h) {
    uint32_t number = h->volumes[0].number;
    size_t kept = 0;
    for (size_t i = 0; i < h->count; i++)
        if (h->entries[i].file != number) h->entries[kept++] = h->entries[i];
    h->count = kept;
    h->volume_count--;
    memmove(h->volumes, h->volumes + 1, h->volume_count * sizeof *h->volumes);
}

/* The oldest volume leaves the index, if it is too old or one too many. Returns its number; 0: it stays. */
static uint32_t take_oldest(struct archive *archive) {
    struct arc_history *h = &archive->history;
    uint64_t now = archive->host->unix_ns(archive->host), age = archive->options.history_age;
    size_t runs = (size_t)archive->options.runs;
    uint32_t number = 0;
    (void)pthread_mutex_lock(&h->lock);
    if (h->volume_count && h->volumes[0].number < h->volume) {
        const struct arc_volume *oldest = &h->volumes[0];
        bool old = now > age && oldest->newest_ns < now - age;
        bool many = h->count > runs && h->count - oldest->count >= runs;
        if (old || many) {
            number = oldest->number;
            forget_oldest(h);
        }
    }
    (void)pthread_mutex_unlock(&h->lock);
    return number;
}

/* Files are removed outside of the lock: the loop's thread takes it too, and must not wait for the disk. */
void arc_history_trim(struct archive *archive) {
    char path[ARC_PATH];
    for (uint32_t number = take_oldest(archive); number; number = take_oldest(archive)) {
        path_of(archive, number, false, path, sizeof path);
        (void)unlink(path);
        path_of(archive, number, true, path, sizeof path);
        (void)unlink(path);
    }
}
