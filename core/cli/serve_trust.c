/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon runs what its files say, as whoever it runs as: they must be root's, its own, or of one whom it is told to trust. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/serve.h"

static int32_t fault(struct pdk_setup *setup, const char *file, const char *message, const char *expected) {
    const struct pdk_fault fault = {
        .code = -EACCES, .place = {.file = file}, .path = "", .message = message, .expected = expected};
    return pdk_report_add(&setup->report, &fault);
}

static bool is_ours(uint32_t owner) {
    return owner == 0 || owner == geteuid();
}

static int32_t check(struct pdk_setup *setup, const struct pdk_config_file *file, int64_t trusted) {
    char message[160];
    if (file->mode & S_IWOTH) return fault(setup, file->name, "others may write this file", "chmod o-w");
    if (is_ours(file->owner) || file->owner == trusted) return 0;
    const struct passwd *owner = getpwuid(file->owner);
    (void)snprintf(message, sizeof message, "it belongs to %.60s (uid %u), who is not trusted",
                   owner ? owner->pw_name : "nobody we know", file->owner);
    return fault(setup, file->name, message, "chown it, or server: trusted_user");
}

/* Nobody makes himself trusted: the file that says it must be ours. */
static bool is_said_by_us(const struct pdk_config *config) {
    const char *file = pdk_value_place(config->server.at).file;
    for (uint32_t i = 0; file && i < config->opened_count; i++)
        if (strcmp(config->files[i].name, file) == 0) return is_ours(config->files[i].owner);
    return true; /* standard input */
}

/* His number; -1: there is none. */
static int32_t find_trusted(struct pdk_setup *setup, int64_t *ret) {
    const struct pdk_server *server = &setup->config->server;
    *ret = -1;
    if (!server->trusted_user || !is_said_by_us(setup->config)) return 0;
    const struct passwd *user = getpwnam(server->trusted_user);
    if (user) *ret = user->pw_uid;
    if (user) return 0;
    return pdk_value_fault(&setup->report, -ENOENT, pdk_values_get()->get(server->at, "trusted_user"), NULL, NULL,
                           "there is no user \"%.60s\"", server->trusted_user);
}

int32_t pdk_serve_check_trust(struct pdk_setup *setup) {
    const struct pdk_config *config = setup->config;
    int64_t trusted;
    int32_t rc = find_trusted(setup, &trusted);
    for (uint32_t i = 0; rc != -ENOMEM && i < config->opened_count; i++) rc = check(setup, &config->files[i], trusted);
    setup->owners_matter = true;
    setup->trusted = trusted;
    return rc == -ENOMEM ? rc : 0;
}
