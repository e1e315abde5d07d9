/* SPDX-License-Identifier: Apache-2.0 */
/* The grammars (core/spec/README.md, section 2) that are not lists or maps, and the nearest word. */
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* "1h30m", "250ms", "0". -EINVAL: not a duration; -ERANGE: more than 3650 days. hint, if not NULL, gets what to
 * write instead ("write 30s or 30m") or "". */
int32_t pdk_duration_parse(const char *text, uint64_t *ret_ns, char *hint, size_t hint_size);

/* Exact, and read back as the same: "1h30m", "1.5s", "412ms", "0s". Returns buf. */
const char *pdk_duration_format(uint64_t ns, char *buf, size_t size);

/* For people: two figures that matter: "3.2s", "412ms", "2m05s", "3h12m", "4d02h". Returns buf. */
const char *pdk_duration_about(uint64_t ns, char *buf, size_t size);

/* "64KiB", "10MB", "512B". -EINVAL; -ERANGE: more than INT64_MAX; hint as above ("write 512MiB (1024) or 512MB
 * (1000)"). format is exact. */
int32_t pdk_size_parse(const char *text, uint64_t *ret_bytes, char *hint, size_t hint_size);
const char *pdk_size_format(uint64_t bytes, char *buf, size_t size);

/* "TERM" or "SIGTERM", RTMIN+n. 0 and the number, or -EINVAL. The name comes without SIG; NULL: no such. */
int32_t pdk_signal_parse(const char *text, int32_t *ret_signal);
const char *pdk_signal_name(int32_t signal);

/* Kubernetes' rules: a qualified name, a label value. 0 or -EINVAL, and *why (a static text) says what is wrong. */
int32_t pdk_label_key_check(const char *text, const char **why);
int32_t pdk_label_value_check(const char *text, const char **why);

/* [A-Za-z0-9_][A-Za-z0-9._-]{0,62}, not ending in .yaml .yml .json; and a slot's rules. */
int32_t pdk_task_name_check(const char *text, const char **why);
int32_t pdk_slot_name_check(const char *text, const char **why);

/* [a-z0-9][a-z0-9-]{0,62} */
int32_t pdk_plugin_name_check(const char *text, const char **why);

/* The word of the NULL-ended list that is nearest to text: Damerau-Levenshtein at most 2 and less than half of
 * text's length; NULL: none is near. */
const char *pdk_nearest(const char *text, const char *const *words);

/* Well-formed UTF-8 without NUL or C0 controls but tab, newline and carriage return? -1: yes; else the offset of the fault. */
int64_t pdk_utf8_fault(const char *data, size_t size);

/* Well-formed UTF-8 without NUL? Controls are fine here: what programs say may have them. */
int32_t pdk_utf8_valid(const char *data, size_t size);

/* Characters (not bytes) in size bytes of UTF-8. */
size_t pdk_utf8_count(const char *data, size_t size);

#endif
