/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a child, on a thread made for it.
 *
 * clone3 shares our table of fds with the child until the child takes its copy of the lowest few: copying the
 * table of a supervisor of ten thousand children costs more than all the rest. So what lives long is kept at
 * LOW_FDS and above, and what a child needs below.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/process/cgroup.h"
#include "core/process/raw.h"
#include "core/process/request.h"

enum { LOW_FDS = 64, STACK_SIZE = 64 * 1024, GUARD_SIZE = 64 * 1024, LAST_SIGNAL = 64 };

#define LOOK_EVERY (10 * PDK_MILLISECOND)

int pdk_fd_up(int fd) {
    if (fd < 0 || fd >= LOW_FDS) return fd;
    int up = fcntl(fd, F_DUPFD_CLOEXEC, LOW_FDS);
    if (up < 0) return fd; /* no more than LOW_FDS are allowed, or they are taken */
    close(fd);
    return up;
}

static int fd_down(int fd) {
    if (fd < LOW_FDS) return fd;
    int down = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (down < 0) return fd;
    if (down >= LOW_FDS) {
        close(down);
        return fd;
    }
    close(fd);
    return down;
}

int32_t pdk_launcher_init(struct pdk_launcher *launcher) {
    char *memory = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return -errno;
    if (mprotect(memory + GUARD_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE) < 0) {
        munmap(memory, GUARD_SIZE + STACK_SIZE);
        return -ENOMEM;
    }
    launcher->stack = memory;
    launcher->parent = getpid();
    return 0;
}

void pdk_launcher_finish(struct pdk_launcher *launcher) {
    munmap(launcher->stack, GUARD_SIZE + STACK_SIZE);
}

static void look_at_signal(struct pdk_launcher *launcher, int number) {
    struct sigaction action;
    uint64_t bit = UINT64_C(1) << (number - 1);
    launcher->ignored_signals &= ~bit;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) launcher->ignored_signals |= bit;
}

/* The kernel tells of a child's end to the thread that made it. As long as that blocks the signal it counts as not
 * ignored, even when nobody handles it, and each end would interrupt the main thread: twice the price of an end. But
 * no handler of the host's is to run here. */
static void mind_children(struct pdk_launcher *launcher) {
    struct sigaction action;
    sigset_t children;
    if (sigaction(SIGCHLD, NULL, &action) < 0) return;
    bool handled = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
    if (handled != launcher->lets_children_pass) return;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    pthread_sigmask(handled ? SIG_BLOCK : SIG_UNBLOCK, &children, NULL);
    launcher->lets_children_pass = !handled;
}

/* To ask after all of them costs a tenth of starting a small child. Those that come and go in programs that are well
 * under way (a shell waiting for its command ignores two) are looked at each time, the rest a hundred times a second. */
void pdk_launcher_refresh(struct pdk_launcher *launcher) {
    static const int USUAL[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGCHLD};
    uint64_t now = pdk_clock_now();
    mind_children(launcher);
    if (launcher->looked_at_all && now - launcher->looked_at_all < LOOK_EVERY) {
        for (size_t i = 0; i < sizeof USUAL / sizeof *USUAL; i++) look_at_signal(launcher, USUAL[i]);
        return;
    }
    launcher->looked_at_all = now;
    for (int i = 1; i <= LAST_SIGNAL; i++) look_at_signal(launcher, i);
}

/* ---- what to call a failed step ---- */

static const char *const STEP_TEXTS[PDK_STEP_COUNT] = {
    [PDK_STEP_NONE] = "start a process",
    [PDK_STEP_SESSION] = "begin a session of its own",
    [PDK_STEP_CGROUP] = "join its cgroup",
    [PDK_STEP_TMP] = "make a private /tmp",
    [PDK_STEP_FOLDER] = "change to its folder",
    [PDK_STEP_FDS] = "arrange its file descriptors",
    [PDK_STEP_UMASK] = "set umask",
    [PDK_STEP_IO] = "set its I/O priority",
    [PDK_STEP_BOUNDING] = "drop capabilities",
    [PDK_STEP_GROUPS] = "set its supplementary groups",
    [PDK_STEP_CAPABILITIES] = "set its capabilities",
    [PDK_STEP_SIGNALS] = "reset its signals",
    [PDK_STEP_DEATH] = "tie it to our own life",
    [PDK_STEP_NO_NEW_PRIVILEGES] = "set no_new_privs",
    [PDK_STEP_SECCOMP] = "load its seccomp filter",
};

static void step_text(const struct pdk_plan *plan, char *text, size_t size) {
    switch (plan->failed_step) {
    case PDK_STEP_RLIMIT: snprintf(text, size, "set limit %s", pdk_rlimit_name(plan->failed_detail)); break;
    case PDK_STEP_NICE: snprintf(text, size, "set nice to %d", plan->nice); break;
    case PDK_STEP_OOM: snprintf(text, size, "set oom_score_adj to %s", plan->oom_score); break;
    case PDK_STEP_GROUP: snprintf(text, size, "change to group %u", plan->gid); break;
    case PDK_STEP_USER: snprintf(text, size, "change to user %u", plan->uid); break;
    case PDK_STEP_EXEC: snprintf(text, size, "start \"%.200s\"", plan->program); break;
    default: snprintf(text, size, "%s", STEP_TEXTS[plan->failed_step]); break;
    }
}

/* "No such file" for a file that is there puzzles everybody. */
static const char *exec_hint(const struct pdk_plan *plan) {
    if (plan->failed_errno != ENOENT || plan->path) return "";
    int folder = plan->cwd_fd >= 0 ? plan->cwd_fd : AT_FDCWD;
    if (faccessat(folder, plan->program, F_OK, 0) < 0) return "";
    return "the file is there: its interpreter (the #! line, or the loader of the program) is not";
}

static void describe(const struct pdk_plan *plan, pdk_error *error) {
    char text[256];
    step_text(plan, text, sizeof text);
    bool exec = plan->failed_step == PDK_STEP_EXEC;
    if (exec && plan->failed_errno == ENOEXEC)
        pdk_process_error(error, -ENOEXEC, "%s: not executable: no #! line, and no program of this machine", text);
    else
        pdk_process_error(error, -plan->failed_errno, "%s: %s", text, strerror(plan->failed_errno));
    if (!exec) return;
    snprintf(error->hint, sizeof error->hint, "%s", exec_hint(plan));
    if (plan->path && plan->failed_errno == ENOENT)
        snprintf(error->hint, sizeof error->hint, "looked in PATH, which is \"%.200s\"", plan->path);
}

/* ---- fds ---- */

/* A pipe of which the child gets the blocking end, and we the other one. */
static int32_t make_pipe(const char *stream, int32_t *ret_ours, int32_t *ret_theirs, pdk_error *error) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return pdk_process_error(error, -errno, "open a pipe for %s: %s", stream, strerror(errno));
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    *ret_ours = pdk_fd_up(fds[0]);
    *ret_theirs = fds[1];
    return 0;
}

/* Whose fds: those of /dev/null and of a joined stream are not the plan's own. */
static bool is_own(const struct pdk_request *request, uint32_t i, int null_fd) {
    const int32_t *fds = request->plan.fds;
    if (fds[i] < 0 || fds[i] == null_fd) return false;
    return !(i == 2 && request->stderr_to == PDK_STREAM_JOIN);
}

static void close_plan_fds(struct pdk_request *request, int null_fd) {
    struct pdk_plan *plan = &request->plan;
    for (uint32_t i = 0; plan->fds && i < plan->fd_count; i++)
        if (is_own(request, i, null_fd)) close(plan->fds[i]);
    plan->fd_count = 0;
    if (plan->cwd_fd >= 0) close(plan->cwd_fd);
    plan->cwd_fd = -1;
}

void pdk_request_drop_plan(struct pdk_request *request) {
    close_plan_fds(request, -1);
    pdk_arena_free(&request->arena);
    memset(&request->arena, 0, sizeof request->arena);
    request->plan.fds = NULL;
}

static int32_t prepare_fds(struct pdk_launcher *launcher, struct pdk_request *request) {
    struct pdk_plan *plan = &request->plan;
    int32_t *fds = plan->fds, r = 0;
    for (uint32_t i = 0; i < plan->fd_count; i++) fds[i] = fd_down(fds[i]);
    if (request->stdout_to == PDK_STREAM_CAPTURE)
        r = make_pipe("stdout", &request->out_fds[0], &fds[1], &request->error);
    if (r == 0 && request->stderr_to == PDK_STREAM_CAPTURE)
        r = make_pipe("stderr", &request->out_fds[1], &fds[2], &request->error);
    if (r < 0) return r;
    if (request->stderr_to == PDK_STREAM_JOIN) fds[2] = fds[1];
    for (uint32_t i = 0; i < plan->fd_count; i++) {
        if (fds[i] < 0) fds[i] = launcher->null_fd;
        if ((uint32_t)fds[i] >= plan->first_unneeded) plan->first_unneeded = (uint32_t)fds[i] + 1;
    }
    return 0;
}

/* ---- clone ---- */

PDK_CHILD_CODE static void child_entry(void *arg) {
    pdk_child_main(arg);
}

static int32_t clone_child(struct pdk_launcher *launcher, struct pdk_request *request, int32_t *fds) {
    struct pdk_plan *plan = &request->plan;
    int pidfd = -1, into_fd = request->into_fd;
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_FILES | CLONE_CLEAR_SIGHAND |
                                       (into_fd >= 0 ? CLONE_INTO_CGROUP : 0),
                              .pidfd = (uintptr_t)&pidfd,
                              .exit_signal = SIGCHLD,
                              .stack = (uintptr_t)launcher->stack + GUARD_SIZE,
                              .stack_size = STACK_SIZE,
                              .cgroup = into_fd >= 0 ? (unsigned)into_fd : 0};
    plan->ignored_signals = launcher->ignored_signals;
    plan->parent = launcher->parent;
    plan->failed_step = PDK_STEP_NONE;
    /* The child rearranges its fds in the plan, which is ours, too. */
    memcpy(fds, plan->fds, plan->fd_count * sizeof *fds);
    long pid = pdk_clone(&args, child_entry, plan);
    memcpy(plan->fds, fds, plan->fd_count * sizeof *fds);
    if (pid < 0) {
        plan->failed_errno = (int32_t)-pid;
        return (int32_t)pid;
    }
    request->pid = (int32_t)pid;
    request->pidfd = pidfd;
    return 0;
}

/* A lock of the process, for all who start children in it: of a folder that the kernel has for each process. That one other
 * users may not open, and we may even while the mark makes it root's. *ret is to be closed; -1 where there is no /proc. */
static int32_t lock_process(int *ret) {
    int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
    *ret = -1;
    if (fd < 0) return errno == ENOENT ? 0 : -errno;
    do r = flock(fd, LOCK_EX);
    while (r < 0 && errno == EINTR);
    if (r == 0) {
        *ret = fd;
        return 0;
    }
    r = -errno;
    close(fd);
    return r;
}

static void unlock_process(int fd) {
    if (fd < 0) return;
    flock(fd, LOCK_UN); /* a child that somebody forked meanwhile has it, too */
    close(fd);
}

/* A change of user in the child makes the kernel mark the memory as not to be dumped or traced, and until exec that
 * memory is ours. Put back what was there; one at a time, so that nobody takes another's mark for ours, or lifts it while
 * a child with another user still has our memory. Another supervisor of this process does the same with threads of its
 * own, so what is between ours alone, users, is not enough. */
static int32_t clone_user(struct pdk_launcher *launcher, struct pdk_request *request, int32_t *fds) {
    int lock;
    pthread_mutex_lock(launcher->users);
    int32_t r = lock_process(&lock);
    if (r == 0) {
        int dumpable = prctl(PR_GET_DUMPABLE);
        r = clone_child(launcher, request, fds);
        if (dumpable == 1 && prctl(PR_GET_DUMPABLE) != 1) prctl(PR_SET_DUMPABLE, 1);
    } else {
        request->plan.failed_errno = -r;
    }
    unlock_process(lock);
    pthread_mutex_unlock(launcher->users);
    return r;
}

static void reap(struct pdk_request *request) {
    siginfo_t info;
    while (waitid(P_PIDFD, (id_t)request->pidfd, &info, WEXITED) < 0 && errno == EINTR) {}
    close(request->pidfd);
    request->pidfd = -1;
    request->pid = 0;
}

static int32_t start(struct pdk_launcher *launcher, struct pdk_request *request) {
    struct pdk_plan *plan = &request->plan;
    int32_t *fds = pdk_arena_alloc(&request->arena, plan->fd_count * sizeof *fds);
    if (!fds) return pdk_process_error(&request->error, -ENOMEM, "start a process: %s", strerror(ENOMEM));
    bool user = plan->flags & (PDK_COMMAND_USER | PDK_COMMAND_KEEP_CAPABILITIES);
    int32_t r = (user ? clone_user : clone_child)(launcher, request, fds);
    if (r == 0 && plan->failed_step == PDK_STEP_NONE) {
        request->pidfd = pdk_fd_up(request->pidfd);
        return 0;
    }
    if (r == 0) reap(request);
    describe(plan, &request->error);
    return request->error.code;
}

static void close_ours(struct pdk_request *request) {
    for (int i = 0; i < 2; i++) {
        if (request->out_fds[i] >= 0) close(request->out_fds[i]);
        request->out_fds[i] = -1;
    }
}

void pdk_launch(struct pdk_launcher *launcher, struct pdk_request *request) {
    int32_t r;
    if (atomic_load(&request->canceled))
        r = pdk_process_error(&request->error, -ECANCELED, "killed before it had started");
    else
        r = prepare_fds(launcher, request);
    if (r == 0) r = pdk_cgroups_take(launcher->cgroups, request);
    if (r == 0) r = pdk_cgroup_open(launcher->cgroups, request);
    if (r == 0) r = start(launcher, request);
    pdk_cgroup_close(request);
    if (r < 0) {
        close_ours(request);
        pdk_cgroups_give(launcher->cgroups, request->cgroup);
        request->cgroup = NULL;
    }
    close_plan_fds(request, launcher->null_fd);
    pdk_request_drop_plan(request);
}
