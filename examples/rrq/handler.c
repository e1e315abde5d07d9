/* SPDX-License-Identifier: Apache-2.0 */
/* A handler of RRQ jobs in C: cc -shared -fPIC -I include -o handler.so examples/rrq/handler.c */
#include "handler.h"

static int32_t add(const pdk_host *host, const pdk_value *params, pdk_writer *result, pdk_error *err) {
    int64_t a = 0, b = 0;
    int32_t rc = pdk_need_integer(host, params, "a", &a, err);
    if (rc == 0) rc = pdk_need_integer(host, params, "b", &b, err);
    host->values->put_int(result, a + b);
    return rc;
}

static const pdk_param params[] = {PDK_PARAM("a", PDK_INT, PDK_REQUIRED, NULL, "What to add"),
                                   PDK_PARAM("b", PDK_INT, PDK_REQUIRED, NULL, "To what"), PDK_PARAM_END};
HANDLER("add", "Adds two numbers", params, add)
