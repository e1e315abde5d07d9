/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for one end, and cleans up after it. */
#include "warden.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/leave/leave.h"

enum { PATIENCE_MS = 5000 };

/* As the shell does it: whoever waits for us sees what became of the plugin's process. */
__attribute__((noreturn)) static void end_as(int status) {
    static const struct rlimit no_core = {0, 0};
    (void)pdk_leave_no_child(PATIENCE_MS);
    if (WIFSIGNALED(status)) {
        sigset_t only;
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)sigemptyset(&only);
        (void)sigaddset(&only, WTERMSIG(status));
        (void)raise(WTERMSIG(status));
        (void)sigprocmask(SIG_UNBLOCK, &only, NULL);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Orphans end while we wait, too: they are reaped by the way. */
__attribute__((noreturn)) static void watch(pid_t child, const sigset_t *signals) {
    for (;;) {
        int status, number = sigwaitinfo(signals, NULL);
        pid_t pid;
        if (number == SIGTERM) (void)kill(child, SIGKILL);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == child) end_as(status);
    }
}

int pdk_warden_split(void) {
    sigset_t signals, before;
    pid_t parent = getpid(), child;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &signals, &before) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
        return -errno;
    child = fork();
    if (child < 0) return -errno;
    if (child > 0) {
        closefrom(STDERR_FILENO + 1);
        watch(child, &signals);
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return -errno;
    if (getppid() != parent) _exit(1); /* it died before that call, and nobody would tell us */
    return sigprocmask(SIG_SETMASK, &before, NULL) < 0 ? -errno : 0;
}
