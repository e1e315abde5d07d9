/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stream of events. However they are cut into pieces, the same events must come; memory may fail. */
#include "sse.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

struct heard {
    uint64_t hash, count;
    size_t size;
};

static void hash(struct heard *heard, const char *data, size_t size) {
    for (size_t i = 0; i < size; i++) heard->hash = (heard->hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    heard->hash = (heard->hash ^ size) * UINT64_C(1099511628211);
}

static int32_t on_event(void *arg, const char *type, const char *id, const char *data, size_t size) {
    struct heard *heard = arg;
    MUST(*type && strlen(type) < CLIENT_TYPE_MAX && strlen(id) < CLIENT_ID_MAX);
    MUST(data[size] == '\0' && size <= CLIENT_LINE_MAX);
    MUST(!strpbrk(type, "\r\n") && !strpbrk(id, "\r\n") && !memchr(data, '\r', size));
    hash(heard, type, strlen(type));
    hash(heard, id, strlen(id));
    hash(heard, data, size);
    heard->count++;
    heard->size += size;
    return 0;
}

static struct heard read_in_pieces(const char *data, size_t size, size_t piece) {
    struct heard heard = {0};
    struct client_sse sse = {.each = on_event, .arg = &heard};
    for (size_t at = 0; at < size; at += piece)
        MUST(client_sse_read(&sse, data + at, size - at < piece ? size - at : piece) == 0);
    MUST(heard.size <= size && heard.count <= size);
    client_sse_restart(&sse);
    MUST(client_sse_read(&sse, "data: x\n\n", 9) == 0);
    client_sse_free(&sse);
    return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    struct heard whole = read_in_pieces(text, size, size ? size : 1);
    for (size_t piece = 1; piece < 8; piece += 3) {
        struct heard cut = read_in_pieces(text, size, piece);
        MUST(cut.hash == whole.hash && cut.count == whole.count);
    }
    return 0;
}
