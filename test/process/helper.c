/* SPDX-License-Identifier: Apache-2.0 */
/* The child of many faces: its first argument says what to be. Exits 0 when it could be that. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int number(char **argv) {
    return argv[0] ? (int)strtol(argv[0], NULL, 10) : 0;
}

static int pause_for_ever(void) {
    for (;;) pause();
    return 0;
}

static int be_exit(char **argv) {
    return number(argv);
}

static int be_echo(char **argv) {
    printf("%s", argv[0]);
    fflush(stdout);
    fprintf(stderr, "%s", argv[1] ? argv[1] : "");
    return 0;
}

/* N lines, numbered, of 64 bytes. */
static int be_lines(char **argv) {
    int count = number(argv);
    for (int i = 0; i < count; i++) printf("line %058d\n", i);
    return fflush(stdout) == 0 ? 0 : 1;
}

static int be_cat(char **argv) {
    char buffer[4096];
    int fd = argv[0] ? number(argv) : 0;
    for (ssize_t size; (size = read(fd, buffer, sizeof buffer)) > 0;)
        if (write(1, buffer, (size_t)size) != size) return 1;
    return 0;
}

static int compare(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Which fds are open, beside the one that looks. */
static int be_fds(char **argv) {
    int fds[4096], count = 0;
    DIR *folder = opendir("/proc/self/fd");
    (void)argv;
    for (struct dirent *entry; (entry = readdir(folder)) && count < 4096;) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && fd != dirfd(folder)) fds[count++] = fd;
    }
    qsort(fds, (size_t)count, sizeof *fds, compare);
    for (int i = 0; i < count; i++) printf("%d ", fds[i]);
    return 0;
}

/* Lines of /proc/self/status that begin with one of the words. */
static int be_status(char **argv) {
    char line[512];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        for (char **word = argv; *word; word++)
            if (strncmp(line, *word, strlen(*word)) == 0 && line[strlen(*word)] == ':') printf("%s", line);
    return 0;
}

static int be_state(char **argv) {
    char folder[512];
    struct rlimit files;
    (void)argv;
    mode_t mask = umask(0);
    getrlimit(RLIMIT_NOFILE, &files);
    printf("umask %o nice %d io %ld files %llu %llu cwd %s ", mask, getpriority(PRIO_PROCESS, 0),
           syscall(SYS_ioprio_get, 1, 0), (unsigned long long)files.rlim_cur, (unsigned long long)files.rlim_max,
           getcwd(folder, sizeof folder));
    FILE *file = fopen("/proc/self/oom_score_adj", "r");
    int score = 0, death = 0;
    if (file && fscanf(file, "%d", &score) == 1) printf("oom %d ", score);
    prctl(PR_GET_PDEATHSIG, &death);
    printf("leader %d death %d", getsid(0) == getpid() && getpgrp() == getpid(), death);
    return 0;
}

static int be_tmp(char **argv) {
    struct stat info;
    (void)argv;
    printf("%s", stat("/tmp/outside-marker", &info) == 0 ? "outside" : "inside");
    int fd = open("/tmp/inside-marker", O_CREAT | O_RDWR, 0600);
    return fd >= 0 ? 0 : 1;
}

static int be_denied(char **argv) {
    (void)argv;
    long r = syscall(SYS_getppid);
    printf("%d %d", r > 0 ? 1 : -1, r > 0 ? 0 : errno);
    return 0;
}

static int be_pause(char **argv) {
    (void)argv;
    printf("ready\n");
    fflush(stdout);
    return pause_for_ever();
}

static int be_deaf(char **argv) {
    for (int i = 1; i < 65; i++) signal(i, SIG_IGN);
    return be_pause(argv);
}

static void on_signal(int signal) {
    char digits[2] = {(char)('0' + signal / 10), (char)('0' + signal % 10)};
    _exit(write(1, digits, 2) == 2 ? 40 : 1);
}

static int be_hearing(char **argv) {
    signal(SIGTERM, on_signal);
    signal(SIGUSR1, on_signal);
    return be_pause(argv);
}

/* Leaves a child behind that holds the pipes, in the same group. */
static int be_leaver(char **argv) {
    (void)argv;
    pid_t pid = fork();
    if (pid == 0) return pause_for_ever();
    printf("%d\n", pid);
    return 0;
}

/* Leaves the group by setsid and a double fork; argument: "hold" the pipes, or "close" them; "bare" without
 * environment. Says its pid first. */
static int be_escaper(char **argv) {
    int fds[2];
    if (pipe(fds) < 0) return 1;
    if (fork() == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        if (strcmp(argv[0], "close") == 0) close(0), close(1), close(2);
        char byte = 'x';
        pid_t self = getpid();
        if (write(fds[1], &self, sizeof self) < 0 || write(fds[1], &byte, 1) < 0) _exit(1);
        return pause_for_ever();
    }
    pid_t pid = 0;
    if (read(fds[0], &pid, sizeof pid) != sizeof pid) return 1;
    printf("%d\n", pid);
    fflush(stdout);
    return argv[1] ? pause_for_ever() : 0;
}

/* Forks for ever, each of them too. */
static int be_bomb(char **argv) {
    int refused = 0;
    (void)argv;
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        pid_t pid = fork();
        if (pid == 0 && (rand() & 1)) setsid();
        if (pid < 0 && ++refused > 1000) sched_yield();
    }
    return 0;
}

static int be_eater(char **argv) {
    size_t size = (size_t)number(argv) << 20;
    volatile char *memory = malloc(size);
    for (size_t i = 0; memory && i < size; i += 4096) memory[i] = 1;
    return memory ? 0 : 1;
}

static int be_env(char **argv) {
    extern char **environ;
    (void)argv;
    for (char **line = environ; *line; line++) printf("%s\n", *line);
    return 0;
}

static const struct face {
    const char *name;
    int (*be)(char **argv);
} FACES[] = {
    {"exit", be_exit},     {"echo", be_echo},       {"lines", be_lines},   {"cat", be_cat},         {"fds", be_fds},
    {"status", be_status}, {"state", be_state},     {"tmp", be_tmp},       {"denied", be_denied},   {"pause", be_pause},
    {"deaf", be_deaf},     {"hearing", be_hearing}, {"leaver", be_leaver}, {"escaper", be_escaper}, {"bomb", be_bomb},
    {"eater", be_eater},   {"env", be_env},
};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof FACES / sizeof *FACES; i++)
        if (strcmp(argv[1], FACES[i].name) == 0) return FACES[i].be(argv + 2);
    return 125;
}
