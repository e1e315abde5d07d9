/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which runner takes a task. A selector becomes terms over sets of candidates; all terms are combined word by word,
 * 64 candidates at a time, and the first bit that stays set is the answer.
 */
#include <string.h>

#include "internal.h"

enum { TERMS_MAX = 16, SETS_MAX = 48 };

/* One requirement: in any of sets[begin..end), or, when negated, in none of them. */
struct term {
    uint16_t begin, end;
    bool negated;
};

struct query {
    uint32_t term_count, set_count, must_count;
    uint32_t first, end; /* the words that can hold a match: within the window of each set in `must` */
    struct term terms[TERMS_MAX];
    const struct pdk_index_set *must[TERMS_MAX]; /* terms of one set that must hold: nearly all there are */
    const struct pdk_index_set *sets[SETS_MAX];
};

enum resolved { RESOLVED, IMPOSSIBLE, TOO_LARGE };

static void query_add(struct query *query, const struct pdk_index_set *set) {
    if (set) query->sets[query->set_count++] = set;
}

/* A set that must hold leaves only its window to look at. */
static void query_must(struct query *query, const struct pdk_index_set *set) {
    query->must[query->must_count++] = set;
    query->set_count--;
    if (set->first > query->first) query->first = set->first;
    if (set->first + set->words < query->end) query->end = set->first + set->words;
}

static enum resolved term_add(struct query *query, const struct pdk_index *index, const struct pdk_requirement *r) {
    const enum pdk_operator is = r->operator;
    bool by_value = is == PDK_OPERATOR_IN || is == PDK_OPERATOR_NOT_IN;
    uint32_t begin = query->set_count, wanted = by_value ? r->value_count : 1;
    bool negated = is == PDK_OPERATOR_NOT_IN || is == PDK_OPERATOR_DOES_NOT_EXIST;

    if (query->term_count + query->must_count == TERMS_MAX || wanted > SETS_MAX - begin) return TOO_LARGE;
    for (uint32_t i = 0; i < wanted; i++)
        query_add(query, pdk_index_find(index, r->key, by_value ? r->values[i] : NULL));
    if (query->set_count == begin) return negated ? RESOLVED : IMPOSSIBLE;
    if (!negated && query->set_count == begin + 1)
        query_must(query, query->sets[begin]);
    else
        query->terms[query->term_count++] = (struct term){(uint16_t)begin, (uint16_t)query->set_count, negated};
    return RESOLVED;
}

static enum resolved resolve(struct query *query, const struct pdk_index *index, const struct pdk_selector *selector) {
    query->term_count = query->set_count = query->must_count = 0;
    query->first = 0;
    query->end = (index->count + 63) / 64;
    for (uint32_t i = 0; selector && i < selector->count; i++) {
        enum resolved resolved = term_add(query, index, &selector->requirements[i]);
        if (resolved != RESOLVED) return resolved;
    }
    return RESOLVED;
}

static uint64_t term_word(const struct query *query, const struct term *term, uint32_t word) {
    uint64_t bits = 0;

    for (uint32_t i = term->begin; i < term->end; i++) bits |= pdk_index_word(query->sets[i], word);
    return term->negated ? ~bits : bits;
}

/* Bits of this word that are candidates at all. */
static uint64_t valid_bits(const struct pdk_index *index, uint32_t word) {
    uint32_t left = index->count - word * 64;
    return left >= 64 ? UINT64_MAX : (UINT64_C(1) << left) - 1;
}

static void *walk(const struct pdk_routes *routes, const struct pdk_index *index, const struct query *query,
                  pdk_accept accept, void *arg) {
    for (uint32_t word = query->first; word < query->end; word++) {
        uint64_t bits = valid_bits(index, word);
        for (uint32_t i = 0; i < query->must_count; i++) bits &= query->must[i]->bits[word - query->must[i]->first];
        for (uint32_t i = 0; bits && i < query->term_count; i++) bits &= term_word(query, &query->terms[i], word);
        for (; bits; bits &= bits - 1) {
            uint32_t candidate = word * 64 + (uint32_t)__builtin_ctzll(bits);
            void *runner = routes->runners[index->candidates[candidate]].runner;
            if (!accept || accept(arg, runner)) return runner;
        }
    }
    return NULL;
}

/* One by one, for a selector with more terms than a query holds: it costs no memory either. */
static void *scan(const struct pdk_routes *routes, const struct pdk_index *index, const struct pdk_selector *selector,
                  pdk_accept accept, void *arg) {
    for (uint32_t i = 0; i < index->count; i++) {
        const struct pdk_route *route = &routes->runners[index->candidates[i]];
        const struct pdk_requirement *failed;
        if (!pdk_selector_matches(selector, route->labels, &failed)) continue;
        if (!accept || accept(arg, route->runner)) return route->runner;
    }
    return NULL;
}

void *pdk_routes_pick(const struct pdk_routes *routes, const char *kind, const struct pdk_selector *selector,
                      pdk_accept accept, void *arg) {
    const struct pdk_index *index = pdk_table_get(&routes->by_kind, kind, strlen(kind));
    struct query query;

    if (!index) return NULL;
    switch (resolve(&query, index, selector)) {
    case RESOLVED: return walk(routes, index, &query, accept, arg);
    case TOO_LARGE: return scan(routes, index, selector, accept, arg);
    case IMPOSSIBLE: break;
    }
    return NULL;
}

void pdk_routes_explain(const struct pdk_routes *routes, const char *kind, const struct pdk_selector *selector,
                        pdk_accept accept, void *accept_arg, pdk_explain explain, void *arg) {
    const struct pdk_index *index = pdk_table_get(&routes->by_kind, kind, strlen(kind));
    uint32_t candidate = 0;
    bool taken = false;

    for (uint32_t i = 0; i < routes->count; i++) {
        const struct pdk_route *route = &routes->runners[i];
        const struct pdk_requirement *failed = NULL;
        enum pdk_verdict verdict = PDK_VERDICT_KIND;

        if (index && candidate < index->count && index->candidates[candidate] == i) {
            candidate++;
            if (selector && !pdk_selector_matches(selector, route->labels, &failed))
                verdict = PDK_VERDICT_LABEL;
            else if (accept && !accept(accept_arg, route->runner))
                verdict = PDK_VERDICT_REFUSED;
            else
                verdict = taken ? PDK_VERDICT_SHADOWED : PDK_VERDICT_TAKEN;
        }
        taken = taken || verdict == PDK_VERDICT_TAKEN;
        explain(arg, route->runner, verdict, verdict == PDK_VERDICT_LABEL ? failed : NULL);
    }
}
