/* SPDX-License-Identifier: Apache-2.0 */
/* A full screen that is drawn again and again: for top, and ps --watch. */
#ifndef CORE_CLI_FRAME_H
#define CORE_CLI_FRAME_H

#include "core/cli/remote.h"

/* Draw at each interval until q, Ctrl-C or an exit code of draw. The lines that draw prints are cut to the size; the terminal is
 * as it was after any end. Where standard output is no terminal it is drawn once, as it is. remote: opened to stay. */
int pdk_frames(struct pdk_remote *remote, uint64_t interval, int (*draw)(void *arg, FILE *to), void *arg);

/* verb_ps.c: a table of runs. */
void pdk_run_titles(const struct pdk_remote *remote, struct pdk_grid *grid);
void pdk_run_row(const struct pdk_console *out, struct pdk_grid *grid, struct pdk_arena *arena, const pdk_value *run,
                 uint64_t now);

#endif
