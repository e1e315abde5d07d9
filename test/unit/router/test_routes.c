/* SPDX-License-Identifier: Apache-2.0 */
/* First match: by hand for what a reader should know, and against a plain scan for everything else. */
#include "support/unit.h"

#include "core/router/routes.h"
#include "support/fail_alloc.h"

enum { RUNNERS = 300 };

static const pdk_value *labels_of(const char *json) {
    pdk_error err = PDK_ERROR;
    const pdk_value *value = NULL;

    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "labels", &value, &err), 0);
    return value;
}

struct world {
    struct pdk_routes *routes;
    const pdk_value *labels[RUNNERS];
    char kinds[RUNNERS]; /* bits of what a runner serves: 1 cat, 2 dog, 4 eel */
    int count;
    int ids[RUNNERS];
};

static const char *const kind_words[] = {"cat", "dog", "eel"};

static void world_add(struct world *world, unsigned kinds, const char *json) {
    const char *list[4];
    int n = 0, i = world->count++;

    for (unsigned k = 0; k < 3; k++)
        if (kinds & (1U << k)) list[n++] = kind_words[k];
    list[n] = NULL;
    world->ids[i] = i;
    world->kinds[i] = (char)kinds;
    world->labels[i] = json ? labels_of(json) : NULL;
    assert_int_equal(pdk_routes_add(world->routes, &world->ids[i], list, world->labels[i]), 0);
}

static void world_free(struct world *world) {
    pdk_routes_free(world->routes);
    for (int i = 0; i < world->count; i++) pdk_values_get()->drop(world->labels[i]);
}

static int pick(const struct world *world, const char *kind, const char *text, pdk_accept accept, void *arg) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    pdk_error err = PDK_ERROR;
    const int *runner;

    assert_int_equal(pdk_selector_parse(text, &arena, &selector, &err), 0);
    runner = pdk_routes_pick(world->routes, kind, &selector, accept, arg);
    pdk_arena_free(&arena);
    return runner ? *runner : -1;
}

static void takes_the_first_that_matches(void **state) {
    struct world world = {0};

    (void)state;
    assert_int_equal(pdk_routes_create(&world.routes), 0);
    world_add(&world, 1, "{\"zone\": \"local\"}");
    world_add(&world, 1, "{\"zone\": \"gpu\", \"os\": \"linux\"}");
    world_add(&world, 3, "{\"zone\": \"gpu\"}");
    world_add(&world, 2, NULL);

    assert_int_equal(pick(&world, "cat", "", NULL, NULL), 0);
    assert_int_equal(pick(&world, "cat", "zone=gpu", NULL, NULL), 1);
    assert_int_equal(pick(&world, "cat", "zone=gpu,!os", NULL, NULL), 2);
    assert_int_equal(pick(&world, "cat", "os", NULL, NULL), 1);
    assert_int_equal(pick(&world, "cat", "zone in (far,gpu)", NULL, NULL), 1);
    assert_int_equal(pick(&world, "cat", "zone!=local", NULL, NULL), 1);
    assert_int_equal(pick(&world, "dog", "zone!=gpu", NULL, NULL), 3); /* an absent key is not in */
    assert_int_equal(pick(&world, "dog", "!zone", NULL, NULL), 3);
    assert_int_equal(pick(&world, "cat", "zone=mars", NULL, NULL), -1);
    assert_int_equal(pick(&world, "cat", "nowhere", NULL, NULL), -1);
    assert_int_equal(pick(&world, "eel", "", NULL, NULL), -1);
    assert_ptr_equal(pdk_routes_pick(world.routes, "cat", NULL, NULL, NULL), &world.ids[0]);
    world_free(&world);
}

static void a_selector_may_be_long(void **state) {
    struct world world = {0};
    char text[1000] = "a in (";

    (void)state;
    assert_int_equal(pdk_routes_create(&world.routes), 0);
    for (int i = 0; i < 60; i++) snprintf(text + strlen(text), sizeof text - strlen(text), "v%d,", i);
    strlcat(text, "b)", sizeof text);
    world_add(&world, 1, "{\"a\": \"none of them\"}");
    assert_int_equal(pick(&world, "cat", text, NULL, NULL), -1);
    world_add(&world, 1, "{\"a\": \"b\"}");
    assert_int_equal(pick(&world, "cat", text, NULL, NULL), 1);
    world_free(&world);
}

static bool not_the_first_two(void *arg, void *runner) {
    ++*(int *)arg;
    return *(int *)runner > 1;
}

static void asks_the_runner_last(void **state) {
    struct world world = {0};
    int asked = 0;

    (void)state;
    assert_int_equal(pdk_routes_create(&world.routes), 0);
    for (int i = 0; i < 4; i++) world_add(&world, 1, i == 1 ? NULL : "{\"a\": \"b\"}");
    assert_int_equal(pick(&world, "cat", "a=b", not_the_first_two, &asked), 2);
    assert_int_equal(asked, 2); /* runner 1 has no such label, and 3 comes later */
    world_free(&world);
}

struct said {
    char text[512];
};

static void say(void *arg, void *runner, enum pdk_verdict verdict, const struct pdk_requirement *failed) {
    static const char *const words[] = {"taken", "shadowed", "kind", "label", "refused"};
    struct said *said = arg;
    char line[300], wanted[200] = "";

    if (failed) pdk_requirement_print(failed, wanted, sizeof wanted);
    snprintf(line, sizeof line, "%d %s%s%s; ", *(int *)runner, words[verdict], failed ? " " : "", wanted);
    strlcat(said->text, line, sizeof said->text);
}

static void lists_kinds_once(void **state) {
    static const char *const twice[] = {"cat", "cat", NULL};
    struct world world = {0};
    struct said said = {""};
    int runner = 7;

    (void)state;
    assert_int_equal(pdk_routes_create(&world.routes), 0);
    assert_null(pdk_routes_kinds(world.routes)[0]);
    world_add(&world, 2, NULL);
    assert_int_equal(pdk_routes_add(world.routes, &runner, twice, NULL), 0);
    world_add(&world, 3, NULL);
    assert_string_equal(pdk_routes_kinds(world.routes)[0], "dog");
    assert_string_equal(pdk_routes_kinds(world.routes)[1], "cat");
    assert_null(pdk_routes_kinds(world.routes)[2]);
    assert_ptr_equal(pdk_routes_pick(world.routes, "cat", NULL, NULL, NULL), &runner);
    pdk_routes_explain(world.routes, "cat", NULL, NULL, NULL, say, &said);
    assert_string_equal(said.text, "0 kind; 7 taken; 1 shadowed; ");
    world_free(&world);
}

static void refuses_labels_that_are_none(void **state) {
    static const char *const kinds[] = {"cat", NULL};
    char json[1100];
    struct world world = {0};
    const pdk_value *labels;
    int runner = 0;

    (void)state;
    snprintf(json, sizeof json, "{\"%0600d\": \"x\"}", 0);
    labels = labels_of(json);
    assert_int_equal(pdk_routes_create(&world.routes), 0);
    assert_int_equal(pdk_routes_add(world.routes, &runner, kinds, labels), -E2BIG);
    assert_null(pdk_routes_kinds(world.routes)[0]); /* as if nothing had happened */
    assert_null(pdk_routes_pick(world.routes, "cat", NULL, NULL, NULL));
    world_add(&world, 1, "{\"a\": \"\"}");
    assert_int_equal(pick(&world, "cat", "a=", NULL, NULL), 0);
    pdk_values_get()->drop(labels);
    world_free(&world);
}

static bool never_one(void *arg, void *runner) {
    (void)arg;
    return *(int *)runner != 1;
}

static void explains_every_runner(void **state) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    pdk_error err = PDK_ERROR;
    struct world world = {0};
    struct said said = {""};

    (void)state;
    assert_int_equal(pdk_routes_create(&world.routes), 0);
    world_add(&world, 2, "{\"zone\": \"gpu\"}");
    world_add(&world, 1, "{\"zone\": \"gpu\"}");
    world_add(&world, 1, "{\"zone\": \"sandbox\"}");
    world_add(&world, 1, "{\"zone\": \"gpu\"}");
    world_add(&world, 1, "{\"zone\": \"gpu\"}");
    assert_int_equal(pdk_selector_parse("zone=gpu", &arena, &selector, &err), 0);
    pdk_routes_explain(world.routes, "cat", &selector, never_one, NULL, say, &said);
    assert_string_equal(said.text, "0 kind; 1 refused; 2 label zone=gpu; 3 taken; 4 shadowed; ");
    said.text[0] = '\0';
    pdk_routes_explain(world.routes, "eel", &selector, NULL, NULL, say, &said);
    assert_string_equal(said.text, "0 kind; 1 kind; 2 kind; 3 kind; 4 kind; ");
    pdk_arena_free(&arena);
    world_free(&world);
}

/* xorshift: the same numbers on every machine. */
static unsigned below(uint64_t *seed, unsigned limit) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)(*seed % limit);
}

static void random_labels(uint64_t *seed, char *json, size_t size, int number) {
    strlcpy(json, "{", size);
    for (unsigned key = 0; key < 5; key++) {
        char one[64];
        if (below(seed, 3) == 0) continue;
        snprintf(one, sizeof one, "\"k%u\": \"v%u\", ", key, below(seed, 4));
        strlcat(json, one, size);
    }
    snprintf(json + strlen(json), size - strlen(json), "\"name\": \"n%d\"}", number); /* unique, as paddock/name is */
}

/* Forms from UNIQUE on name a label that one runner alone has. Of the long ones nearly all terms hold everywhere. */
static void random_selector(uint64_t *seed, char *text, size_t size, int count) {
    static const char *const forms[] = {"k%u=v%u", "k%u!=v%u", "k%u in (v%u,v9,v1)", "k%u notin (v%u,v2)",
                                        "k%u",     "!k%u",     "name!=n%u",          "name=n%u"};
    enum { UNIQUE = 6 };
    unsigned terms = below(seed, 4);

    text[0] = '\0';
    if (below(seed, 12) == 0)
        for (unsigned i = 0; i < 20; i++) strlcat(text, "name!=n0,", size);
    for (unsigned i = 0; i <= terms; i++) {
        char one[64];
        unsigned form = below(seed, 8), key = form >= UNIQUE ? below(seed, (unsigned)count) : below(seed, 6);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(one, sizeof one, forms[form], key, below(seed, 5));
#pragma GCC diagnostic pop
        if (i) strlcat(text, ",", size);
        strlcat(text, one, size);
    }
}

/* What the routes promise, in the fewest words. */
static int plain_scan(const struct world *world, unsigned kind, const struct pdk_selector *selector) {
    for (int i = 0; i < world->count; i++) {
        const struct pdk_requirement *failed;
        if ((world->kinds[i] & (1 << kind)) && pdk_selector_matches(selector, world->labels[i], &failed)) return i;
    }
    return -1;
}

static void agrees_with_a_plain_scan(void **state) {
    uint64_t seed = 88172645463325252U;
    struct world world = {0};
    int found = 0;

    (void)state;
    assert_int_equal(pdk_routes_create(&world.routes), 0);
    while (world.count < RUNNERS) {
        char json[400];
        random_labels(&seed, json, sizeof json, world.count);
        world_add(&world, 1 + below(&seed, 7), json);
        for (int i = 0; i < 20; i++) {
            struct pdk_arena arena = {0};
            struct pdk_selector selector;
            pdk_error err = PDK_ERROR;
            unsigned kind = below(&seed, 3);
            const int *runner;
            char text[1000];
            int wanted;

            random_selector(&seed, text, sizeof text, world.count);
            assert_int_equal(pdk_selector_parse(text, &arena, &selector, &err), 0);
            wanted = plain_scan(&world, kind, &selector);
            runner = pdk_routes_pick(world.routes, kind_words[kind], &selector, NULL, NULL);
            if ((runner ? *runner : -1) != wanted) fail_msg("%s of %d: %s", kind_words[kind], world.count, text);
            found += wanted > 0;
            pdk_arena_free(&arena);
        }
    }
    assert_true(found > 500); /* or the selectors would prove little */
    world_free(&world);
}

/* What could not be added is not there, and what was there before still is. */
static int32_t add_until_it_fails(void *arg) {
    static const char *const kinds[] = {"cat", "dog", NULL};
    const pdk_value *labels = arg;
    struct pdk_routes *routes;
    int runners[70], added = 0;
    int32_t rc = pdk_routes_create(&routes);

    if (rc < 0) return rc;
    while (rc == 0 && added < 70) {
        rc = pdk_routes_add(routes, &runners[added], kinds + added % 2, labels);
        if (rc == 0) added++;
    }
    assert_ptr_equal(pdk_routes_pick(routes, "dog", NULL, NULL, NULL), added ? &runners[0] : NULL);
    assert_ptr_equal(pdk_routes_pick(routes, "cat", NULL, NULL, NULL), added ? &runners[0] : NULL);
    if (added == 0)
        assert_null(pdk_routes_kinds(routes)[0]);
    else
        assert_string_equal(pdk_routes_kinds(routes)[1], "dog");
    pdk_routes_free(routes);
    return rc;
}

static void memory_may_run_out(void **state) {
    const pdk_value *labels = labels_of("{\"zone\": \"gpu\"}");

    (void)state;
    assert_in_range(pdk_fail_sweep(add_until_it_fails, (void *)(uintptr_t)labels), 15, 1000);
    pdk_values_get()->drop(labels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_first_that_matches), cmocka_unit_test(asks_the_runner_last),
        cmocka_unit_test(a_selector_may_be_long),       cmocka_unit_test(lists_kinds_once),
        cmocka_unit_test(refuses_labels_that_are_none), cmocka_unit_test(explains_every_runner),
        cmocka_unit_test(agrees_with_a_plain_scan),     cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
