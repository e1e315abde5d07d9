/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object on one line, written member by member. */
#ifndef CORE_CLI_JSON_H
#define CORE_CLI_JSON_H

#include "core/cli/cli.h"

/* Members are separated by themselves. key NULL: an element of a list. */
void pdk_json_open(struct pdk_buffer *to, const char *key, char bracket);
void pdk_json_close(struct pdk_buffer *to, char bracket);
void pdk_json_text(struct pdk_buffer *to, const char *key, const char *text); /* text NULL: nothing is written */
void pdk_json_word(struct pdk_buffer *to, const char *key, const char *word); /* true, false, null, or a number */
void pdk_json_integer(struct pdk_buffer *to, const char *key, int64_t n);
void pdk_json_seconds(struct pdk_buffer *to, const char *key, uint64_t ns);
void pdk_json_number(struct pdk_buffer *to, const char *key, double n);
void pdk_json_time(struct pdk_buffer *to, const char *key, uint64_t unix_ns);

#endif
