/* SPDX-License-Identifier: Apache-2.0 */
/* Every state and every input, against the table as it is printed in core/supervise/README.md. */
#include "sim.h"

/* Section 2, line by line. */
static const char *const printed[PDK_INPUTS] = {
    [PDK_INPUT_ADMIT_OWN] = "R ! ! ! ! ! ! ! ! ! !",      [PDK_INPUT_ADMIT_QUEUE] = "Q ! ! ! ! ! ! ! ! ! !",
    [PDK_INPUT_ADMIT_NO] = "X ! ! ! ! ! ! ! ! ! !",       [PDK_INPUT_SLOT] = "! R ! ! ! ! ! ! ! ! !",
    [PDK_INPUT_PERMIT] = "! ! S ! ! ! ! ! ! ! !",         [PDK_INPUT_START_OK] = "! ! ! ! O ! ! ! ! ! !",
    [PDK_INPUT_START_ERR] = "! ! ! ! E ! ! ! ! ! !",      [PDK_INPUT_DONE] = "! ! ! ! ! E E E F ! D",
    [PDK_INPUT_STALE] = "! .s .s .s ! .s .s .s .s .s .s", [PDK_INPUT_T_ATTEMPT] = "! ! ! ! ! A ! ! ! ! !",
    [PDK_INPUT_T_GRACE] = "! ! ! ! ! ! K ! ! ! !",        [PDK_INPUT_T_KILL] = "! ! ! ! ! ! ! L ! ! !",
    [PDK_INPUT_T_WAIT] = "! ! ! ! ! ! ! ! ! R !",         [PDK_INPUT_T_TOTAL] = "! X X X ! A C C ! X !",
    [PDK_INPUT_CANCEL] = "! X X X ! A C C .o X .e",       [PDK_INPUT_FORCE] = "! X X X ! A A C .o X .e",
    [PDK_INPUT_DRAIN] = "! X X X ! C C C .o X .e",        [PDK_INPUT_GIVEUP] = "! ! ! ! ! E L L .o ! .e",
    [PDK_INPUT_GONE] = "! U U U ! E E E F U D",           [PDK_INPUT_PAUSE] = "! P P P ! P P P .o P .e",
    [PDK_INPUT_RESUME] = "! P P P ! P P P .o P .e",       [PDK_INPUT_ABANDON] = "! .b .b .b ! .b .b .b F .b .e",
};
static const char *const words[PDK_ACTIONS] = {"!", ".s", ".o", ".e", ".b", "R", "Q", "X", "S", "O",
                                               "E", "A",  "C",  "K",  "L",  "F", "D", "U", "P"};

/* Where a run may be after a transition, as bits; what the letters of 2.1 say. */
#define B(state) (1u << PDK_STATE_##state)
static const uint32_t after[PDK_ACTIONS] = {
    [PDK_ACTION_R] = B(READY) | B(HELD),
    [PDK_ACTION_Q] = B(QUEUED),
    [PDK_ACTION_X] = B(ENDED),
    [PDK_ACTION_S] = B(RUNNING) | B(WAITING) | B(ENDED),
    [PDK_ACTION_O] = B(RUNNING),
    [PDK_ACTION_E] = B(WAITING) | B(ENDED),
    [PDK_ACTION_A] = B(STOPPING) | B(KILLING),
    [PDK_ACTION_K] = B(KILLING),
    [PDK_ACTION_L] = B(STUCK) | B(KILLING),
    [PDK_ACTION_F] = B(ENDED),
};

static void word_of(const char *line, int column, char *buf, size_t size) {
    for (; column; column--) line = strchr(line, ' ') + 1;
    size_t length = strcspn(line, " ");
    assert_true(length < size);
    memcpy(buf, line, length);
    buf[length] = '\0';
}

static void table_as_printed(void **state) {
    uint32_t bugs = 0, ignored = 0, transitions = 0;
    char word[8];
    (void)state;
    for (int input = 0; input < PDK_INPUTS; input++) {
        for (int in = 0; in < PDK_STATES; in++) {
            enum pdk_action action = pdk_state_action((enum pdk_state)in, (enum pdk_input)input);
            word_of(printed[input], in, word, sizeof word);
            assert_string_equal(words[action], word);
            bugs += action == PDK_ACTION_BUG;
            ignored += words[action][0] == '.';
            transitions += action > PDK_ACTION_NOT_STUCK;
        }
    }
    assert_int_equal(transitions, 71);
    assert_int_equal(ignored, 29);
    assert_int_equal(bugs, 142);
}

/* A run in that state, by the ways that lead there. NEW and STARTING are shown inside of submit and start. */
static pdk_run make(struct sim *sim, enum pdk_state state) {
    pdk_run run = 0;
    if (state == PDK_STATE_READY || state == PDK_STATE_HELD) (void)sim_submit(sim, "busy", "");
    if (state == PDK_STATE_QUEUED) (void)sim_submit(sim, "owner", "'slot':'x'");
    const char *script = state == PDK_STATE_WAITING ? "F" : state == PDK_STATE_ENDED ? "S" : "-";
    char fields[256];
    (void)snprintf(fields, sizeof fields,
                   "'slot':'x','when_busy':'queue','deadline':'1d','timeout':'1h','retries':5,'backoff':'1h',"
                   "'with':{'script':'%s','on_cancel':'deaf'}",
                   script);
    assert_int_equal(sim_try(sim, "a", fields, &run), 0);
    if (state == PDK_STATE_NEW) return run;
    sim_advance(sim, 1 * MS);
    if (state == PDK_STATE_HELD) assert_int_equal(sim->control->pause(sim->control, run), 0);
    if (state == PDK_STATE_STOPPING || state == PDK_STATE_KILLING || state == PDK_STATE_STUCK)
        pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_T_ATTEMPT, 0, NULL);
    if (state == PDK_STATE_KILLING || state == PDK_STATE_STUCK)
        pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_T_GRACE, 0, NULL);
    if (state == PDK_STATE_STUCK) pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_T_KILL, 0, NULL);
    sim_turn(sim);
    return run;
}

/* What must be so before an input can come: a done was posted, a timer has fired, the process is gone. */
static void prepare(struct sim *sim, struct pdk_record *run, enum pdk_action action, enum pdk_input input) {
    if (action != PDK_ACTION_BUG && input == PDK_INPUT_T_TOTAL) pdk_timer_stop(&sim->s->timers, &run->total);
    if (action != PDK_ACTION_BUG && input >= PDK_INPUT_T_ATTEMPT && input <= PDK_INPUT_T_WAIT)
        pdk_timer_stop(&sim->s->timers, &run->phase);
    if (action == PDK_ACTION_BUG || (input != PDK_INPUT_DONE && input != PDK_INPUT_GIVEUP && input != PDK_INPUT_GONE))
        return;
    struct sim_task *task = sim_task(sim, "a");
    if (input == PDK_INPUT_GONE) {
        if (task->alive) sim->alive--;
        task->alive = false;
        task->gone = true;
    }
    if (!run->cell) return;
    if (input == PDK_INPUT_DONE || (input == PDK_INPUT_GIVEUP && action == PDK_ACTION_E))
        (void)sim_done(task, PDK_SUCCESS);
    if (input != PDK_INPUT_DONE) return;
    struct pdk_cell *cell = pdk_cells_next(sim->s);
    assert_ptr_equal(cell->run, run);
}

static int32_t cause_of(enum pdk_input input) {
    return input == PDK_INPUT_CANCEL || input == PDK_INPUT_FORCE ? PDK_CANCEL_USER
           : input == PDK_INPUT_DRAIN                            ? PDK_CANCEL_SHUTDOWN
                                                                 : 0;
}

static void check(struct sim *sim, const struct pdk_record *run, enum pdk_state state, enum pdk_input input) {
    enum pdk_action action = pdk_state_action(state, input);
    uint32_t may = after[action];
    if (!may) may = 1u << state;
    if (action == PDK_ACTION_P && state == PDK_STATE_READY) may = B(HELD) | B(READY);
    if (action == PDK_ACTION_P && state == PDK_STATE_HELD) may = B(HELD) | B(READY);
    if (!(may >> run->state & 1))
        fail_msg("%s x %s: %s", pdk_state_name(state), pdk_input_name(input), pdk_state_name(run->state));
    assert_int_equal(sim->bugs, action == PDK_ACTION_BUG);
    assert_int_equal(sim->misbehaved, action == PDK_ACTION_STALE);
    if (action != PDK_ACTION_BUG) return;
    assert_int_equal(sim->bug_state, state);
    assert_int_equal(sim->bug_input, input);
}

/* Within the step of its start. */
static void inside_start(struct sim *sim, struct sim_task *task, const pdk_start *info) {
    const enum pdk_input *input = sim->extra;
    struct pdk_record *run = TAILQ_FIRST(&sim->s->all);
    (void)task, (void)info;
    if (*input == PDK_INPUT_START_OK || *input == PDK_INPUT_START_ERR) return;
    assert_int_equal(run->state, PDK_STATE_STARTING);
    pdk_step(sim->s, run, *input, 0, NULL);
    check(sim, run, PDK_STATE_STARTING, *input);
}

static void drive_starting(struct sim *sim, enum pdk_input input) {
    sim->extra = &input;
    sim->on_start = inside_start;
    sim->bugs_expected = true;
    pdk_run handle = sim_submit(sim, "a", input == PDK_INPUT_START_ERR ? "'with':{'script':'E5'}" : "");
    if (input == PDK_INPUT_START_OK) assert_int_equal(sim_state(sim, handle), PDK_STATE_RUNNING);
    if (input == PDK_INPUT_START_ERR) sim_expect(sim, handle, PDK_END_FAILED, NULL);
}

/* Admission as the machine sees it: the command is taken away, the input given by hand. */
static void drive_new(struct sim *sim, enum pdk_input input) {
    if (input == PDK_INPUT_ADMIT_QUEUE) (void)sim_submit(sim, "owner", "'slot':'x'");
    struct pdk_record *run = sim_run(sim, make(sim, PDK_STATE_NEW));
    STAILQ_INIT(&sim->s->orders);
    (void)pdk_slot_find(&sim->s->slots, run->slot_name, run->slot_size, &run->slot_hash);
    sim->bugs_expected = true;
    pdk_step(sim->s, run, input, 0, NULL);
    check(sim, run, PDK_STATE_NEW, input);
    if (run->state == PDK_STATE_NEW) STAILQ_INSERT_TAIL(&sim->s->orders, &run->admit, next);
    sim_turn(sim);
}

static void drive_other(struct sim *sim, enum pdk_state state, enum pdk_input input) {
    struct pdk_record *run = sim_run(sim, make(sim, state));
    enum pdk_action action = pdk_state_action(state, input);
    assert_int_equal(run->state, state);
    prepare(sim, run, action, input);
    sim->bugs_expected = true;
    if (input == PDK_INPUT_SLOT && action == PDK_ACTION_R) { /* comes only as the end of another's step */
        (void)sim_done(sim_task(sim, "owner"), PDK_SUCCESS);
        pdk_step(sim->s, sim->s->dones->run, PDK_INPUT_DONE, 0, NULL);
    } else {
        pdk_step(sim->s, run, input, cause_of(input), NULL);
    }
    check(sim, run, state, input);
    if (action == PDK_ACTION_X || action == PDK_ACTION_E || action == PDK_ACTION_L) sim_turn(sim);
}

static void every_cell(void **state) {
    (void)state;
    for (int in = 0; in < PDK_STATES; in++) {
        for (int input = 0; input < PDK_INPUTS; input++) {
            bool full = in == PDK_STATE_READY || in == PDK_STATE_HELD;
            struct sim *sim = sim_with(
                &(pdk_supervisor_options){.struct_size = sizeof(pdk_supervisor_options), .running = full ? 1 : 0});
            /* out of its context an input may break what holds between runs, never the run itself */
            bool odd = input == PDK_INPUT_DRAIN || input == PDK_INPUT_GIVEUP || input == PDK_INPUT_PERMIT ||
                       (input == PDK_INPUT_T_TOTAL && in != PDK_STATE_NEW);
            if (odd) sim->check_every = UINT32_MAX;
            if (in == PDK_STATE_NEW) {
                drive_new(sim, (enum pdk_input)input);
            } else if (in == PDK_STATE_STARTING) {
                drive_starting(sim, (enum pdk_input)input);
            } else {
                drive_other(sim, (enum pdk_state)in, (enum pdk_input)input);
            }
            sim_end(sim);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(table_as_printed), cmocka_unit_test(every_cell)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
