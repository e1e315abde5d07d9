/* SPDX-License-Identifier: Apache-2.0 */
/* Arena, buffer and table, with and without memory. */
#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/table.h"
#include "support/fail_alloc.h"
#include "support/unit.h"

static void arena_gives_zeroed_aligned_memory(void **state) {
    (void)state;
    struct pdk_arena arena = {0};
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *piece = pdk_arena_alloc(&arena, size);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % 8, 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(piece[i], 0);
        memset(piece, 0xAA, size);
    }
    pdk_arena_free(&arena);
    assert_null(arena.chunks);
}

static void arena_keeps_what_it_gave(void **state) {
    (void)state;
    struct pdk_arena arena = {0};
    char *first = pdk_arena_text(&arena, "first", 5);
    char *large = pdk_arena_alloc(&arena, 1000000);
    char *after = pdk_arena_text(&arena, "afterXXX", 5);
    memset(large, 'x', 1000000);
    assert_string_equal(first, "first");
    assert_string_equal(after, "after");
    assert_true(labs(after - first) < 1024); /* a large piece does not waste the room that was left */
    pdk_arena_free(&arena);
}

static void arena_texts_lie_apart_from_structs(void **state) {
    (void)state;
    struct pdk_arena arena = {0};
    uint64_t *numbers[500];
    char *texts[500];
    for (uint64_t i = 0; i < 500; i++) {
        numbers[i] = pdk_arena_alloc(&arena, sizeof(uint64_t));
        texts[i] = pdk_arena_text(&arena, "0123456789", i % 11);
        *numbers[i] = i;
    }
    for (uint64_t i = 0; i < 500; i++) {
        assert_int_equal(*numbers[i], i);
        assert_int_equal(strlen(texts[i]), i % 11);
        assert_memory_equal(texts[i], "0123456789", i % 11);
    }
    pdk_arena_free(&arena);
}

static void arena_refuses_absurd_sizes(void **state) {
    (void)state;
    struct pdk_arena arena = {0};
    assert_null(pdk_arena_alloc(&arena, SIZE_MAX));
    assert_null(pdk_arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(pdk_arena_text(&arena, "", SIZE_MAX));
    pdk_arena_free(&arena);
}

static void buffer_grows_and_ends_in_nul(void **state) {
    (void)state;
    struct pdk_buffer buffer = PDK_BUFFER(100000);
    assert_string_equal(pdk_buffer_string(&buffer), "");
    for (int i = 0; i < 1000; i++) pdk_buffer_format(&buffer, "%d,", i);
    assert_int_equal(buffer.error, 0);
    assert_int_equal(strlen(buffer.data), buffer.size);
    assert_memory_equal(buffer.data, "0,1,2,3,", 8);
    pdk_buffer_cut(&buffer, 4);
    assert_memory_equal(buffer.data, "2,3,", 4);
    pdk_buffer_cut(&buffer, SIZE_MAX);
    assert_string_equal(pdk_buffer_string(&buffer), "");
    pdk_buffer_free(&buffer);
}

static void buffer_formats_more_than_its_stack_holds(void **state) {
    (void)state;
    struct pdk_buffer buffer = PDK_BUFFER(5000);
    pdk_buffer_format(&buffer, "%0999d|", 7);
    assert_int_equal(buffer.size, 1000);
    assert_int_equal(buffer.data[998], '7');
    pdk_buffer_free(&buffer);
}

static void buffer_stops_at_its_limit(void **state) {
    (void)state;
    struct pdk_buffer buffer = PDK_BUFFER(5);
    pdk_buffer_text(&buffer, "abc");
    pdk_buffer_text(&buffer, "def"); /* would be six */
    assert_int_equal(buffer.error, -E2BIG);
    pdk_buffer_text(&buffer, "x"); /* the first failure sticks */
    assert_string_equal(pdk_buffer_string(&buffer), "abc");
    pdk_buffer_free(&buffer);
}

static void table_finds_what_was_put(void **state) {
    (void)state;
    enum { MANY = 5000 };
    static char keys[MANY][8];
    struct pdk_table table = {0};
    assert_null(pdk_table_get(&table, "a", 1));
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        assert_int_equal(pdk_table_put(&table, keys[i], strlen(keys[i]), keys[i]), 0);
    }
    assert_int_equal(table.count, MANY);
    for (int i = 0; i < MANY; i++) assert_ptr_equal(pdk_table_get(&table, keys[i], strlen(keys[i])), keys[i]);
    assert_null(pdk_table_get(&table, "k", 1));
    assert_int_equal(pdk_table_put(&table, "k7", 2, &table), 0); /* in its place */
    assert_ptr_equal(pdk_table_get(&table, keys[7], 2), &table);
    assert_int_equal(table.count, MANY);
    pdk_table_free(&table);
}

static void table_adds_only_what_is_new(void **state) {
    (void)state;
    struct pdk_table table = {0};
    int first, second;
    void *there = &table;
    assert_int_equal(pdk_table_add(&table, "a", 1, &first, &there), 0);
    assert_null(there);
    assert_int_equal(pdk_table_add(&table, "a", 1, &second, &there), 0);
    assert_ptr_equal(there, &first);
    assert_ptr_equal(pdk_table_get(&table, "a", 1), &first);
    assert_int_equal(table.count, 1);
    pdk_table_remove(&table, "a", 1);
    assert_int_equal(pdk_table_add(&table, "a", 1, &second, &there), 0);
    assert_null(there);
    assert_ptr_equal(pdk_table_get(&table, "a", 1), &second);
    assert_int_equal(table.count, 1);
    pdk_table_free(&table);
}

static void table_walk_may_remove(void **state) {
    (void)state;
    static char keys[300][8];
    struct pdk_table table = {0};
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 300; i++) {
            snprintf(keys[i], sizeof(keys[i]), "k%d", i);
            assert_int_equal(pdk_table_put(&table, keys[i], strlen(keys[i]), keys[i]), 0);
        }
        size_t position = 0, seen = 0;
        for (char *key; (key = pdk_table_next(&table, &position)); seen++) {
            if (seen % 2) assert_ptr_equal(pdk_table_remove(&table, key, strlen(key)), key);
        }
        assert_int_equal(seen, 300);
        assert_int_equal(table.count, 150);
        assert_true(table.capacity <= 1024); /* what was removed is not kept for ever */
    }
    assert_null(pdk_table_remove(&table, "none", 4));
    pdk_table_free(&table);
}

static int32_t use_all(void *arg) {
    (void)arg;
    static char keys[60][8];
    struct pdk_arena arena = {0};
    struct pdk_buffer buffer = PDK_BUFFER(100000);
    struct pdk_table table = {0};
    int32_t rc = 0;
    for (int i = 0; i < 60 && !rc; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        if (!pdk_arena_alloc(&arena, 500)) rc = -ENOMEM;
        if (!rc) rc = pdk_table_put(&table, keys[i], strlen(keys[i]), keys[i]);
        pdk_buffer_format(&buffer, "%0300d", i);
        if (!rc) rc = buffer.error;
    }
    pdk_arena_free(&arena);
    pdk_buffer_free(&buffer);
    pdk_table_free(&table);
    return rc;
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    assert_true(pdk_fail_sweep(use_all, NULL) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_keeps_what_it_gave),
        cmocka_unit_test(arena_texts_lie_apart_from_structs),
        cmocka_unit_test(arena_refuses_absurd_sizes),
        cmocka_unit_test(buffer_grows_and_ends_in_nul),
        cmocka_unit_test(buffer_formats_more_than_its_stack_holds),
        cmocka_unit_test(buffer_stops_at_its_limit),
        cmocka_unit_test(table_finds_what_was_put),
        cmocka_unit_test(table_adds_only_what_is_new),
        cmocka_unit_test(table_walk_may_remove),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
