/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a server, what it answers, and how what went wrong is told. */
#include <errno.h>
#include <string.h>

#include "core/cli/remote.h"

#define BODY_MAX ((size_t)64 << 20)

/* Where the whole screen is drawn on, or nobody is to be told, it is kept. */
static void say(struct pdk_remote *remote, const char *text) {
    if (remote->holds_words)
        (void)strlcpy(remote->words, text, sizeof remote->words);
    else
        pdk_say("%s", text);
}

/* ---- nobody answers */

static const struct {
    int32_t rc;
    bool local;
    const char *words;
} reasons[] = {
    {-ENOENT, true, "no server at %s: there is no such socket"},
    {-ECONNREFUSED, true, "no server at %s: nobody listens there"},
    {-EACCES, true, "the server at %s does not let us in: permission denied"},
    {-ENOTSOCK, true, "no server at %s: it is no socket"},
    {-ENOENT, false, "no server at %s: its name is not known"},
    {-ECONNREFUSED, false, "no server at %s: nobody listens there"},
    {-ECONNRESET, true, "the server at %s has gone: the connection broke off"},
    {-ECONNRESET, false, "the server at %s has gone: the connection broke off"},
    {-ETIMEDOUT, true, "the server at %s does not answer"},
    {-ETIMEDOUT, false, "the server at %s does not answer"},
};

int pdk_remote_unreachable(struct pdk_remote *remote, int32_t rc, const pdk_error *err) {
    char text[1200];
    if (rc == -ECANCELED) return PDK_EXIT_FAILED; /* close says by what */
    if (rc == -ENOMEM) return pdk_say_memory();
    (void)snprintf(text, sizeof text, "%s: %s", remote->place, *err->message ? err->message : strerror(-rc));
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].rc == rc && reasons[i].local == remote->local) {
            const char *mark = strstr(reasons[i].words, "%s");
            (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - reasons[i].words), reasons[i].words,
                           remote->place, mark + 2);
        }
    if (rc == -ENOENT || rc == -ECONNREFUSED || rc == -ENOTSOCK)
        (void)strlcat(text, "; \"paddock serve\" starts one, --socket or --server say where it is", sizeof text);
    say(remote, text);
    return PDK_EXIT_UNREACHABLE;
}

/* ---- an error is answered */

static const struct {
    int status, code;
} codes[] = {{400, PDK_EXIT_USAGE},   {401, PDK_EXIT_UNREACHABLE}, {403, PDK_EXIT_UNREACHABLE}, {404, PDK_EXIT_NO_SUCH},
             {409, PDK_EXIT_REFUSED}, {413, PDK_EXIT_USAGE},       {422, PDK_EXIT_USAGE},       {429, PDK_EXIT_REFUSED},
             {501, PDK_EXIT_PLUGIN},  {503, PDK_EXIT_REFUSED},     {507, PDK_EXIT_REFUSED}};

static int exit_code_of(int status) {
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].status == status) return codes[i].code;
    return PDK_EXIT_FAILED;
}

/* "/spec/with/url" is with.url to who wrote it. */
static void add_place(struct pdk_buffer *to, const char *pointer) {
    if (strncmp(pointer, "/spec/", 6) == 0) pointer += 5;
    if (*pointer != '/') return;
    for (pointer++; *pointer; pointer++) pdk_buffer_add(to, *pointer == '/' ? "." : pointer, 1);
    pdk_buffer_text(to, ": ");
}

int pdk_remote_fault(struct pdk_remote *remote) {
    const pdk_value *error = pdk_values_get()->get(remote->value, "error");
    const char *message = pdk_get_text(error, "message"), *hint = pdk_get_text(error, "hint");
    struct pdk_arena arena = {0};
    struct pdk_buffer text = PDK_BUFFER(1u << 16);
    if (remote->about) pdk_buffer_format(&text, "%s: ", remote->about);
    if (*message) {
        add_place(&text, pdk_get_text(error, "path"));
        pdk_buffer_text(&text, message);
        if (*hint) pdk_buffer_format(&text, "; %s", hint);
    } else {
        pdk_buffer_format(&text, "%s answers with HTTP status %d, as no console does", remote->place, remote->status);
    }
    if (remote->status == 401 && !remote->has_token)
        pdk_buffer_text(&text, "; --token-file names the file with the token");
    say(remote, pdk_cell(&arena, pdk_buffer_string(&text)));
    pdk_buffer_free(&text);
    pdk_arena_free(&arena);
    return exit_code_of(remote->status);
}

/* ---- asking */

static int take_answer(struct pdk_remote *remote, const pdk_client_answer *answer) {
    const pdk_values *v = pdk_values_get();
    pdk_error err = PDK_ERROR;
    v->drop(remote->value);
    remote->value = NULL;
    remote->status = answer->status;
    if (strcmp(answer->type, "application/json") != 0) return 0;
    int32_t rc = v->parse(v, answer->data, answer->size, "the answer", &remote->value, &err);
    if (rc == -ENOMEM) return pdk_say_memory();
    if (rc == 0) return 0;
    char text[1200];
    (void)snprintf(text, sizeof text, "%s: the answer cannot be read: %s", remote->place, err.message);
    say(remote, text);
    return PDK_EXIT_FAILED;
}

/* A path that was cut short would ask for something else. */
static int check_path(const struct pdk_remote *remote, const struct pdk_buffer *path) {
    if (!path->error) return 0;
    if (path->error == -ENOMEM) return pdk_say_memory();
    return pdk_say_usage(remote->arguments->verb, "", "what is asked for is longer than %zu characters", path->limit);
}

int pdk_remote_ask(struct pdk_remote *remote, const char *method, struct pdk_buffer *path, const pdk_value *body) {
    const pdk_values *v = pdk_values_get();
    struct pdk_buffer text = PDK_BUFFER(BODY_MAX);
    pdk_client_answer answer = {.struct_size = sizeof answer, .type = "", .data = ""};
    pdk_error err = PDK_ERROR;
    int code = check_path(remote, path);
    if (body) (void)v->print(v, body, PDK_JSON_PLAIN, pdk_buffer_write, &text);
    int32_t rc = text.error;
    if (code == 0 && rc == 0)
        rc = remote->client->request(remote->connection, method, pdk_buffer_string(path),
                                     body ? pdk_buffer_string(&text) : NULL, text.size, &answer, &err);
    if (code == 0) code = rc < 0 ? pdk_remote_unreachable(remote, rc, &err) : take_answer(remote, &answer);
    pdk_buffer_free(&text);
    pdk_buffer_free(path);
    return code;
}

static int ask_and_tell(struct pdk_remote *remote, const char *method, struct pdk_buffer *path, const pdk_value *body,
                        const pdk_value **ret) {
    int code = pdk_remote_ask(remote, method, path, body);
    if (code == 0 && (remote->status >= 400 || !remote->value)) code = pdk_remote_fault(remote);
    if (code == 0 && ret) *ret = remote->value;
    return code;
}

int pdk_remote_get(struct pdk_remote *remote, struct pdk_buffer *path, const pdk_value **ret) {
    return ask_and_tell(remote, "GET", path, NULL, ret);
}

int pdk_remote_post(struct pdk_remote *remote, struct pdk_buffer *path, const pdk_value *body, const pdk_value **ret) {
    return ask_and_tell(remote, "POST", path, body, ret);
}

int pdk_remote_body(const struct pdk_remote *remote, const char *key, const char *text, int64_t number,
                    const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, key);
    if (text)
        v->put_string(w, text, strlen(text));
    else
        v->put_int(w, number);
    v->end(w);
    int32_t rc = v->close(w, ret, NULL);
    if (rc == 0) return 0;
    return rc == -ENOMEM ? pdk_say_memory() : pdk_say_usage(remote->arguments->verb, "", "the %s is not UTF-8", key);
}

int pdk_remote_pages(struct pdk_remote *remote, struct pdk_buffer *path, const char *member,
                     int (*each)(void *arg, const pdk_value *entry), void *arg) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *page = NULL;
    char next[264] = "";
    int code;
    do {
        PDK_PATH(own);
        pdk_buffer_text(&own, pdk_buffer_string(path));
        if (path->error) own.error = path->error;
        if (*next) pdk_url_query(&own, "after", next);
        code = pdk_remote_get(remote, &own, &page);
        const pdk_value *list = code ? NULL : v->get(page, member);
        (void)strlcpy(next, code ? "" : pdk_get_text(page, "next"), sizeof next);
        for (size_t i = 0; i < v->count(list); i++)
            if (each(arg, v->at(list, i))) {
                next[0] = '\0';
                break;
            }
    } while (code == 0 && *next);
    pdk_buffer_free(path);
    return code;
}

int pdk_remote_follow(struct pdk_remote *remote, struct pdk_buffer *path, const char *last_id,
                      int32_t (*each)(void *arg, const pdk_client_event *event), void *arg) {
    pdk_client_answer answer = {.struct_size = sizeof answer, .type = "", .data = ""};
    pdk_error err = PDK_ERROR;
    int code = check_path(remote, path);
    int32_t rc = 0;
    if (code == 0)
        rc = remote->client->follow(remote->connection, pdk_buffer_string(path), last_id, each, arg, &answer, &err);
    if (rc < 0) {
        code = pdk_remote_unreachable(remote, rc, &err);
    } else if (code == 0 && answer.status != 200) {
        code = take_answer(remote, &answer);
        if (code == 0) code = pdk_remote_fault(remote);
    }
    pdk_buffer_free(path);
    return code;
}
