/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: columns as wide as they need on a terminal, the last one cut; between tabs for programs. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/console.h"

#define MOST_COLUMNS 12
#define MOST_BYTES   (1u << 20) /* of one line */

void pdk_grid_begin(struct pdk_grid *grid, size_t columns) {
    *grid = (struct pdk_grid){.columns = columns};
}

static bool has_room(struct pdk_grid *grid) {
    if (grid->count < grid->capacity) return true;
    size_t capacity = grid->capacity ? 2 * grid->capacity : 64;
    const char **cells = reallocarray(grid->cells, capacity, sizeof *cells);
    if (!cells) return false;
    grid->cells = cells;
    grid->capacity = capacity;
    return true;
}

void pdk_grid_cell(struct pdk_grid *grid, const char *format, ...) {
    struct pdk_buffer text = PDK_BUFFER(MOST_BYTES);
    va_list args;
    va_start(args, format);
    pdk_buffer_format_list(&text, format, args);
    va_end(args);
    const char *cell = pdk_arena_text(&grid->arena, pdk_buffer_string(&text), text.size);
    if (cell && has_room(grid))
        grid->cells[grid->count++] = cell;
    else
        grid->failed = true;
    pdk_buffer_free(&text);
}

static void measure(const struct pdk_grid *grid, size_t *widths) {
    for (size_t i = 0; i < grid->count; i++) {
        size_t width = pdk_text_width(grid->cells[i]);
        if (width > widths[i % grid->columns]) widths[i % grid->columns] = width;
    }
}

static void print_row(const struct pdk_grid *grid, size_t row, const size_t *widths, const struct pdk_console *console,
                      struct pdk_buffer *line) {
    size_t used = pdk_text_width(pdk_buffer_string(line));
    for (size_t i = 0; i < grid->columns && row + i < grid->count; i++) {
        const char *cell = grid->cells[row + i];
        if (!console->tty) {
            if (i) pdk_buffer_text(line, "\t");
            pdk_buffer_text(line, cell);
            continue;
        }
        bool last = i + 1 == grid->columns;
        size_t room = last ? (console->columns > used ? console->columns - used : 0) : widths[i];
        pdk_text_fit(line, cell, room, !last);
        if (!last) pdk_buffer_text(line, "  ");
        used += widths[i] + 2;
    }
    while (console->tty && line->size && line->data[line->size - 1] == ' ') line->data[--line->size] = '\0';
}

void pdk_grid_print(const struct pdk_grid *grid, const struct pdk_console *console, const char *indent, FILE *to) {
    size_t widths[MOST_COLUMNS] = {0};
    struct pdk_buffer line = PDK_BUFFER(MOST_BYTES), cut = PDK_BUFFER(MOST_BYTES);
    if (grid->columns > MOST_COLUMNS) return;
    measure(grid, widths);
    for (size_t row = 0; row + grid->columns <= grid->count; row += grid->columns) {
        pdk_buffer_cut(&line, line.size);
        if (console->tty) pdk_buffer_text(&line, indent);
        print_row(grid, row, widths, console, &line);
        pdk_buffer_cut(&cut, cut.size);
        pdk_text_fit(&cut, pdk_buffer_string(&line), console->tty ? console->columns : SIZE_MAX, false);
        (void)fprintf(to, "%s\n", pdk_buffer_string(&cut));
    }
    if (grid->failed) pdk_say("out of memory: rows are missing");
    pdk_buffer_free(&line);
    pdk_buffer_free(&cut);
}

void pdk_grid_free(struct pdk_grid *grid) {
    free(grid->cells);
    pdk_arena_free(&grid->arena);
}
