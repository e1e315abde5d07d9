/* SPDX-License-Identifier: Apache-2.0 */
/* Of a later minor, with an entry and a table that are longer than ours; it asks for nothing we do not have. */
#include "zoo.h"

struct later_runner_ops {
    pdk_runner_ops now;
    void (*later)(void);
};

struct later_plugin {
    pdk_plugin now;
    const char *later;
};

static const struct later_runner_ops runner = {
    {(uint32_t)sizeof(struct later_runner_ops), 0, zoo_kinds, &zoo_task, NULL, zoo_build}, NULL};

extern PDK_EXPORT const struct later_plugin later_entry __asm__("pdk_plugin_entry");
const struct later_plugin later_entry = {{PDK_MAGIC,
                                          PDK_ABI_MAKE(1, 9),
                                          (uint32_t)sizeof(struct later_plugin),
                                          PDK_ABI_MAKE(1, 0),
                                          0x1U,
                                          0,
                                          "zoo",
                                          "1",
                                          "",
                                          "",
                                          NULL,
                                          NULL,
                                          &runner.now,
                                          NULL,
                                          NULL,
                                          zoo_create,
                                          NULL,
                                          NULL,
                                          zoo_destroy,
                                          NULL},
                                         "later"};
