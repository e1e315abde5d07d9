/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon has outside of itself: a folder for what outlives it, and what a killed one has left to be cleared away;
 * a file with its number, a word when it is ready. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/serve.h"
#include "core/leave/leave.h"

enum { LOCK_PATIENCE_MS = 5000, LOCK_PAUSE_MS = 5, FORMER_PATIENCE_MS = 5000 };

static const char *variable(const char *name) {
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

static const char *join(struct pdk_serve *serve, const char *folder, const char *rest) {
    char *path = NULL;
    if (asprintf(&path, "%s%s", folder, rest) < 0) return NULL;
    const char *kept = pdk_arena_text(&serve->arena, path, strlen(path));
    free(path);
    return kept;
}

/* The first of several, as systemd gives them: a:b. */
static const char *first_of(struct pdk_serve *serve, const char *list) {
    return pdk_arena_text(&serve->arena, list, strcspn(list, ":"));
}

/* *ret NULL: nobody says where. */
static int32_t choose_state(struct pdk_serve *serve, const char **ret) {
    const char *own = serve->setup->config->server.state, *base;
    if (own)
        *ret = own;
    else if ((base = variable("STATE_DIRECTORY")))
        *ret = first_of(serve, base);
    else if (geteuid() == 0)
        *ret = "/var/lib/paddock";
    else if ((base = variable("XDG_STATE_HOME")))
        *ret = join(serve, base, "/paddock");
    else if ((base = variable("HOME")))
        *ret = join(serve, base, "/.local/state/paddock");
    else
        return 0;
    return *ret ? 0 : -ENOMEM;
}

/* With the folders above it. */
static int32_t make_folder(const char *path) {
    char *copy = strdup(path);
    int32_t rc = 0;
    if (!copy) return -ENOMEM;
    for (char *at = copy + 1; rc == 0 && *at; at++) {
        if (*at != '/') continue;
        *at = '\0';
        rc = mkdir(copy, 0755) < 0 && errno != EEXIST ? -errno : 0;
        *at = '/';
    }
    if (rc == 0 && mkdir(copy, 0700) < 0 && errno != EEXIST) rc = -errno;
    free(copy);
    return rc;
}

static int say_taken(const struct pdk_serve *serve) {
    char pid[32] = "";
    ssize_t size = pread(serve->state_lock, pid, sizeof pid - 1, 0);
    pid[size > 0 ? size : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    pdk_say("another server%s%s%s has %s; server: state gives this one its own", *pid ? ", process " : "", pid,
            *pid ? "," : "", serve->state);
    return PDK_EXIT_REFUSED;
}

/* Does the one that wrote its number there live? */
static bool is_held_by_living(const struct pdk_serve *serve) {
    char text[32] = "";
    long pid = pread(serve->state_lock, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 0 && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno != ESRCH);
}

/* A server that was killed has the lock for a moment yet, through a child that had not come to its exec: the last of them
 * is killed as well. */
static int32_t lock(const struct pdk_serve *serve) {
    for (uint32_t waited = 0;; waited += LOCK_PAUSE_MS) {
        if (flock(serve->state_lock, LOCK_EX | LOCK_NB) == 0) return 0;
        int32_t rc = -errno;
        if (rc != -EWOULDBLOCK || waited >= LOCK_PATIENCE_MS || is_held_by_living(serve)) return rc;
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
}

/* 0, or a negative errno; -EWOULDBLOCK: another has it. */
static int32_t lock_folder(struct pdk_serve *serve) {
    const char *path = join(serve, serve->state, "/lock");
    if (!path) return -ENOMEM;
    serve->state_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (serve->state_lock < 0) return -errno;
    int32_t rc = lock(serve);
    if (rc < 0) return rc;
    /* Who has it is good to know, and no more: a full disk is no reason not to work. */
    if (ftruncate(serve->state_lock, 0) == 0) (void)dprintf(serve->state_lock, "%ld\n", (long)getpid());
    return 0;
}

/* Nobody said that there must be one, and it cannot be had: work without. */
static int without_state(struct pdk_serve *serve, int32_t rc) {
    pdk_run_talk(serve->session, PDK_LOG_WARN, "", "no state folder%s%s%s%s; nothing outlives this process",
                 serve->state ? ": " : "", serve->state ? serve->state : "", rc < 0 ? ": " : "",
                 rc < 0 ? strerror(-rc) : "");
    serve->state = NULL;
    (void)unsetenv("STATE_DIRECTORY");
    return 0;
}

/* ---- the numbers of runs: an id never comes twice, whatever is kept of the runs before us. They are set aside by the
 * thousand, so that a program that is killed leaves a gap and no doubt. */

enum { NUMBERS = 1000, NUMBERS_LAST = INT32_MAX };

static void write_numbers(const struct pdk_serve *serve, uint64_t next) {
    char text[24];
    int size = snprintf(text, sizeof text, "%020llu\n", (unsigned long long)next);
    if (pwrite(serve->numbers, text, (size_t)size, 0) == size) return;
    pdk_run_talk(serve->session, PDK_LOG_WARN, "", "cannot write %s/runs: %s; ids of runs may come again", serve->state,
                 strerror(errno));
}

static uint64_t on_number(void *arg, uint64_t seq) {
    write_numbers(arg, seq + NUMBERS);
    return seq + NUMBERS;
}

static uint64_t read_numbers(const struct pdk_serve *serve) {
    char text[24] = "";
    const char *fault = NULL;
    ssize_t size = pread(serve->numbers, text, sizeof text - 1, 0);
    if (size == 0) return 1;
    if (size > 0) text[strcspn(text, "\n")] = '\0';
    long long number = strtonum(text, 1, (long long)NUMBERS_LAST * NUMBERS, &fault);
    if (!fault) return (uint64_t)number;
    pdk_run_talk(serve->session, PDK_LOG_WARN, "", "%s/runs: a number is wanted, not \"%s\"; ids of runs begin anew",
                 serve->state, text);
    return 1;
}

static void open_numbers(struct pdk_serve *serve) {
    const char *path = join(serve, serve->state, "/runs");
    if (path) serve->numbers = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (serve->numbers >= 0)
        pdk_supervisor_number(serve->session->supervisor, read_numbers(serve), on_number, serve);
    else
        pdk_run_talk(serve->session, PDK_LOG_WARN, "", "cannot open %s/runs: %s; ids of runs begin anew", serve->state,
                     strerror(errno));
}

static void close_numbers(struct pdk_serve *serve) {
    if (serve->numbers < 0) return;
    write_numbers(serve, pdk_supervisor_next_number(serve->session->supervisor));
    (void)close(serve->numbers);
    serve->numbers = -1;
}

/* What tells this folder from any other, for ever: the number of a file comes again when it is removed. */
static int32_t read_id(struct pdk_serve *serve, char *id, size_t size) {
    unsigned char random[16];
    const char *path = join(serve, serve->state, "/id");
    if (!path) return -ENOMEM;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    ssize_t got = pread(fd, id, size - 1, 0);
    int32_t rc = got < 0 ? -errno : 0;
    id[got > 0 ? got : 0] = '\0';
    if (rc == 0 && strspn(id, "0123456789abcdef") != size - 1) {
        arc4random_buf(random, sizeof random);
        for (size_t i = 0; i < sizeof random; i++) (void)snprintf(id + 2 * i, size - 2 * i, "%02x", random[i]);
        ssize_t put = pwrite(fd, id, size - 1, 0);
        if (put != (ssize_t)size - 1) rc = put < 0 ? -errno : -ENOSPC;
    }
    (void)close(fd);
    return rc;
}

/* What is started from now on has in its environment whose it is, and what another of this folder has left is killed. */
static void clear_former(struct pdk_serve *serve) {
    char id[33], line[80];
    uint32_t found = 0;
    int32_t named = read_id(serve, id, sizeof id);
    if (named == 0 && setenv("PADDOCK_STATE_ID", id, 1) < 0) named = -errno;
    if (named < 0) {
        (void)unsetenv("PADDOCK_STATE_ID");
        pdk_run_talk(serve->session, PDK_LOG_WARN, "",
                     "cannot keep %s/id: %s; what this server leaves if killed runs on", serve->state,
                     strerror(-named));
        return;
    }
    (void)snprintf(line, sizeof line, "PADDOCK_STATE_ID=%s", id);
    int32_t rc = pdk_leave_former(line, FORMER_PATIENCE_MS, &found);
    if (found)
        pdk_run_talk(serve->session, PDK_LOG_WARN, "", "%u process%s of a server that was killed ran on: killed", found,
                     found == 1 ? "" : "es");
    if (rc < 0)
        pdk_run_talk(serve->session, PDK_LOG_ERROR, "", "what a server that was killed has left cannot be ended: %s",
                     strerror(-rc));
}

int pdk_serve_open_state(struct pdk_serve *serve) {
    bool wanted = serve->setup->config->server.state || variable("STATE_DIRECTORY");
    if (choose_state(serve, &serve->state) < 0) return pdk_say_memory();
    if (!serve->state) return without_state(serve, 0);
    int32_t rc = make_folder(serve->state);
    if (rc == 0) rc = lock_folder(serve);
    if (rc == -EWOULDBLOCK) return say_taken(serve);
    if (rc == 0 && setenv("STATE_DIRECTORY", serve->state, 1) < 0) rc = -errno;
    if (rc == 0) {
        clear_former(serve);
        open_numbers(serve);
        return 0;
    }
    if (!wanted) return without_state(serve, rc);
    pdk_say("the state folder %s: %s", serve->state, strerror(-rc));
    return PDK_EXIT_FAILED;
}

int pdk_serve_choose_socket(struct pdk_serve *serve) {
    const struct pdk_server *server = &serve->setup->config->server;
    const char *own = serve->session->arguments->socket, *base;
    if (!own) own = variable("PADDOCK_SOCKET");
    if (!own) own = server->socket;
    if (own)
        serve->socket = own;
    else if ((base = variable("RUNTIME_DIRECTORY")))
        serve->socket = (base = first_of(serve, base)) ? join(serve, base, "/paddock.sock") : NULL;
    else if (geteuid() == 0)
        serve->socket = "/run/paddock.sock";
    else if ((base = variable("XDG_RUNTIME_DIR")))
        serve->socket = join(serve, base, "/paddock.sock");
    else
        return 0;
    return serve->socket ? 0 : pdk_say_memory();
}

/* ---- the file with our number */

/* Whole, or not at all. */
int pdk_serve_write_pid(struct pdk_serve *serve) {
    const char *path = serve->session->arguments->pid_file;
    char text[32];
    if (!path) return 0;
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    int32_t rc = pdk_write_replace(path, text, (size_t)size, NULL);
    if (rc < 0) pdk_say("cannot write %s: %s", path, strerror(-rc));
    serve->pid_written = rc == 0;
    return rc < 0 ? PDK_EXIT_FAILED : 0;
}

int pdk_serve_check_ready(struct pdk_serve *serve) {
    int fd = serve->session->arguments->ready_fd, mode = fd < 0 ? O_WRONLY : fcntl(fd, F_GETFL);
    if (mode >= 0 && (mode & O_ACCMODE) != O_RDONLY) return 0;
    pdk_say("--ready-fd %d: %s", fd, mode < 0 ? strerror(errno) : "it cannot be written");
    return PDK_EXIT_USAGE;
}

void pdk_serve_tell_ready(struct pdk_serve *serve) {
    static const char word[] = "ready\n";
    int fd = serve->session->arguments->ready_fd;
    if (fd < 0) return;
    if (write(fd, word, sizeof word - 1) != (ssize_t)sizeof word - 1) pdk_say("--ready-fd %d: %s", fd, strerror(errno));
    if (fd > STDERR_FILENO) (void)close(fd); /* who opens a file next would get what is meant for a standard stream */
}

void pdk_serve_close_state(struct pdk_serve *serve) {
    if (serve->pid_written) (void)unlink(serve->session->arguments->pid_file);
    close_numbers(serve);
    if (serve->state_lock >= 0) (void)close(serve->state_lock);
}
