/* SPDX-License-Identifier: Apache-2.0 */
/* Topics: what is set of them is in the file, how many jobs each has is counted once and then kept in memory. */
#include <errno.h>
#include <stdlib.h>

#include "sqlite/inside.h"

static size_t place_of(const struct queue_store *store, const char *name) {
    size_t low = 0, high = store->topic_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(store->topics[middle]->now.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct queue_sqlite_topic *queue_sqlite_topic_find(struct queue_store *store, const char *name) {
    size_t at = place_of(store, name);
    bool here = at < store->topic_count && strcmp(store->topics[at]->now.name, name) == 0;
    return here ? store->topics[at] : NULL;
}

static struct queue_sqlite_topic *insert(struct queue_store *store, const char *name) {
    size_t at = place_of(store, name);
    struct queue_sqlite_topic *topic = calloc(1, sizeof *topic);
    struct queue_sqlite_topic **grown =
        topic ? reallocarray(store->topics, store->topic_count + 1, sizeof *store->topics) : NULL;
    if (!grown) {
        free(topic);
        return NULL;
    }
    queue_cut(topic->now.name, sizeof topic->now.name, name);
    memmove(grown + at + 1, grown + at, (store->topic_count - at) * sizeof *grown);
    grown[at] = topic;
    store->topics = grown;
    store->topic_count++;
    return topic;
}

static int32_t keep(struct queue_store *store, struct queue_sqlite_topic *topic, pdk_error *err) {
    int64_t paused = topic->now.paused;
    int32_t rc = queue_sql_bind(store, SQL_TOPIC_SET, err, "tii", topic->now.name, paused, topic->now.limit);
    if (rc == 0) rc = queue_sql_run(store, SQL_TOPIC_SET, err);
    if (rc < 0) return rc;
    queue_sqlite_count(store, topic, QUEUE_READY, 0); /* so that a roll-back takes `stored` back as well */
    topic->stored = true;
    return 0;
}

int32_t queue_sqlite_topic_get(struct queue_store *store, const char *name, struct queue_sqlite_topic **ret,
                               pdk_error *err) {
    struct queue_sqlite_topic *topic = queue_sqlite_topic_find(store, name);
    if (!topic && store->topic_count >= (size_t)store->config.max_topics)
        return pdk_failf(err, -ENOSPC, NULL, "there are %zu topics, as many as there may be", store->topic_count);
    if (!topic) topic = insert(store, name);
    if (!topic) {
        store->fault = QUEUE_FAULT_STORE;
        return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    }
    *ret = topic;
    return topic->stored ? 0 : keep(store, topic, err);
}

void queue_sqlite_count(struct queue_store *store, struct queue_sqlite_topic *topic, enum queue_state state,
                        int64_t n) {
    if (topic->batch != store->batch) {
        topic->before = topic->now;
        topic->batch = store->batch;
    }
    topic->now.jobs[state] += n;
    if (state != QUEUE_ENDED) store->live += n;
    if (state == QUEUE_READY) store->ready += n;
}

/* What is set of a topic is read again by nobody, so a topic that is not in the file is written when it is next used. */
void queue_sqlite_counts_back(struct queue_store *store) {
    for (size_t i = 0; i < store->topic_count; i++) {
        struct queue_sqlite_topic *topic = store->topics[i];
        if (topic->batch != store->batch) continue;
        topic->now = topic->before;
        topic->stored = false;
    }
}

static int32_t load_row(struct queue_store *store, sqlite3_stmt *row) {
    const char *name = queue_column_text(row, 0);
    struct queue_sqlite_topic *topic = name ? queue_sqlite_topic_find(store, name) : NULL;
    if (!topic && name) topic = insert(store, name);
    if (!topic) return SQLITE_NOMEM;
    if (sqlite3_column_type(row, 1) != SQLITE_NULL) { /* settings */
        topic->now.paused = sqlite3_column_int(row, 1) != 0;
        topic->now.limit = sqlite3_column_int64(row, 2);
        topic->stored = true;
    } else {
        int64_t n = sqlite3_column_int64(row, 4);
        topic->now.jobs[sqlite3_column_int(row, 3) & 3] = n;
        if (sqlite3_column_int(row, 3) != QUEUE_ENDED) store->live += n;
        if (sqlite3_column_int(row, 3) == QUEUE_READY) store->ready += n;
    }
    return SQLITE_OK;
}

int32_t queue_sqlite_topics_load(struct queue_store *store, pdk_error *err) {
    static const char text[] = "SELECT name,paused,running,0,0 FROM topic "
                               "UNION ALL SELECT topic,NULL,NULL,0,count(*) FROM job WHERE state=0 GROUP BY topic "
                               "UNION ALL SELECT topic,NULL,NULL,1,count(*) FROM job WHERE state=1 GROUP BY topic "
                               "UNION ALL SELECT topic,NULL,NULL,2,count(*) FROM job WHERE state=2 GROUP BY topic "
                               "UNION ALL SELECT topic,NULL,NULL,3,count(*) FROM ended WHERE dead=1 GROUP BY topic";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) code = load_row(store, statement);
    int32_t rc = code == SQLITE_DONE ? 0 : queue_sql_fault(store, code, err);
    (void)sqlite3_finalize(statement);
    return rc;
}

void queue_sqlite_topics_free(struct queue_store *store) {
    for (size_t i = 0; i < store->topic_count; i++) free(store->topics[i]);
    free(store->topics);
}

int32_t queue_sqlite_set_topic(struct queue_store *store, const struct queue_topic_setting *setting, pdk_error *err) {
    struct queue_sqlite_topic *topic = NULL;
    int32_t rc = queue_sqlite_topic_get(store, setting->name, &topic, err);
    if (rc < 0 || !topic) return rc;
    queue_sqlite_count(store, topic, QUEUE_READY, 0); /* so that a roll-back takes what is set back as well */
    if (setting->paused >= 0) topic->now.paused = setting->paused != 0;
    if (setting->limit >= 0) topic->now.limit = setting->limit;
    return keep(store, topic, err);
}

/* The first of each priority was due before the others of it. */
static int32_t find_oldest(struct queue_store *store, struct queue_topic *topic, pdk_error *err) {
    int64_t below = QUEUE_MAX_PRIORITY + 1;
    topic->oldest = 0;
    if (!topic->jobs[QUEUE_READY]) return 0;
    for (;;) {
        sqlite3_stmt *row = NULL;
        int32_t rc = queue_sql_bind(store, SQL_TOPIC_OLDEST, err, "ti", topic->name, below);
        if (rc == 0) rc = queue_sql_step(store, SQL_TOPIC_OLDEST, &row, err);
        if (rc <= 0) return rc;
        below = sqlite3_column_int64(row, 0);
        int64_t due = sqlite3_column_int64(row, 1);
        if (!topic->oldest || due < topic->oldest) topic->oldest = due;
        queue_sql_reset(store, SQL_TOPIC_OLDEST);
    }
}

int32_t queue_sqlite_topics(struct queue_store *store, const char *name, queue_each_topic each, void *arg,
                            pdk_error *err) {
    size_t first = name ? place_of(store, name) : 0, end = name ? first + 1 : store->topic_count;
    if (name && !queue_sqlite_topic_find(store, name))
        return pdk_fail(err, -ENOENT, NULL, "there is no topic ", name, NULL);
    for (size_t i = first; i < end; i++) {
        int32_t rc = find_oldest(store, &store->topics[i]->now, err);
        if (rc == 0) rc = each(arg, &store->topics[i]->now);
        if (rc < 0) return rc;
    }
    return 0;
}
