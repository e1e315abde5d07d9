/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>

int pdk_rrq_frame_next(const char *data, size_t size, struct pdk_rrq_frame *ret) {
    size_t length = 0;
    *ret = (struct pdk_rrq_frame){.whole = PDK_RRQ_HEAD};
    if (size < PDK_RRQ_HEAD) return 0;
    for (size_t i = 0; i < PDK_RRQ_HEAD; i++) length = length << 8 | (unsigned char)data[i];
    if (length == 0 || length > PDK_RRQ_FRAME_MAX) return -EPROTO;
    ret->whole += length;
    if (size < ret->whole) return 0;
    ret->body = data + PDK_RRQ_HEAD;
    ret->size = length;
    return 1;
}

void pdk_rrq_frame_head(char head[PDK_RRQ_HEAD], size_t size) {
    for (size_t i = 0; i < PDK_RRQ_HEAD; i++) head[i] = (char)(unsigned char)(size >> 8 * (PDK_RRQ_HEAD - 1 - i));
}
