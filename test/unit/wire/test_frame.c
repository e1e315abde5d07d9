/* SPDX-License-Identifier: Apache-2.0 */
/* Frames out of bytes that anybody may have written. */
#include "support/unit.h"

#include "core/wire/frame.h"

static size_t put(char *to, uint32_t size, uint16_t type, uint64_t id, const void *data) {
    const struct pdk_frame_head head = {size, type, 0, id};
    memcpy(to, &head, sizeof head);
    if (data) memcpy(to + sizeof head, data, size);
    return sizeof head + size;
}

static int64_t next(const char *data, size_t size, int direction, struct pdk_frame *frame, const char **why) {
    size_t wanted;
    *why = NULL;
    return pdk_frame_next(data, size, direction, frame, &wanted, why);
}

static void whole_frames_are_taken(void **state) {
    char data[256];
    int32_t reason = 2;
    size_t size = put(data, sizeof reason, PDK_MESSAGE_CANCEL, 77, &reason), second;
    second = put(data + size, 0, PDK_MESSAGE_KILL, 78, NULL);
    struct pdk_frame frame;
    const char *why;
    (void)state;
    assert_int_equal(next(data, size + second, PDK_TO_HOST, &frame, &why), size);
    assert_int_equal(frame.type, PDK_MESSAGE_CANCEL);
    assert_int_equal(frame.id, 77);
    assert_int_equal(frame.size, sizeof reason);
    assert_memory_equal(frame.data, &reason, sizeof reason);
    assert_int_equal(next(data + size, second, PDK_TO_HOST, &frame, &why), second);
    assert_int_equal(frame.id, 78);
}

/* However it is cut, nothing is taken before all of it is there, and it is told how much that is. */
static void a_part_waits(void **state) {
    char data[256], text[] = "a line";
    int32_t level = 1;
    char payload[64];
    memcpy(payload, &level, sizeof level);
    memcpy(payload + sizeof level, text, sizeof text);
    size_t size = put(data, sizeof level + sizeof text, PDK_MESSAGE_LOG, 0, payload), wanted;
    struct pdk_frame frame;
    const char *why;
    (void)state;
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(pdk_frame_next(data, i, PDK_TO_PADDOCK, &frame, &wanted, &why), 0);
        assert_int_equal(wanted, i < sizeof(struct pdk_frame_head) ? sizeof(struct pdk_frame_head) : size);
    }
    assert_int_equal(pdk_frame_next(data, size, PDK_TO_PADDOCK, &frame, &wanted, &why), size);
}

static void what_is_none_is_refused(void **state) {
    static const struct {
        uint32_t size;
        uint16_t type;
        int direction;
        const char *why;
    } bad[] = {{0, 0, PDK_TO_HOST, "a message of no known type"},
               {0, PDK_MESSAGE_COUNT, PDK_TO_HOST, "a message of no known type"},
               {0, 0xffff, PDK_TO_PADDOCK, "a message of no known type"},
               {0, PDK_MESSAGE_KILL, PDK_TO_PADDOCK, "a message that goes the other way"},
               {sizeof(struct pdk_wire_done), PDK_MESSAGE_DONE, PDK_TO_HOST, "a message that goes the other way"},
               {PDK_PAYLOAD_MAX + 1, PDK_MESSAGE_BUILD, PDK_TO_HOST, "a message that is too large"},
               {UINT32_MAX, PDK_MESSAGE_OUTPUT, PDK_TO_PADDOCK, "a message that is too large"},
               {sizeof(struct pdk_wire_start) - 1, PDK_MESSAGE_START, PDK_TO_HOST, "a message that is too short"},
               {0, PDK_MESSAGE_HELLO, PDK_TO_PADDOCK, "a message that is too short"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char data[sizeof(struct pdk_frame_head)];
        const struct pdk_frame_head head = {bad[i].size, bad[i].type, 0, 1};
        struct pdk_frame frame;
        const char *why;
        memcpy(data, &head, sizeof head);
        assert_int_equal(next(data, sizeof data, bad[i].direction, &frame, &why), -EPROTO);
        assert_string_equal(why, bad[i].why);
    }
}

static void the_rest_is_read_within_its_size(void **state) {
    const struct pdk_frame frame = {PDK_MESSAGE_LOG, 0, "abcdef", 6};
    struct pdk_frame_rest rest = pdk_frame_rest(&frame);
    char two[2], many[8] = "xxxxxxx";
    (void)state;
    pdk_rest_take(&rest, two, sizeof two);
    assert_memory_equal(two, "ab", 2);
    assert_memory_equal(pdk_rest_bytes(&rest, 3), "cde", 3);
    assert_null(pdk_rest_bytes(&rest, SIZE_MAX));
    assert_true(rest.bad);
    pdk_rest_take(&rest, many, sizeof many); /* once bad, bad for good */
    assert_memory_equal(many, "\0\0\0\0\0\0\0", sizeof many);
    assert_null(pdk_rest_bytes(&rest, 1));
}

static void every_message_has_a_name(void **state) {
    (void)state;
    for (int i = 1; i < PDK_MESSAGE_COUNT; i++) assert_string_not_equal(pdk_message_name((enum pdk_message)i), "?");
    assert_string_equal(pdk_message_name(PDK_MESSAGE_COUNT), "?");
    assert_string_equal(pdk_message_name(PDK_MESSAGE_START), "START");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_frames_are_taken),   cmocka_unit_test(a_part_waits),
        cmocka_unit_test(what_is_none_is_refused),  cmocka_unit_test(the_rest_is_read_within_its_size),
        cmocka_unit_test(every_message_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
