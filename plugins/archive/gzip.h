/* SPDX-License-Identifier: Apache-2.0 */
/* Files, plain or in the format of gzip, which is told by their first bytes. [any thread, one at a time] */
#ifndef ARCHIVE_GZIP_H
#define ARCHIVE_GZIP_H

#include <stddef.h>
#include <stdint.h>

struct arc_gzip;

/* fd becomes its own, also when this fails. -ENOMEM. */
int32_t arc_gzip_open(int fd, struct arc_gzip **ret);
/* How many bytes; 0: the end, which may be another later in a plain file. -EIO; -EBADMSG: it is damaged or cut off. */
int64_t arc_gzip_read(struct arc_gzip *file, char *buf, size_t size);
void arc_gzip_close(struct arc_gzip *file); /* NULL is fine */

/* All that is in from, packed into to. Both stay yours. */
int32_t arc_gzip_pack(int from, int to);

#endif
