/* SPDX-License-Identifier: Apache-2.0 */
/* Every state and every input. `no` cannot happen; st, out, over and nst are ignored, state.h says why. */
#include "core/supervise/state.h"

/* As short as the table needs. */
enum {
    no = PDK_ACTION_BUG,
    st = PDK_ACTION_STALE,
    out = PDK_ACTION_OUT,
    over = PDK_ACTION_OVER,
    nst = PDK_ACTION_NOT_STUCK
};
#define A(letter) PDK_ACTION_##letter

/* clang-format off */
const uint8_t pdk_state_table[PDK_INPUTS][PDK_STATES] = {
    /*                        NEW   QUEUED READY HELD  START. RUNN. STOPP. KILL. STUCK WAIT. ENDED */
    [PDK_INPUT_ADMIT_OWN]   = {A(R), no,   no,   no,   no,   no,   no,   no,   no,   no,   no},
    [PDK_INPUT_ADMIT_QUEUE] = {A(Q), no,   no,   no,   no,   no,   no,   no,   no,   no,   no},
    [PDK_INPUT_ADMIT_NO]    = {A(X), no,   no,   no,   no,   no,   no,   no,   no,   no,   no},
    [PDK_INPUT_SLOT]        = {no,   A(R), no,   no,   no,   no,   no,   no,   no,   no,   no},
    [PDK_INPUT_PERMIT]      = {no,   no,   A(S), no,   no,   no,   no,   no,   no,   no,   no},
    [PDK_INPUT_START_OK]    = {no,   no,   no,   no,   A(O), no,   no,   no,   no,   no,   no},
    [PDK_INPUT_START_ERR]   = {no,   no,   no,   no,   A(E), no,   no,   no,   no,   no,   no},
    [PDK_INPUT_DONE]        = {no,   no,   no,   no,   no,   A(E), A(E), A(E), A(F), no,   A(D)},
    [PDK_INPUT_STALE]       = {no,   st,   st,   st,   no,   st,   st,   st,   st,   st,   st},
    [PDK_INPUT_T_ATTEMPT]   = {no,   no,   no,   no,   no,   A(A), no,   no,   no,   no,   no},
    [PDK_INPUT_T_GRACE]     = {no,   no,   no,   no,   no,   no,   A(K), no,   no,   no,   no},
    [PDK_INPUT_T_KILL]      = {no,   no,   no,   no,   no,   no,   no,   A(L), no,   no,   no},
    [PDK_INPUT_T_WAIT]      = {no,   no,   no,   no,   no,   no,   no,   no,   no,   A(R), no},
    [PDK_INPUT_T_TOTAL]     = {no,   A(X), A(X), A(X), no,   A(A), A(C), A(C), no,   A(X), no},
    [PDK_INPUT_CANCEL]      = {no,   A(X), A(X), A(X), no,   A(A), A(C), A(C), out,  A(X), over},
    [PDK_INPUT_FORCE]       = {no,   A(X), A(X), A(X), no,   A(A), A(A), A(C), out,  A(X), over},
    [PDK_INPUT_DRAIN]       = {no,   A(X), A(X), A(X), no,   A(C), A(C), A(C), out,  A(X), over},
    [PDK_INPUT_GIVEUP]      = {no,   no,   no,   no,   no,   A(E), A(L), A(L), out,  no,   over},
    [PDK_INPUT_GONE]        = {no,   A(U), A(U), A(U), no,   A(E), A(E), A(E), A(F), A(U), A(D)},
    [PDK_INPUT_PAUSE]       = {no,   A(P), A(P), A(P), no,   A(P), A(P), A(P), out,  A(P), over},
    [PDK_INPUT_RESUME]      = {no,   A(P), A(P), A(P), no,   A(P), A(P), A(P), out,  A(P), over},
    [PDK_INPUT_ABANDON]     = {no,   nst,  nst,  nst,  no,   nst,  nst,  nst,  A(F), nst,  over},
};
/* clang-format on */

const char *pdk_state_name(enum pdk_state state) {
    static const char *const names[PDK_STATES] = {"new",      "queued",  "ready", "held",    "starting", "running",
                                                  "stopping", "killing", "stuck", "waiting", "ended"};
    return names[state];
}

const char *pdk_input_name(enum pdk_input input) {
    static const char *const names[PDK_INPUTS] = {
        "admit_own", "admit_queue", "admit_no", "slot",   "permit", "start_ok", "start_err", "done",
        "stale",     "t_attempt",   "t_grace",  "t_kill", "t_wait", "t_total",  "cancel",    "force",
        "drain",     "giveup",      "gone",     "pause",  "resume", "abandon"};
    return names[input];
}
