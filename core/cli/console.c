/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals: are we at one, how wide, in colour? */
#include "core/cli/console.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static bool wants_color(bool tty) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return tty && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

void pdk_console_measure(struct pdk_console *console, int fd) {
    struct winsize size;
    const char *columns = getenv("COLUMNS"), *wrong = NULL;
    console->columns = 80;
    console->rows = 24;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col) {
        console->columns = size.ws_col;
        if (size.ws_row) console->rows = size.ws_row;
    }
    long long wanted = columns ? strtonum(columns, 10, 10000, &wrong) : 0;
    if (columns && !wrong) console->columns = (uint32_t)wanted;
}

struct pdk_console pdk_console_of(int fd, enum pdk_when color) {
    struct pdk_console console = {.tty = isatty(fd) == 1};
    console.color = color == PDK_AUTO ? wants_color(console.tty) : color == PDK_ALWAYS;
    pdk_console_measure(&console, fd);
    return console;
}

const char *pdk_tone_begin(const struct pdk_console *console, enum pdk_tone tone) {
    static const char *const codes[] = {"", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[2m", "\x1b[1m"};
    return console->color ? codes[tone] : "";
}

const char *pdk_tone_end(const struct pdk_console *console, enum pdk_tone tone) {
    return console->color && tone != PDK_TONE_PLAIN ? "\x1b[0m" : "";
}

const char *pdk_tone_task(const struct pdk_console *console, const char *name) {
    static const char *const codes[] = {"\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[96m", "\x1b[95m", "\x1b[94m"};
    uint32_t hash = 2166136261u;
    if (!console->color) return "";
    for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    return codes[(uint64_t)((hash ^ hash >> 16) * 2654435769u) * (sizeof codes / sizeof *codes) >> 32];
}

/* The next character: its bytes, and the cells it takes. Bytes that are no UTF-8 count as one cell each, our colours as
 * none. */
static size_t next(const char *text, size_t left, size_t *cells) {
    wchar_t wide;
    mbstate_t state = {0};
    if (*text == '\x1b') { /* a colour */
        size_t end = 1;
        while (end < left && text[end - 1] != 'm') end++;
        *cells = 0;
        return end;
    }
    size_t size = mbrtowc(&wide, text, left, &state);
    *cells = 1;
    if (size == 0 || size > left) return 1;
    int width = wcwidth(wide);
    *cells = width < 0 ? 1 : (size_t)width;
    return size;
}

size_t pdk_text_width(const char *text) {
    size_t total = 0, cells, left = strlen(text);
    while (left) {
        size_t size = next(text, left, &cells);
        total += cells;
        text += size;
        left -= size;
    }
    return total;
}

void pdk_text_fit(struct pdk_buffer *to, const char *text, size_t room, bool pad) {
    size_t used = 0, cells, left = strlen(text);
    bool cut = pdk_text_width(text) > room;
    while (left) {
        size_t size = next(text, left, &cells);
        if (cells && used + cells + (cut ? 1 : 0) > room) break;
        pdk_buffer_add(to, text, size);
        used += cells;
        text += size;
        left -= size;
    }
    if (cut && room) {
        pdk_buffer_text(to, "…");
        used++;
    }
    for (; pad && used < room; used++) pdk_buffer_text(to, " ");
}
