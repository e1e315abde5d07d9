/* SPDX-License-Identifier: Apache-2.0 */
/* The word that was probably meant. */
#include <string.h>

#include "core/base/text.h"

#define WORD_MAX     64
#define DISTANCE_MAX 2

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, or swap two neighbours. Both at most WORD_MAX long. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size) {
    unsigned rows[3][WORD_MAX + 1] = {{0}};
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++) last[j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            int swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_size];
}

const char *pdk_nearest(const char *text, const char *const *words) {
    size_t size = strlen(text);
    if (size > WORD_MAX) return NULL;
    const char *best = NULL;
    unsigned best_distance = DISTANCE_MAX + 1;
    for (; *words; words++) {
        size_t word_size = strlen(*words);
        size_t apart = word_size > size ? word_size - size : size - word_size;
        if (word_size > WORD_MAX || apart > DISTANCE_MAX) continue;
        unsigned found = distance(text, size, *words, word_size);
        if (found < best_distance && (size_t)found * 2 < size) {
            best = *words;
            best_distance = found;
        }
    }
    return best;
}
