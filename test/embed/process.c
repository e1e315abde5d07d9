/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void put_signals(FILE *to) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int i = 1; i <= SIGRTMAX; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) < 0) continue;
        fprintf(to, "signal %d: handler %p flags %x blocked %d\n", i, (void *)(uintptr_t)action.sa_handler,
                (unsigned)action.sa_flags, sigismember(&mask, i));
    }
}

static void put_attributes(FILE *to) {
    static const struct {
        const char *name;
        int get;
    } attributes[] = {
        {"dumpable", PR_GET_DUMPABLE}, {"no_new_privs", PR_GET_NO_NEW_PRIVS}, {"timer slack", PR_GET_TIMERSLACK}};
    int subreaper = 0, death = 0;
    char name[16] = "";
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        fprintf(to, "%s %d\n", attributes[i].name, prctl(attributes[i].get, 0, 0, 0, 0));
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    prctl(PR_GET_PDEATHSIG, &death);
    prctl(PR_GET_NAME, name);
    fprintf(to, "subreaper %d, signal of the parent's death %d, name %s\n", subreaper, death, name);
}

static void put_limits(FILE *to) {
    for (int i = 0; i < RLIMIT_NLIMITS; i++) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)i, &limit) < 0) continue;
        fprintf(to, "limit %d: %llu %llu\n", i, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    }
}

char *process_state(void) {
    char *text = NULL, folder[1024] = "";
    size_t size;
    FILE *to = open_memstream(&text, &size);
    mode_t mask = umask(0);
    umask(mask);
    put_signals(to);
    put_attributes(to);
    put_limits(to);
    fprintf(to, "folder %s, umask %o, locale %s, nice %d, uid %d %d, group %d, session %d\n",
            getcwd(folder, sizeof folder), mask, setlocale(LC_ALL, NULL), getpriority(PRIO_PROCESS, 0), getuid(),
            geteuid(), getpgrp(), getsid(0));
    fprintf(to, "environment at %p\n", (void *)environ);
    for (char **at = environ; *at; at++) fprintf(to, "%s\n", *at);
    fclose(to);
    return text;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_folder(FILE *to, const char *path, int with_targets) {
    char *names[4096], target[1024], link[512];
    size_t count = 0;
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; count < 4096 && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || (with_targets && strtol(entry->d_name, NULL, 10) == dirfd(folder))) continue;
        names[count++] = strdup(entry->d_name);
    }
    closedir(folder);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(link, sizeof link, "%s/%s", path, names[i]);
        ssize_t n = with_targets ? readlink(link, target, sizeof target - 1) : 0;
        fprintf(to, "%s %.*s\n", with_targets ? names[i] : "thread", n > 0 ? (int)n : 0, target);
        free(names[i]);
    }
}

char *process_things(void) {
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    put_folder(to, "/proc/self/fd", 1);
    put_folder(to, "/proc/self/task", 0);
    fclose(to);
    return text;
}
