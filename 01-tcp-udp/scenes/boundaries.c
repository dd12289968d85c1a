// boundaries.c: scene boundaries: TCP brings a stream of bytes, UDP keeps messages apart.
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

static char answer[ANSWER_BYTES];

static const struct claim boundaries = {
    "1.4", "guide §2, §7", "TCP is a stream of bytes, UDP keeps message boundaries", HOLDS,
    NULL};

// Waits until `bytes` bytes can be read at once.
static void await_bytes(int fd, int bytes)
{
    int64_t deadline = now_ns() + PATIENCE_MS * INT64_C(1000000);
    for (int waiting = 0; waiting < bytes; sleep_ms(1)) {
        if (ioctl(fd, FIONREAD, &waiting) || now_ns() > deadline)
            die("only %d of %d bytes have come", waiting, bytes);
    }
}

void scene_boundaries(void)
{
    int udp = ask_open_udp(), tcp = ask_open_tcp(), datagrams = 0;
    ask_tcp(tcp, answer, "hello"); // now the server has accepted the connection
    story_say("The server calls send() three times, with 6 bytes each. The client calls "
              "recv().");
    story_timeline();
    send_all(tcp, "say 3 hello\n", 12);
    await_bytes(tcp, 18);
    ssize_t all = recv(tcp, answer, sizeof answer, 0);
    story_event("TCP: recv() = %zd bytes: three messages, not marked", all);

    send_all(udp, "say 3 hello!", 12);
    ssize_t got[3] = {0};
    for (; datagrams < 3; datagrams++) {
        if (!await_udp(udp, answer, now_ns() + PATIENCE_MS * INT64_C(1000000)))
            break;
        got[datagrams] = (ssize_t)strlen(answer);
        story_event("UDP: recv() = %zd bytes: one message", got[datagrams]);
    }

    story_say("Now one message each, and a recv() with a buffer of only 4 bytes:");
    story_timeline();
    ask_tcp(tcp, answer, "forget");
    send_all(tcp, "hello\n", 6);
    send_all(udp, "hello!", 6);
    await_bytes(tcp, 6);
    ssize_t first = recv(tcp, answer, 4, 0), second = recv(tcp, answer + 4, 4, 0);
    story_event("TCP: recv() = %zd, recv() = %zd: the rest was still there", first, second);
    await_bytes(udp, 6);
    ssize_t cut = recv(udp, answer, 4, 0);
    ssize_t rest = recv(udp, answer + 4, 4, MSG_DONTWAIT);
    story_event("UDP: recv() = %zd, recv() = %zd: the rest is gone", cut, rest);

    bool stream = all == 18 && first == 4 && second == 2;
    bool messages =
        datagrams == 3 && got[0] == 6 && got[1] == 6 && got[2] == 6 && cut == 4 && rest == -1;
    claim_report(&boundaries, holds_if(stream && messages),
                 "3 sends: 1 recv() of %zd bytes over TCP, %d recv() of %zd over UDP", all,
                 datagrams, got[0]);
    close(tcp);
    close(udp);
}
