// malformed.h: malformed packets, and the broker's answer: it closes the connection. Where the
// standard asks for a CONNACK with the reason, the broker sends it first (§4.8).
#ifndef MALFORMED_H
#define MALFORMED_H

#include <stdbool.h>
#include <stddef.h>

static const struct malformed {
    bool connected; // the client has sent a good CONNECT before
    const char *what;
    const char *bytes;
    size_t length;
    const char *answer; // that the broker sends before it closes
    size_t answer_length;
} malformed[] = {
    {false, "type 0 is the first packet", "\x00\x00", 2, "", 0},
    {false, "CONNACK is the first packet", " \x02\x00\x00", 4, "", 0},
    {false, "PUBLISH is the first packet", "0\x04\x00\x01tx", 6, "", 0},
    {false, "PUBACK is the first packet", "@\x02\x00\x01", 4, "", 0},
    {false, "PUBREC is the first packet", "P\x02\x00\x01", 4, "", 0},
    {false, "PUBREL is the first packet", "b\x02\x00\x01", 4, "", 0},
    {false, "PUBCOMP is the first packet", "p\x02\x00\x01", 4, "", 0},
    {false, "SUBSCRIBE is the first packet", "\x82\x06\x00\x01\x00\x01t\x00", 8, "", 0},
    {false, "SUBACK is the first packet", "\x90\x03\x00\x01\x00", 5, "", 0},
    {false, "UNSUBSCRIBE is the first packet", "\xa2\x05\x00\x01\x00\x01t", 7, "", 0},
    {false, "UNSUBACK is the first packet", "\xb0\x02\x00\x01", 4, "", 0},
    {false, "PINGREQ is the first packet", "\xc0\x00", 2, "", 0},
    {false, "PINGRESP is the first packet", "\xd0\x00", 2, "", 0},
    {false, "DISCONNECT is the first packet", "\xe0\x00", 2, "", 0},
    {false, "type 15 is the first packet", "\xf0\x00", 2, "", 0},
    {false, "CONNECT with flags 1",
     "\x11\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 2",
     "\x12\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 3",
     "\x13\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 4",
     "\x14\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 5",
     "\x15\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 6",
     "\x16\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 7",
     "\x17\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 8",
     "\x18\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 9",
     "\x19\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 10",
     "\x1a\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 11",
     "\x1b\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 12",
     "\x1c\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 13",
     "\x1d\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 14",
     "\x1e\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT with flags 15",
     "\x1f\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "the protocol is \"MQTX\"",
     "\x10\x0d\x00\x04MQTX\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "the protocol is \"mqtt\"",
     "\x10\x0d\x00\x04mqtt\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "the protocol is \"\"",
     "\x10\x09\x00\x00\x04\x02\x00\x00\x00\x01"
     "a",
     11, "", 0},
    {false, "the protocol is \"MQTTT\"",
     "\x10\x0e\x00\x05MQTTT\x04\x02\x00\x00\x00\x01"
     "a",
     16, "", 0},
    {false, "the protocol is \"MQT\"",
     "\x10\x0c\x00\x03MQT\x04\x02\x00\x00\x00\x01"
     "a",
     14, "", 0},
    {false, "the protocol is \"HTTP\"",
     "\x10\x0d\x00\x04HTTP\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "the protocol name is no UTF-8",
     "\x10\x0d\x00\x04MQT\xff\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "the client id has a NUL",
     "\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03"
     "a\x00"
     "b",
     17, "", 0},
    {false, "the client id has an overlong NUL",
     "\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02\xc0\x80", 16, "", 0},
    {false, "the client id has an overlong slash",
     "\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03\xe0\x80\xaf", 17, "", 0},
    {false, "the client id has half of a surrogate pair",
     "\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03\xed\xa0\x80", 17, "", 0},
    {false, "the client id has a character beyond U+10FFFF",
     "\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04\xf4\x90\x80\x80", 18, "", 0},
    {false, "the client id has a byte that begins nothing",
     "\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01\x80", 15, "", 0},
    {false, "the client id has half of a character",
     "\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02\xe2\x82", 16, "", 0},
    {false, "the client id has the byte FF", "\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01\xff",
     15, "", 0},
    {false, "CONNECT flags 01: reserved",
     "\x10\x16\x00\x04MQTT\x04\x01\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 03: reserved, clean",
     "\x10\x16\x00\x04MQTT\x04\x03\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 0a: a QoS of no will",
     "\x10\x16\x00\x04MQTT\x04\x0a\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 12: a QoS of no will",
     "\x10\x16\x00\x04MQTT\x04\x12\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 1a: a QoS of no will",
     "\x10\x16\x00\x04MQTT\x04\x1a\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 22: a no will that is retained",
     "\x10\x16\x00\x04MQTT\x04\"\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 42: a password without a user",
     "\x10\x16\x00\x04MQTT\x04"
     "B\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 1e: a will with QoS 3",
     "\x10\x16\x00\x04MQTT\x04\x1e\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT flags 3e: a will with QoS 3, retained",
     "\x10\x16\x00\x04MQTT\x04>\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "the topic of the will is empty",
     "\x10\x12\x00\x04MQTT\x04\x06\x00\x00\x00\x01"
     "a\x00\x00\x00\x01x",
     20, "", 0},
    {false, "the topic of the will is +",
     "\x10\x13\x00\x04MQTT\x04\x06\x00\x00\x00\x01"
     "a\x00\x01+\x00\x01x",
     21, "", 0},
    {false, "the topic of the will is a/#",
     "\x10\x15\x00\x04MQTT\x04\x06\x00\x00\x00\x01"
     "a\x00\x03"
     "a/#\x00\x01x",
     23, "", 0},
    {false, "the topic of the will is no UTF-8",
     "\x10\x13\x00\x04MQTT\x04\x06\x00\x00\x00\x01"
     "a\x00\x01\xff\x00\x01x",
     21, "", 0},
    {false, "the topic of the will is with a NUL",
     "\x10\x14\x00\x04MQTT\x04\x06\x00\x00\x00\x01"
     "a\x00\x02"
     "a\x00\x00\x01x",
     22, "", 0},
    {false, "the user name has a NUL",
     "\x10\x12\x00\x04MQTT\x04\x82\x00\x00\x00\x01"
     "a\x00\x03"
     "a\x00"
     "b",
     20, "", 0},
    {false, "the user name has an overlong NUL",
     "\x10\x11\x00\x04MQTT\x04\x82\x00\x00\x00\x01"
     "a\x00\x02\xc0\x80",
     19, "", 0},
    {false, "the user name has an overlong slash",
     "\x10\x12\x00\x04MQTT\x04\x82\x00\x00\x00\x01"
     "a\x00\x03\xe0\x80\xaf",
     20, "", 0},
    {false, "CONNECT that ends after 0 bytes", "\x10\x00", 2, "", 0},
    {false, "CONNECT that ends after 1 bytes", "\x10\x01\x00", 3, "", 0},
    {false, "CONNECT that ends after 2 bytes", "\x10\x02\x00\x04", 4, "", 0},
    {false, "CONNECT that ends after 3 bytes", "\x10\x03\x00\x04M", 5, "", 0},
    {false, "CONNECT that ends after 4 bytes", "\x10\x04\x00\x04MQ", 6, "", 0},
    {false, "CONNECT that ends after 5 bytes", "\x10\x05\x00\x04MQT", 7, "", 0},
    {false, "CONNECT that ends after 6 bytes", "\x10\x06\x00\x04MQTT", 8, "", 0},
    {false, "CONNECT that ends after 7 bytes", "\x10\x07\x00\x04MQTT\x04", 9, "", 0},
    {false, "CONNECT that ends after 8 bytes", "\x10\x08\x00\x04MQTT\x04\xc6", 10, "", 0},
    {false, "CONNECT that ends after 9 bytes", "\x10\x09\x00\x04MQTT\x04\xc6\x00", 11, "", 0},
    {false, "CONNECT that ends after 10 bytes", "\x10\x0a\x00\x04MQTT\x04\xc6\x00\x00", 12, "",
     0},
    {false, "CONNECT that ends after 11 bytes", "\x10\x0b\x00\x04MQTT\x04\xc6\x00\x00\x00", 13,
     "", 0},
    {false, "CONNECT that ends after 12 bytes", "\x10\x0c\x00\x04MQTT\x04\xc6\x00\x00\x00\x01",
     14, "", 0},
    {false, "CONNECT that ends after 13 bytes",
     "\x10\x0d\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {false, "CONNECT that ends after 14 bytes",
     "\x10\x0e\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00",
     16, "", 0},
    {false, "CONNECT that ends after 15 bytes",
     "\x10\x0f\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01",
     17, "", 0},
    {false, "CONNECT that ends after 16 bytes",
     "\x10\x10\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w",
     18, "", 0},
    {false, "CONNECT that ends after 17 bytes",
     "\x10\x11\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00",
     19, "", 0},
    {false, "CONNECT that ends after 18 bytes",
     "\x10\x12\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01",
     20, "", 0},
    {false, "CONNECT that ends after 19 bytes",
     "\x10\x13\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x",
     21, "", 0},
    {false, "CONNECT that ends after 20 bytes",
     "\x10\x14\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00",
     22, "", 0},
    {false, "CONNECT that ends after 21 bytes",
     "\x10\x15\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01",
     23, "", 0},
    {false, "CONNECT that ends after 22 bytes",
     "\x10\x16\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u",
     24, "", 0},
    {false, "CONNECT that ends after 23 bytes",
     "\x10\x17\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u\x00",
     25, "", 0},
    {false, "CONNECT that ends after 24 bytes",
     "\x10\x18\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u\x00\x01",
     26, "", 0},
    {false, "CONNECT with one byte more",
     "\x10\x1a\x00\x04MQTT\x04\xc6\x00\x00\x00\x01"
     "a\x00\x01w\x00\x01x\x00\x01u\x00\x01px",
     28, "", 0},
    {false, "CONNECT with one byte more, plain",
     "\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a\x00",
     16, "", 0},
    {false, "a length of five bytes", "\x10\xff\xff\xff\xff\x01", 6, "", 0},
    {false, "a length of 256 MB", "\x10\xff\xff\xff\x7f", 5, "", 0},
    {false, "a length of 256 KB", "\x10\x80\x80\x10", 4, "", 0},
    {false, "a length of five bytes, all zero", "\x10\x80\x80\x80\x80\x00", 6, "", 0},
    {false, "level 0",
     "\x10\x0d\x00\x04MQTT\x00\x02\x00\x00\x00\x01"
     "a",
     15, " \x02\x00\x01", 4},
    {false, "level 3",
     "\x10\x0d\x00\x04MQTT\x03\x02\x00\x00\x00\x01"
     "a",
     15, " \x02\x00\x01", 4},
    {false, "level 5",
     "\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x01"
     "a",
     15, " \x02\x00\x01", 4},
    {false, "level 132",
     "\x10\x0d\x00\x04MQTT\x84\x02\x00\x00\x00\x01"
     "a",
     15, " \x02\x00\x01", 4},
    {false, "level 255",
     "\x10\x0d\x00\x04MQTT\xff\x02\x00\x00\x00\x01"
     "a",
     15, " \x02\x00\x01", 4},
    {false, "MQTT 3.1",
     "\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x00\x00\x01"
     "a",
     17, " \x02\x00\x01", 4},
    {false, "MQTT 5.0, with properties",
     "\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01"
     "a",
     16, " \x02\x00\x01", 4},
    {false, "no client id and no clean session", "\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x00",
     14, " \x02\x00\x02", 4},
    {true, "a second CONNECT",
     "\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
     "a",
     15, "", 0},
    {true, "type 0 from a client", "\x00\x00", 2, "", 0},
    {true, "CONNACK from a client", " \x02\x00\x00", 4, "", 0},
    {true, "SUBACK from a client", "\x90\x03\x00\x01\x00", 5, "", 0},
    {true, "UNSUBACK from a client", "\xb0\x02\x00\x01", 4, "", 0},
    {true, "PINGRESP from a client", "\xd0\x00", 2, "", 0},
    {true, "type 15 from a client", "\xf0\x00", 2, "", 0},
    {true, "PUBACK with flags 1", "A\x02\x00\x01", 4, "", 0},
    {true, "PUBACK with flags 2", "B\x02\x00\x01", 4, "", 0},
    {true, "PUBACK with flags 8", "H\x02\x00\x01", 4, "", 0},
    {true, "PUBREC with flags 1", "Q\x02\x00\x01", 4, "", 0},
    {true, "PUBREC with flags 2", "R\x02\x00\x01", 4, "", 0},
    {true, "PUBREC with flags 8", "X\x02\x00\x01", 4, "", 0},
    {true, "PUBCOMP with flags 1", "q\x02\x00\x01", 4, "", 0},
    {true, "PUBCOMP with flags 2", "r\x02\x00\x01", 4, "", 0},
    {true, "PUBCOMP with flags 8", "x\x02\x00\x01", 4, "", 0},
    {true, "PINGREQ with flags 1", "\xc1\x00", 2, "", 0},
    {true, "PINGREQ with flags 2", "\xc2\x00", 2, "", 0},
    {true, "PINGREQ with flags 8", "\xc8\x00", 2, "", 0},
    {true, "DISCONNECT with flags 1", "\xe1\x00", 2, "", 0},
    {true, "DISCONNECT with flags 2", "\xe2\x00", 2, "", 0},
    {true, "DISCONNECT with flags 8", "\xe8\x00", 2, "", 0},
    {true, "PUBREL with flags 0", "`\x02\x00\x01", 4, "", 0},
    {true, "PUBREL with flags 1", "a\x02\x00\x01", 4, "", 0},
    {true, "PUBREL with flags 3", "c\x02\x00\x01", 4, "", 0},
    {true, "PUBREL with flags 10", "j\x02\x00\x01", 4, "", 0},
    {true, "SUBSCRIBE with flags 0", "\x80\x06\x00\x01\x00\x01t\x00", 8, "", 0},
    {true, "SUBSCRIBE with flags 1", "\x81\x06\x00\x01\x00\x01t\x00", 8, "", 0},
    {true, "SUBSCRIBE with flags 3", "\x83\x06\x00\x01\x00\x01t\x00", 8, "", 0},
    {true, "SUBSCRIBE with flags 10", "\x8a\x06\x00\x01\x00\x01t\x00", 8, "", 0},
    {true, "UNSUBSCRIBE with flags 0", "\xa0\x05\x00\x01\x00\x01t", 7, "", 0},
    {true, "UNSUBSCRIBE with flags 1", "\xa1\x05\x00\x01\x00\x01t", 7, "", 0},
    {true, "UNSUBSCRIBE with flags 3", "\xa3\x05\x00\x01\x00\x01t", 7, "", 0},
    {true, "UNSUBSCRIBE with flags 10", "\xaa\x05\x00\x01\x00\x01t", 7, "", 0},
    {true, "PUBLISH with flags 6: QoS 3", "6\x06\x00\x01t\x00\x01x", 8, "", 0},
    {true, "PUBLISH with flags 7: QoS 3", "7\x06\x00\x01t\x00\x01x", 8, "", 0},
    {true, "PUBLISH with flags 14: QoS 3", ">\x06\x00\x01t\x00\x01x", 8, "", 0},
    {true, "PUBLISH with flags 15: QoS 3", "\x3f\x06\x00\x01t\x00\x01x", 8, "", 0},
    {true, "PUBLISH with flags 8: DUP at QoS 0", "8\x04\x00\x01tx", 6, "", 0},
    {true, "PUBLISH with flags 9: DUP at QoS 0", "9\x04\x00\x01tx", 6, "", 0},
    {true, "PUBLISH to the topic \"\"", "0\x03\x00\x00x", 5, "", 0},
    {true, "PUBLISH to the topic \"+\"", "0\x04\x00\x01+x", 6, "", 0},
    {true, "PUBLISH to the topic \"#\"", "0\x04\x00\x01#x", 6, "", 0},
    {true, "PUBLISH to the topic \"a/+\"",
     "0\x06\x00\x03"
     "a/+x",
     8, "", 0},
    {true, "PUBLISH to the topic \"a/b#\"",
     "0\x07\x00\x04"
     "a/b#x",
     9, "", 0},
    {true, "PUBLISH to a topic with a NUL",
     "0\x06\x00\x03"
     "a\x00"
     "bx",
     8, "", 0},
    {true, "PUBLISH to a topic with an overlong NUL", "0\x05\x00\x02\xc0\x80x", 7, "", 0},
    {true, "PUBLISH to a topic with an overlong slash", "0\x06\x00\x03\xe0\x80\xafx", 8, "", 0},
    {true, "PUBLISH to a topic with half of a surrogate pair", "0\x06\x00\x03\xed\xa0\x80x", 8,
     "", 0},
    {true, "PUBLISH to a topic with a character beyond U+10FFFF",
     "0\x07\x00\x04\xf4\x90\x80\x80x", 9, "", 0},
    {true, "PUBLISH to a topic with a byte that begins nothing", "0\x04\x00\x01\x80x", 6, "",
     0},
    {true, "PUBLISH to a topic with half of a character", "0\x05\x00\x02\xe2\x82x", 7, "", 0},
    {true, "PUBLISH to a topic with the byte FF", "0\x04\x00\x01\xffx", 6, "", 0},
    {true, "PUBLISH that ends after 0 bytes", "0\x00", 2, "", 0},
    {true, "PUBLISH that ends after 1 bytes", "0\x01\x00", 3, "", 0},
    {true, "PUBLISH that ends after 2 bytes", "0\x02\x00\x05", 4, "", 0},
    {true, "PUBLISH that ends after 3 bytes", "0\x03\x00\x05t", 5, "", 0},
    {true, "PUBLISH that ends after 4 bytes", "0\x04\x00\x05to", 6, "", 0},
    {true, "PUBLISH that ends after 5 bytes", "0\x05\x00\x05top", 7, "", 0},
    {true, "PUBLISH that ends after 6 bytes", "0\x06\x00\x05topi", 8, "", 0},
    {true, "PUBLISH of QoS 1 without an id", "2\x03\x00\x01t", 5, "", 0},
    {true, "PUBLISH of QoS 1 with half an id", "2\x04\x00\x01t\x00", 6, "", 0},
    {true, "PUBLISH of QoS 1 with id 0", "2\x06\x00\x01t\x00\x00x", 8, "", 0},
    {true, "PUBLISH of QoS 2 without an id", "4\x03\x00\x01t", 5, "", 0},
    {true, "PUBLISH of QoS 2 with half an id", "4\x04\x00\x01t\x00", 6, "", 0},
    {true, "PUBLISH of QoS 2 with id 0", "4\x06\x00\x01t\x00\x00x", 8, "", 0},
    {true, "PUBACK with nothing", "@\x00", 2, "", 0},
    {true, "PUBACK with half an id", "@\x01\x00", 3, "", 0},
    {true, "PUBACK with id 0", "@\x02\x00\x00", 4, "", 0},
    {true, "PUBACK with a byte more", "@\x03\x00\x01\x00", 5, "", 0},
    {true, "PUBREC with nothing", "P\x00", 2, "", 0},
    {true, "PUBREC with half an id", "P\x01\x00", 3, "", 0},
    {true, "PUBREC with id 0", "P\x02\x00\x00", 4, "", 0},
    {true, "PUBREC with a byte more", "P\x03\x00\x01\x00", 5, "", 0},
    {true, "PUBREL with nothing", "b\x00", 2, "", 0},
    {true, "PUBREL with half an id", "b\x01\x00", 3, "", 0},
    {true, "PUBREL with id 0", "b\x02\x00\x00", 4, "", 0},
    {true, "PUBREL with a byte more", "b\x03\x00\x01\x00", 5, "", 0},
    {true, "PUBCOMP with nothing", "p\x00", 2, "", 0},
    {true, "PUBCOMP with half an id", "p\x01\x00", 3, "", 0},
    {true, "PUBCOMP with id 0", "p\x02\x00\x00", 4, "", 0},
    {true, "PUBCOMP with a byte more", "p\x03\x00\x01\x00", 5, "", 0},
    {true, "SUBSCRIBE with nothing", "\x82\x00", 2, "", 0},
    {true, "SUBSCRIBE with half an id", "\x82\x01\x00", 3, "", 0},
    {true, "SUBSCRIBE with id 0", "\x82\x06\x00\x00\x00\x01t\x00", 8, "", 0},
    {true, "SUBSCRIBE without a filter", "\x82\x02\x00\x01", 4, "", 0},
    {true, "SUBSCRIBE with the filter \"\"", "\x82\x05\x00\x01\x00\x00\x00", 7, "", 0},
    {true, "SUBSCRIBE with the filter \"a#\"",
     "\x82\x07\x00\x01\x00\x02"
     "a#\x00",
     9, "", 0},
    {true, "SUBSCRIBE with the filter \"#/a\"", "\x82\x08\x00\x01\x00\x03#/a\x00", 10, "", 0},
    {true, "SUBSCRIBE with the filter \"a+\"",
     "\x82\x07\x00\x01\x00\x02"
     "a+\x00",
     9, "", 0},
    {true, "SUBSCRIBE with the filter \"+a\"", "\x82\x07\x00\x01\x00\x02+a\x00", 9, "", 0},
    {true, "SUBSCRIBE with the filter \"a/#/b\"",
     "\x82\x0a\x00\x01\x00\x05"
     "a/#/b\x00",
     12, "", 0},
    {true, "SUBSCRIBE with the filter \"a/b#\"",
     "\x82\x09\x00\x01\x00\x04"
     "a/b#\x00",
     11, "", 0},
    {true, "SUBSCRIBE with the filter \"##\"", "\x82\x07\x00\x01\x00\x02##\x00", 9, "", 0},
    {true, "SUBSCRIBE with the filter \"++\"", "\x82\x07\x00\x01\x00\x02++\x00", 9, "", 0},
    {true, "SUBSCRIBE with the filter \"a/+b/c\"",
     "\x82\x0b\x00\x01\x00\x06"
     "a/+b/c\x00",
     13, "", 0},
    {true, "SUBSCRIBE with the filter \"/#/\"", "\x82\x08\x00\x01\x00\x03/#/\x00", 10, "", 0},
    {true, "SUBSCRIBE with a filter with a NUL",
     "\x82\x08\x00\x01\x00\x03"
     "a\x00"
     "b\x00",
     10, "", 0},
    {true, "SUBSCRIBE with a filter with an overlong NUL",
     "\x82\x07\x00\x01\x00\x02\xc0\x80\x00", 9, "", 0},
    {true, "SUBSCRIBE with a filter with an overlong slash",
     "\x82\x08\x00\x01\x00\x03\xe0\x80\xaf\x00", 10, "", 0},
    {true, "SUBSCRIBE with a filter with half of a surrogate pair",
     "\x82\x08\x00\x01\x00\x03\xed\xa0\x80\x00", 10, "", 0},
    {true, "SUBSCRIBE with a filter with a character beyond U+10FFFF",
     "\x82\x09\x00\x01\x00\x04\xf4\x90\x80\x80\x00", 11, "", 0},
    {true, "SUBSCRIBE with a filter with a byte that begins nothing",
     "\x82\x06\x00\x01\x00\x01\x80\x00", 8, "", 0},
    {true, "SUBSCRIBE with a filter with half of a character",
     "\x82\x07\x00\x01\x00\x02\xe2\x82\x00", 9, "", 0},
    {true, "SUBSCRIBE with a filter with the byte FF", "\x82\x06\x00\x01\x00\x01\xff\x00", 8,
     "", 0},
    {true, "SUBSCRIBE with a filter that is cut",
     "\x82\x06\x00\x01\x00\x05"
     "ab",
     8, "", 0},
    {true, "SUBSCRIBE with a second filter that is cut",
     "\x82\x0a\x00\x01\x00\x01t\x00\x00\x05"
     "ab",
     12, "", 0},
    {true, "SUBSCRIBE with a second filter that is wrong",
     "\x82\x0b\x00\x01\x00\x01t\x00\x00\x02#/\x00", 13, "", 0},
    {true, "UNSUBSCRIBE with nothing", "\xa2\x00", 2, "", 0},
    {true, "UNSUBSCRIBE with half an id", "\xa2\x01\x00", 3, "", 0},
    {true, "UNSUBSCRIBE with id 0", "\xa2\x05\x00\x00\x00\x01t", 7, "", 0},
    {true, "UNSUBSCRIBE without a filter", "\xa2\x02\x00\x01", 4, "", 0},
    {true, "UNSUBSCRIBE with the filter \"\"", "\xa2\x04\x00\x01\x00\x00", 6, "", 0},
    {true, "UNSUBSCRIBE with the filter \"a#\"",
     "\xa2\x06\x00\x01\x00\x02"
     "a#",
     8, "", 0},
    {true, "UNSUBSCRIBE with the filter \"#/a\"", "\xa2\x07\x00\x01\x00\x03#/a", 9, "", 0},
    {true, "UNSUBSCRIBE with the filter \"a+\"",
     "\xa2\x06\x00\x01\x00\x02"
     "a+",
     8, "", 0},
    {true, "UNSUBSCRIBE with the filter \"+a\"", "\xa2\x06\x00\x01\x00\x02+a", 8, "", 0},
    {true, "UNSUBSCRIBE with the filter \"a/#/b\"",
     "\xa2\x09\x00\x01\x00\x05"
     "a/#/b",
     11, "", 0},
    {true, "UNSUBSCRIBE with the filter \"a/b#\"",
     "\xa2\x08\x00\x01\x00\x04"
     "a/b#",
     10, "", 0},
    {true, "UNSUBSCRIBE with the filter \"##\"", "\xa2\x06\x00\x01\x00\x02##", 8, "", 0},
    {true, "UNSUBSCRIBE with the filter \"++\"", "\xa2\x06\x00\x01\x00\x02++", 8, "", 0},
    {true, "UNSUBSCRIBE with the filter \"a/+b/c\"",
     "\xa2\x0a\x00\x01\x00\x06"
     "a/+b/c",
     12, "", 0},
    {true, "UNSUBSCRIBE with the filter \"/#/\"", "\xa2\x07\x00\x01\x00\x03/#/", 9, "", 0},
    {true, "UNSUBSCRIBE with a filter with a NUL",
     "\xa2\x07\x00\x01\x00\x03"
     "a\x00"
     "b",
     9, "", 0},
    {true, "UNSUBSCRIBE with a filter with an overlong NUL", "\xa2\x06\x00\x01\x00\x02\xc0\x80",
     8, "", 0},
    {true, "UNSUBSCRIBE with a filter with an overlong slash",
     "\xa2\x07\x00\x01\x00\x03\xe0\x80\xaf", 9, "", 0},
    {true, "UNSUBSCRIBE with a filter with half of a surrogate pair",
     "\xa2\x07\x00\x01\x00\x03\xed\xa0\x80", 9, "", 0},
    {true, "UNSUBSCRIBE with a filter with a character beyond U+10FFFF",
     "\xa2\x08\x00\x01\x00\x04\xf4\x90\x80\x80", 10, "", 0},
    {true, "UNSUBSCRIBE with a filter with a byte that begins nothing",
     "\xa2\x05\x00\x01\x00\x01\x80", 7, "", 0},
    {true, "UNSUBSCRIBE with a filter with half of a character",
     "\xa2\x06\x00\x01\x00\x02\xe2\x82", 8, "", 0},
    {true, "UNSUBSCRIBE with a filter with the byte FF", "\xa2\x05\x00\x01\x00\x01\xff", 7, "",
     0},
    {true, "UNSUBSCRIBE with a filter that is cut",
     "\xa2\x06\x00\x01\x00\x05"
     "ab",
     8, "", 0},
    {true, "UNSUBSCRIBE with a second filter that is cut",
     "\xa2\x09\x00\x01\x00\x01t\x00\x05"
     "ab",
     11, "", 0},
    {true, "UNSUBSCRIBE with a second filter that is wrong",
     "\xa2\x09\x00\x01\x00\x01t\x00\x02#/", 11, "", 0},
    {true, "SUBSCRIBE without a QoS", "\x82\x05\x00\x01\x00\x01t", 7, "", 0},
    {true, "SUBSCRIBE with QoS 3", "\x82\x06\x00\x01\x00\x01t\x03", 8, "", 0},
    {true, "SUBSCRIBE with QoS 4", "\x82\x06\x00\x01\x00\x01t\x04", 8, "", 0},
    {true, "SUBSCRIBE with QoS 128", "\x82\x06\x00\x01\x00\x01t\x80", 8, "", 0},
    {true, "SUBSCRIBE with QoS 255", "\x82\x06\x00\x01\x00\x01t\xff", 8, "", 0},
    {true, "PINGREQ with a byte", "\xc0\x01x", 3, "", 0},
    {true, "DISCONNECT with a byte", "\xe0\x01x", 3, "", 0},
    {true, "PUBLISH of 256 MB", "0\xff\xff\xff\x7f\x00\x01t", 8, "", 0},
    {true, "PUBLISH with a length of five bytes", "0\xff\xff\xff\xff\x7f\x00\x01t", 9, "", 0},
};

#endif
