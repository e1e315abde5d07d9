/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

/* Those that make sense to send to a task. */
static const struct {
    const char *name;
    int32_t number;
} sendable[] = {{"TERM", SIGTERM}, {"HUP", SIGHUP},     {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"USR1", SIGUSR1},
                {"USR2", SIGUSR2}, {"WINCH", SIGWINCH}, {"CONT", SIGCONT}, {"ALRM", SIGALRM}, {"KILL", SIGKILL}};

static const char *const realtime[] = {
    "RTMIN",    "RTMIN+1",  "RTMIN+2",  "RTMIN+3",  "RTMIN+4",  "RTMIN+5",  "RTMIN+6",  "RTMIN+7",
    "RTMIN+8",  "RTMIN+9",  "RTMIN+10", "RTMIN+11", "RTMIN+12", "RTMIN+13", "RTMIN+14", "RTMIN+15",
    "RTMIN+16", "RTMIN+17", "RTMIN+18", "RTMIN+19", "RTMIN+20", "RTMIN+21", "RTMIN+22", "RTMIN+23",
    "RTMIN+24", "RTMIN+25", "RTMIN+26", "RTMIN+27", "RTMIN+28", "RTMIN+29", "RTMIN+30"};
#define REALTIME (int32_t)(sizeof(realtime) / sizeof(realtime[0]))

int32_t pdk_signal_parse(const char *text, int32_t *ret_signal) {
    if (strncmp(text, "SIG", 3) == 0) text += 3;
    for (size_t i = 0; i < sizeof(sendable) / sizeof(sendable[0]); i++) {
        if (strcmp(sendable[i].name, text) != 0) continue;
        *ret_signal = sendable[i].number;
        return 0;
    }
    if (strcmp(text, "RTMIN+0") == 0) text = realtime[0];
    for (int32_t i = 0; i < REALTIME && SIGRTMIN + i <= SIGRTMAX; i++) {
        if (strcmp(realtime[i], text) != 0) continue;
        *ret_signal = SIGRTMIN + i;
        return 0;
    }
    return -EINVAL;
}

const char *pdk_signal_name(int32_t signal) {
    int32_t offset = signal - SIGRTMIN;
    if (offset >= 0 && offset < REALTIME && signal <= SIGRTMAX) return realtime[offset];
    return sigabbrev_np(signal);
}
