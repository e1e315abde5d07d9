/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/json.h"

#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/text.h"

static void add_string(struct pdk_buffer *to, const char *data, size_t size) {
    static const char letters[] = "0123456789abcdef";
    pdk_buffer_add(to, "\"", 1);
    for (size_t i = 0, from = 0; i <= size; i++) {
        unsigned char c = i < size ? (unsigned char)data[i] : '"';
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) continue;
        pdk_buffer_add(to, data + from, i - from);
        from = i + 1;
        if (i == size) break;
        const char *plain = strchr("\nn\tt\rr\"\"\\\\", c);
        if (plain && c)
            pdk_buffer_add(to, (const char[]){'\\', plain[1]}, 2);
        else
            pdk_buffer_add(to, (const char[]){'\\', 'u', '0', '0', letters[c >> 4], letters[c & 15]}, 6);
    }
    pdk_buffer_add(to, "\"", 1);
}

/* Well-formed UTF-8? Control characters are well-formed too: JSON escapes them. */
static bool is_text(const char *data, size_t size) {
    while (size) {
        int64_t fault = pdk_utf8_fault(data, size);
        if (fault < 0) return true;
        unsigned char c = (unsigned char)data[fault];
        if (c >= 0x20 && c != 0x7f) return false;
        data += fault + 1;
        size -= (size_t)fault + 1;
    }
    return true;
}

static void begin(struct pdk_buffer *to, const char *key) {
    char last = to->size ? to->data[to->size - 1] : '\n';
    if (!strchr("{[\n", last)) pdk_buffer_add(to, ",", 1);
    if (!key) return;
    add_string(to, key, strlen(key));
    pdk_buffer_add(to, ":", 1);
}

void pdk_json_open(struct pdk_buffer *to, const char *key, char bracket) {
    begin(to, key);
    pdk_buffer_add(to, &bracket, 1);
}

void pdk_json_close(struct pdk_buffer *to, char bracket) {
    pdk_buffer_add(to, &bracket, 1);
}

void pdk_json_text(struct pdk_buffer *to, const char *key, const char *text) {
    if (!text) return;
    begin(to, key);
    if (is_text(text, strlen(text))) {
        add_string(to, text, strlen(text));
        return;
    }
    pdk_buffer_add(to, "\"", 1); /* bytes that are no text: those that are ASCII */
    for (const char *c = text; *c; c++) {
        bool plain = *c >= 0x20 && *c != '"' && *c != '\\' && *c != 0x7f;
        pdk_buffer_add(to, plain ? c : "?", 1);
    }
    pdk_buffer_add(to, "\"", 1);
}

void pdk_json_word(struct pdk_buffer *to, const char *key, const char *word) {
    begin(to, key);
    pdk_buffer_text(to, word);
}

void pdk_json_integer(struct pdk_buffer *to, const char *key, int64_t n) {
    begin(to, key);
    pdk_buffer_format(to, "%lld", (long long)n);
}

void pdk_json_number(struct pdk_buffer *to, const char *key, double n) {
    begin(to, key);
    pdk_buffer_format(to, "%.6g", n);
}

void pdk_json_seconds(struct pdk_buffer *to, const char *key, uint64_t ns) {
    begin(to, key);
    pdk_buffer_format(to, "%llu.%09llu", (unsigned long long)(ns / PDK_SECOND), (unsigned long long)(ns % PDK_SECOND));
    while (to->data[to->size - 1] == '0' && to->data[to->size - 2] != '.') to->data[--to->size] = '\0';
}

void pdk_json_time(struct pdk_buffer *to, const char *key, uint64_t unix_ns) {
    char text[64];
    pdk_json_text(to, key, pdk_time_text(unix_ns, text, sizeof text));
}
