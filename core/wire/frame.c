/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, out of bytes that anybody may have written. */
#include "core/wire/frame.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *name;
    int direction;
    uint32_t least;
} messages[PDK_MESSAGE_COUNT] = {
#define ROW(name, direction, least, id) [PDK_MESSAGE_##name] = {#name, (direction), (uint32_t)(least)},
    PDK_MESSAGES(ROW)
#undef ROW
};

const char *pdk_message_name(enum pdk_message type) {
    return (unsigned)type < PDK_MESSAGE_COUNT && messages[type].name ? messages[type].name : "?";
}

static const char *check(const struct pdk_frame_head *head, int direction) {
    if (head->type == PDK_MESSAGE_NONE || head->type >= PDK_MESSAGE_COUNT) return "a message of no known type";
    if (!(messages[head->type].direction & direction)) return "a message that goes the other way";
    if (head->size > PDK_PAYLOAD_MAX) return "a message that is too large";
    return head->size < messages[head->type].least ? "a message that is too short" : NULL;
}

int64_t pdk_frame_next(const char *data, size_t size, int direction, struct pdk_frame *ret, size_t *ret_wanted,
                       const char **ret_why) {
    struct pdk_frame_head head;
    *ret_wanted = sizeof head;
    if (size < sizeof head) return 0;
    memcpy(&head, data, sizeof head);
    *ret_why = check(&head, direction);
    if (*ret_why) return -EPROTO;
    *ret_wanted = sizeof head + head.size;
    if (size < *ret_wanted) return 0;
    *ret = (struct pdk_frame){(enum pdk_message)head.type, head.id, data + sizeof head, head.size};
    return (int64_t)*ret_wanted;
}

struct pdk_frame_rest pdk_frame_rest(const struct pdk_frame *frame) {
    return (struct pdk_frame_rest){frame->data, frame->size, 0};
}

const char *pdk_rest_bytes(struct pdk_frame_rest *rest, size_t size) {
    const char *at = rest->data;
    if (rest->bad || size > rest->size) {
        rest->bad = 1;
        return NULL;
    }
    rest->data += size;
    rest->size -= size;
    return at;
}

void pdk_rest_take(struct pdk_frame_rest *rest, void *ret, size_t size) {
    const char *at = pdk_rest_bytes(rest, size);
    if (at)
        memcpy(ret, at, size);
    else
        memset(ret, 0, size);
}
