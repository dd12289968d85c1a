// test_handshakes.h: requests for a WebSocket, and what they are answered (RFC 6455 §4.2).
#ifndef TEST_HANDSHAKES_H
#define TEST_HANDSHAKES_H

#define H "Host: h\r\n"
#define U "Upgrade: websocket\r\n"
#define C "Connection: Upgrade\r\n"
#define V "Sec-WebSocket-Version: 13\r\n"
#define K "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

#define KEY(text)                                                                              \
    {                                                                                          \
        400, "GET /ws HTTP/1.1\r\n" H U C V "Sec-WebSocket-Key: " text "\r\n"                  \
    }
#define FIELDS(text) "GET /ws HTTP/1.1\r\n" text
#define ORIGIN(o)    "GET /ws HTTP/1.1\r\n" H U C V K "Origin: " o "\r\n"

// clang-format off
static const struct {
    int status;
    const char *request; // without the empty line at the end
} handshakes[] = {
    // good ones
    {101, FIELDS(H U C V K)},
    {101, FIELDS(K V C U H)},
    {101, FIELDS(H "upgrade: WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\n" V K)},
    {101, FIELDS(H U "Connection: keep-alive\r\nConnection: upgrade\r\n" V K)},
    {101, FIELDS(H "Upgrade: h2c, websocket\r\n" C V K)},
    {101, FIELDS(H "Upgrade:websocket\r\nConnection:\tUpgrade \r\n" V K)},
    {101, FIELDS(H U C V K "Sec-WebSocket-Protocol: chat, superchat\r\n")},
    {101, FIELDS(H U C V K "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")},
    {101, FIELDS(H U C V K "Content-Length: 0\r\n")},
    {101, "GET /ws/echo HTTP/1.1\r\n" H U C V K},
    {101, "GET /ws?since=5 HTTP/1.1\r\n" H U C V K},
    {101, "GET http://h/ws HTTP/1.1\r\n" H U C V K},
    // no WebSocket is asked for, or another version of it: 426 says what would be taken
    {426, FIELDS(H)}, {426, FIELDS(H C V K)}, {426, FIELDS(H "Upgrade: h2c\r\n" C V K)},
    {426, FIELDS(H "Upgrade: websocket2\r\n" C V K)}, {426, FIELDS(H "Upgrade: web socket\r\n" C V K)},
    {426, FIELDS(H "Upgrade: websocket/13\r\n" C V K)}, {426, FIELDS(H "Upgrade:\r\n" C V K)},
    {426, FIELDS(H "Upgrade: xwebsocket\r\n" C V K)}, {426, "GET /ws/echo HTTP/1.1\r\n" H},
    {426, FIELDS(H U C K "Sec-WebSocket-Version: 0\r\n")}, {426, FIELDS(H U C K "Sec-WebSocket-Version: 7\r\n")},
    {426, FIELDS(H U C K "Sec-WebSocket-Version: 8\r\n")}, {426, FIELDS(H U C K "Sec-WebSocket-Version: 12\r\n")},
    {426, FIELDS(H U C K "Sec-WebSocket-Version: 14\r\n")}, {426, FIELDS(H U C K "Sec-WebSocket-Version: 013\r\n")},
    {426, FIELDS(H U C K "Sec-WebSocket-Version: 130\r\n")}, {426, FIELDS(H U C K "Sec-WebSocket-Version: 1 3\r\n")},
    {426, FIELDS(H U C K "Sec-WebSocket-Version: 13, 8\r\n")}, {426, FIELDS(H U C K "Sec-WebSocket-Version: +13\r\n")},
    {426, FIELDS(H U C K "Sec-WebSocket-Version: -13\r\n")}, {426, FIELDS(H U C K "Sec-WebSocket-Version: 255\r\n")},
    {426, FIELDS(H U C K "Sec-WebSocket-Version:\r\n")}, {426, FIELDS(H U C K "Sec-WebSocket-Version: thirteen\r\n")},
    // something is missing, or is there twice
    {400, FIELDS(H U C V)}, {400, FIELDS(H U C K)}, {400, FIELDS(H U V K)}, {400, FIELDS(U C V K)},
    {400, FIELDS(H U)}, {400, FIELDS(H U C)}, {400, FIELDS(H U C V K V)}, {400, FIELDS(H U C V K K)},
    {400, FIELDS(H H U C V K)}, {400, FIELDS(H U C V "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" K)},
    {400, FIELDS(H U C K "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n")},
    {400, FIELDS(H U "Connection: keep-alive\r\n" V K)}, {400, FIELDS(H U "Connection: close\r\n" V K)},
    {400, FIELDS(H U "Connection: upgraded\r\n" V K)}, {400, FIELDS(H U "Connection:\r\n" V K)},
    {400, FIELDS(H U "Connection: Up grade\r\n" V K)}, {400, FIELDS(H U "Connection: \"upgrade\"\r\n" V K)},
    // keys
    KEY(""), KEY("="), KEY("=="), KEY("dGhlIHNhbXBsZSBub25jZQ"), KEY("dGhlIHNhbXBsZSBub25jZQ="),
    KEY("dGhlIHNhbXBsZSBub25jZQ==="), KEY("dGhlIHNhbXBsZSBub25jZQ== =="), KEY("dGhlIHNhbXBsZSBub25jZ==="),
    KEY("dGhlIHNhbXBsZSBub25jZTA="), KEY("dGhlIHNhbXBsZSBub25jZTAx"), KEY("dGhlIHNhbXBsZSBub25j"),
    KEY("dGhlIHNhbXBsZSBub25jZSBsb25nZXI="), KEY("dGhlIHNhbXBsZSBub25jZQAA"), KEY("dGhl IHNhbXBsZSBub25jZ=="),
    KEY("dGhlIHNhbXBsZSBub25jZ!=="), KEY("dGhlIHNhbXBsZSBub25jZ-=="), KEY("dGhlIHNhbXBsZSBub25jZ_=="),
    KEY("@Gh0IHNhbXBsZSBub25jZQ=="), KEY("dGhlIHNhbXBs=SBub25jZQ=="), KEY("dGhlIHNhbXBs,SBub25jZQ=="),
    KEY("\"dGhlIHNhbXBsZSBub25jZ\""), KEY("==dGhlIHNhbXBsZSBub25jZQ"), KEY("[Ghl{HNhbXBsZSBub25jZQ=="),
    KEY("dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ=="), KEY("dGhlIHNhbXBsZSBub25jZQ==, x"),
    // not the way to ask
    {400, "GET /ws HTTP/1.0\r\n" H U C V K}, {405, "POST /ws HTTP/1.1\r\n" H U C V K},
    {405, "HEAD /ws HTTP/1.1\r\n" H U C V K}, {405, "PUT /ws HTTP/1.1\r\n" H U C V K},
    {405, "OPTIONS /ws HTTP/1.1\r\n" H U C V K}, {405, "get /ws HTTP/1.1\r\n" H U C V K},
    {400, FIELDS(H U C V K "Content-Length: 5\r\n")}, {400, FIELDS(H U C V K "Transfer-Encoding: chunked\r\n")},
    {404, "GET /wss HTTP/1.1\r\n" H U C V K}, {404, "GET /ws/ HTTP/1.1\r\n" H U C V K},
    {404, "GET /ws/echo/ HTTP/1.1\r\n" H U C V K}, {404, "GET /WS HTTP/1.1\r\n" H U C V K},
    {505, "GET /ws HTTP/2.0\r\n" H U C V K}, {400, "GET  /ws HTTP/1.1\r\n" H U C V K},
    {400, "GET ws HTTP/1.1\r\n" H U C V K}, {400, "GET /ws\r\n" H U C V K},
    {400, FIELDS(H U C V "Sec-WebSocket-Key : dGhlIHNhbXBsZSBub25jZQ==\r\n")},
    {400, FIELDS(H U C V " Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")},
    // pages of other sites
    {101, ORIGIN("http://h")}, {101, ORIGIN("https://h")}, {101, ORIGIN("HTTP://H")},
    {101, ORIGIN("http://friend.example")}, {101, ORIGIN("https://other.example:444")},
    {403, ORIGIN("http://evil.example")}, {403, ORIGIN("http://h.evil.example")}, {403, ORIGIN("http://evil.h")},
    {403, ORIGIN("http://h:81")}, {403, ORIGIN("http://hh")}, {403, ORIGIN("null")}, {403, ORIGIN("")},
    {403, ORIGIN("h")}, {403, ORIGIN("http://")}, {403, ORIGIN("http://h/")}, {403, ORIGIN("http://h http://h")},
    {403, ORIGIN("https://friend.example")}, {403, ORIGIN("http://friend.example.evil")},
    {403, ORIGIN("http://friend")}, {403, ORIGIN("https://other.example")}, {403, ORIGIN("*")},
    {403, ORIGIN("http://h") "Origin: http://h\r\n"}, {403, ORIGIN("http://h") "Origin: http://evil.example\r\n"},
};
// clang-format on

#endif
