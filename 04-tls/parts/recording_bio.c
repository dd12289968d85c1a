// recording_bio.c: see recording_bio.h.
#include "recording_bio.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

#define RECORD_HEADER 5 // type, version, length in two bytes (RFC 8446 §5.1)

static void note(struct recording *recording, bool to_server, const char *bytes, size_t length)
{
    size_t kept = recording_kept(recording, to_server), part = length;
    if (part > RECORDING_BYTES - kept)
        part = RECORDING_BYTES - kept;
    memcpy(recording->bytes[to_server] + kept, bytes, part);
    recording->length[to_server] += length;
    if (recording->pieces < RECORDING_PIECES)
        recording->piece[recording->pieces++] =
            (struct recording_piece){now_ns(), to_server, length};
}

static int recording_read(BIO *bio, char *to, size_t size, size_t *got)
{
    struct recording *recording = BIO_get_data(bio);
    ssize_t length = -1;
    errno = ETIMEDOUT; // the deadline is for all bytes together
    if (!recording->deadline_ns || now_ns() < recording->deadline_ns)
        while ((length = read(recording->fd, to, size)) < 0 && errno == EINTR)
            continue;
    *got = 0;
    recording->ended = length == 0;
    recording->error = 0;
    if (length > 0)
        *got = (size_t)length;
    if (length < 0)
        recording->error = errno;
    note(recording, false, to, *got);
    return length > 0;
}

// The length of the record at `bytes`, but at most `length`.
static size_t record_length(const char *bytes, size_t length)
{
    const uint8_t *header = (const uint8_t *)bytes;
    if (length < RECORD_HEADER)
        return length;
    size_t end = RECORD_HEADER + header[3] * 256u + header[4];
    if (end > length)
        return length;
    return end;
}

static int recording_write(BIO *bio, const char *bytes, size_t length, size_t *written)
{
    struct recording *recording = BIO_get_data(bio);
    size_t part;
    for (*written = 0; *written < length; *written += part) {
        const char *at = bytes + *written;
        part = length - *written;
        if (recording->one_by_one)
            part = record_length(at, part);
        if (!write_all(recording->fd, at, part)) {
            recording->error = errno;
            return 0;
        }
        note(recording, true, at, part);
    }
    return 1;
}

static long recording_control(BIO *bio, int command, long number, void *pointer)
{
    struct recording *recording = BIO_get_data(bio);
    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF)
        return recording->ended;
    return command == BIO_CTRL_FLUSH;
}

BIO *recording_bio(struct recording *recording)
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "recording");
        if (!method || !BIO_meth_set_read_ex(method, recording_read) ||
            !BIO_meth_set_write_ex(method, recording_write) ||
            !BIO_meth_set_ctrl(method, recording_control))
            die("no memory");
    }
    BIO *bio = BIO_new(method);
    if (bio) {
        BIO_set_data(bio, recording);
        BIO_set_init(bio, 1);
    }
    return bio;
}

size_t recording_kept(const struct recording *recording, bool to_server)
{
    size_t length = recording->length[to_server];
    if (length > RECORDING_BYTES)
        return RECORDING_BYTES;
    return length;
}

size_t recording_first_flight(const struct recording *recording)
{
    size_t length = 0;
    for (int i = 0; i < recording->pieces && recording->piece[i].to_server; i++)
        length += recording->piece[i].length;
    if (length > RECORDING_BYTES)
        return RECORDING_BYTES;
    return length;
}
