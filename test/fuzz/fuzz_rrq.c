/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a connection of RRQ, come at once and byte by byte: the same frames are found, what can be read of them
 * is answered, and the answer is a frame of JSON again. */
#include <string.h>

#include "address.h"
#include "core/value/value.h"
#include "frame.h"
#include "fuzz.h"
#include "message.h"

static pdk_host host = {.struct_size = sizeof(pdk_host)};

static void check_answer(const pdk_value *result, const struct pdk_rrq_request *request) {
    struct pdk_rrq_outcome outcome = {.job_id = request->job_id ? request->job_id : "unknown",
                                      .request_id = request->request_id ? request->request_id : "unknown",
                                      .status = "success",
                                      .result = result};
    struct pdk_rrq_buffer out = {NULL, 0, 0, 0};
    struct pdk_rrq_frame frame;
    const pdk_value *again = NULL;
    if (pdk_rrq_outcome_write(&host, &outcome, &out) == 0) {
        MUST(pdk_rrq_frame_next(out.data, out.size, &frame) == 1 && frame.whole == out.size);
        /* The envelope is two maps deeper. */
        (void)host.values->parse(host.values, frame.body, frame.size, "answer", &again, NULL);
        if (again) {
            const pdk_value *payload = host.values->get(again, "payload"), *got = host.values->get(payload, "result");
            MUST(pdk_value_equal(got, result) || (!result && host.values->type(got) == PDK_NULL));
        }
    }
    host.values->drop(again);
    pdk_rrq_buffer_free(&out);
}

static void take_request(const pdk_value *payload) {
    struct pdk_rrq_request request;
    const pdk_value *params = NULL;
    pdk_error err = PDK_ERROR;
    if (pdk_rrq_request_read(&host, payload, &request, &err) < 0) {
        MUST(err.message[0]);
    } else {
        MUST(request.request_id && request.job_id && request.function && request.version);
        if (pdk_rrq_request_params(&host, &request, &params, &err) == 0) MUST(host.values->type(params) == PDK_MAP);
    }
    check_answer(params, &request);
    host.values->drop(params);
}

static void take_frame(const struct pdk_rrq_frame *frame) {
    struct pdk_rrq_envelope envelope;
    struct pdk_rrq_cancel cancel;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (host.values->parse(host.values, frame->body, frame->size, "fuzz", &value, &err) < 0) return;
    if (pdk_rrq_envelope_read(&host, value, &envelope, &err) < 0)
        MUST(err.message[0]);
    else if (envelope.type == PDK_RRQ_REQUEST)
        take_request(envelope.payload);
    else if (pdk_rrq_cancel_read(&host, envelope.payload, &cancel, &err) == 0)
        MUST(cancel.job_id);
    host.values->drop(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *at = (const char *)data;
    struct pdk_rrq_address address;
    struct pdk_rrq_frame frame, part;
    char text[128] = "";
    host.values = pdk_values_get();
    memcpy(text, data, size < sizeof text - 1 ? size : sizeof text - 1);
    (void)pdk_rrq_address_parse(text, &address, NULL);
    while (pdk_rrq_frame_next(at, size, &frame) == 1) {
        MUST(frame.whole <= size && frame.body == at + PDK_RRQ_HEAD);
        for (size_t n = 0; n < frame.whole && n < 64; n++)
            MUST(pdk_rrq_frame_next(at, n, &part) == 0 && part.whole > n);
        take_frame(&frame);
        at += frame.whole;
        size -= frame.whole;
    }
    return 0;
}
