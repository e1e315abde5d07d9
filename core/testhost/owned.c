/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the plugin owns of the host's: values that hold, close and parse gave it, and writers that are open.
 *
 * hold, drop and close are not told whose they are, so each host has functions of its own for them: a row of a table, as
 * long as it lives. All else is the host's own, unwatched.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/testhost/internal.h"
#include "core/testhost/slots.h"

enum { PRINT_MAX = 60 };

/* One address, owned as often as it was given. */
struct owned {
    const void *address; /* its key */
    uint32_t count;
    uint64_t order; /* of the first time */
    uintptr_t caller;
};

static _Atomic(pdk_test *) hosts[PDK_TEST_WATCHED];

static void lock(pdk_test *t) {
    (void)pthread_mutex_lock(&t->lock);
}

static void unlock(pdk_test *t) {
    (void)pthread_mutex_unlock(&t->lock);
}

/* Who cannot be counted spoils the count, and is never missed. Under the lock. */
static void add(struct owning *owning, struct pdk_table *table, const void *address, uintptr_t caller) {
    struct owned *owned = pdk_table_get(table, (const char *)&address, sizeof address);
    if (owned) {
        owned->count++;
        return;
    }
    owned = malloc(sizeof *owned);
    if (owned) *owned = (struct owned){address, 1, owning->order++, caller};
    if (owned && pdk_table_put(table, (const char *)&owned->address, sizeof address, owned) == 0) return;
    free(owned);
    owning->spoiled = true;
}

static void take(pdk_test *t, struct pdk_table *table, const void *address, uintptr_t caller) {
    if (!address) return;
    lock(t);
    add(&t->owning, table, address, caller);
    unlock(t);
}

/* May it be given back? */
static bool give_back(pdk_test *t, struct pdk_table *table, const void *address) {
    struct owned *owned;
    bool spoiled;
    lock(t);
    spoiled = t->owning.spoiled;
    owned = pdk_table_get(table, (const char *)&address, sizeof address);
    if (owned && --owned->count == 0) free(pdk_table_remove(table, (const char *)&address, sizeof address));
    unlock(t);
    return owned || spoiled;
}

/* ---- what the plugin calls ---- */

static pdk_test *of(const pdk_values *values) {
    return values->data;
}

static const pdk_value *hold(size_t row, const pdk_value *value, uintptr_t caller) {
    pdk_test *t = atomic_load(&hosts[row]);
    take(t, &t->owning.values, value, caller);
    return pdk_values_get()->hold(value);
}

/* A service of the test may have given it a value. */
static void drop(size_t row, const pdk_value *value, uintptr_t caller) {
    pdk_test *t = atomic_load(&hosts[row]);
    char place[PDK_PLACE_MAX];
    if (!value) return;
    if (give_back(t, &t->owning.values, value) || t->options.services) {
        pdk_values_get()->drop(value);
        return;
    }
    pdk_test_break(t, PDK_TEST_RULE_OWNED, "drop of a value that it does not own, at %s",
                   pdk_place(caller, place, sizeof place));
}

static pdk_writer *watched_open(const pdk_values *values) {
    pdk_writer *writer = pdk_values_get()->open(pdk_values_get());
    take(of(values), &of(values)->owning.writers, writer, PDK_CALLER);
    return writer;
}

static int32_t close_writer(size_t row, pdk_writer *writer, const pdk_value **ret, pdk_error *err, uintptr_t caller) {
    pdk_test *t = atomic_load(&hosts[row]);
    const pdk_value *value = NULL;
    char place[PDK_PLACE_MAX];
    int32_t rc;
    if (!give_back(t, &t->owning.writers, writer)) {
        pdk_test_break(t, PDK_TEST_RULE_OWNED, "close of a writer that is not open, at %s",
                       pdk_place(caller, place, sizeof place));
        return -EINVAL;
    }
    rc = pdk_values_get()->close(writer, ret ? &value : NULL, err);
    if (rc == 0 && ret) take(t, &t->owning.values, *ret = value, caller);
    return rc;
}

static int32_t watched_parse(const pdk_values *values, const char *data, size_t size, const char *origin,
                             const pdk_value **ret, pdk_error *err) {
    int32_t rc = pdk_values_get()->parse(pdk_values_get(), data, size, origin, ret, err);
    if (rc == 0) take(of(values), &of(values)->owning.values, *ret, PDK_CALLER);
    return rc;
}

static int32_t watched_print(const pdk_values *values, const pdk_value *value, uint32_t flags, pdk_write write,
                             void *arg) {
    (void)values;
    return pdk_values_get()->print(pdk_values_get(), value, flags, write, arg);
}

/* ---- rows ---- */

#define ROW(n)                                                                            \
    static const pdk_value *hold_##n(const pdk_value *value) {                            \
        return hold(n, value, PDK_CALLER);                                                \
    }                                                                                     \
    static void drop_##n(const pdk_value *value) {                                        \
        drop(n, value, PDK_CALLER);                                                       \
    }                                                                                     \
    static int32_t close_##n(pdk_writer *writer, const pdk_value **ret, pdk_error *err) { \
        return close_writer(n, writer, ret, err, PDK_CALLER);                             \
    }
ROW(0)
ROW(1)
ROW(2)
ROW(3)
ROW(4)
ROW(5)
ROW(6)
ROW(7)

#define OF_ROW(n) \
    { hold_##n, drop_##n, close_##n }

static const struct {
    const pdk_value *(*hold)(const pdk_value *);
    void (*drop)(const pdk_value *);
    int32_t (*close)(pdk_writer *, const pdk_value **, pdk_error *);
} rows[PDK_TEST_WATCHED] = {OF_ROW(0), OF_ROW(1), OF_ROW(2), OF_ROW(3), OF_ROW(4), OF_ROW(5), OF_ROW(6), OF_ROW(7)};

const pdk_values *pdk_test_watch_values(pdk_test *t) {
    struct owning *owning = &t->owning;
    for (size_t i = 0; i < PDK_TEST_WATCHED; i++) {
        pdk_test *none = NULL;
        if (!atomic_compare_exchange_strong(&hosts[i], &none, t)) continue;
        owning->row = &hosts[i];
        owning->table = *pdk_values_get();
        owning->table.data = t;
        owning->table.hold = rows[i].hold;
        owning->table.drop = rows[i].drop;
        owning->table.close = rows[i].close;
        owning->table.open = watched_open;
        owning->table.parse = watched_parse;
        owning->table.print = watched_print;
        return &owning->table;
    }
    return pdk_values_get();
}

/* ---- at the end ---- */

/* The oldest of them, and how many there are with all their times. */
static const struct owned *oldest(const struct pdk_table *table, uint32_t *ret_count) {
    const struct owned *owned, *first = NULL;
    size_t position = 0;
    *ret_count = 0;
    while ((owned = pdk_table_next(table, &position))) {
        *ret_count += owned->count;
        if (!first || owned->order < first->order) first = owned;
    }
    return first;
}

/* Enough of it to know it by. */
static const char *show(const pdk_value *value, char *buf, size_t size) {
    struct pdk_buffer text = PDK_BUFFER(OUTPUT_MAX);
    (void)pdk_values_get()->print(pdk_values_get(), value, PDK_JSON_PLAIN, pdk_buffer_write, &text);
    (void)snprintf(buf, size, "%.*s%s", PRINT_MAX, pdk_buffer_string(&text), text.size > PRINT_MAX ? "..." : "");
    pdk_buffer_free(&text);
    return buf;
}

static void look_at_values(pdk_test *t) {
    uint32_t count;
    const struct owned *first = oldest(&t->owning.values, &count);
    char place[PDK_PLACE_MAX], text[PRINT_MAX + 8];
    if (!first) return;
    pdk_test_break(t, PDK_TEST_RULE_OWNED, "%u value%s not dropped; the first, %s, was got at %s", count,
                   count == 1 ? " was" : "s were", show(first->address, text, sizeof text),
                   pdk_place(first->caller, place, sizeof place));
}

static void look_at_writers(pdk_test *t) {
    uint32_t count;
    const struct owned *first = oldest(&t->owning.writers, &count);
    char place[PDK_PLACE_MAX];
    if (!first) return;
    pdk_test_break(t, PDK_TEST_RULE_OWNED, "%u writer%s not closed; the first was opened at %s", count,
                   count == 1 ? " was" : "s were", pdk_place(first->caller, place, sizeof place));
}

static void clear(struct pdk_table *table, void (*give)(const void *address)) {
    struct owned *owned;
    size_t position = 0;
    while ((owned = pdk_table_next(table, &position))) {
        for (; owned->count; owned->count--) give(owned->address);
        pdk_table_remove(table, (const char *)&owned->address, sizeof owned->address);
        free(owned);
    }
    pdk_table_free(table);
}

/* What was not destroyed may still use it. */
static void leave(const void *address) {
    (void)address;
}

static void drop_value(const void *address) {
    pdk_values_get()->drop(address);
}

static void drop_writer(const void *address) {
    (void)pdk_values_get()->close((pdk_writer *)(uintptr_t)address, NULL, NULL);
}

void pdk_test_free_values(pdk_test *t, bool destroyed) {
    if (!t->owning.row) return;
    if (destroyed && !t->owning.spoiled) {
        look_at_values(t);
        look_at_writers(t);
    }
    clear(&t->owning.values, destroyed ? drop_value : leave);
    clear(&t->owning.writers, destroyed ? drop_writer : leave);
    atomic_store(t->owning.row, NULL);
}
