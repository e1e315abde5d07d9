/* SPDX-License-Identifier: Apache-2.0 */
#include "gzip.h"

#include <errno.h>
#include <unistd.h>

#include <zlib.h>

/* Fast rather than small: level 1 takes a third of the time of 6, and a tenth more room for logs. */
enum { BUFFER = 64 << 10, LEVEL = 1, WINDOW = 15 + 16 }; /* zlib's way of asking for gzip's own frame */

static gzFile file_of(struct arc_gzip *file) {
    return (gzFile)(void *)file;
}

int32_t arc_gzip_open(int fd, struct arc_gzip **ret) {
    gzFile file = gzdopen(fd, "rb");
    *ret = (struct arc_gzip *)(void *)file;
    if (!file) {
        (void)close(fd);
        return -ENOMEM;
    }
    (void)gzbuffer(file, BUFFER);
    return 0;
}

int64_t arc_gzip_read(struct arc_gzip *file, char *buf, size_t size) {
    int code = Z_OK;
    gzclearerr(file_of(file)); /* an end that was met may have moved on */
    errno = 0;
    int got = gzread(file_of(file), buf, (unsigned)size);
    (void)gzerror(file_of(file), &code);
    if (got > 0) return got;
    if (code == Z_OK || code == Z_STREAM_END) return 0;
    return code == Z_MEM_ERROR ? -ENOMEM : code == Z_ERRNO && errno ? -EIO : -EBADMSG;
}

void arc_gzip_close(struct arc_gzip *file) {
    if (file) (void)gzclose(file_of(file));
}

static int32_t put(int to, const unsigned char *data, size_t size) {
    while (size) {
        ssize_t done = write(to, data, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return done < 0 ? -errno : -EIO;
        data += done;
        size -= (size_t)done;
    }
    return 0;
}

static int32_t pack(z_stream *stream, int from, int to) {
    static const size_t half = BUFFER / 2;
    unsigned char in[BUFFER / 2], out[BUFFER / 2];
    int32_t rc = 0;
    ssize_t got = 1;
    for (int done = Z_OK; rc == 0 && done != Z_STREAM_END;) {
        if (!stream->avail_in && got > 0) {
            do got = read(from, in, half);
            while (got < 0 && errno == EINTR);
            if (got < 0) return -errno;
            stream->next_in = in;
            stream->avail_in = (uInt)got;
        }
        stream->next_out = out;
        stream->avail_out = (uInt)half;
        done = deflate(stream, got > 0 ? Z_NO_FLUSH : Z_FINISH);
        if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR) return -EIO;
        rc = put(to, out, half - stream->avail_out);
    }
    return rc;
}

int32_t arc_gzip_pack(int from, int to) {
    z_stream stream = {0};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) return -ENOMEM;
    int32_t rc = pack(&stream, from, to);
    (void)deflateEnd(&stream);
    return rc;
}
