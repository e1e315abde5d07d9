/* SPDX-License-Identifier: Apache-2.0 */
/* paddock slots: who has which slot, and who waits for it. */
#include "core/cli/remote.h"

void pdk_slot_titles(const struct pdk_remote *remote, struct pdk_grid *grid) {
    static const char *const titles[] = {"SLOT", "STATE", "OWNER", "WAITING", "REPLACEMENT", NULL};
    pdk_grid_begin(grid, 5);
    pdk_titles(remote, grid, titles);
}

void pdk_slot_row(const struct pdk_console *out, struct pdk_grid *grid, struct pdk_arena *arena,
                  const pdk_value *slot) {
    const char *owner = pdk_cell_of(arena, slot, "owner"), *next = pdk_cell_of(arena, slot, "replacement");
    bool paused = pdk_get_flag(slot, "paused");
    const char *state = paused ? "paused" : pdk_cell_of(arena, slot, "state");
    pdk_grid_cell(grid, "%s", pdk_cell_of(arena, slot, "slot"));
    pdk_grid_tone(grid, out, pdk_tone_of(state), state);
    pdk_grid_cell(grid, "%s", *owner ? owner : "-");
    pdk_grid_cell(grid, "%lld", (long long)pdk_get_integer(slot, "waiting"));
    pdk_grid_cell(grid, "%s", *next ? next : "-");
}

static void print_table(struct pdk_remote *remote, const pdk_value *slots) {
    const pdk_values *v = pdk_values_get();
    struct pdk_arena arena = {0};
    struct pdk_grid grid;
    pdk_slot_titles(remote, &grid);
    for (size_t i = 0; i < v->count(slots); i++) pdk_slot_row(&remote->out, &grid, &arena, v->at(slots, i));
    pdk_grid_print(&grid, &remote->out, "", stdout);
    pdk_grid_free(&grid);
    pdk_arena_free(&arena);
}

int pdk_verb_slots(struct pdk_arguments *a) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *answer = NULL;
    struct pdk_remote remote;
    PDK_PATH(path);
    int code = pdk_remote_open(&remote, a, false, 0);
    pdk_buffer_text(&path, "/v1/slots");
    if (code == 0)
        code = pdk_remote_get(&remote, &path, &answer);
    else
        pdk_buffer_free(&path);
    const pdk_value *slots = code ? NULL : v->get(answer, "slots");
    for (size_t i = 0; a->json && i < v->count(slots); i++) pdk_print_json(v->at(slots, i));
    if (code == 0 && !a->json) print_table(&remote, slots);
    return pdk_remote_close(&remote, code);
}
