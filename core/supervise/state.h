/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine of one run: its states, what can happen to it, and which of the two is a transition.
 *
 * One thread, one step at a time. The machine runs on the loop's thread only and is never entered while it
 * runs. Whatever else happens (a done from any thread, a command, a timer, a dead plugin) is noted down and
 * becomes an input in a turn (turn.c). Plugins are called by steps, and what they call back is noted down too.
 *
 *                 slot taken            slot free              permit                start = 0
 *      NEW ---------------> QUEUED ---------------> READY -------------> STARTING -------------> RUNNING
 *       |                                         ^  |  ^                    | start < 0           |  |
 *       |  REJECTED                        resume |  |  | delay over         v                     |  | asked,
 *       '--------> ENDED <---.             (HELD) '--'  '---- WAITING <----- E <----- done --------'  | or too late
 *                    ^       |                                policy says       ^                     v
 *                    |       '------------------------------- so, or not        |                 STOPPING
 *                    |                                                          +------ done ---------|
 *                    |  late done, or abandoned                                 |                     | grace over
 *                    '----------------------------- STUCK <--- nothing helps ---'------ done ------ KILLING
 *
 *   slot     Owned from READY to the end of the run, through pauses between attempts too, until the run's task
 *            is destroyed. Freeing it and giving it to the next waiter is one step: a free slot has no waiters.
 *   permit   Held from just before start to the end of the attempt, never while waiting for anything.
 *   cause    Who asked first: user, replaced, shutdown or deadline; set once. With a cause nothing starts.
 *   asked    The cause has reached the plugin: from now on the end is ours whatever the plugin says. A done that
 *            was posted before we asked counts as it is, so everybody who is about to ask looks at it first.
 *   outcome  Recorded once, in the step that ends the run (or that gives it up), told once, in the same turn.
 *
 * table.c has every state and every input; transition.c and its neighbours have what the letters mean.
 */
#ifndef CORE_SUPERVISE_STATE_H
#define CORE_SUPERVISE_STATE_H

#include <stdint.h>

enum pdk_state {
    PDK_STATE_NEW,      /* accepted; its admission is the next command but those before it */
    PDK_STATE_QUEUED,   /* for its slot */
    PDK_STATE_READY,    /* owns its slot; in the queue for a permit */
    PDK_STATE_HELD,     /* would be READY, were it not paused */
    PDK_STATE_STARTING, /* within a step only */
    PDK_STATE_RUNNING,
    PDK_STATE_STOPPING, /* cancel was called */
    PDK_STATE_KILLING,  /* kill was called */
    PDK_STATE_STUCK,    /* its outcome is out, but it does not stop */
    PDK_STATE_WAITING,  /* for the next attempt */
    PDK_STATE_ENDED,
    PDK_STATES
};

enum pdk_input {
    PDK_INPUT_ADMIT_OWN,   /* its slot was free */
    PDK_INPUT_ADMIT_QUEUE, /* its slot is taken, and it may wait */
    PDK_INPUT_ADMIT_NO,    /* its slot is taken, and it may not */
    PDK_INPUT_SLOT,        /* it is the owner's successor */
    PDK_INPUT_PERMIT,
    PDK_INPUT_START_OK,
    PDK_INPUT_START_ERR,
    PDK_INPUT_DONE,  /* taken up */
    PDK_INPUT_STALE, /* a second done, or one with a closed handle */
    PDK_INPUT_T_ATTEMPT,
    PDK_INPUT_T_GRACE,
    PDK_INPUT_T_KILL,
    PDK_INPUT_T_WAIT,
    PDK_INPUT_T_TOTAL,
    PDK_INPUT_CANCEL,
    PDK_INPUT_FORCE,  /* cancel without grace */
    PDK_INPUT_DRAIN,  /* shutdown began */
    PDK_INPUT_GIVEUP, /* shutdown's last moment */
    PDK_INPUT_GONE,   /* the plugin's process has died and is reaped */
    PDK_INPUT_PAUSE,
    PDK_INPUT_RESUME,
    PDK_INPUT_ABANDON,
    PDK_INPUTS
};

/* What a cell says. The letters are those of states.md section 2.1. */
enum pdk_action {
    PDK_ACTION_BUG,       /* cannot happen */
    PDK_ACTION_STALE,     /* ignored: the attempt is closed; the plugin misbehaves */
    PDK_ACTION_OUT,       /* ignored: the outcome is out, only the end of the task matters */
    PDK_ACTION_OVER,      /* ignored: it has ended */
    PDK_ACTION_NOT_STUCK, /* ignored: only a stuck run is abandoned */
    PDK_ACTION_R,         /* become ready */
    PDK_ACTION_Q,         /* queue for the slot */
    PDK_ACTION_X,         /* leave, without an attempt running */
    PDK_ACTION_S,         /* start */
    PDK_ACTION_O,         /* started: it is on */
    PDK_ACTION_E,         /* the attempt ends */
    PDK_ACTION_A,         /* ask it to end */
    PDK_ACTION_C,         /* note the cause */
    PDK_ACTION_K,         /* kill */
    PDK_ACTION_L,         /* give it up as lost */
    PDK_ACTION_F,         /* free what a stuck run holds */
    PDK_ACTION_D,         /* destroy the task of an abandoned run */
    PDK_ACTION_U,         /* its task went with the plugin's process */
    PDK_ACTION_P,         /* pause or resume */
    PDK_ACTIONS
};

extern const uint8_t pdk_state_table[PDK_INPUTS][PDK_STATES];
static inline enum pdk_action pdk_state_action(enum pdk_state state, enum pdk_input input) {
    return (enum pdk_action)pdk_state_table[input][state];
}

const char *pdk_state_name(enum pdk_state state);
const char *pdk_input_name(enum pdk_input input);

#endif
