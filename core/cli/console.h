/* SPDX-License-Identifier: Apache-2.0 */
/* Who is on the other side of a stream: a person at a terminal, or a program. And tables for both. */
#ifndef CORE_CLI_CONSOLE_H
#define CORE_CLI_CONSOLE_H

#include "core/cli/cli.h"

struct pdk_console {
    bool tty, color;
    uint32_t columns, rows;
};

/* How the stream behind fd is to be written to. */
struct pdk_console pdk_console_of(int fd, enum pdk_when color);

/* The size anew, after a SIGWINCH. */
void pdk_console_measure(struct pdk_console *console, int fd);

enum pdk_tone { PDK_TONE_PLAIN, PDK_TONE_RED, PDK_TONE_GREEN, PDK_TONE_YELLOW, PDK_TONE_DIM, PDK_TONE_BOLD };

/* "" without colour. */
const char *pdk_tone_begin(const struct pdk_console *console, enum pdk_tone tone);
const char *pdk_tone_end(const struct pdk_console *console, enum pdk_tone tone);

/* Colour of a task's prefix: one of six, by its name. */
const char *pdk_tone_task(const struct pdk_console *console, const char *name);

/* Cells that a UTF-8 text takes. */
size_t pdk_text_width(const char *text);

/* Add text, cut with an ellipsis if it takes more than `cells`, then padded to that many if pad. */
void pdk_text_fit(struct pdk_buffer *to, const char *text, size_t room, bool pad);

/* Rows of cells, gathered and then printed: in columns on a terminal, between tabs elsewhere. */
struct pdk_grid {
    struct pdk_arena arena;
    const char **cells;
    size_t columns, count, capacity;
    bool failed;
};

void pdk_grid_begin(struct pdk_grid *grid, size_t columns);
void pdk_grid_cell(struct pdk_grid *grid, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pdk_grid_print(const struct pdk_grid *grid, const struct pdk_console *console, const char *indent, FILE *to);
void pdk_grid_free(struct pdk_grid *grid);

#endif
