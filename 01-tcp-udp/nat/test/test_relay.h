// test_relay.h: tests of the server over UDP: its answers, floods, and the relay and its
// limits.
#ifndef TEST_RELAY_H
#define TEST_RELAY_H

#include <poll.h>

#include "ice_parts.h"
#include "relay.h"

#include "rules.h"
#include "test_server.h"

#define PATIENCE 2000 // ms that an answer may take
#define QUIET    300  // ms without an answer: there is none

static int udp_port;

static inline struct sockaddr_storage server_address(int port)
{
    struct sockaddr_storage address;
    address_read("127.0.0.1", (uint16_t)port, &address);
    return address;
}

static inline int udp_socket(void)
{
    struct sockaddr_storage address = server_address(0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, address_size(&address)))
        die("no socket");
    return fd;
}

static inline void send_to(int fd, int port, const void *bytes, size_t length)
{
    struct sockaddr_storage address = server_address(port);
    datagram_send(fd, bytes, length, &address);
}

// Waits for a datagram. Returns its length, -1: none came.
static inline ssize_t await_datagram(int fd, uint8_t bytes[STUN_MAX], int ms)
{
    struct pollfd readable = {fd, POLLIN, 0};
    if (poll(&readable, 1, ms) < 1)
        return -1;
    return recv(fd, bytes, STUN_MAX, 0);
}

// Sends a request, which `writer` has begun, and reads its answer, which stays in `bytes`.
// Returns the error code, 0 of a success, -1 where there is no good answer.
static inline int ask_for(int fd, struct stun_writer *writer, uint8_t bytes[STUN_MAX],
                          struct stun_message *answer)
{
    stun_add_fingerprint(writer);
    send_to(fd, udp_port, writer->bytes, writer->length);
    ssize_t length = await_datagram(fd, bytes, PATIENCE);
    if (length < 0 || length > ANSWER_MAX || stun_read(bytes, (size_t)length, answer) ||
        !stun_is_transaction(answer, writer->bytes + 4))
        return -1;
    if (answer->class == STUN_SUCCESS)
        return 0;
    return stun_error_code(answer);
}

static inline void begin(struct stun_writer *writer, uint8_t bytes[STUN_MAX],
                         enum stun_class class, uint16_t method)
{
    uint8_t transaction[STUN_TRANSACTION];
    stun_new_transaction(transaction);
    stun_begin(writer, bytes, STUN_MAX, class, method, transaction);
}

// Allocates an address. Returns the error code of the second answer; *port is the relayed one.
static inline int allocate_at(int fd, int *port, char nonce[40])
{
    uint8_t question[STUN_MAX], bytes[STUN_MAX];
    struct stun_writer writer;
    struct stun_message answer;
    struct sockaddr_storage relayed;
    uint16_t length;
    begin(&writer, question, STUN_REQUEST, RELAY_ALLOCATE);
    if (!*nonce) {
        CHECK_INT(ask_for(fd, &writer, bytes, &answer), 401);
        const uint8_t *value = stun_find(&answer, NONCE, &length);
        CHECK(value && length < 40);
        if (!value || length >= 40)
            return -1;
        memcpy(nonce, value, length);
        nonce[length] = '\0';
        begin(&writer, question, STUN_REQUEST, RELAY_ALLOCATE);
    }
    stun_add_text(&writer, NONCE, nonce);
    int code = ask_for(fd, &writer, bytes, &answer);
    if (code == 0 && stun_find_address(&answer, XOR_RELAYED_ADDRESS, &relayed))
        *port = address_port(&relayed);
    return code;
}

static inline int permit_peer(int fd, const char *host)
{
    uint8_t question[STUN_MAX], bytes[STUN_MAX];
    struct stun_writer writer;
    struct stun_message answer;
    struct sockaddr_storage peer;
    address_read(host, 1, &peer);
    begin(&writer, question, STUN_REQUEST, RELAY_PERMIT);
    stun_add_address(&writer, XOR_PEER_ADDRESS, &peer);
    return ask_for(fd, &writer, bytes, &answer);
}

static inline void send_over_relay(int fd, int peer_port, size_t length)
{
    static const uint8_t data[STUN_MAX];
    uint8_t bytes[STUN_MAX];
    struct stun_writer writer;
    struct sockaddr_storage peer = server_address(peer_port);
    begin(&writer, bytes, STUN_INDICATION, RELAY_SEND);
    stun_add_address(&writer, XOR_PEER_ADDRESS, &peer);
    stun_add(&writer, DATA, data, length);
    send_to(fd, udp_port, bytes, writer.length);
}

static inline void start_server_with(pid_t *pid, const char *options)
{
    char command[200];
    snprintf(command, sizeof command, "./server --port 0 --quiet %s", options);
    udp_port = test_start(pid, command);
    CHECK(udp_port > 0);
}

TEST(the_relay_passes_on_what_is_permitted)
{
    pid_t pid;
    uint8_t bytes[STUN_MAX];
    char nonce[40] = "";
    int client = udp_socket(), peer = udp_socket(), relayed = 0;
    struct sockaddr_storage name = address_of_socket(peer);
    struct stun_message message;
    int peer_port = address_port(&name);
    start_server_with(&pid, ">build/relay-said");
    CHECK_INT(permit_peer(client, "127.0.0.1"), 437); // no allocation yet
    CHECK_INT(allocate_at(client, &relayed, nonce), 0);
    CHECK(relayed > 0);
    send_to(peer, relayed, "hello", 5);
    send_over_relay(client, peer_port, 5);
    CHECK_INT(await_datagram(client, bytes, QUIET), -1); // this peer is not permitted
    CHECK_INT(await_datagram(peer, bytes, QUIET), -1);
    CHECK_INT(permit_peer(client, "127.0.0.1"), 0);
    send_to(peer, relayed, "hello", 5);
    ssize_t length = await_datagram(client, bytes, PATIENCE);
    CHECK(length > 0 && !stun_read(bytes, (size_t)length, &message));
    CHECK(message.class == STUN_INDICATION && message.method == RELAY_DATA);
    CHECK(stun_find_address(&message, XOR_PEER_ADDRESS, &name) &&
          address_port(&name) == peer_port);
    send_over_relay(client, peer_port, 77);
    CHECK_INT(await_datagram(peer, bytes, PATIENCE), 77);
    send_over_relay(client, peer_port, RELAY_PAYLOAD_MAX + 1);
    CHECK_INT(await_datagram(peer, bytes, QUIET), -1);
    CHECK_INT(permit_peer(client, "224.0.0.1"), 403);
    CHECK_INT(permit_peer(client, "0.0.0.0"), 403);
    CHECK_INT(permit_peer(client, "255.255.255.255"), 403);
    CHECK_INT(permit_peer(client, "2001:db8::1"), 403);
    for (int i = 2; i <= RELAY_PERMITS_MAX; i++) {
        char host[20];
        snprintf(host, sizeof host, "10.9.8.%d", i);
        CHECK_INT(permit_peer(client, host), 0);
    }
    CHECK_INT(permit_peer(client, "10.9.9.1"), 508);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(test_run("tail -n 1 build/relay-said"), 0);
    CHECK_TEXT(test_output, "relayed: bytes 82, datagrams 2, dropped 0\n");
}

// Who forges his source does not get the nonce. That of another client is of no use.
TEST(the_relay_wants_to_see_that_a_client_is_there)
{
    pid_t pid;
    char nonce[40] = "";
    int first = udp_socket(), second = udp_socket(), port = 0;
    start_server_with(&pid, "");
    CHECK_INT(allocate_at(first, &port, nonce), 0);
    CHECK_INT(allocate_at(second, &port, nonce), 401);
    strcpy(nonce, "0123456789abcdef01234567");
    CHECK_INT(allocate_at(second, &port, nonce), 401);
    CHECK_INT(test_stop(pid), 0);
    start_server_with(&pid, "--no-relay");
    strcpy(nonce, "none");
    CHECK_INT(allocate_at(second, &port, nonce), 400);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_relay_has_limits)
{
    pid_t pid;
    uint8_t bytes[STUN_MAX];
    int port = 0, again = 0, peer = udp_socket(), got = 0, client = udp_socket();
    struct sockaddr_storage name = address_of_socket(peer);
    start_server_with(&pid, "--relay-rate 10 --relay-seconds 1");
    char nonce[40] = "";
    CHECK_INT(allocate_at(client, &port, nonce), 0);
    CHECK_INT(permit_peer(client, "127.0.0.1"), 0);
    int64_t began = now_ns();
    for (int i = 0; i < 50; i++) // 50 kilobytes at once; 10 pass in a second
        send_over_relay(client, address_port(&name), 1000);
    while (await_datagram(peer, bytes, QUIET) > 0)
        got++;
    CHECK_BETWEEN(got, 10, 11 + 10 * ms_since(began) / 1000);
    sleep_ms(2500); // a second until it is over, and one until the server looks
    CHECK_INT(permit_peer(client, "127.0.0.1"), 437);
    for (int i = 0; i < RELAYS_OF_HOST_MAX + 1; i++) {
        char fresh[40] = "";
        int code = allocate_at(udp_socket(), &again, fresh);
        if (i < RELAYS_OF_HOST_MAX)
            CHECK_INT(code, 0);
        else
            CHECK_INT(code, 486);
    }
    CHECK_INT(test_stop(pid), 0);
}

// What peers send to a relayed address has the same limit, and the last line counts all of it.
TEST(the_relay_limits_what_comes_in)
{
    static const uint8_t data[1000];
    uint8_t bytes[STUN_MAX];
    char nonce[40] = "", last_line[100];
    pid_t pid;
    int relayed = 0, got = 0, client = udp_socket(), peer = udp_socket();
    start_server_with(&pid, "--relay-rate 10 >build/relay-said");
    CHECK_INT(allocate_at(client, &relayed, nonce), 0);
    CHECK_INT(permit_peer(client, "127.0.0.1"), 0);
    int64_t began = now_ns();
    for (int i = 0; i < 50; i++)
        send_to(peer, relayed, data, sizeof data);
    while (await_datagram(client, bytes, QUIET) > 0)
        got++;
    CHECK_BETWEEN(got, 10, 11 + 10 * ms_since(began) / 1000);
    CHECK_INT(test_stop(pid), 0);
    snprintf(last_line, sizeof last_line, "relayed: bytes %d, datagrams %d, dropped %d\n",
             got * 1000, got, 50 - got);
    CHECK_INT(test_run("tail -n 1 build/relay-said"), 0);
    CHECK_TEXT(test_output, last_line);
}

// Asks for so many seconds. Returns how many the server gives; -1: none.
static int seconds_of(int fd, const char *nonce, uint32_t wanted)
{
    uint8_t question[STUN_MAX], bytes[STUN_MAX];
    struct stun_writer writer;
    struct stun_message answer;
    uint32_t given;
    begin(&writer, question, STUN_REQUEST, RELAY_ALLOCATE);
    stun_add_text(&writer, NONCE, nonce);
    stun_add_u32(&writer, LIFETIME, wanted);
    if (ask_for(fd, &writer, bytes, &answer) || !stun_find_u32(&answer, LIFETIME, &given))
        return -1;
    return (int)given;
}

// A client may ask for less than the server would give; with 0 it gives the address back.
TEST(the_time_of_a_relayed_address)
{
    pid_t pid;
    char nonce[40] = "";
    int fd = udp_socket(), port = 0;
    start_server_with(&pid, "--relay-seconds 50");
    CHECK_INT(allocate_at(fd, &port, nonce), 0);
    CHECK_INT(seconds_of(fd, nonce, 49), 49);
    CHECK_INT(seconds_of(fd, nonce, 51), 50);
    CHECK_INT(permit_peer(fd, "127.0.0.1"), 0);
    CHECK_INT(seconds_of(fd, nonce, 0), 0);
    CHECK_INT(permit_peer(fd, "127.0.0.1"), 437);
    CHECK_INT(test_stop(pid), 0);
}

// ---- what the server tells, and an agent that keeps its address ----------------------------

// Counts the lines of build/said with this text.
static int said(const char *text)
{
    return test_number("grep -c '%s' build/said", text);
}

TEST(the_server_tells_each_request)
{
    pid_t pid;
    uint8_t bytes[STUN_MAX];
    char nonce[40] = "", line[200], own[NET_NAME];
    int fd = udp_socket(), relayed = 0;
    struct sockaddr_storage name = address_of_socket(fd);
    net_name(&name, own);
    udp_port = test_start(&pid, "./server --port 0 --relay-seconds 77 >build/said");
    send_to(fd, udp_port, BYTES("\0\1\0\0" COOKIE_AND_ID));
    ssize_t length = await_datagram(fd, bytes, PATIENCE);
    CHECK_AT_LEAST(length, STUN_HEADER);
    CHECK_INT(allocate_at(fd, &relayed, nonce), 0);
    CHECK_INT(permit_peer(fd, "127.0.0.1"), 0);
    CHECK_INT(test_stop(pid), 0);
    snprintf(line, sizeof line, "Binding of %s: 20 bytes, %zd back$", own, length);
    CHECK_INT(said(line), 1);
    snprintf(line, sizeof line, "relay: %s gets 127.0.0.1:%d for 77 s$", own, relayed);
    CHECK_INT(said(line), 1);
    snprintf(line, sizeof line, "ALLOCATE of %s: ", own);
    CHECK_INT(said(line), 2); // without a nonce, and with it
    snprintf(line, sizeof line, "PERMIT of %s: ", own);
    CHECK_INT(said(line), 1);
    snprintf(line, sizeof line, "relay: %s gives its address back, 0 bytes passed$", own);
    CHECK_INT(said(line), 1);
}

static struct ice_agent keeper;

static bool keeper_has_asked(void)
{
    return keeper.state == ICE_GATHERED && keeper.refresh_ns > now_ns() + 20000 * MS_NS;
}

// An agent asks for its relayed address again after half of the time that it has it.
TEST(an_agent_keeps_its_relayed_address)
{
    struct ice_agent *const agents[] = {&keeper};
    pid_t pid;
    int fd = udp_socket();
    udp_port = test_start(&pid, "./server --port 0 --relay-seconds 100 >build/said");
    struct sockaddr_storage server = server_address(udp_port);
    keeper = (struct ice_agent){.set = {.relay = true}};
    ice_begin(&keeper, true, &fd, 1, &server);
    for (int i = 0; i < 2; i++) {
        CHECK(ice_run(agents, 1, keeper_has_asked, 10000, -1));
        CHECK_BETWEEN((keeper.refresh_ns - now_ns()) / MS_NS, 40000, 50000);
        keeper.refresh_ns = now_ns(); // as if that time had passed
    }
    CHECK_INT(keeper.mine.count, 2); // its own one, and one that is relayed
    close(fd);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(said("gets 127.0.0.1:[0-9]* for 100 s$"), 2);
    CHECK_INT(said("gives its address back"), 1);
}

// ---- answers -------------------------------------------------------------------------------

TEST(what_the_server_answers)
{
    static const struct {
        const char *bytes;
        size_t length;
        int code; // 0: a success; -1: no answer
    } cases[] = {
        {BYTES("\0\1\0\0" COOKIE_AND_ID), 0},
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\x7f\0\0\1x\0\0\0"), 420},      // not known
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\xff\0\0\1x\0\0\0"), 0},        // may be ignored
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\0\x26\0\4\0\0\0\0"), 420},     // PADDING
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\0\x27\0\4\x12\x34\0\0"), 420}, // RESPONSE-PORT
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\0\x1c\0\4abcd"), 420}, // MESSAGE-INTEGRITY-SHA256
        {BYTES("\0\1\0\x4" COOKIE_AND_ID "\0\3\0\0"), 400},       // CHANGE-REQUEST without bits
        {BYTES("\0\3\0\0" COOKIE_AND_ID), 400},                   // TURN's Allocate
        {BYTES("\0\x11\0\0" COOKIE_AND_ID), -1},                  // an indication
        {BYTES("\1\1\0\0" COOKIE_AND_ID), -1},                    // an answer
        {BYTES("\1\x11\0\0" COOKIE_AND_ID), -1},
        {BYTES("\0\1\0\4" COOKIE_AND_ID), -1}, // malformed
        {BYTES("hello"), -1},
        {BYTES(""), -1},
    };
    pid_t pid;
    uint8_t bytes[STUN_MAX];
    struct stun_message answer;
    start_server_with(&pid, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = udp_socket(), code = -1;
        send_to(fd, udp_port, cases[i].bytes, cases[i].length);
        ssize_t length = await_datagram(fd, bytes, cases[i].code < 0 ? 50 : PATIENCE);
        if (length > 0 && !stun_read(bytes, (size_t)length, &answer))
            code = stun_error_code(&answer);
        if (code != cases[i].code)
            FAIL("case %zu: %d instead of %d", i, code, cases[i].code);
        CHECK_AT_MOST(length, ANSWER_MAX);
        close(fd);
    }
    CHECK_INT(test_stop(pid), 0);
}

// RFC 3489: no cookie, and MAPPED-ADDRESS.
TEST(a_client_of_2003)
{
    pid_t pid;
    uint8_t bytes[STUN_MAX];
    struct stun_message answer;
    struct sockaddr_storage mapped, changed, own;
    int fd = udp_socket();
    start_server_with(&pid, "");
    send_to(fd, udp_port, BYTES("\0\1\0\x8sixteen bytes id\0\3\0\4\0\0\0\0"));
    ssize_t length = await_datagram(fd, bytes, PATIENCE);
    own = address_of_socket(fd);
    CHECK(length > 0 && !stun_read(bytes, (size_t)length, &answer));
    CHECK(!answer.has_cookie && !memcmp(bytes + 4, "sixteen bytes id", 16));
    CHECK(stun_find_address(&answer, MAPPED_ADDRESS, &mapped) && address_is(&mapped, &own));
    CHECK(stun_find_address(&answer, CHANGED_ADDRESS, &changed));
    send_to(fd, udp_port, BYTES("\0\1\0\x8sixteen bytes id\0\2\0\4\0\0\0\0"));
    length = await_datagram(fd, bytes, PATIENCE);
    CHECK(length > 0 && !stun_read(bytes, (size_t)length, &answer));
    CHECK_INT(stun_error_code(&answer), 420); // RESPONSE-ADDRESS would send it to a victim
    CHECK_INT(test_stop(pid), 0);
}

// Garbage as fast as it can be sent; then an honest question.
TEST(a_flood_of_datagrams)
{
    pid_t pid;
    uint8_t bytes[STUN_MAX], question[STUN_MAX];
    uint64_t random = 4;
    struct stun_writer writer;
    struct stun_message answer;
    int flood = udp_socket(), fd = udp_socket(), code = -1;
    start_server_with(&pid, "");
    long memory = memory_kb(pid, "VmRSS");
    for (int i = 0; i < 50000; i++) {
        size_t length = random_next(&random) % 100;
        for (size_t k = 0; k < length; k++)
            bytes[k] = (uint8_t)random_next(&random);
        if (i % 2 && length >= STUN_HEADER) { // half of it looks like STUN
            memcpy(bytes, "\0\1\0\0" COOKIE_AND_ID, STUN_HEADER);
            bytes[3] = (uint8_t)(length - STUN_HEADER);
        }
        send_to(flood, udp_port, bytes, length);
    }
    for (int i = 0; i < 5 && code != 0; i++) { // the server's buffer may still be full
        begin(&writer, question, STUN_REQUEST, STUN_BINDING);
        code = ask_for(fd, &writer, bytes, &answer);
    }
    CHECK_INT(code, 0);
    if (!SANITIZED)
        CHECK_AT_MOST(memory_kb(pid, "VmRSS"), memory + 2000);
    CHECK_INT(test_stop(pid), 0);
}

#endif
