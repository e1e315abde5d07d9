/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

void con_slots(struct con_request *request) {
    const struct con *con = request->con;
    const pdk_value *slots = NULL;
    pdk_error err = PDK_ERROR;
    int32_t rc = con->control->inspect(con->control, "slots", 0, NULL, &slots, &err);
    if (rc < 0) {
        con_answer_error(request, rc, &err);
        return;
    }
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    con_put_value(con, w, "slots", slots);
    con->values->end(w);
    con->values->drop(slots);
    con_answer_close(request, 200, w);
}

void con_slot_act(struct con_request *request) {
    const struct con *con = request->con;
    const char *word = con_request_part(request, "action"), *slot = con_request_part(request, "slot");
    bool stop = !strcmp(word, "pause");
    if (!stop && strcmp(word, "resume") != 0) {
        con_answer_faultf(request, CON_NOT_FOUND, "a slot has no action \"%.32s\"", word);
        return;
    }
    int32_t rc = stop ? con->control->pause_slot(con->control, slot) : con->control->resume_slot(con->control, slot);
    if (rc < 0) {
        con_answer_faultf(request, rc == -EINVAL ? CON_INVALID : CON_UNAVAILABLE, "slot \"%.200s\" cannot be %sd: %s",
                          slot, word, strerrordesc_np(-rc));
        return;
    }
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    con_put_text(con, w, "slot", slot);
    con->values->key(w, "paused");
    con->values->put_bool(w, stop);
    con->values->end(w);
    con_answer_close(request, 200, w);
}
