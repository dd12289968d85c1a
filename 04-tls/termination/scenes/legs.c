// legs.c: scene legs: the same request on the two legs, before the proxy and behind it: what
// can a machine on the way read?
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define SECRET    "password=swordfish"
#define HEAD_MAX  4000
#define ACCEPT_MS 5000

static const struct claim plain = {
    "4.48", "guide §9.3", "behind the proxy goes unencrypted HTTP (within a secure network)",
    HOLDS, NULL};

void scene_start_proxy(pid_t *pid, int upstream_port)
{
    char upstream[40];
    snprintf(upstream, sizeof upstream, "127.0.0.1:%d", upstream_port);
    const char *const argv[] = {"./proxy", "--port", "0",          "--quiet", "--upstream",
                                upstream,  "--keys", ask_folder(), NULL};
    int port = spawn_server(pid, argv);
    if (!port)
        die("./proxy does not start");
    connect_to("127.0.0.1", port);
}

int scene_listen(int *port)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int fd = net_listen("127.0.0.1", 0, 512);
    if (getsockname(fd, (struct sockaddr *)&address, &length))
        die("getsockname: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

// Reads a request's head.
static void read_head(int fd, char head[HEAD_MAX])
{
    size_t length = 0;
    head[0] = '\0';
    while (!strstr(head, "\r\n\r\n") && length < HEAD_MAX - 1) {
        ssize_t got = read(fd, head + length, HEAD_MAX - 1 - length);
        if (got <= 0)
            die("the proxy has passed on only a part of a head");
        length += (size_t)got;
        head[length] = '\0';
    }
}

static bool contains(const uint8_t *bytes, size_t length, const char *text)
{
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

void scene_legs(void)
{
    static const char request[] =
        "GET /account HTTP/1.1\r\nHost: workbench.test\r\n"
        "Cookie: " SECRET "\r\nX-Forwarded-For: 6.6.6.6\r\n"
        "X_Forwarded_Proto: http\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n";
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    char head[HEAD_MAX];
    int upstream_port, listener = scene_listen(&upstream_port);
    struct reply reply = {0};
    struct timeval wait = {ACCEPT_MS / 1000, 0};
    pid_t pid;
    scene_check_server();
    scene_start_proxy(&pid, upstream_port);
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);

    story_say(
        "The client sends this over TLS. 6.6.6.6 and http are forged, X-Hop is for the proxy:");
    story_quote(request);
    struct connect_settings settings = ask_settings();
    struct connection *c = connection_open(&settings);
    if (!c->up)
        die("no TLS with the proxy: %s", c->why);
    size_t before = recording_kept(&c->recording, true);
    connection_send(c, request, sizeof request - 1);
    size_t after = recording_kept(&c->recording, true);

    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("the proxy does not connect: %s", strerror(errno));
    read_head(fd, head);
    story_say("On the first leg these are %zu bytes, and none of them is text:",
              after - before);
    story_say("    | %02x %02x %02x %02x %02x %02x %02x %02x ...",
              c->recording.bytes[1][before], c->recording.bytes[1][before + 1],
              c->recording.bytes[1][before + 2], c->recording.bytes[1][before + 3],
              c->recording.bytes[1][before + 4], c->recording.bytes[1][before + 5],
              c->recording.bytes[1][before + 6], c->recording.bytes[1][before + 7]);
    story_say("On the second leg, behind the proxy, every machine on the way can read this:");
    story_quote(head);
    story_say("The proxy has added the client's address and https. The forged fields and X-Hop "
              "are gone.");
    write_all(fd, answer, sizeof answer - 1);
    bool answered = ask_read(c, &reply) && reply.status == 200;

    bool first = contains(c->recording.bytes[1], recording_kept(&c->recording, true), SECRET);
    bool second = strstr(head, SECRET);
    bool forged = strstr(head, "6.6.6.6") || strstr(head, "X-Hop") || strstr(head, "_Proto");
    bool told = strstr(head, "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n");
    connection_close(c);
    close(fd);
    close(listener);
    spawn_stop(pid);
    enum verdict verdict = UNCLEAR;
    if (answered && !first && second && told && !forged)
        verdict = HOLDS;
    claim_report(
        &plain, verdict,
        "the password was found on the first leg %d times, on the second %d. The server "
        "got the client's address and https, and none of the forged fields",
        first, second);
}
