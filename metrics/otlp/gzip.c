/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl decompresses what comes; what goes is for us to compress. */
#include <zlib.h>

#include "otlp.h"

enum { GZIP_WINDOW = 15 + 16 }; /* zlib's way of asking for gzip's own frame */

int32_t pdk_otlp_gzip(struct pdk_otlp_arena *arena, const struct pdk_otlp_bytes *from, struct pdk_otlp_bytes *ret) {
    z_stream stream = {.next_in = from->data, .avail_in = (uInt)from->size};
    int done;
    if (from->size > UINT32_MAX / 2) return -E2BIG;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    uLong most = deflateBound(&stream, (uLong)from->size);
    stream.next_out = pdk_otlp_take(arena, most, 1);
    stream.avail_out = (uInt)most;
    ret->data = stream.next_out;
    done = stream.next_out ? deflate(&stream, Z_FINISH) : Z_MEM_ERROR;
    ret->size = stream.total_out;
    (void)deflateEnd(&stream);
    return done == Z_STREAM_END ? 0 : -ENOMEM;
}
