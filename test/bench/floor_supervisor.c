/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that can be called a supervisor: start N children, start again what ends, on TERM kill all and wait.
 * It has no policies, no output, no names: a floor to measure against, not a peer.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static volatile sig_atomic_t ending;

static void on_term(int signal) {
    (void)signal;
    ending = 1;
}

static pid_t start(const char *program, long number) {
    char name[32];
    pid_t pid = -1;
    snprintf(name, sizeof name, "%ld", number);
    char *arguments[] = {(char *)(size_t)program, name, NULL};
    if (posix_spawn(&pid, program, NULL, NULL, arguments, environ)) exit(1);
    return pid;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    long count = strtol(argv[1], NULL, 10), left = count;
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
    for (long i = 0; i < count; i++) pids[i] = start(argv[2], i);
    while (!ending) {
        pid_t pid = wait(NULL);
        for (long i = 0; pid > 0 && i < count; i++)
            if (pids[i] == pid) pids[i] = start(argv[2], i);
    }
    for (long i = 0; i < count; i++) kill(pids[i], SIGTERM);
    while (left > 0 && wait(NULL) > 0) left--;
    return 0;
}
