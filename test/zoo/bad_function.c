/* SPDX-License-Identifier: Apache-2.0 */
/* Exports a function of that name, as other systems have it. */
#pragma GCC visibility push(default)
int pdk_plugin_entry(void);

int pdk_plugin_entry(void) {
    return 1;
}
