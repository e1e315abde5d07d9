/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page for people: files that are part of the plugin, under / and /page/NAME. They hold nothing that is secret, and a
 * browser cannot show a token before it has the page that asks for one: so they are given without, see auth.c.
 */
#include "console.h"
#include "page.h"

#define PAGE_PATH "/page/"

/* Only what comes from here is run, styled or asked; no frame may hold it, no text is ever read as HTML or script. */
static const char *const headers[][2] = {
    {"Cache-Control", "no-cache"}, /* kept, and asked for again by its tag: a newer Paddock is seen at once */
    {"Vary", "Accept-Encoding"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
     "trusted-types 'none'"},
};

static const struct con_file *find(const char *name) {
    for (const struct con_file *file = con_files; file->name; file++)
        if (!strcmp(file->name, name)) return file;
    return NULL;
}

bool con_static_is(const char *method, const char *url) {
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) return false;
    return !strcmp(url, "/") || (!strncmp(url, PAGE_PATH, sizeof PAGE_PATH - 1) && find(url + sizeof PAGE_PATH - 1));
}

/* Does the browser have this already? */
static bool is_known(const struct con_request *request, const struct con_file *file) {
    const char *list = con_request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH), *entry;
    size_t size;
    while (list && (entry = con_uri_entry(&list, &size)))
        if (size == strlen(file->tag) && !strncmp(entry, file->tag, size)) return true;
    return false;
}

static bool takes_gzip(const struct con_request *request) {
    const char *accepted = con_request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    return accepted && *accepted && con_uri_accepts(accepted, "gzip") > 0;
}

static void answer(struct con_request *request, const struct con_file *file) {
    bool same = is_known(request, file), packed = takes_gzip(request);
    const unsigned char *data = packed ? file->packed : file->data;
    size_t size = packed ? file->packed_size : file->size;
    /* The library promises not to write where it is told that it is not its own. */
    request->response =
        MHD_create_response_from_buffer(same ? 0 : size, (void *)(uintptr_t)data, MHD_RESPMEM_PERSISTENT);
    request->status = same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;
    con_answer_header(request, MHD_HTTP_HEADER_ETAG, file->tag);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        con_answer_header(request, headers[i][0], headers[i][1]);
    if (same) return;
    con_answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
    if (packed) con_answer_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

void con_static(struct con_request *request) {
    const struct con_file *file = find(request->part_count ? con_request_part(request, "file") : "index.html");
    if (file)
        answer(request, file);
    else
        con_answer_fault(request, CON_NOT_FOUND, "the page has no such file", NULL);
}
