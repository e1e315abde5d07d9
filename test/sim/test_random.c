/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long random lives: whatever is done, in whatever order, the invariants hold after every step, and once nothing but
 * time is left to happen every run has ended. SIM_SEEDS and SIM_STEPS widen the search.
 */
#include "sim.h"

struct dice {
    uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides) {
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice->state >> 33) % sides;
}

struct life {
    struct sim *sim;
    struct dice dice;
    struct pdk_instance *hosted;
    pdk_run runs[4096];
    uint32_t count;
};

static const char *one_of(struct life *life, const char *const *words, uint32_t count) {
    return words[roll(&life->dice, count)];
}
#define ONE_OF(life, ...) \
    one_of(life, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void submit(struct life *life) {
    char name[16], fields[512];
    (void)snprintf(name, sizeof name, "t%u", roll(&life->dice, 6));
    (void)snprintf(fields, sizeof fields,
                   "'slot':'s%u','when_busy':'%s',%s%s%s'backoff':'%s','stop':{'grace':'%s'},'selector':{'r':'%s'},"
                   "'with':{'script':'%s','on_cancel':'%s'}",
                   roll(&life->dice, 4), ONE_OF(life, "drop", "queue", "queue", "replace"),
                   ONE_OF(life, "", "'restart':'always',", "'retries':2,", "'retries':1,", "'every':'3s',"),
                   ONE_OF(life, "", "'timeout':'4s',", "'timeout':'1s',"),
                   ONE_OF(life, "", "", "'deadline':'9s',", "'deadline':'1s',"), ONE_OF(life, "1s", "100ms", "5s"),
                   ONE_OF(life, "0", "2s", "1s"), ONE_OF(life, "a", "b", "h"),
                   ONE_OF(life, "S", "S:1s", "F F S", "F:2s", "X", "C", "R2s S", "!S", "!F S:1s", "E5", "E2", "!E5 S",
                          "-", "S:9s", "- F"),
                   ONE_OF(life, "polite", "polite", "1s", "3s", "stubborn", "deaf"));
    pdk_run run;
    if (life->count < 4096 && sim_try(life->sim, name, fields, &run) == 0) life->runs[life->count++] = run;
}

static pdk_run some_run(struct life *life) {
    if (!life->count) return 0;
    uint32_t back = roll(&life->dice, life->count < 12 ? life->count : 12);
    return life->runs[life->count - 1 - back];
}

static void end_something(struct life *life) {
    uint32_t skip = roll(&life->dice, 4);
    for (struct sim_task *task = life->sim->tasks; task; task = task->next) {
        if (!task->alive || skip--) continue;
        (void)sim_done(task, (int32_t)roll(&life->dice, 5));
        if (roll(&life->dice, 6) == 0) (void)sim_done(task, PDK_SUCCESS); /* and once more */
        return;
    }
}

static void abandon(struct life *life) {
    struct sim *sim = life->sim;
    for (uint32_t i = 0; i < life->count; i++) {
        const struct pdk_record *run = pdk_record_find(sim->s, life->runs[i]);
        if (!run || run->state != PDK_STATE_STUCK) continue;
        struct sim_task *task = run->task;
        if (sim->control->abandon(sim->control, life->runs[i]) == 0) task->leaked = true;
        sim_turn(sim);
        return;
    }
}

static void die(struct life *life) {
    sim_host_dies(life->sim, life->hosted);
}

static void act(struct life *life) {
    const pdk_control *c = life->sim->control;
    pdk_run run = some_run(life);
    switch (roll(&life->dice, 24)) {
    case 0: (void)c->cancel(c, run, "why"); break;
    case 1: (void)c->force(c, run, NULL); break;
    case 2: (void)c->pause(c, run ? run : 1); break;
    case 3: (void)c->resume(c, run ? run : 1); break;
    case 4: abandon(life); break;
    case 5: die(life); break;
    case 6: (void)pdk_supervisor_fail_attempt(life->sim->s, run, "not_ready", "not ready"); break;
    case 7:
    case 8:
    case 9: end_something(life); break;
    case 10: sim_turn(life->sim); break;
    case 11:
    case 12:
    case 13: sim_advance(life->sim, roll(&life->dice, 3000) * MS); break;
    default: submit(life);
    }
}

static void host_killed(void *arg) {
    die(arg);
}

static const struct pdk_hosted_ops host_ops = {.kill = host_killed};

static struct sim *begin(struct life *life, uint64_t seed) {
    struct sim *sim = sim_with(&(pdk_supervisor_options){.struct_size = sizeof(pdk_supervisor_options),
                                                         .running = (uint32_t)(seed % 4),
                                                         .accepted = 40,
                                                         .slot_queue = 3,
                                                         .history = seed % 3 ? 20 : UINT32_MAX,
                                                         .drain = seed % 2 ? 2 * S : 0,
                                                         .grace = seed % 5 ? 8 * S : UINT64_MAX,
                                                         .seed = seed + 1});
    *life = (struct life){.sim = sim, .dice = {seed * 77 + 1}};
    assert_int_equal(pdk_supervisor_limit(sim->s, "b", &(struct pdk_instance_limits){.running = 2}), 0);
    (void)sim_add(sim, "a", "a");
    (void)sim_add(sim, "b", "b");
    life->hosted = sim_add(sim, "h", "h");
    pdk_supervisor_instance_hosted(sim->s, life->hosted, &host_ops, life);
    if (seed % 2) sim_listen(sim);
    return sim;
}

static void one_life(uint64_t seed, uint32_t steps) {
    static struct life life;
    struct sim *sim = begin(&life, seed);
    for (uint32_t i = 0; i < steps; i++) act(&life);
    /* A second asking goes to the next stage; at times there is one. */
    assert_int_equal(pdk_supervisor_shutdown(sim->s), 0);
    if (seed % 7 == 0) assert_int_equal(pdk_supervisor_shutdown(sim->s), 0);
    sim_advance(sim, 60 * S);
    uint32_t stuck;
    assert_int_equal(pdk_supervisor_stopped(sim->s, &stuck), 1); /* I13, I14 */
    assert_int_equal(stuck, sim->s->in_state[PDK_STATE_STUCK]);
    assert_int_equal(sim->settled, sim->submitted);
    assert_int_equal(sim->s->accepted, 0);
    sim_end(&*sim);
}

static uint32_t number(const char *name, uint32_t fallback) {
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 10) : fallback;
}

static void many_lives(void **state) {
    uint32_t seeds = number("SIM_SEEDS", 60), first = number("SIM_FIRST", 0), steps = number("SIM_STEPS", 2000);
    (void)state;
    for (uint32_t seed = first; seed < first + seeds; seed++) {
        one_life(seed, steps);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_lives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
