/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLI_RUN_SORT_H
#define CORE_CLI_RUN_SORT_H

#include "core/cli/remote.h"

#define PDK_RUN_SORT_MOST 10000u /* runs; those that come after are left out */

/* In the order of the words of --sort. */
enum pdk_run_column { PDK_RUN_BY_RUN, PDK_RUN_BY_TASK, PDK_RUN_BY_STATE, PDK_RUN_BY_ATTEMPTS, PDK_RUN_BY_AGE };

/* All 0 but the column to begin with. */
struct pdk_run_sort {
    enum pdk_run_column column;
    struct pdk_sorted_run *items;
    size_t count, room;
    bool no_memory;
};

/* For pdk_remote_pages, arg being the struct pdk_run_sort: keep a run. Not 0: no more is taken. */
int pdk_run_sort_add(void *arg, const pdk_value *run);
/* Give each of them, in order, until it returns not 0; then let all go. Without memory for all of them none is given. */
void pdk_run_sort_end(struct pdk_run_sort *sort, int (*each)(void *arg, const pdk_value *run), void *arg);

#endif
