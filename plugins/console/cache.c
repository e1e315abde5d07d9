/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as they were last written. A list is asked for again and again, and most of it is as it was: a run whose facts have
 * not changed is not described anew. The table has a fixed size; a run takes the place of another that falls on it, which
 * none of the newest does: their numbers follow each other.
 */
#include "console.h"

enum { TEXT_MAX = 64 << 10 };
#define ENDED UINT64_MAX /* in the place of a hash */

static uint64_t mix(uint64_t hash, const void *data, size_t size) {
    const unsigned char *at = data;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    for (; size; size--) hash = (hash ^ *at++) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 29;
}

/* Of what may change of one run: its texts by their content, for pointers say nothing. */
static uint64_t facts(const pdk_run_info *info) {
    pdk_run_info plain;
    if (info->state == PDK_RUN_ENDED) return ENDED; /* nothing of it changes any more */
    const char *texts[] = {info->run_id, info->text, info->code};
    uint64_t hash = 1;
    memcpy(&plain, info, sizeof plain);
    plain.run_id = plain.name = plain.kind = plain.slot = plain.runner = plain.text = plain.code = NULL;
    hash = mix(hash, &plain, sizeof plain);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) hash = mix(hash, texts[i], strlen(texts[i]) + 1);
    return hash;
}

bool con_describe(const struct con *con, const pdk_run_info *info, struct con_text *text) {
    return con->control->print_run(con->control, info, con_text_write, text) == 0 && !text->error;
}

bool con_cache_add(struct con *con, const pdk_run_info *info, struct con_text *to) {
    struct con_cached *entry = &con->cache[info->seq % CON_CACHED];
    uint64_t hash = facts(info);
    if (entry->run != info->run || entry->hash != hash) {
        struct con_text text = {.limit = TEXT_MAX};
        if (info->struct_size != sizeof *info || !con_describe(con, info, &text)) {
            con_text_free(&text);
            return con_describe(con, info, to);
        }
        free(entry->text);
        *entry = (struct con_cached){info->run, hash, text.data, text.size};
    }
    con_text_add(to, entry->text, entry->size);
    return !to->error;
}

void con_cache_free(struct con *con) {
    for (size_t i = 0; i < CON_CACHED; i++) free(con->cache[i].text);
}
