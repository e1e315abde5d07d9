/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context: the text that says to which trace something belongs, and under which span it stands. */
#ifndef CORE_BASE_TRACEPARENT_H
#define CORE_BASE_TRACEPARENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PDK_TRACEPARENT_SIZE = 56, /* of version 00, with its NUL */
    PDK_TRACEPARENT_MAX = 512, /* bytes of one of a later version; longer ones are refused */
    PDK_TRACESTATE_MAX = 512,
    PDK_TRACE_SAMPLED = 1, /* flags */
    PDK_TRACE_RANDOM = 2
};

struct pdk_traceparent {
    uint8_t trace_id[16], span_id[8];
    uint8_t flags; /* PDK_TRACE_...; others are 0, for nobody knows what they mean */
};

/* "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01". Of versions later than 00 the part that 00 has is read.
 * -EINVAL, and *ret is as it was. */
int32_t pdk_traceparent_parse(const char *text, struct pdk_traceparent *ret);

/* As version 00. Returns buf. */
char *pdk_traceparent_format(const struct pdk_traceparent *from, char buf[PDK_TRACEPARENT_SIZE]);

/* May it be passed on? At most PDK_TRACESTATE_MAX visible characters or spaces; what they mean is not ours to know. */
bool pdk_tracestate_valid(const char *text);

/* Two lower-case digits a byte, and a NUL. Returns buf. */
char *pdk_hex(const uint8_t *bytes, size_t count, char *buf);

#endif
