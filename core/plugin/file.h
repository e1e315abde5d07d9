/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's file before the loader sees it: may it be trusted, and is it whole? */
#ifndef CORE_PLUGIN_FILE_H
#define CORE_PLUGIN_FILE_H

#include <sys/stat.h>

#include "paddock/base.h"

/* Neither the file nor the folder that its path names may be somebody else's to change. A group that
 * may write counts as others unless it is root's or ours. -EACCES. */
int32_t pdk_file_trust(const struct stat *file, const char *path, pdk_error *err);

/* An ELF shared object of this machine, with all of its segments: loading half a file ends in SIGBUS. -EINVAL. */
int32_t pdk_file_elf(int fd, off_t size, pdk_error *err);

#endif
