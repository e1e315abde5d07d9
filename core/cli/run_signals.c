/* SPDX-License-Identifier: Apache-2.0 */
/* Signals come through a file descriptor on the loop; no handler runs anywhere. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/cli/run.h"

static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT};

/* Of a daemon; a stray USR2 would end it otherwise. */
static const int served[] = {SIGUSR1, SIGUSR2};

/* What whoever started us told us to ignore (nohup, a shell's background) stays ignored. */
static bool is_ignored(int signal) {
    struct sigaction action;
    return signal != SIGWINCH && signal != SIGCONT && sigaction(signal, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

int32_t pdk_run_signals_block(struct pdk_session *session) {
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        if (!is_ignored(handled[i])) (void)sigaddset(&set, handled[i]);
    for (size_t i = 0; session->serves && i < sizeof served / sizeof *served; i++) (void)sigaddset(&set, served[i]);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
    session->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return session->signal_fd < 0 ? -errno : 0;
}

void pdk_run_signals_look(void *arg) {
    struct pdk_session *session = arg;
    struct signalfd_siginfo info;
    while (read(session->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGWINCH: pdk_screen_resized(&session->screen); break;
        case SIGCONT: pdk_screen_resumed(&session->screen); break;
        case SIGQUIT: session->say_states(session); break;
        case SIGINT: session->ask_end(session, SIGINT); break;
        case SIGUSR1: session->turn_over(session); break;
        case SIGUSR2: break;
        case SIGHUP:
            if (session->reload)
                session->reload(session);
            else
                session->ask_end(session, SIGTERM);
            break;
        default: session->ask_end(session, SIGTERM); break;
        }
    }
}

static void on_signal(void *arg, uint32_t events) {
    (void)events;
    pdk_run_signals_look(arg);
}

int32_t pdk_run_signals_watch(struct pdk_session *session) {
    return session->loop->io(session->loop, session->signal_fd, PDK_READ, on_signal, session, &session->signal_watch);
}

void pdk_run_signals_free(struct pdk_session *session) {
    if (session->signal_watch) session->loop->stop(session->loop, session->signal_watch);
    if (session->signal_fd > 0) (void)close(session->signal_fd);
    session->signal_watch = 0;
    session->signal_fd = -1;
}
