/* SPDX-License-Identifier: Apache-2.0 */
/* Showing text that somebody else wrote: a line of a file with a caret, or a message with their words in it. */
#ifndef CORE_BASE_QUOTE_H
#define CORE_BASE_QUOTE_H

#include <stdbool.h>

#include "core/base/report.h"

struct pdk_quote {
    pdk_write write;
    void *arg;
    const char *start_color, *end_color; /* "" for none */
};

/* What would move the cursor or give the terminal orders becomes a replacement character. */
void pdk_quote_clean(const struct pdk_quote *quote, const char *text);

/* The line with its number, and below it the caret; no newline after that, for words to follow. False: there is no such
 * line, and nothing was printed. */
bool pdk_quote_place(const struct pdk_quote *quote, const struct pdk_place *place, bool secret);

#endif
