/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and sharing values. */
#include <math.h>
#include <pthread.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/value/value.h"
#include "support/fail_alloc.h"
#include "support/unit.h"

static const pdk_values *v(void) {
    return pdk_values_get();
}

static const pdk_value *parse(const char *json) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    assert_int_equal(v()->parse(v(), json, strlen(json), "test", &value, &err), 0);
    return value;
}

static void assert_json(const pdk_value *value, const char *wanted) {
    struct pdk_buffer out = PDK_BUFFER(1000000);
    assert_int_equal(v()->print(v(), value, PDK_JSON_PLAIN, pdk_buffer_write, &out), 0);
    assert_string_equal(pdk_buffer_string(&out), wanted);
    pdk_buffer_free(&out);
}

static void null_reads_as_null(void **state) {
    (void)state;
    int32_t truth = 7;
    const char *text = "kept";
    uint64_t big = 9;
    char where[8] = "x";
    assert_int_equal(v()->type(NULL), PDK_NULL);
    assert_int_equal(v()->count(NULL), 0);
    assert_null(v()->get(NULL, "a"));
    assert_null(v()->at(NULL, 0));
    assert_null(v()->key_at(NULL, 0));
    assert_int_equal(v()->boolean(NULL, &truth), -ENOENT);
    assert_int_equal(v()->string(NULL, &text), -ENOENT);
    assert_int_equal(v()->duration(NULL, &big), -ENOENT);
    assert_int_equal(v()->size(NULL, &big), -ENOENT);
    assert_int_equal(v()->where(NULL, where, sizeof(where)), 0);
    assert_string_equal(where, "");
    assert_string_equal(text, "kept");
    assert_null(v()->hold(NULL));
    v()->drop(NULL);
    assert_json(NULL, "null");
}

static void scalars_are_read_by_type(void **state) {
    (void)state;
    const pdk_value *map = parse("{\"t\":true,\"i\":7,\"n\":2.5,\"w\":3.0,\"s\":\"1m30s\",\"z\":\"10MiB\",\"u\":null,"
                                 "\"big\":1e300,\"neg\":-1,\"bad\":\"4k\"}");
    int32_t truth;
    int64_t integer;
    double number;
    const char *text;
    uint64_t ns;
    assert_int_equal(v()->boolean(v()->get(map, "t"), &truth), 0);
    assert_int_equal(truth, 1);
    assert_int_equal(v()->boolean(v()->get(map, "i"), &truth), -EINVAL);
    assert_int_equal(v()->boolean(v()->get(map, "u"), &truth), -ENOENT);
    assert_int_equal(v()->integer(v()->get(map, "i"), &integer), 0);
    assert_int_equal(integer, 7);
    assert_int_equal(v()->integer(v()->get(map, "w"), &integer), 0);
    assert_int_equal(integer, 3);
    assert_int_equal(v()->integer(v()->get(map, "n"), &integer), -EINVAL);
    assert_int_equal(v()->integer(v()->get(map, "big"), &integer), -EINVAL);
    assert_int_equal(v()->number(v()->get(map, "i"), &number), 0);
    assert_true(number == 7.0);
    assert_int_equal(v()->string(v()->get(map, "i"), &text), -EINVAL);
    assert_int_equal(v()->string(v()->get(map, "s"), &text), 0);
    assert_string_equal(text, "1m30s");
    assert_int_equal(v()->duration(v()->get(map, "s"), &ns), 0);
    assert_int_equal(ns, 90 * PDK_SECOND);
    assert_int_equal(v()->duration(v()->get(map, "n"), &ns), 0);
    assert_int_equal(ns, 2500 * PDK_MILLISECOND);
    assert_int_equal(v()->duration(v()->get(map, "neg"), &ns), -EINVAL);
    assert_int_equal(v()->duration(v()->get(map, "big"), &ns), -EINVAL);
    assert_int_equal(v()->size(v()->get(map, "z"), &ns), 0);
    assert_int_equal(ns, 10 << 20);
    assert_int_equal(v()->size(v()->get(map, "neg"), &ns), -EINVAL);
    assert_int_equal(v()->size(v()->get(map, "bad"), &ns), -EINVAL);
    assert_string_equal(pdk_value_text(v()->get(map, "n")), "2.5");
    assert_string_equal(pdk_value_text(v()->get(map, "t")), "true");
    assert_null(pdk_value_text(v()->get(map, "u")));
    assert_null(pdk_value_text(map));
    assert_int_equal(v()->count(v()->get(map, "s")), 5);
    v()->drop(map);
}

static void large_maps_are_indexed(void **state) {
    (void)state;
    pdk_writer *w = v()->open(v());
    char key[16];
    v()->put_map(w);
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        v()->key(w, key);
        v()->put_int(w, i);
    }
    v()->end(w);
    const pdk_value *map;
    assert_int_equal(v()->close(w, &map, NULL), 0);
    assert_int_equal(v()->count(map), 3000);
    assert_non_null(map->as.map.index);
    for (int i = 0; i < 3000; i += 7) {
        int64_t number = -1;
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(v()->integer(v()->get(map, key), &number), 0);
        assert_int_equal(number, i);
        assert_string_equal(v()->key_at(map, (size_t)i), key); /* in the order they came */
    }
    assert_null(v()->get(map, "k3000"));
    assert_null(v()->at(map, 3000));
    v()->drop(map);
}

static int32_t close_with_message(pdk_writer *w, const char *message) {
    const pdk_value *kept = (const pdk_value *)(const void *)"kept", *value = kept;
    pdk_error err = PDK_ERROR;
    int32_t rc = v()->close(w, &value, &err);
    assert_ptr_equal(value, kept);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, rc);
    return rc;
}

static void the_first_mistake_sticks(void **state) {
    (void)state;
    pdk_writer *w = v()->open(v());
    assert_int_equal(close_with_message(w, "nothing was written"), -EINVAL);

    w = v()->open(v());
    v()->put_map(w);
    assert_int_equal(close_with_message(w, "a map was not ended"), -EINVAL);

    w = v()->open(v());
    v()->put_map(w);
    v()->put_int(w, 1);
    v()->key(w, "later mistakes are not told");
    v()->end(w);
    assert_int_equal(close_with_message(w, "a value without a key in a map"), -EINVAL);

    w = v()->open(v());
    v()->put_map(w);
    v()->key(w, "a");
    v()->end(w);
    assert_int_equal(close_with_message(w, "key \"a\" without a value"), -EINVAL);

    w = v()->open(v());
    v()->put_map(w);
    v()->key(w, "a");
    v()->key(w, "b");
    assert_int_equal(close_with_message(w, "key \"a\" without a value"), -EINVAL);

    w = v()->open(v());
    v()->put_list(w);
    v()->key(w, "a");
    assert_int_equal(close_with_message(w, "key \"a\" outside a map"), -EINVAL);

    w = v()->open(v());
    v()->end(w);
    assert_int_equal(close_with_message(w, "an end without a beginning"), -EINVAL);

    w = v()->open(v());
    v()->put_null(w);
    v()->put_null(w);
    assert_int_equal(close_with_message(w, "a second value"), -EINVAL);

    w = v()->open(v());
    v()->put_map(w);
    for (int i = 0; i < 2; i++) {
        v()->key(w, "a");
        v()->put_null(w);
    }
    v()->end(w);
    assert_int_equal(close_with_message(w, "the key \"a\" is here twice"), -EINVAL);

    w = v()->open(v());
    v()->put_string(w, "\xFF", 1);
    assert_int_equal(close_with_message(w, "a string that is not UTF-8, or has a NUL in it"), -EINVAL);

    w = v()->open(v());
    v()->put_string(w, "a\0b", 3);
    assert_int_equal(close_with_message(w, "a string that is not UTF-8, or has a NUL in it"), -EINVAL);

    w = v()->open(v());
    v()->put_number(w, (double)INFINITY);
    assert_int_equal(close_with_message(w, "a number that is not finite"), -EINVAL);

    w = v()->open(v());
    for (int i = 0; i < 65; i++) v()->put_list(w);
    assert_int_equal(close_with_message(w, "nested more than 64 deep"), -E2BIG);

    w = v()->open(v());
    v()->put_list(w);
    for (int i = 0; i < 1000000; i++) v()->put_null(w);
    assert_int_equal(close_with_message(w, "more than 1000000 values"), -E2BIG);

    w = v()->open(v());
    assert_int_equal(v()->close(w, NULL, NULL), -EINVAL);
    w = v()->open(v());
    v()->put_null(w);
    assert_int_equal(v()->close(w, NULL, NULL), 0); /* thrown away */
}

static const pdk_value *wrap(const pdk_value *part) {
    pdk_writer *w = v()->open(v());
    const pdk_value *value = NULL;
    v()->put_list(w);
    v()->put_int(w, 1);
    v()->put_value(w, part);
    v()->end(w);
    return v()->close(w, &value, NULL) ? NULL : value;
}

static void parts_are_shared_and_kept(void **state) {
    (void)state;
    const pdk_value *map = parse("{\"a\":{\"b\":[1,2]},\"c\":\"text\"}");
    const pdk_value *part = v()->hold(v()->get(v()->get(map, "a"), "b"));
    v()->drop(map);
    assert_json(part, "[1,2]"); /* a part keeps the whole alive */
    const pdk_value *outer = wrap(part);
    assert_ptr_equal(v()->at(outer, 1), part); /* no copy */
    v()->drop(part);
    assert_json(outer, "[1,[1,2]]");
    char path[64];
    assert_string_equal(pdk_value_path(v()->at(v()->at(outer, 1), 1), path, sizeof(path)), "a.b[1]");
    v()->drop(outer);

    const pdk_value *text = parse("\"x\"");
    pdk_writer *w = v()->open(v());
    v()->put_value(w, text);
    const pdk_value *same;
    assert_int_equal(v()->close(w, &same, NULL), 0);
    assert_ptr_equal(same, text);
    v()->drop(same);
    v()->drop(text);
}

static void sharing_keeps_the_limits(void **state) {
    (void)state;
    const pdk_value *value = parse("1");
    for (int depth = 0; depth < 64; depth++) {
        const pdk_value *next = wrap(value);
        assert_non_null(next);
        v()->drop(value);
        value = next;
    }
    assert_null(wrap(value)); /* 65 deep */
    v()->drop(value);

    /* What a few calls could make exponential is counted as if it were copied. */
    const pdk_value *many = parse("[0,0,0,0,0,0,0,0,0]");
    for (int round = 0; round < 6; round++) {
        pdk_writer *w = v()->open(v());
        const pdk_value *more = NULL;
        v()->put_list(w);
        for (int i = 0; i < 10; i++) v()->put_value(w, many);
        v()->end(w);
        int32_t rc = v()->close(w, &more, NULL);
        assert_int_equal(rc, round < 4 ? 0 : -E2BIG);
        if (rc) break;
        v()->drop(many);
        many = more;
    }
    v()->drop(many);
}

static void long_chains_are_dropped_without_recursion(void **state) {
    (void)state;
    const pdk_value *value = parse("[0, 1]");
    for (int i = 0; i < 50000; i++) {
        const pdk_value *next = wrap(v()->at(value, 0)); /* the part's document keeps the one before */
        assert_non_null(next);
        v()->drop(value);
        value = next;
    }
    v()->drop(value);
}

static void the_empty_map_belongs_to_nobody(void **state) {
    (void)state;
    const pdk_value *empty = &pdk_value_empty_map, *value;
    char text[64];
    assert_int_equal(v()->type(empty), PDK_MAP);
    assert_int_equal(v()->count(empty), 0);
    assert_null(v()->get(empty, "a"));
    assert_null(pdk_value_place(empty).file);
    assert_string_equal(pdk_value_path(empty, text, sizeof(text)), "");
    v()->drop(v()->hold(empty));

    pdk_writer *w = v()->open(v());
    pdk_writer_like(w, empty);
    v()->put_list(w);
    v()->put_value(w, empty);
    v()->end(w);
    assert_int_equal(v()->close(w, &value, NULL), 0);
    assert_ptr_equal(v()->at(value, 0), empty);
    v()->drop(value);

    w = v()->open(v());
    v()->put_value(w, empty);
    assert_int_equal(v()->close(w, &value, NULL), 0);
    assert_ptr_equal(value, empty);
    v()->drop(value);
}

static void places_can_be_taken_over(void **state) {
    (void)state;
    const pdk_value *origin = parse("{\"odd key\":{\"a/b~\":[true]}}"), *copy;
    const pdk_value *leaf = v()->at(v()->at(v()->at(origin, 0), 0), 0);
    char text[64];
    assert_string_equal(pdk_value_path(leaf, text, sizeof(text)), "[\"odd key\"][\"a/b~\"][0]");
    assert_string_equal(pdk_value_pointer(leaf, text, sizeof(text)), "/odd key/a~1b~0/0");
    assert_int_equal(v()->where(leaf, text, sizeof(text)), strlen("test /odd key/a~1b~0/0"));
    assert_string_equal(text, "test /odd key/a~1b~0/0");
    assert_int_equal(v()->where(leaf, text, 5), strlen("test /odd key/a~1b~0/0"));
    assert_string_equal(text, "test");

    pdk_writer *w = v()->open(v());
    v()->put_map(w);
    pdk_writer_like(w, leaf);
    v()->key(w, "k");
    pdk_writer_like(w, leaf);
    pdk_writer_flags(w, PDK_VALUE_FALLBACK | PDK_VALUE_ALIASED);
    v()->put_string(w, "x", 1);
    v()->end(w);
    assert_int_equal(v()->close(w, &copy, NULL), 0);
    v()->drop(origin); /* the name of its file must live on */
    assert_string_equal(pdk_value_place(v()->get(copy, "k")).file, "test");
    assert_string_equal(pdk_value_key_place(copy, 0).file, "test");
    assert_null(pdk_value_place(copy).file);
    assert_int_equal(v()->get(copy, "k")->flags, PDK_VALUE_FALLBACK | PDK_VALUE_QUOTED | PDK_VALUE_MADE);
    v()->drop(copy);
}

/* {"a": {"b": [1, 2]}} becomes {"x": ["new", b[1]'s copy]}, made from b, and that again in a third tree. */
static void paths_lead_to_what_was_written(void **state) {
    (void)state;
    const pdk_value *origin = parse("{\"a\":{\"b\":[1,2]}}"), *made, *again;
    const pdk_value *b = v()->get(v()->get(origin, "a"), "b");
    char text[64];
    pdk_writer *w = v()->open(v());
    v()->put_map(w);
    v()->key(w, "x");
    pdk_writer_like(w, b);
    v()->put_list(w);
    v()->put_string(w, "new", 3);
    pdk_writer_like(w, v()->at(b, 1));
    v()->put_int(w, 2);
    v()->end(w);
    v()->end(w);
    assert_int_equal(v()->close(w, &made, NULL), 0);
    v()->drop(origin);
    const pdk_value *list = v()->get(made, "x");
    assert_string_equal(pdk_value_path(list, text, sizeof(text)), "a.b");
    assert_string_equal(pdk_value_path(v()->at(list, 0), text, sizeof(text)), "a.b[0]");
    assert_string_equal(pdk_value_pointer(v()->at(list, 1), text, sizeof(text)), "/a/b/1");

    w = v()->open(v());
    pdk_writer_like(w, v()->at(list, 0));
    v()->put_map(w);
    v()->key(w, "k");
    v()->put_null(w);
    v()->end(w);
    assert_int_equal(v()->close(w, &again, NULL), 0);
    v()->drop(made);
    assert_string_equal(pdk_value_path(v()->get(again, "k"), text, sizeof(text)), "a.b[0].k");
    v()->drop(again);
}

/* As often as something may be made from a part of what was made: then the beginning of the path is missing. */
static void paths_through_many_trees_have_an_end(void **state) {
    (void)state;
    const pdk_value *value = parse("{\"a\":0}"), *next;
    char text[2048];
    for (int i = 0; i < 1000; i++) {
        pdk_writer *w = v()->open(v());
        pdk_writer_like(w, v()->at(value, 0));
        v()->put_map(w);
        v()->key(w, "b");
        v()->put_null(w);
        v()->end(w);
        assert_int_equal(v()->close(w, &next, NULL), 0);
        v()->drop(value);
        value = next;
    }
    pdk_value_path(v()->at(value, 0), text, sizeof(text));
    assert_int_equal(strspn(text, "b."), strlen(text));
    assert_int_equal(strlen(text), 511);
    v()->drop(value);
}

static void faults_name_their_place(void **state) {
    (void)state;
    struct pdk_report report = {0};
    struct pdk_buffer out = PDK_BUFFER(10000);
    const pdk_value *map = parse("{\"tasks\":{\"web\":{\"timeout\":30}}}");
    const pdk_value *web = v()->get(v()->get(map, "tasks"), "web");
    assert_int_equal(pdk_value_fault(&report, -EINVAL, v()->get(web, "timeout"), "write 30s", NULL, "no unit: %d", 30),
                     -EINVAL);
    pdk_value_key_fault(&report, -EINVAL, web, 0, NULL, "time", "unknown field");
    pdk_error err = PDK_ERROR;
    err.code = -ERANGE;
    err.at = web;
    memset(err.message, 'x', sizeof(err.message)); /* a plugin forgot the NUL */
    memcpy(err.hint,
           "a\xFF"
           "b",
           4);
    assert_int_equal(pdk_value_fault_error(&report, NULL, "http", &err), -ERANGE);
    assert_int_equal(strlen(report.faults[2].message), sizeof(err.message));
    assert_string_equal(report.faults[2].plugin, "http");
    report.count = 2;
    pdk_report_print_json(&report, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out),
                        "{\"file\":\"test\",\"severity\":\"error\",\"path\":\"/tasks/web/timeout\","
                        "\"message\":\"no unit: 30\",\"expected\":\"write 30s\"}\n"
                        "{\"file\":\"test\",\"severity\":\"error\",\"path\":\"/tasks/web\","
                        "\"message\":\"unknown field\",\"suggestion\":\"time\"}\n");
    assert_int_equal(pdk_value_fault(NULL, -ENOENT, NULL, NULL, NULL, "nobody listens"), -ENOENT);
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    v()->drop(map);
}

static void equality_is_of_content(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"{\"a\":1,\"b\":[true,null]}", "{\"b\":[true,null],\"a\":1.0}", true},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"[1,2]", "[2,1]", false},
        {"\"1\"", "1", false},
        {"true", "1", false},
        {"true", "false", false},
        {"9007199254740993", "9007199254740992", false},
        {"null", "0", false},
        {"\"a\"", "\"a\"", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const pdk_value *a = parse(cases[i].a), *b = parse(cases[i].b);
        assert_int_equal(pdk_value_equal(a, b), cases[i].equal);
        assert_int_equal(pdk_value_equal(b, a), cases[i].equal);
        assert_true(pdk_value_equal(a, a));
        v()->drop(a);
        v()->drop(b);
    }
    const pdk_value *null = parse("null");
    assert_true(pdk_value_equal(NULL, null));
    v()->drop(null);
}

static void *hold_and_drop(void *arg) {
    const pdk_value *map = arg;
    for (int i = 0; i < 2000; i++) {
        const pdk_value *part = v()->hold(v()->get(map, "a"));
        int64_t number = 0;
        if (v()->integer(v()->at(part, 0), &number) || number != 1) return arg;
        const pdk_value *outer = wrap(part);
        v()->drop(part);
        v()->drop(outer);
    }
    return NULL;
}

static void threads_may_read_and_hold(void **state) {
    (void)state;
    pthread_t threads[4];
    const pdk_value *map = parse("{\"a\":[1]}");
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *arg = (void *)(uintptr_t)map;
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_drop, arg), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    v()->drop(map);
}

/* A value of every sort, large enough for indexes and more than one chunk. */
static int32_t write_much(void *arg) {
    const pdk_value *shared = arg, *value = NULL;
    pdk_writer *w = v()->open(v());
    char key[16];
    v()->put_map(w);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        pdk_writer_like(w, shared);
        v()->key(w, key);
        v()->put_value(w, shared);
    }
    v()->key(w, "list");
    v()->put_list(w);
    for (int i = 0; i < 100; i++) v()->put_string(w, "some text", 9);
    v()->end(w);
    v()->end(w);
    pdk_error err = PDK_ERROR;
    int32_t rc = v()->close(w, &value, &err);
    if (rc && strcmp(err.message, "no memory") != 0) rc = -EINVAL;
    if (!rc) {
        struct pdk_buffer out = PDK_BUFFER(100000);
        rc = v()->print(v(), value, PDK_JSON_SORT, pdk_buffer_write, &out);
        if (!rc) rc = out.error;
        pdk_buffer_free(&out);
    }
    v()->drop(value);
    return rc;
}

static int32_t parse_much(void *arg) {
    (void)arg;
    const char *json = "{\"a\":[1,2.5,true,null,\"x\"],\"b\":{\"c\":{\"d\":[[],{\"e\":[[[[[]]]]]}]}}}";
    const pdk_value *value = NULL;
    int32_t rc = v()->parse(v(), json, strlen(json), "test", &value, NULL);
    v()->drop(value);
    return rc;
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    const pdk_value *shared = parse("{\"a\":1}");
    assert_true(pdk_fail_sweep(write_much, (void *)(uintptr_t)shared) > 10);
    assert_true(pdk_fail_sweep(parse_much, NULL) > 0);
    v()->drop(shared);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_reads_as_null),
        cmocka_unit_test(scalars_are_read_by_type),
        cmocka_unit_test(large_maps_are_indexed),
        cmocka_unit_test(the_first_mistake_sticks),
        cmocka_unit_test(parts_are_shared_and_kept),
        cmocka_unit_test(sharing_keeps_the_limits),
        cmocka_unit_test(long_chains_are_dropped_without_recursion),
        cmocka_unit_test(the_empty_map_belongs_to_nobody),
        cmocka_unit_test(places_can_be_taken_over),
        cmocka_unit_test(paths_lead_to_what_was_written),
        cmocka_unit_test(paths_through_many_trees_have_an_end),
        cmocka_unit_test(faults_name_their_place),
        cmocka_unit_test(equality_is_of_content),
        cmocka_unit_test(threads_may_read_and_hold),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
