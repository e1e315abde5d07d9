/* SPDX-License-Identifier: Apache-2.0 */
/* Which plugins there are, in routing order, and their way into a router. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/load.h"
#include "paddock/helpers.h"

#define MOST_PLUGINS 1000u

/* Beside the program: <bin>/../lib/paddock/plugins, so that a tree runs from wherever it was put. */
static void add_beside(struct pdk_buffer *path) {
    char self[4096];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0) return;
    self[size] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (!slash) return;
        *slash = '\0';
    }
    pdk_buffer_format(path, "%s/lib/paddock/plugins:", self);
}

int32_t pdk_setup_path(struct pdk_setup *setup) {
    struct pdk_buffer path = PDK_BUFFER(1u << 20);
    const char *environment = getenv("PADDOCK_PLUGIN_PATH");
    for (size_t i = 0; i < setup->arguments->plugin_path.count; i++)
        pdk_buffer_format(&path, "%s:", setup->arguments->plugin_path.items[i]);
    if (environment && *environment) pdk_buffer_format(&path, "%s:", environment);
    add_beside(&path);
    pdk_buffer_text(&path, PADDOCK_PLUGIN_DIR);
    if (path.error) {
        pdk_buffer_free(&path);
        return path.error;
    }
    setup->path = path.data;
    return 0;
}

static struct pdk_listed *add(struct pdk_setup *setup, const char *name) {
    if (setup->plugin_count == setup->plugin_capacity) {
        size_t capacity = setup->plugin_capacity ? 2 * setup->plugin_capacity : 16;
        struct pdk_listed *plugins =
            capacity > (size_t)2 * MOST_PLUGINS ? NULL : reallocarray(setup->plugins, capacity, sizeof *plugins);
        if (!plugins) return NULL;
        setup->plugins = plugins;
        setup->plugin_capacity = capacity;
    }
    struct pdk_listed *listed = &setup->plugins[setup->plugin_count];
    *listed = (struct pdk_listed){.name = pdk_arena_text(&setup->arena, name, strlen(name)), .error = PDK_ERROR};
    if (!listed->name) return NULL;
    setup->plugin_count++;
    return listed;
}

/* Before it is loaded, which runs code of it. */
static bool is_trusted(const struct pdk_setup *setup, const char *file, pdk_error *err) {
    struct stat st;
    if (!setup->owners_matter || stat(file, &st) < 0) return true;
    if (st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == setup->trusted) return true;
    (void)pdk_failf(err, -EACCES, NULL, "%.200s belongs to uid %u, who is not trusted", file, st.st_uid);
    return false;
}

static int32_t open_at(struct pdk_setup *setup, struct pdk_listed *listed, const char *file) {
    listed->file = pdk_arena_text(&setup->arena, file, strlen(file));
    if (!listed->file) return -ENOMEM;
    if (!is_trusted(setup, file, &listed->error)) return 0;
    int32_t rc = pdk_library_open(file, &listed->library, &listed->error);
    if (rc < 0 && !listed->error.code) listed->error.code = rc;
    return rc == -ENOMEM ? rc : 0;
}

static int32_t add_entry(struct pdk_setup *setup, const struct pdk_plugin_entry_config *entry, uint32_t role) {
    struct pdk_listed *listed = add(setup, entry->name);
    char *file = NULL;
    if (!listed) return -ENOMEM;
    listed->entry = entry;
    listed->role = role;
    int32_t rc = pdk_library_find(entry->use, setup->path, &file, &listed->error);
    if (rc == 0)
        rc = open_at(setup, listed, file);
    else if (!listed->error.code)
        listed->error.code = rc;
    free(file);
    return rc == -ENOMEM ? rc : 0;
}

/* "http" of "/a/b/http.so". */
static void base_name(const char *file, char *name, size_t size) {
    const char *slash = strrchr(file, '/');
    (void)strlcpy(name, slash ? slash + 1 : file, size);
    char *dot = strrchr(name, '.');
    if (dot && strcmp(dot, ".so") == 0) *dot = '\0';
}

bool pdk_setup_wants_source(const struct pdk_setup *setup, const struct pdk_plugin_entry_config *entry) {
    char name[256];
    if (!setup->sources) return false;
    base_name(entry->use, name, sizeof name);
    return !*setup->sources || strcmp(name, setup->sources) == 0;
}

static int32_t add_named(struct pdk_setup *setup, const char *file) {
    char name[256];
    base_name(file, name, sizeof name);
    struct pdk_listed *listed = add(setup, name);
    return listed ? open_at(setup, listed, file) : -ENOMEM;
}

static bool is_listed(const struct pdk_setup *setup, const char *name, const char *file) {
    for (size_t i = 0; i < setup->plugin_count; i++) {
        const struct pdk_listed *listed = &setup->plugins[i];
        if (strcmp(listed->name, name) == 0) return true;
        if (listed->file && strcmp(listed->file, file) == 0) return true;
    }
    return false;
}

/* Of those that are only found runners are, and what serve has by itself. Others, and the libraries that they bring along,
 * would take memory and time for nothing. */
static bool is_of_use(const struct pdk_setup *setup, const char *name, const char *file) {
    uint32_t roles = 0;
    if (setup->all || (setup->serves && pdk_setup_is_own(setup, name))) return true;
    return pdk_library_roles(file, &roles) < 0 || (roles & PDK_ROLE_RUNNER);
}

static int32_t add_found(void *arg, const char *name, const char *file) {
    struct pdk_setup *setup = arg;
    if (is_listed(setup, name, file) || (!setup->shows && strcmp(name, PDK_CLIENT_PLUGIN) == 0)) return 0;
    struct pdk_listed *listed = add(setup, name);
    if (!listed) return -ENOMEM;
    listed->found = true;
    if (is_of_use(setup, name, file)) return open_at(setup, listed, file);
    listed->closed = true;
    listed->file = pdk_arena_text(&setup->arena, file, strlen(file));
    return listed->file ? 0 : -ENOMEM;
}

int32_t pdk_setup_list(struct pdk_setup *setup) {
    const struct pdk_config *config = setup->config;
    int32_t rc = pdk_setup_path(setup);
    for (size_t i = 0; rc == 0 && i < setup->arguments->plugins.count; i++)
        rc = add_named(setup, setup->arguments->plugins.items[i]);
    for (uint32_t i = 0; rc == 0 && config && i < config->plugin_count; i++)
        rc = add_entry(setup, &config->plugins[i], 0);
    for (uint32_t i = 0; rc == 0 && config && i < config->source_count; i++)
        if (pdk_setup_wants_source(setup, &config->sources[i]))
            rc = add_entry(setup, &config->sources[i], PDK_ROLE_SOURCE);
    for (uint32_t i = 0; rc == 0 && config && i < config->metrics_count; i++)
        rc = add_entry(setup, &config->metrics[i], PDK_ROLE_METRICS);
    if (rc == 0) rc = pdk_library_scan(setup->path, add_found, setup);
    return rc == 0 && setup->serves ? pdk_setup_own(setup) : rc;
}

/* One that the operator has named is missing or refused: an error, or a warning when it is optional. */
static void fault(struct pdk_setup *setup, const struct pdk_listed *listed, const pdk_error *err) {
    const struct pdk_plugin_entry_config *entry = listed->entry;
    struct pdk_fault fault = {.severity = entry && entry->optional ? PDK_SEVERITY_WARNING : PDK_SEVERITY_ERROR,
                              .code = err->code ? err->code : -EINVAL,
                              .path = "",
                              .message = err->message,
                              .expected = err->hint,
                              .suggestion = "",
                              .plugin = "",
                              .note_text = ""};
    char path[200], message[700];
    if (entry) {
        fault.place = pdk_value_place(err->at ? err->at : entry->at);
        fault.path = pdk_value_path(err->at ? err->at : entry->at, path, sizeof path);
    } else {
        (void)snprintf(message, sizeof message, "--plugin: %s", err->message);
        fault.message = message;
    }
    if (fault.severity == PDK_SEVERITY_ERROR) setup->plugin_faults++;
    (void)pdk_report_add(&setup->report, &fault);
}

/* Refused though nobody asked for it: worth a line, unless it only wants a config that it was not given. */
static void pass_over(const struct pdk_setup *setup, const struct pdk_listed *listed, const pdk_error *err) {
    if (listed->library.plugin ? setup->arguments->verbose : !setup->arguments->quiet)
        pdk_say("plugin %s is left out: %s", listed->file, err->message);
}

/* What it is to play: a source only as an entry of sources, or by --plugin when it can do nothing else: who names a file
 * by hand wants to see it work. 0: it could play nothing else. */
static uint32_t roles_of(const struct pdk_listed *listed) {
    const pdk_plugin *plugin = listed->library.plugin;
    if (listed->role == PDK_ROLE_SOURCE) return PDK_ROLE_SOURCE;
    uint32_t roles = (plugin->runner ? PDK_ROLE_RUNNER : 0u) | (plugin->metrics ? PDK_ROLE_METRICS : 0u);
    bool by_hand = !listed->entry && !listed->found;
    return !roles && by_hand ? PDK_ROLE_SOURCE : roles;
}

static int32_t fault_misplaced(struct pdk_setup *setup, const struct pdk_listed *listed) {
    pdk_error err = PDK_ERROR;
    err.code = -EINVAL;
    (void)snprintf(err.message, sizeof err.message, "plugin \"%s\" is a source", listed->library.plugin->name);
    (void)strlcpy(err.hint, "write it under sources", sizeof err.hint);
    fault(setup, listed, &err);
    return 0;
}

static int32_t enter(struct pdk_setup *setup, struct pdk_listed *listed, pdk_router *router,
                     pdk_supervisor *supervisor) {
    const struct pdk_plugin_entry_config *config = listed->entry;
    pdk_router_entry entry = {.struct_size = sizeof entry, .name = listed->name, .roles = roles_of(listed)};
    pdk_error err = PDK_ERROR;
    int32_t rc = 0;
    if (!entry.roles && listed->library.plugin->source) return fault_misplaced(setup, listed);
    if (config) {
        entry.labels = config->labels;
        entry.config = config->config;
    }
    if (listed->role == PDK_ROLE_SOURCE && supervisor)
        rc = pdk_setup_grant(setup, config, supervisor);
    else if (config && supervisor)
        rc = pdk_setup_allow(config, supervisor);
    if (rc < 0) return rc;
    rc = config && config->isolation.mode ? pdk_setup_isolate(listed, &entry, router, supervisor, &err)
         : supervisor                     ? pdk_supervisor_load(supervisor, listed->file, &entry, &err)
                                          : pdk_router_load(router, listed->file, &entry, &err);
    if (rc == 0 || rc == -ENOMEM) return rc;
    err.code = rc;
    if (listed->found)
        pass_over(setup, listed, &err);
    else
        fault(setup, listed, &err);
    return 0;
}

/* Of those that are only found, runners alone: sources and metrics do nothing that nobody asked for. */
static bool wanted(const struct pdk_listed *listed) {
    return !listed->found || listed->library.plugin->runner;
}

static int32_t enter_one(struct pdk_setup *setup, struct pdk_listed *listed, pdk_router *router,
                         pdk_supervisor *supervisor) {
    if (listed->closed) return 0;
    if (listed->library.plugin) return wanted(listed) ? enter(setup, listed, router, supervisor) : 0;
    if (listed->found)
        pass_over(setup, listed, &listed->error);
    else
        fault(setup, listed, &listed->error);
    return 0;
}

/* Metrics first: who asks for a series before there is a backend records nothing. */
int32_t pdk_setup_enter(struct pdk_setup *setup, pdk_router *router, pdk_supervisor *supervisor) {
    int32_t rc = 0;
    for (int metrics = 1; metrics >= 0; metrics--)
        for (size_t i = 0; rc == 0 && i < setup->plugin_count; i++)
            if ((setup->plugins[i].role == PDK_ROLE_METRICS) == (metrics == 1))
                rc = enter_one(setup, &setup->plugins[i], router, supervisor);
    return rc;
}

int32_t pdk_setup_enter_metrics(struct pdk_setup *setup, pdk_supervisor *supervisor, const char *name) {
    for (size_t i = 0; i < setup->plugin_count; i++) {
        struct pdk_listed *listed = &setup->plugins[i];
        if (strcmp(listed->name, name) != 0) continue;
        if (listed->closed && open_at(setup, listed, listed->file) < 0) return -ENOMEM;
        listed->closed = false;
        if (!listed->library.plugin || !listed->library.plugin->metrics) continue;
        listed->found = false;
        return enter(setup, listed, NULL, supervisor);
    }
    return -ENOENT;
}

pdk_router *pdk_setup_router(struct pdk_setup *setup) {
    const pdk_router_options options = {.struct_size = sizeof options};
    pdk_error err = PDK_ERROR;
    pdk_router *router = NULL;
    int32_t rc = pdk_setup_list(setup);
    if (rc == 0) rc = pdk_router_create(&options, &router, &err);
    if (rc == 0) rc = pdk_setup_enter(setup, router, NULL);
    if (rc == 0) return router;
    pdk_router_destroy(router);
    pdk_say("cannot load the plugins: %s", err.message[0] ? err.message : strerror(-rc));
    return NULL;
}
