/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin client: a stream read in pieces, and what it does where nobody answers. Real servers: test/func/test_client*.py */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/instance.h"
#include "paddock/client.h"
#include "sse.h"
#include "support/fail_alloc.h"

/* ---- streams */

struct heard {
    char text[1024];
    int stop_at; /* 0: never */
    int count;
};

static int32_t on_event(void *arg, const char *type, const char *id, const char *data, size_t size) {
    struct heard *heard = arg;
    size_t used = strlen(heard->text);
    assert_int_equal(strlen(data), size);
    (void)snprintf(heard->text + used, sizeof heard->text - used, "[%s|%s|%s]", type, id, data);
    return ++heard->count == heard->stop_at;
}

static void reads(const char *stream, const char *wanted) {
    size_t size = strlen(stream);
    for (size_t piece = 1; piece <= size; piece++) {
        struct heard heard = {.text = ""};
        struct client_sse sse = {.each = on_event, .arg = &heard};
        for (size_t at = 0; at < size; at += piece)
            assert_int_equal(client_sse_read(&sse, stream + at, size - at < piece ? size - at : piece), 0);
        assert_string_equal(heard.text, wanted);
        client_sse_free(&sse);
    }
}

static void events(void **state) {
    (void)state;
    reads("data: a\n\n", "[message||a]");
    reads("id: 1\nevent: x\ndata: a\n\n", "[x|1|a]");
    reads("id: 1\ndata: a\n\nevent: y\ndata: b\n\n", "[message|1|a][y|1|b]"); /* an id stays, a type does not */
    reads("data: a\ndata:b\ndata\n\n", "[message||a\nb\n]");
    reads("data:  two blanks\n\n", "[message|| two blanks]");
    reads("data:\n\n", "[message||]");
    reads("event: x\n\n\n:\n\ndata: a\n\n", "[message||a]"); /* without data it is none */
    reads("\xef\xbb\xbf"
          "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
          "[message||a][message||b][message||c]");
    reads("what: x\nretry: 10\nretry: z\ndata: a\n\ndata: not ended\n", "[message||a]");
}

static void enough(void **state) {
    struct heard heard = {.text = "", .stop_at = 2};
    struct client_sse sse = {.each = on_event, .arg = &heard};
    (void)state;
    assert_int_equal(client_sse_read(&sse, "data: a\n\ndata: b\n\ndata: c\n\n", 27), 1);
    assert_string_equal(heard.text, "[message||a][message||b]");
    client_sse_free(&sse);
}

static void a_new_stream_keeps_the_id(void **state) {
    struct heard heard = {.text = ""};
    struct client_sse sse = {.each = on_event, .arg = &heard};
    (void)state;
    assert_int_equal(client_sse_read(&sse, "id: 7\ndata: a\n\nid: 8\nevent: x\ndata: half", 40), 0);
    client_sse_restart(&sse);
    assert_string_equal(sse.id, "7");
    assert_int_equal(client_sse_read(&sse, "data: b\n\n", 9), 0);
    assert_string_equal(heard.text, "[message|7|a][message|7|b]");
    client_sse_free(&sse);
}

static void lines_have_a_cap(void **state) {
    static char piece[1 << 16];
    struct heard heard = {.text = ""};
    struct client_sse sse = {.each = on_event, .arg = &heard};
    int32_t rc = 0;
    (void)state;
    memset(piece, 'x', sizeof piece);
    for (size_t sent = 0; rc == 0 && sent <= CLIENT_LINE_MAX; sent += sizeof piece)
        rc = client_sse_read(&sse, piece, sizeof piece);
    assert_int_equal(rc, -E2BIG);
    client_sse_free(&sse);
}

static int32_t read_all(void *arg) {
    struct heard heard = {.text = ""};
    struct client_sse sse = {.each = on_event, .arg = &heard};
    int32_t rc = client_sse_read(&sse, arg, strlen(arg));
    if (rc == 0) assert_string_equal(heard.text, "[x||a]");
    client_sse_free(&sse);
    return rc;
}

static void memory_runs_out(void **state) {
    static char stream[] = "event: x\ndata: a\n\n";
    (void)state;
    assert_int_equal(pdk_fail_sweep(read_all, stream), 2); /* the line, the data */
}

/* ---- the plugin */

static const pdk_client *load(struct pdk_library *library, struct pdk_instance **instance) {
    const struct pdk_instance_options options = {.name = "client"};
    struct pdk_report report = {0};
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_library_open(PLUGIN_FOLDER "/client.so", library, &err), 0);
    assert_int_equal(pdk_instance_create(library->plugin, &options, &report, instance), 0);
    pdk_report_free(&report);
    return library->plugin->get_extension((*instance)->self, PDK_CLIENT_1);
}

static void nobody_is_there(void **state) {
    struct pdk_library library;
    struct pdk_instance *instance = NULL;
    pdk_connection *connection = NULL;
    pdk_client_answer answer = {.struct_size = sizeof answer};
    pdk_error err = PDK_ERROR;
    (void)state;
    const pdk_client *client = load(&library, &instance);
    pdk_client_options options = {.struct_size = sizeof options, .watch_fd = -1, .socket = "/nope/socket"};
    assert_non_null(client);
    assert_null(library.plugin->get_extension(instance->self, "paddock.client/2"));
    assert_int_equal(client->open(client, &options, &connection, &err), 0);
    assert_int_equal(client->request(connection, "GET", "/v1/status", NULL, 0, &answer, &err), -ENOENT);
    assert_true(*err.message);
    assert_int_equal(client->follow(connection, "/v1/events", NULL, NULL, NULL, &answer, &err), -ENOENT);
    client->close(connection);
    client->close(NULL);
    options.socket = NULL;
    for (size_t i = 0; i < 5; i++) {
        options.server = (const char *const[]){NULL, "", "localhost", "https://", "http://h/x"}[i];
        assert_int_equal(client->open(client, &options, &connection, &err), -EINVAL);
    }
    pdk_instance_free(instance);
    pdk_library_free(&library);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events),
        cmocka_unit_test(enough),
        cmocka_unit_test(a_new_stream_keeps_the_id),
        cmocka_unit_test(lines_have_a_cap),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(nobody_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
