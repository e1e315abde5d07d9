/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RRQ_ADDRESS_H
#define RRQ_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>

#include <paddock/base.h>

struct pdk_rrq_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t size;
};

/* "127.0.0.1:9000", "localhost:9000", "[::1]:9000": RRQ has no passwords, so nothing but loopback is taken. Blanks
 * around it do not matter. 0, or -EINVAL with words. */
int32_t pdk_rrq_address_parse(const char *text, struct pdk_rrq_address *ret, pdk_error *err);

#endif
