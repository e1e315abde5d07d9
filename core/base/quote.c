/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/base/quote.h"
#include "core/base/text.h"
#include "core/base/utf8.h"

#define WIDTH_MAX     160 /* characters; a longer line is shown in part */
#define WINDOW_BEFORE 40  /* of the part, before the caret */
#define WINDOW        120
#define MASK          "***"
#define REPLACEMENT   "\xEF\xBF\xBD"
#define ARROW         "\xE2\x86\x92"
#define ELLIPSIS      "\xE2\x80\xA6"

/* A line, and which of its characters are shown and underlined. Counted in characters from 0. */
struct view {
    const char *text;
    size_t size;          /* bytes */
    size_t first, last;   /* shown: first <= i < last */
    size_t caret, beyond; /* underlined: caret <= i < beyond */
    bool cut_left, cut_right, mask, tab_is_fault;
};

static void put(const struct pdk_quote *quote, const char *text) {
    quote->write(quote->arg, text, strlen(text));
}

static void put_times(const struct pdk_quote *quote, const char *text, size_t times) {
    for (; times > 0; times--) put(quote, text);
}

static bool is_harmless(uint32_t c) {
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return false;
    if (c == 0x2028 || c == 0x2029) return false;
    return !(c >= 0x202A && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069); /* those turn the reading direction */
}

/* Write one character as it may be shown; returns its bytes. */
static size_t put_character(const struct pdk_quote *quote, const char *text, size_t size) {
    uint32_t character;
    size_t length = pdk_utf8_read(text, size, &character);
    if (length && is_harmless(character)) {
        quote->write(quote->arg, text, length);
    } else {
        put(quote, REPLACEMENT);
    }
    return length ? length : 1;
}

void pdk_quote_clean(const struct pdk_quote *quote, const char *text) {
    size_t size = strlen(text), clean = 0;
    while (clean < size && text[clean] >= 0x20 && text[clean] < 0x7F) clean++;
    quote->write(quote->arg, text, clean);
    while (clean < size) clean += put_character(quote, text + clean, size - clean);
}

static bool find_line(const struct pdk_place *place, struct view *view) {
    const char *line = place->text;
    for (uint32_t i = 1; i < place->line; i++) {
        line = strchr(line, '\n');
        if (!line) return false;
        line++;
    }
    view->text = line;
    view->size = strcspn(line, "\n");
    if (view->size && line[view->size - 1] == '\r') view->size--;
    return true;
}

/* Step over at most so many characters, as put_character counts them. Returns the bytes, and how many there were. */
static size_t skip_characters(const char *text, size_t size, size_t characters, size_t *ret_count) {
    size_t offset = 0, count = 0;
    uint32_t character;
    for (; offset < size && count < characters; count++) {
        size_t length =
            (unsigned char)text[offset] < 0x80 ? 1 : pdk_utf8_read(text + offset, size - offset, &character);
        offset += length ? length : 1;
    }
    *ret_count = count;
    return offset;
}

/* Which part to show and what to underline. */
static void lay_out(const struct pdk_place *place, bool secret, struct view *view) {
    size_t total;
    skip_characters(view->text, view->size, SIZE_MAX, &total);
    size_t span = place->span ? place->span : 1;
    view->caret = place->column - 1 < total ? place->column - 1 : total;
    view->beyond = view->caret < total && span > total - view->caret ? total : view->caret + span;
    view->first = 0;
    view->last = total;
    view->mask = secret;
    if (total > WIDTH_MAX) {
        view->first = view->caret > WINDOW_BEFORE ? view->caret - WINDOW_BEFORE : 0;
        view->last = total - view->first > WINDOW ? view->first + WINDOW : total;
    }
    view->cut_left = view->first > 0;
    view->cut_right = view->last < total;
    if (view->beyond > view->last && view->last > view->caret) view->beyond = view->last;
}

static void put_line(const struct pdk_quote *quote, const struct view *view) {
    size_t i, offset = skip_characters(view->text, view->size, view->first, &i), one;
    if (view->cut_left) put(quote, ELLIPSIS);
    for (; i < view->last && offset < view->size; i++) {
        const char *text = view->text + offset;
        size_t left = view->size - offset;
        bool hidden = view->mask && i >= view->caret && i < view->beyond;
        offset += skip_characters(text, left, 1, &one);
        if (hidden) {
            if (i == view->caret) put(quote, MASK);
        } else if (*text == '\t') {
            put(quote, view->tab_is_fault ? ARROW : "\t");
        } else {
            put_character(quote, text, left);
        }
    }
    if (view->cut_right) put(quote, ELLIPSIS);
}

/* Blanks up to the caret. A tab stays a tab, so that the caret stands where the eye expects it. */
static void put_indent(const struct pdk_quote *quote, const struct view *view) {
    size_t i, offset = skip_characters(view->text, view->size, view->first, &i), one;
    if (view->cut_left) put(quote, " ");
    for (; i < view->caret; i++) {
        bool tab = offset < view->size && view->text[offset] == '\t' && !view->tab_is_fault;
        put(quote, tab ? "\t" : " ");
        offset += skip_characters(view->text + offset, view->size - offset, 1, &one);
    }
}

static bool is_tab_at_caret(const struct view *view) {
    return view->caret < view->size && strspn(view->text, " \t") > view->caret && view->text[view->caret] == '\t';
}

bool pdk_quote_place(const struct pdk_quote *quote, const struct pdk_place *place, bool secret) {
    struct view view = {0};
    char gutter[32];
    if (!place->text || !place->line || !place->column || !find_line(place, &view)) return false;
    lay_out(place, secret, &view);
    view.tab_is_fault = is_tab_at_caret(&view);
    int width = snprintf(gutter, sizeof(gutter), "  %u | ", (unsigned)place->line);
    put(quote, gutter);
    put_line(quote, &view);
    put(quote, "\n");
    snprintf(gutter, sizeof(gutter), "%*s | ", width - 3, "");
    put(quote, gutter);
    put_indent(quote, &view);
    put(quote, quote->start_color);
    put(quote, "^");
    size_t underlined = view.mask ? strlen(MASK) : view.beyond - view.caret;
    if (underlined > 1) put_times(quote, "~", underlined - 1);
    put(quote, quote->end_color);
    return true;
}
