// rooms.c: one chat, and its people on one server, on two servers that do not know each other,
// and on two servers that share a broker. How many of the lines does each person hear?
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cast.h"
#include "chat_server.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define PEOPLE      6
#define SERVERS     2
#define SPEAKERS    2    // the first person, and the first of the second half
#define PATIENCE_MS 5000 // for a line; when it does not come, the others wait no more

static int people[PEOPLE]; // their connections
static int heard;          // lines of the speakers, by all people
static int patience_ms;

// ---- the servers ---------------------------------------------------------------------------

static int server_listener;
static const char *server_name;

static void run_server(void)
{
    chat_server_run(server_listener, server_name);
}

static int port_of(int listener)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        die("cannot find the port of a chat server: %s", strerror(errno));
    return ntohs(address.sin_port);
}

// ---- the people ----------------------------------------------------------------------------

static void say(int person, const char *text)
{
    char line[40];
    int length = snprintf(line, sizeof line, "%s %d\n", text, person);
    if (!write_all(people[person], line, (size_t)length))
        die("person %d cannot say anything: %s", person, strerror(errno));
}

// Reads the next line that a person hears. False: none has come in time.
static bool hear(int person, char *line, size_t size)
{
    struct pollfd in = {people[person], POLLIN, 0};
    for (size_t length = 0; length + 1 < size; length++) {
        if (poll(&in, 1, patience_ms) == 0) {
            patience_ms = 0;
            return false;
        }
        if (read(people[person], line + length, 1) != 1)
            die("person %d: the chat server has closed the connection", person);
        line[length + 1] = '\0';
        if (line[length] == '\n')
            return true;
    }
    die("person %d hears a line that is too long", person);
}

// A person listens until a line begins with this text. The lines of the speakers are counted.
static void listen_until(int person, const char *text)
{
    char line[40];
    while (hear(person, line, sizeof line)) {
        heard += !strncmp(line, "hello", strlen("hello"));
        if (!strncmp(line, text, strlen(text)))
            return;
    }
}

// ---- the scene -----------------------------------------------------------------------------

// Two of the people say a line each. Returns how many lines all people together hear.
static int chat(int servers, bool with_broker)
{
    static const char *const names[SERVERS] = {"chat-1", "chat-2"};
    static const int speakers[SPEAKERS] = {0, PEOPLE / 2};
    int listeners[SERVERS];
    pid_t pids[SERVERS];
    heard = 0;
    patience_ms = PATIENCE_MS;
    for (int i = 0; i < servers; i++) {
        server_listener = listeners[i] = net_listen("127.0.0.1", 0, PEOPLE);
        server_name = NULL;
        if (with_broker)
            server_name = names[i];
        pids[i] = cast_start(run_server);
    }
    for (int i = 0; i < PEOPLE; i++) {
        people[i] = net_connect_or_die("127.0.0.1", port_of(listeners[i * servers / PEOPLE]));
        listen_until(i, CHAT_WELCOME);
    }
    for (int i = 0; i < SPEAKERS; i++) {
        char own[40];
        snprintf(own, sizeof own, "hello from %d", speakers[i]);
        say(speakers[i], "hello from");
        listen_until(speakers[i], own);
    }
    // Both speakers have heard their own line, so what any person is to hear stands before
    // this.
    for (int i = 0; i < SPEAKERS; i++)
        say(speakers[i], "end");
    for (int i = 0; i < PEOPLE; i++)
        listen_until(i, "end");
    for (int i = 0; i < servers; i++) {
        cast_kill(pids[i]);
        close(listeners[i]);
    }
    for (int i = 0; i < PEOPLE; i++)
        close(people[i]);
    return heard;
}

static const struct claim needs_broker = {
    "5.29", "guide §4.1",
    "a chat over several servers needs sticky sessions or a shared message broker", HOLDS,
    NULL};

void scene_rooms(void)
{
    const int all = SPEAKERS * PEOPLE, half = all / 2;
    story_say(
        "%d people in one chat. One person of each half says a line. A chat server passes a "
        "line on to the people that are connected to it; it knows no others.",
        PEOPLE);
    int together = chat(1, false), apart = chat(SERVERS, false), joined = chat(SERVERS, true);
    story_head("the people are|lines heard");
    story_row("all on one chat server|%d", together);
    story_row("half of them on each of two|%d", apart);
    story_row("the same, with a broker|%d", joined);
    claim_report(
        &needs_broker, holds_if(together == all && apart == half && joined == all),
        "on two servers %d of %d lines are heard: each person hears only its own half. With "
        "the broker %d, and on one server (to which sticky sessions would have to bring the "
        "whole room) %d",
        apart, all, joined, together);
}
