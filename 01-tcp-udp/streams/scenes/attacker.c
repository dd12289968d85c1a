// attacker.c: see attacker.h.
#include "attacker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "net.h"
#include "secret.h"
#include "udp.h"

void attacker_begin(struct attacker *a, const char *host, int port)
{
    struct sockaddr_storage server;
    net_address(host, port, SOCK_DGRAM, &server);
    *a = (struct attacker){.fd = udp_connect(&server, NULL)};
    if (a->fd < 0)
        die("the attacker has no socket: %s", strerror(errno));
}

void attacker_end(struct attacker *a)
{
    close(a->fd);
}

static void send_bytes(struct attacker *a, const uint8_t *bytes, size_t length)
{
    udp_send(a->fd, bytes, length, NULL);
    a->sent += length;
}

void attacker_send(struct attacker *a, const uint8_t id[ID_BYTES], uint64_t number,
                   const struct frame *frame, bool large)
{
    uint8_t out[DATAGRAM_MIN] = {0};
    struct header header = {.type = PACKET_SHORT, .to = id, .number = number};
    size_t length = header_write(out, &header);
    length += frame_write(out + length, sizeof out - length, frame);
    if (large)
        length = sizeof out; // the rest is PADDING: zeros
    send_bytes(a, out, length);
}

void attacker_send_first(struct attacker *a, const char *path)
{
    uint8_t out[DATAGRAM_MIN] = {0}, ids[2][ID_BYTES];
    random_bytes(ids[0], sizeof ids);
    struct header header = {.type = PACKET_FIRST, .to = ids[0], .from = ids[1]};
    struct frame request = {
        .type = FRAME_STREAM_END, .data = (const uint8_t *)path, .length = strlen(path)};
    size_t length = header_write(out, &header);
    frame_write(out + length, sizeof out - length, &request);
    send_bytes(a, out, sizeof out);
}

static void take(struct attacker *a, const uint8_t *bytes, size_t length, const uint8_t *id,
                 uint64_t *number)
{
    struct header header;
    struct frame f;
    size_t at = header_read(bytes, length, &header);
    bool any = false;
    a->received += length;
    while (at > 0 && at < length) {
        ssize_t used = frame_read(bytes + at, length - at, &f);
        if (used < 0)
            return;
        at += (size_t)used;
        if (f.type == FRAME_STREAM || f.type == FRAME_STREAM_END) {
            a->stolen += f.length;
            any = true;
        }
        if (f.type == FRAME_PATH_CHALLENGE && id)
            attacker_send(a, id, (*number)++,
                          &(struct frame){.type = FRAME_PATH_RESPONSE, .data = f.data}, true);
    }
    struct frame ack = {
        .type = FRAME_ACK, .ack_count = 1, .acks = {{header.number, header.number + 1}}};
    if (any && id)
        attacker_send(a, id, (*number)++, &ack, false); // so that more comes
}

void attacker_take(struct attacker *a, const uint8_t *id, uint64_t number, int ms)
{
    uint8_t bytes[2048];
    struct sockaddr_storage from;
    struct pollfd poll_fd = {a->fd, POLLIN, 0};
    while (poll(&poll_fd, 1, ms) > 0) {
        ssize_t length = datagram_receive(a->fd, bytes, sizeof bytes, &from);
        if (length < 0)
            return;
        take(a, bytes, (size_t)length, id, &number);
    }
}
