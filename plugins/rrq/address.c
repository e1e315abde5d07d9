/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <stdbool.h>

#include <paddock/helpers.h>

enum { ADDRESS_MAX = 100 };

static int32_t refuse(const char *text, const char *why, pdk_error *err) {
    int32_t rc = pdk_failf(err, -EINVAL, NULL, "\"%.100s\" %s", text, why);
    if (err) {
        err->hint[0] = '\0';
        pdk_append(err->hint, sizeof err->hint, "write 127.0.0.1:PORT, localhost:PORT or [::1]:PORT");
    }
    return rc;
}

static bool read_port(const char *text, in_port_t *ret) {
    uint32_t port = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 6; digits++)
        port = port * 10 + (uint32_t)(text[digits] - '0');
    *ret = htons((uint16_t)port);
    return digits > 0 && text[digits] == '\0' && port > 0 && port < 65536;
}

/* A copy without the blanks around it. */
static bool trim(const char *text, char *buf, size_t size) {
    size_t length;
    text += strspn(text, " \t\r\n");
    length = strlen(text);
    while (length && strchr(" \t\r\n", text[length - 1])) length--;
    if (length >= size) return false;
    memcpy(buf, text, length);
    buf[length] = '\0';
    return true;
}

/* Take host and port apart; -1: there is no port. Behind [ ] stands a v6 address. */
static int split(char *buf, char **ret_host, char **ret_port) {
    char *end = buf[0] == '[' ? strchr(buf, ']') : strrchr(buf, ':');
    if (!end || (buf[0] == '[' && end[1] != ':')) return -1;
    *ret_host = buf[0] == '[' ? buf + 1 : buf;
    *ret_port = buf[0] == '[' ? end + 2 : end + 1;
    *end = '\0';
    return 0;
}

static bool read_host(const char *host, bool v6, in_port_t port, struct pdk_rrq_address *ret) {
    *ret = (struct pdk_rrq_address){.size = sizeof ret->v4};
    if (v6) {
        ret->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        ret->size = sizeof ret->v6;
        return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&ret->v6.sin6_addr);
    }
    ret->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    if (strcmp(host, "localhost") == 0) host = "127.0.0.1";
    return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1 && ntohl(ret->v4.sin_addr.s_addr) >> 24 == 127;
}

int32_t pdk_rrq_address_parse(const char *text, struct pdk_rrq_address *ret, pdk_error *err) {
    char buf[ADDRESS_MAX], *host = NULL, *port_text = NULL;
    in_port_t port;
    if (!trim(text, buf, sizeof buf)) return refuse(text, "is too long for an address", err);
    bool v6 = buf[0] == '[';
    if (split(buf, &host, &port_text) < 0) return refuse(text, "is no HOST:PORT", err);
    if (!read_port(port_text, &port)) return refuse(text, "has no port from 1 to 65535", err);
    if (!read_host(host, v6, port, ret)) return refuse(text, "is not on loopback", err);
    return 0;
}
