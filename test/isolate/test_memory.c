/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of paddock-host fails once: its run ends, in words, and the next one goes well. */
#include "isolate/world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_ONCE = 20, FAILURES_MAX = 2000 };

struct life {
    const char *file, *spec; /* the spec without its end; a selector follows */
};

static char folder[] = "/tmp/paddock-isolate-memory-XXXXXX";

static bool exists(long n, const char *end) {
    char path[64];
    (void)snprintf(path, sizeof path, "%s/%ld%s", folder, n, end);
    return access(path, F_OK) == 0;
}

static void forget(long n) {
    char path[64];
    (void)snprintf(path, sizeof path, "%s/%ld.armed", folder, n);
    (void)unlink(path);
}

/* An instance named n, that takes what has the label n. */
static void load(struct world *world, const char *file, long n) {
    const struct pdk_isolation isolation = world_isolation();
    const struct pdk_isolate_options options = {HOST_FAILS, &isolation, false};
    const pdk_values *v = pdk_values_get();
    const pdk_value *labels = NULL;
    pdk_error err = PDK_ERROR;
    char name[32], path[64];
    (void)snprintf(name, sizeof name, "%ld", n);
    (void)snprintf(path, sizeof path, "%s/%ld", folder, n);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, "n");
    v->put_string(w, name, strlen(name));
    v->end(w);
    assert_int_equal(v->close(w, &labels, NULL), 0);
    const pdk_router_entry entry = {.struct_size = sizeof entry, .name = name, .labels = labels};
    if (pdk_isolate_load(world->supervisor, NULL, file, &entry, &options, &err) < 0) fail_msg("%s", err.message);
    v->drop(labels);
}

static const struct world_run *submit(struct world *world, const struct life *life, long n, const char *which) {
    char spec[512];
    (void)snprintf(spec, sizeof spec, "{'name': '%s-%ld', 'selector': {'n': '%ld'}, %s}", which, n, n, life->spec);
    return world_submit(world, spec, 0);
}

/* It ends well, or in words; and well when what fails once has failed before. */
static void expect_an_end(struct world *world, const struct world_run *run, long n, bool well) {
    world_until(world, run->settled);
    bool in_words = run->message[0] && (run->end == PDK_END_FAILED || run->end == PDK_END_FATAL);
    if (run->end != PDK_END_SUCCEEDED && (well || !in_words))
        fail_msg("allocation %ld: end %d, code %s, %s", n, run->end, run->code, run->message);
}

/* True: there are more. */
static bool fail_some(const struct life *life, long first) {
    const struct world_run *runs[AT_ONCE], *next[AT_ONCE];
    struct world *world = world_begin();
    bool failed[AT_ONCE], more = true;
    for (long i = 0; i < AT_ONCE; i++) load(world, life->file, first + i);
    world_start(world);
    for (long i = 0; i < AT_ONCE; i++) runs[i] = submit(world, life, first + i, "first");
    for (long i = 0; i < AT_ONCE; i++) expect_an_end(world, runs[i], first + i, false);
    for (long i = 0; i < AT_ONCE; i++) {
        failed[i] = !exists(first + i, ".armed");
        next[i] = submit(world, life, first + i, "next");
    }
    for (long i = 0; i < AT_ONCE; i++) expect_an_end(world, next[i], first + i, failed[i]);
    world_end(world);
    for (long i = 0; i < AT_ONCE; i++) {
        assert_false(exists(first + i, ""));
        if (exists(first + i, ".armed")) more = false;
        forget(first + i);
    }
    return more;
}

static void sweep(const struct life *life) {
    long n = 1;
    while (n < FAILURES_MAX && fail_some(life, n)) n += AT_ONCE;
    assert_in_range(n, 1 + AT_ONCE, FAILURES_MAX);
}

static void what_gives_something_back(void **state) {
    (void)state;
    sweep(&(struct life){PLUGINS "/echo.so", "'kind': 'echo', 'with': {'message': {'a': [1, 'two']}, 'print': true}"});
}

static void what_counts_and_tells(void **state) {
    (void)state;
    sweep(&(struct life){BAD_PLUGINS "/tally.so", "'kind': 'tally', 'with': {'n': 3}, 'input': {'b': 1}"});
}

static void what_starts_a_child(void **state) {
    (void)state;
    sweep(&(struct life){PLUGINS "/subprocess.so", "'command': 'echo one; echo two >&2; exit 0'"});
}

static int begin(void **state) {
    (void)state;
    return mkdtemp(folder) && setenv("FAILS", folder, 1) == 0 ? 0 : -1;
}

static int finish(void **state) {
    (void)state;
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_gives_something_back),
        cmocka_unit_test(what_counts_and_tells),
        cmocka_unit_test(what_starts_a_child),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
