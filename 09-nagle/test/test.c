// test.c: tests of lesson 09. `make test` runs them, the scenes, real peers, and the patches in
// break/.
#include "contract.h"

#include <arpa/inet.h>

#include "protocol.h"

// Sends a request of `body_bytes` bytes, in two parts that are cut at `cut`.
static bool send_cut(int fd, uint32_t body_bytes, size_t cut)
{
    static uint8_t request[HEADER_BYTES + BODY_MAX_BYTES];
    uint32_t header = htonl(body_bytes);
    size_t length = HEADER_BYTES + body_bytes;
    memcpy(request, &header, sizeof header);
    return write_all(fd, request, cut) && write_all(fd, request + cut, length - cut);
}

static char answer(int fd)
{
    char reply = 0;
    return read_exactly(fd, &reply, 1) ? reply : 0;
}

static bool exchange(int port)
{
    int fd = net_connect("127.0.0.1", port);
    bool good = fd >= 0 && send_cut(fd, 10, 14) && answer(fd) == REPLY_OK;
    close(fd);
    return good;
}

TEST(requests_in_any_pieces)
{
    pid_t pid;
    int fd = net_connect_or_die("127.0.0.1", test_start(&pid, "./server --port 0"));
    for (size_t cut = 0; cut <= 14; cut++) {
        CHECK(send_cut(fd, 10, cut));
        CHECK_INT(answer(fd), REPLY_OK);
    }
    for (int i = 0; i < 100; i++)
        CHECK(send_cut(fd, (uint32_t)i, 0)); // many at once, an empty one first
    for (int i = 0; i < 100; i++)
        CHECK_INT(answer(fd), REPLY_OK);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(the_longest_body_and_one_byte_more)
{
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    int fd = net_connect_or_die("127.0.0.1", port);
    CHECK(send_cut(fd, BODY_MAX_BYTES, 4));
    CHECK_INT(answer(fd), REPLY_OK);
    uint32_t header = htonl(BODY_MAX_BYTES + 1);
    CHECK(write_all(fd, &header, sizeof header));
    CHECK_INT(answer(fd), REPLY_TOO_LONG);
    CHECK_INT(answer(fd), 0); // closed
    close(fd);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(quickack_is_accepted)
{
    pid_t pid;
    int fd = net_connect_or_die("127.0.0.1", test_start(&pid, "./server --port 0"));
    uint32_t header = htonl(0 | QUICKACK);
    CHECK(write_all(fd, &header, sizeof header));
    CHECK_INT(answer(fd), REPLY_OK);
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// Requests without end and never a read: the server gives up that client, and no other.
TEST(a_client_that_does_not_read)
{
    static uint8_t headers[100000]; // 25,000 requests with empty bodies
    pid_t pid;
    int port = test_start(&pid, "./server --port 0");
    int fd = net_connect_or_die("127.0.0.1", port);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 1000 && write_all(fd, headers, sizeof headers); i++)
        ;
    CHECK(exchange(port));
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}
