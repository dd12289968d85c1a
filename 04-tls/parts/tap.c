// tap.c: see tap.h.
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

#define RECORD_HEADER 5 // type, version, length in two bytes (RFC 8446 §5.1)

static void note(struct tap *tap, bool to_server, const char *bytes, size_t length)
{
    size_t kept = tap_kept(tap, to_server), room = TAP_BYTES - kept;
    memcpy(tap->bytes[to_server] + kept, bytes, length < room ? length : room);
    tap->length[to_server] += length;
    if (tap->pieces < TAP_PIECES)
        tap->piece[tap->pieces++] = (struct tap_piece){now_ns(), to_server, length};
}

static int tap_read(BIO *bio, char *to, size_t size, size_t *got)
{
    struct tap *tap = BIO_get_data(bio);
    ssize_t length = -1;
    errno = ETIMEDOUT; // somebody who sends a byte now and then could hold us for ever
    if (!tap->deadline_ns || now_ns() < tap->deadline_ns)
        while ((length = read(tap->fd, to, size)) < 0 && errno == EINTR)
            continue;
    *got = length > 0 ? (size_t)length : 0;
    tap->ended = length == 0;
    tap->error = length < 0 ? errno : 0;
    note(tap, false, to, *got);
    return length > 0;
}

// Where the record ends that begins here.
static size_t record_length(const char *bytes, size_t length)
{
    const uint8_t *header = (const uint8_t *)bytes;
    size_t end = length < RECORD_HEADER ? length : RECORD_HEADER + header[3] * 256u + header[4];
    return end < length ? end : length;
}

static int tap_write(BIO *bio, const char *bytes, size_t length, size_t *written)
{
    struct tap *tap = BIO_get_data(bio);
    size_t part;
    for (*written = 0; *written < length; *written += part) {
        const char *at = bytes + *written;
        part = tap->one_by_one ? record_length(at, length - *written) : length;
        if (!write_all(tap->fd, at, part)) {
            tap->error = errno;
            return 0;
        }
        note(tap, true, at, part);
    }
    return 1;
}

static long tap_control(BIO *bio, int command, long number, void *pointer)
{
    struct tap *tap = BIO_get_data(bio);
    (void)number, (void)pointer;
    return command == BIO_CTRL_EOF ? tap->ended : command == BIO_CTRL_FLUSH;
}

BIO *tap_bio(struct tap *tap)
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tap");
        if (!method || !BIO_meth_set_read_ex(method, tap_read) ||
            !BIO_meth_set_write_ex(method, tap_write) ||
            !BIO_meth_set_ctrl(method, tap_control))
            die("no memory");
    }
    BIO *bio = BIO_new(method);
    if (bio) {
        BIO_set_data(bio, tap);
        BIO_set_init(bio, 1);
    }
    return bio;
}

size_t tap_kept(const struct tap *tap, bool to_server)
{
    size_t length = tap->length[to_server];
    return length < TAP_BYTES ? length : TAP_BYTES;
}

size_t tap_first_flight(const struct tap *tap)
{
    size_t length = 0;
    for (int i = 0; i < tap->pieces && tap->piece[i].to_server; i++)
        length += tap->piece[i].length;
    return length < TAP_BYTES ? length : TAP_BYTES;
}
