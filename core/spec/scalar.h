/* SPDX-License-Identifier: Apache-2.0 */
/* One scalar as the type of its field wants it, and the words that say why not. Shared by the field table and by
 * plugins' schemas, so that both speak alike. Internal to this layer and to core/config. */
#ifndef CORE_SPEC_SCALAR_H
#define CORE_SPEC_SCALAR_H

#include "core/value/value.h"

/* What a fault says: the message, and what to do. Both may stay "". */
struct pdk_complaint {
    char message[320], expected[256], suggestion[64];
};

/* Before the first use: only what is read later is cleared, since most reads go well. */
static inline void pdk_complaint_clear(struct pdk_complaint *why) {
    why->message[0] = why->expected[0] = why->suggestion[0] = '\0';
}

/* Each returns 0, or -EINVAL or -ERANGE with the complaint filled in. Quotes do not matter: the field decides. */
int32_t pdk_scalar_bool(const pdk_value *value, bool *ret, struct pdk_complaint *why);
int32_t pdk_scalar_int(const pdk_value *value, int64_t *ret, struct pdk_complaint *why);
int32_t pdk_scalar_number(const pdk_value *value, double *ret, struct pdk_complaint *why);
int32_t pdk_scalar_duration(const pdk_value *value, uint64_t *ret, struct pdk_complaint *why);
int32_t pdk_scalar_size(const pdk_value *value, uint64_t *ret, struct pdk_complaint *why);
int32_t pdk_scalar_choice(const pdk_value *value, const char *const *choices, int32_t *ret, struct pdk_complaint *why);

/* `expected a duration, found a list`; returns -EINVAL. */
int32_t pdk_complain_type(const pdk_value *value, const char *wanted, struct pdk_complaint *why);

/* "never, on-failure or always". Returns buf. */
const char *pdk_words_join(const char *const *words, char *buf, size_t size);

/* Add what the complaint says as a fault at value. Returns -EINVAL. */
int32_t pdk_complain(struct pdk_report *report, const pdk_value *value, const struct pdk_complaint *why);

/* The path of a value as faults give it: "tasks.web", or without lines "/tasks/web". Returns buf. */
const char *pdk_scalar_path(const pdk_value *value, char *buf, size_t size);

/* Where the key of this value stands, if it is an entry of a map; else where the value stands. */
struct pdk_place pdk_scalar_key_place(const pdk_value *value);

#endif
