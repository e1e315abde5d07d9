/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process between paddock and the one that runs the plugin. It runs no code of the plugin, so it lives on when that
 * one crashes, hangs or is killed, and ends all that it leaves: as the subreaper it inherits whoever was started.
 *
 *     paddock --- warden --- the plugin's process --- its children, in sessions of their own
 */
#ifndef CORE_HOSTED_WARDEN_H
#define CORE_HOSTED_WARDEN_H

/* Fork. Returns in the plugin's process alone, 0 or a negative errno; the warden ends as that process did, when nothing of
 * it is left. TERM to the warden, also when paddock dies, ends it all. Nobody else has started a thread yet. */
int pdk_warden_split(void);

#endif
