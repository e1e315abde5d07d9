/* SPDX-License-Identifier: Apache-2.0 */
/* Exports a number: reading it as an entry would read what lies behind it. */
#pragma GCC visibility push(default)
extern const unsigned pdk_plugin_entry;
const unsigned pdk_plugin_entry = 0x314B4450U;
