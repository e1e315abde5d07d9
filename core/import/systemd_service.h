/* SPDX-License-Identifier: Apache-2.0 */
/* A service unit while it is read. */
#ifndef CORE_IMPORT_SYSTEMD_SERVICE_H
#define CORE_IMPORT_SYSTEMD_SERVICE_H

#include "core/import/systemd.h"

enum pdk_exit_class { PDK_EXIT_CODE_NONE, PDK_EXIT_CODE_SUCCESS, PDK_EXIT_CODE_RETRY, PDK_EXIT_CODE_FATAL };

struct pdk_service {
    struct pdk_import *import;
    struct pdk_unit *unit;
    struct pdk_import_task *task, *pre_task;
    const struct pdk_ini_line *line; /* the one that is taken */
    const struct pdk_unit_key *key;
    const char *value; /* with specifiers put in */

    struct pdk_exec *start, *pre, *post, *stop, *reload;
    const char *user, *group, *restart; /* restart NULL: never */
    bool notify, abnormal, limit_given;
    uint64_t pause, interval, burst, start_timeout, stop_timeout, run_limit; /* ns; 0: not said */
    const struct pdk_ini_line *restart_line, *timeout_line, *stop_line;
    uint8_t codes[256]; /* enum pdk_exit_class */
};

/* take returns NULL when it is done, else why it could not be. Without take it is why that is noted; both NULL: it needs
 * nothing here. */
struct pdk_unit_key {
    const char *section, *key;
    const char *(*take)(struct pdk_service *service);
    const char *path; /* of the field, for those that have one */
    const char *why;
    bool raw;   /* specifiers are put in later */
    bool empty; /* take knows what an empty value means; else it takes back what was said before */
};

/* NULL: not known. */
const struct pdk_unit_key *pdk_unit_key(const char *section, const char *key);

#endif
