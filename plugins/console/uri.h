/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers write on the first lines of a request. Nothing here allocates, and all of it is fuzzed. */
#ifndef CONSOLE_URI_H
#define CONSOLE_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* %41 becomes A, in place. False: a % without two digits behind it, a control character, or what is not UTF-8. */
bool con_uri_decode(char *text);

/* Cut a path into its decoded parts, in place: "/v1/runs/a%2Fb" has three. "." and "..", empty parts and more than max
 * are refused: false. "/" has none. */
bool con_uri_split(char *path, const char **parts, size_t max, size_t *ret_count);

/* Does a path fit a pattern "/v1/runs/{run}/output"? *ret_index, where the pattern has {name}, is the part it stands for. */
bool con_uri_matches(const char *pattern, const char *const *parts, size_t count);
/* The index of {name} in a pattern, or -1. */
int con_uri_place(const char *pattern, const char *name);

/* A whole number without sign, in decimal, within [least, most]. */
bool con_uri_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret);

/* Is word one of a list with commas? An entry that ends in * stands for all that begin so. */
bool con_uri_listed(const char *list, const char *word);
/* The next entry of such a list, without blanks around it; NULL at the end. */
const char *con_uri_entry(const char **list, size_t *ret_size);

/* How much a type such as "text/plain" is wanted by an Accept header, 0 to 1000; NULL wants all. */
uint32_t con_uri_accepts(const char *accept, const char *type);

/* Is it this media type, whatever parameters follow? */
bool con_uri_is_type(const char *header, const char *type);

/* The token of "Bearer TOKEN"; NULL: it is nothing like that. */
const char *con_uri_bearer(const char *header);

/* The host of a Host header, without port and brackets, in lower case. False: it is none, or does not fit. */
bool con_uri_host(const char *header, char *buf, size_t size);

#endif
