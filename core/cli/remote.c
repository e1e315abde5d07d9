/* SPDX-License-Identifier: Apache-2.0 */
/* Where the server is, who speaks to it, and signals while we wait for it. */
#include "core/cli/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/clock.h"

#define TOKEN_MAX 4096u
#define HURRY     (500 * PDK_MILLISECOND)

/* ---- where */

static const char *variable(const char *name) {
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

static const char *join(struct pdk_arena *arena, const char *folder, const char *rest) {
    PDK_PATH(path);
    pdk_buffer_format(&path, "%s%s", folder, rest);
    const char *kept = path.error ? NULL : pdk_arena_text(arena, pdk_buffer_string(&path), path.size);
    pdk_buffer_free(&path);
    return kept;
}

/* Where serve listens by itself: for who is logged in, as a service, as root. The first that is there; else the last but
 * for a user, who has a place of his own. */
static const char *usual_socket(struct pdk_arena *arena) {
    const char *base = variable("XDG_RUNTIME_DIR");
    const char *own = base && geteuid() != 0 ? join(arena, base, "/paddock.sock") : NULL;
    const char *const places[] = {own, "/run/paddock/paddock.sock", "/run/paddock.sock"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i] && access(places[i], F_OK) == 0) return places[i];
    return own ? own : places[2];
}

int pdk_remote_place(struct pdk_arguments *a, struct pdk_place_of_server *ret) {
    *ret = (struct pdk_place_of_server){a->socket, a->remote.server};
    if (ret->socket && ret->url) return pdk_say_usage(a->verb, "", "either --socket or --server, not both");
    if (!ret->socket && !ret->url) ret->url = variable("PADDOCK_SERVER");
    if (!ret->socket && !ret->url) ret->socket = variable("PADDOCK_SOCKET");
    if (!ret->socket && !ret->url) ret->socket = usual_socket(&a->arena);
    return 0;
}

/* ---- the token */

static int bad_token(const char *path, const char *why) {
    pdk_say("the token in %s: %s", path, why);
    return PDK_EXIT_FILE;
}

static int read_token(struct pdk_remote *remote, const char **ret) {
    const char *path = remote->arguments->remote.token_file;
    char text[TOKEN_MAX + 2];
    if (!path) path = variable("PADDOCK_TOKEN_FILE");
    if (!path) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    int error = errno;
    if (fd >= 0) (void)close(fd);
    if (size < 0) return bad_token(path, strerror(error));
    text[size] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (!*text || strlen(text) > TOKEN_MAX) return bad_token(path, "wanted one line of 16 to 4096 characters");
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~') return bad_token(path, "wanted visible characters alone");
    *ret = pdk_arena_text(&remote->arena, text, strlen(text));
    explicit_bzero(text, sizeof text);
    return *ret ? 0 : pdk_say_memory();
}

/* ---- the plugin that speaks to it */

static int missing(const pdk_error *err) {
    pdk_say("asking a server needs the plugin " PDK_CLIENT_PLUGIN ": %s; Debian has it in paddock-plugins-console",
            err->message);
    return PDK_EXIT_PLUGIN;
}

/* No supervisor, router or loop: one instance, for what it offers. */
static int load(struct pdk_remote *remote) {
    struct pdk_setup *setup = &remote->setup;
    const struct pdk_instance_options options = {.name = PDK_CLIENT_PLUGIN};
    pdk_error err = PDK_ERROR;
    char *file = NULL;
    *setup = (struct pdk_setup){.arguments = remote->arguments};
    if (pdk_setup_path(setup) < 0) return pdk_say_memory();
    int32_t rc = pdk_library_find(PDK_CLIENT_PLUGIN, setup->path, &file, &err);
    if (rc == 0) rc = pdk_library_open(file, &remote->library, &err);
    free(file);
    if (rc == 0) rc = pdk_instance_create(remote->library.plugin, &options, &setup->report, &remote->instance);
    if (rc == -ENOMEM) return pdk_say_memory();
    if (rc < 0) return missing(&err);
    const pdk_plugin *plugin = remote->library.plugin;
    if (plugin->get_extension) remote->client = plugin->get_extension(remote->instance->self, PDK_CLIENT_1);
    if (remote->client) return 0;
    (void)snprintf(err.message, sizeof err.message, "%s has no %s", remote->library.path, PDK_CLIENT_1);
    return missing(&err);
}

/* ---- signals, while something else is waited for */

static int32_t watch(void *arg) {
    struct pdk_remote *remote = arg;
    return pdk_remote_look(remote);
}

static void watch_fd(struct pdk_remote *remote, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.fd = fd}};
    (void)epoll_ctl(remote->watch_fd, EPOLL_CTL_ADD, fd, &event); /* a file is always ready: nothing to watch */
}

static int watch_signals(struct pdk_remote *remote) {
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) (void)sigaddset(&set, taken[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return pdk_say_memory();
    remote->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    remote->watch_fd = epoll_create1(EPOLL_CLOEXEC);
    if (remote->signal_fd < 0 || remote->watch_fd < 0) {
        pdk_say("cannot watch for signals: %s", strerror(errno));
        return PDK_EXIT_FAILED;
    }
    watch_fd(remote, remote->signal_fd, EPOLLIN);
    if (!remote->out.tty) watch_fd(remote, STDOUT_FILENO, 0); /* a pipe whose reader goes says so by itself */
    return 0;
}

/* Back again when somebody lets us go on. */
static void stop(struct pdk_remote *remote) {
    if (remote->on_stop) remote->on_stop(remote->on_stop_arg);
    (void)raise(SIGSTOP);
    remote->resumed = true;
}

bool pdk_remote_look(struct pdk_remote *remote) {
    struct signalfd_siginfo info;
    struct epoll_event event;
    while (remote->signal_fd >= 0 && read(remote->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH)
            remote->resized = true;
        else if (info.ssi_signo == SIGTSTP)
            stop(remote);
        else
            remote->signal = (int)info.ssi_signo;
    }
    if (remote->watch_fd >= 0 && epoll_wait(remote->watch_fd, &event, 1, 0) == 1 && event.data.fd == STDOUT_FILENO)
        remote->reader_gone = true;
    return remote->signal || remote->reader_gone;
}

void pdk_remote_wait(struct pdk_remote *remote, uint64_t ns, int fd) {
    struct pollfd fds[] = {{remote->watch_fd, POLLIN, 0}, {fd, POLLIN, 0}};
    (void)poll(fds, 2, (int)(ns / PDK_MILLISECOND));
    (void)pdk_remote_look(remote);
}

bool pdk_remote_flush(struct pdk_remote *remote) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    if (errno == EPIPE) remote->reader_gone = true;
    if (remote->reader_gone) { /* nobody is there to be told: main finds nothing amiss */
        __fpurge(stdout);
        clearerr(stdout);
    }
    return false;
}

/* ---- the whole */

static int connect_to(struct pdk_remote *remote, const struct pdk_place_of_server *place, uint64_t reconnect_ns) {
    const struct pdk_remote_arguments *a = &remote->arguments->remote;
    pdk_error err = PDK_ERROR;
    pdk_client_options options = {.struct_size = sizeof options,
                                  .socket = place->socket,
                                  .server = place->url,
                                  .ca = a->ca_file ? a->ca_file : variable("PADDOCK_CA_FILE"),
                                  .certificate =
                                      a->certificate_file ? a->certificate_file : variable("PADDOCK_CERTIFICATE_FILE"),
                                  .key = a->key_file ? a->key_file : variable("PADDOCK_KEY_FILE"),
                                  .reconnect_ns = reconnect_ns,
                                  .connect_ns = remote->hurries ? HURRY : 0,
                                  .answer_ns = remote->hurries ? HURRY : 0,
                                  .watch_fd = remote->watch_fd,
                                  .watch = watch,
                                  .arg = remote};
    int code = place->url ? read_token(remote, &options.token) : 0;
    if (code) return code;
    remote->has_token = options.token != NULL;
    int32_t rc = remote->client->open(remote->client, &options, &remote->connection, &err);
    if (rc == -EINVAL) return pdk_say_usage(remote->arguments->verb, err.message, "--server %s", place->url);
    return rc < 0 ? pdk_remote_unreachable(remote, rc, &err) : 0;
}

static int open_any(struct pdk_remote *remote, bool stays, uint64_t reconnect_ns) {
    struct pdk_place_of_server place;
    remote->out = pdk_console_of(STDOUT_FILENO, remote->arguments->color);
    (void)signal(SIGPIPE, SIG_IGN); /* writing tells; a connection that is gone must not end us */
    int code = pdk_remote_place(remote->arguments, &place);
    if (code) return code;
    remote->place = place.url ? place.url : place.socket;
    remote->local = !place.url;
    if (remote->hurries && remote->local && access(remote->place, W_OK) < 0) return PDK_EXIT_UNREACHABLE;
    code = load(remote);
    if (code == 0 && stays) code = watch_signals(remote);
    return code ? code : connect_to(remote, &place, reconnect_ns);
}

int pdk_remote_open(struct pdk_remote *remote, struct pdk_arguments *arguments, bool stays, uint64_t reconnect_ns) {
    *remote = (struct pdk_remote){.arguments = arguments, .watch_fd = -1, .signal_fd = -1};
    return open_any(remote, stays, reconnect_ns);
}

int pdk_remote_try(struct pdk_remote *remote, struct pdk_arguments *arguments) {
    *remote = (struct pdk_remote){
        .arguments = arguments, .watch_fd = -1, .signal_fd = -1, .hurries = true, .holds_words = true};
    return open_any(remote, false, 0);
}

int pdk_remote_close(struct pdk_remote *remote, int code) {
    (void)pdk_remote_flush(remote);
    pdk_values_get()->drop(remote->value);
    if (remote->client) remote->client->close(remote->connection);
    pdk_instance_free(remote->instance);
    pdk_library_free(&remote->library);
    pdk_setup_free(&remote->setup);
    if (remote->signal_fd >= 0) (void)close(remote->signal_fd);
    if (remote->watch_fd >= 0) (void)close(remote->watch_fd);
    pdk_arena_free(&remote->arena);
    if (remote->signal) return PDK_EXIT_SIGNAL + remote->signal;
    return remote->reader_gone ? PDK_EXIT_SIGNAL + SIGPIPE : code;
}
