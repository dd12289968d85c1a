// plain.c: scene plain: one request on its three legs. What do the apps see, and what can a
// machine on the way between them read?
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "claim.h"
#include "mesh.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define SECRET     "password=swordfish"
#define TAP_PORT   9114
#define TAP_BYTES  65536
#define RECORD_TLS 5 // bytes of a record's header

static const struct claim plain = {
    "4.22", "ch. 18.5",
    "the app talks to localhost and knows nothing of the mesh; the sidecars speak mutual TLS",
    HOLDS, NULL};

// Passes bytes on between two connections, and appends them to a file, until one of them ends.
static void record_connection(int one, int other, FILE *file)
{
    char bytes[TAP_BYTES];
    struct pollfd both[2] = {{one, POLLIN, 0}, {other, POLLIN, 0}};
    for (;;) {
        if (poll(both, 2, -1) < 0)
            return;
        for (int i = 0; i < 2; i++) {
            if (!both[i].revents)
                continue;
            ssize_t got = read(both[i].fd, bytes, sizeof bytes);
            if (got <= 0 || !write_all(both[1 - i].fd, bytes, (size_t)got))
                return;
            fwrite(bytes, 1, (size_t)got, file);
            fflush(file);
        }
    }
}

// A machine on the way: it passes the bytes of one connection on to the pod, and keeps a copy.
static pid_t start_tap(const struct pod *pod, const char *path)
{
    int listener = net_listen(pod->address, TAP_PORT, 16);
    pid_t pid = mesh_fork(listener);
    if (pid != 0)
        return pid;
    FILE *file = fopen(path, "we");
    int one = accept(listener, NULL, NULL), other = net_connect(pod->address, MESH_INBOUND);
    if (file && one >= 0 && other >= 0)
        record_connection(one, other, file);
    _exit(0);
}

static size_t read_tap(const char *path, char *bytes)
{
    FILE *file = fopen(path, "re");
    size_t length = 0;
    if (file) {
        length = fread(bytes, 1, TAP_BYTES, file);
        fclose(file);
    }
    return length;
}

// Counts how often a part is in the bytes.
static int occurrences(const char *bytes, size_t length, const char *part)
{
    int count = 0;
    const char *end = bytes + length;
    while ((bytes = memmem(bytes, (size_t)(end - bytes), part, strlen(part)))) {
        bytes++;
        count++;
    }
    return count;
}

void scene_plain(void)
{
    static char bytes[TAP_BYTES];
    char text[200];
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    const char *copy = mesh_path("copy");
    pid_t tap = start_tap(stock, copy);
    snprintf(text, sizeof text, "stock %s:%d\nend\n", stock->address, TAP_PORT);
    mesh_write_file("services", text);
    pod_start_sidecar(shop, NULL);

    story_say("The app \"shop\" sends this to its own machine, in plain text:");
    story_quote("GET /headers HTTP/1.1\nHost: stock\nCookie: " SECRET "\n");
    struct mesh_answer *answer =
        mesh_ask(shop, "GET", "stock", "/headers", "Cookie: " SECRET "\r\n");
    size_t length = read_tap(copy, bytes);
    story_say("Between the two machines these are %zu bytes. They begin like this (22 is a "
              "record of the handshake, 3 1 is what TLS 1.3, too, writes as the version of the "
              "first one):",
              length);
    if (length > RECORD_TLS)
        story_say("    | %d %d %d %d %d ...", bytes[0], bytes[1], bytes[2],
                  (unsigned char)bytes[3], (unsigned char)bytes[4]);
    story_say("The app \"stock\" gets, in plain text again, from its own machine:");
    story_quote(answer->text);
    int between = occurrences(bytes, length, SECRET),
        there = strstr(answer->text, SECRET) != NULL;
    bool told =
        strstr(answer->text, "X-Forwarded-Client-Cert: URI=spiffe://workbench.test/shop");
    bool tls = length > RECORD_TLS && bytes[0] == 22 && bytes[1] == 3;
    claim_report(&plain,
                 holds_if(answer->status == 200 && between == 0 && there && told && tls),
                 "the password was found %d times between the machines, and %d times at the "
                 "app, which was told who asks (%d)",
                 between, there, told);
    kill(tap, SIGKILL);
    spawn_wait(tap);
    mesh_end();
}
