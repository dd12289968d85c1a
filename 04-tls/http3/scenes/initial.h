// initial.h: reads QUIC's first packet as anybody on the way can (RFC 9001 §5.2). It is
// encrypted, with keys that are computed from the connection id, which stands in the packet
// itself.
#ifndef INITIAL_H
#define INITIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTION_ID_MAX 20
#define INITIAL_NAME      256

// What stands in the clear at the beginning of each packet (RFC 9000 §17).
struct packet_head {
    bool is_long; // of the handshake; then the next four are set
    int type;     // 0 Initial, 1 0-RTT, 2 Handshake, 3 Retry
    uint32_t version;
    uint8_t to[CONNECTION_ID_MAX], from[CONNECTION_ID_MAX]; // connection ids
    size_t to_length, from_length;
    size_t number_at; // where the packet number, which is hidden, begins
    size_t end;       // where the next packet of this datagram begins
};

// Reads the head of the packet at the beginning of `bytes`. False: this is no packet of QUIC.
bool packet_head_read(const uint8_t *bytes, size_t length, struct packet_head *head);

// Decrypts the first packet of a client, and finds the server's name in its ClientHello (SNI).
// False: that is not possible.
bool initial_server_name(const uint8_t *datagram, size_t length, char name[INITIAL_NAME]);

#endif
