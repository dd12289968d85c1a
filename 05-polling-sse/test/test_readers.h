// test_readers.h: readers that are slow, silent, gone, or many, and what the others notice.
#ifndef TEST_READERS_H
#define TEST_READERS_H

#include <poll.h>

#include "eventstream.h"
#include "content_limit.h"
#include "smaller.h"
#include "test_talk.h"

static bool exchange(int port);

// Two readers do not read while 60 large events are published; a third one has each of them as
// soon as it is there. When the two read again, they are told to go: they may not be more than
// 10 events behind. What they have missed is still in the ring.
TEST(slow_readers_hold_up_nobody_and_are_dropped)
{
    static char large[30001];
    pid_t pid;
    int port = serve(&pid, "--queue 10");
    int sse = connect_narrow(port, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    int ws = connect_narrow(port, "GET /ws HTTP/1.1\r\n" UPGRADE "\r\n");
    int good = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    await_figure(port, "\"websocket\"", "clients", 1);
    await_figure(port, "\"sse\"", "clients", 2);
    memset(large, 'x', sizeof large - 1);
    for (int i = 1; i <= 60; i++) {
        char end[40];
        snprintf(large, sizeof large, "%d", i);
        large[strlen(large)] = ' ';
        post(port, "/publish", large);
        snprintf(end, sizeof end, "id: %d\ndata: %d ", i, i);
        read_until(good, end);
        read_until(good, "\n\n");
    }
    CHECK(figure(port, "\"sse\"", "longest_queue") > 10);
    CHECK(figure(port, "\"websocket\"", "longest_queue") > 10);
    last_words(sse);
    const char *last = "";
    for (const char *at = answer; (at = strstr(at, "\nid: ")); at++)
        last = at + 5;
    long id = atol(last);
    CHECK_BETWEEN(id, 1, 49); // the stream ends before the feed does,
    CHECK_HAS(last, "\n\n");  // but not within an event
    read_until(ws, "\r\n\r\n");
    CHECK_INT(close_code(ws), 1013);
    close(ws);
    CHECK_INT(figure(port, "\"dropped\"", "slow"), 2);
    int again = say(port, "GET /events HTTP/1.1\r\nHost: h\r\nLast-Event-ID: %ld\r\n\r\n", id);
    for (id++; id <= 60; id++) {
        char next[40];
        snprintf(next, sizeof next, "\n\nid: %ld\n", id);
        read_until(again, next);
        CHECK(!strstr(answer, "reset"));
    }
    close(again);
    close(good);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// A history that is longer than the queue is no reason to go: it was asked for.
TEST(a_reader_may_ask_for_more_than_its_queue)
{
    static char large[30001];
    pid_t pid;
    int port = serve(&pid, "--queue 5");
    memset(large, 'x', sizeof large - 1);
    for (int i = 1; i <= 50; i++)
        post(port, "/publish", large);
    int fd = connect_narrow(port, "GET /events?since=0 HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 1; i <= 50; i++) {
        char next[40];
        snprintf(next, sizeof next, "\n\nid: %d\n", i);
        read_until(fd, next);
    }
    close(fd);
    CHECK_INT(test_stop(pid), 0);
}

// ---- the lowest rate -----------------------------------------------------------------------

#define STALL_MS                                                                               \
    4000 // in it a reader has to take 2000 bytes; one that takes 8000 does so in leaps
#define LARGE_BYTES 30000
#define LARGE_COUNT 50

// A reader that takes so many bytes a second, whenever it is called.
struct paced_reader {
    int fd;
    long bytes_a_second;
    int64_t began_ns;
    long taken;
};

static void take_in_pace(struct paced_reader *reader)
{
    static char bytes[1 << 16];
    long due = (long)((now_ns() - reader->began_ns) / 1000 * reader->bytes_a_second / 1000000);
    ssize_t got = recv(reader->fd, bytes, smaller((size_t)(due - reader->taken), sizeof bytes),
                       MSG_DONTWAIT);
    if (got > 0)
        reader->taken += got;
}

// Two readers ask for a megabyte and a half, and the kernel does not hold that much for them.
// One takes 2,000 bytes a second, and may go on for as long as it likes. The other one takes
// 100, so that some bytes are always on their way; it is dropped.
TEST(a_reader_of_a_few_bytes_is_dropped_and_a_slow_one_is_not)
{
    static const char request[] = "GET /events?since=0 HTTP/1.1\r\nHost: h\r\n\r\n";
    static char large[LARGE_BYTES + 1];
    char options[100];
    pid_t pid;
    snprintf(options, sizeof options, "--queue 1000 --stall-ms %d", STALL_MS);
    int port = serve(&pid, options);
    memset(large, 'x', LARGE_BYTES);
    for (int i = 1; i <= LARGE_COUNT; i++)
        post(port, "/publish", large);
    struct paced_reader honest = {connect_in_segments(port, 1000, request), 2000, now_ns(), 0};
    struct paced_reader idle = {connect_in_segments(port, 100, request), 100, now_ns(), 0};
    int64_t dropped_ms = 0, passed_ms = 0;
    for (; passed_ms < 3 * STALL_MS && (!dropped_ms || passed_ms < 5 * STALL_MS / 2);
         sleep_ms(20)) {
        passed_ms = (now_ns() - honest.began_ns) / 1000000;
        take_in_pace(&honest);
        take_in_pace(&idle);
        if (!dropped_ms && figure(port, "\"dropped\"", "stalled") > 0)
            dropped_ms = passed_ms;
    }
    CHECK_AT_LEAST(dropped_ms, STALL_MS / 2);
    CHECK_INT(figure(port, "\"dropped\"", "stalled"), 1);
    CHECK_INT(figure(port, "\"sse\"", "clients"), 1);
    CHECK_AT_LEAST(honest.taken, 2000 * 2 * STALL_MS / 1000);
    for (int i = 2; i <= LARGE_COUNT; i++) { // the honest reader has not come to the second yet
        char next[40];
        snprintf(next, sizeof next, "\n\nid: %d\n", i);
        read_until(honest.fd, next);
        if (i > 2)
            CHECK_INT(strlen(answer), strlen("data: ") + LARGE_BYTES + strlen(next));
    }
    CHECK_INT(strlen(read_until(honest.fd, "\n\n")), strlen("data: ") + LARGE_BYTES + 2);
    close(honest.fd);
    close(idle.fd);
    CHECK_INT(test_stop(pid), 0);
}

// ---- readers and the end of the server -----------------------------------------------------

TEST(the_server_says_goodbye)
{
    pid_t pid;
    int port = serve(&pid, "");
    int wait = say(port, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    int sse = say(port, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    int ws = open_websocket(port, "/ws/echo"),
        idle = say(port, "GET /poll HTTP/1.1\r\nHost: h\r\n\r\n");
    post(port, "/jobs?ms=60000", "");
    int job = say(port, "GET /jobs/1?wait=60000 HTTP/1.1\r\nHost: h\r\n\r\n");
    int half = say(port, "GET /wait HTTP/1.1\r\nHo");
    await_figure(port, "\"wait\"", "clients", 1);
    await_figure(port, "\"sse\"", "clients", 1);
    CHECK(exchange(port)); // so those before it were read
    kill(pid, SIGTERM);
    CHECK_HAS(last_words(wait), "HTTP/1.1 204 No Content\r\n");
    CHECK_HAS(last_words(sse), "retry: 1000\nid: 0\n\n");
    CHECK_INT(close_code(ws), 1001);
    CHECK_HAS(last_words(idle), "HTTP/1.1 200 OK\r\n");
    CHECK_HAS(last_words(job), "\"state\":\"running\"");
    close(half);
    close(ws);
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_crowd_of_users_is_not_announced)
{
    static int fds[150];
    size_t length;
    pid_t pid;
    int port = serve(&pid, "");
    for (int i = 0; i < 150; i++)
        fds[i] = open_websocket(port, "/ws");
    for (int i = 1; i <= 100; i++) // the first user has heard of the first hundred
        CHECK_INT(read_frame(fds[0], &length), 0x81);
    CHECK_HAS(answer, " joined");
    send_frame(fds[149], 0x81, "hi", 2);
    CHECK_INT(read_frame(fds[0], &length), 0x81);
    CHECK_HAS(answer, "user 150 says: hi");
    for (int i = 0; i < 150; i++)
        close(fds[i]);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

// ---- requests that come in parts -----------------------------------------------------------

// Begins a request whose content is to come, and waits until the server has read its head.
static int begin_post(int port)
{
    int fd = say(port, "POST /publish HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                       "Connection: close\r\nContent-Length: 2\r\n\r\n");
    CHECK_HAS(read_until(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n");
    return fd;
}

static char *end_post(int fd)
{
    CHECK(write_all(fd, "hi", 2));
    return last_words(fd);
}

// Each of these requests is far below the limit of one; all together are at the limit of all.
TEST(slow_requests_share_the_memory)
{
    static int fds[CONTENT_PLACES];
    pid_t pid;
    int port = serve(&pid, "");
    for (int i = 0; i < CONTENT_PLACES; i++)
        fds[i] = begin_post(port);
    CHECK_HAS(end_post(fds[0]), "{\"id\":1}"); // gives its place back
    int first = begin_post(port);              // takes that place
    int second = begin_post(port);             // takes the place of the slowest request
    CHECK_HAS(last_words(fds[1]), "HTTP/1.1 503 ");
    CHECK_HAS(answer, "Connection: close\r\n");
    CHECK_HAS(answer, "Service Unavailable: other requests need the memory");
    CHECK_HAS(end_post(first), "{\"id\":2}");
    CHECK_HAS(end_post(second), "{\"id\":3}");
    CHECK_HAS(end_post(fds[2]), "{\"id\":4}"); // the others still have theirs
    for (int i = 3; i < CONTENT_PLACES; i++)
        close(fds[i]); // gives its place back, too
    for (int i = 3; i < CONTENT_PLACES; i++)
        fds[i] = begin_post(port);
    for (int i = 3; i < CONTENT_PLACES; i++)
        CHECK_HAS(end_post(fds[i]), "HTTP/1.1 200 ");
    CHECK_INT(test_stop(pid), 0);
}

// A request that has begun has ten seconds, and a byte now and then buys no more.
TEST(a_request_that_does_not_end_gets_408)
{
    pid_t pid;
    int port = serve(&pid, "");
    int64_t start_ns = now_ns();
    int fd = say(port, "GET /poll HTTP/1.1\r\nX: ");
    struct pollfd answered = {fd, POLLIN, 0};
    while (poll(&answered, 1, 500) == 0)
        CHECK(write_all(fd, "x", 1));
    double took_ms = (double)(now_ns() - start_ns) / 1e6;
    CHECK_HAS(last_words(fd), "HTTP/1.1 408 ");
    CHECK_HAS(answer, "the request did not come in 10 seconds");
    CHECK_BETWEEN(took_ms, 9900, 19000); // a machine with other work takes longer
    CHECK_INT(test_stop(pid), 0);
}

// ---- readers that come and go while there is news ------------------------------------------

#define STORM_READERS 500
#define STORM_RING    100000 // nothing of the storm leaves it

// A reader that comes back with the id of what it has seen: by SSE, by WebSocket, or by polls
// that are held.
struct storm_reader {
    int fd;
    enum { BY_EVENTS, BY_SOCKET, BY_POLL } way;
    long seen, events;
    struct event_stream stream;
    char bytes[4096]; // of a WebSocket or an answer, that were not used yet
    size_t length;
};

static struct storm_reader storm[STORM_READERS];

static void storm_connect(struct storm_reader *reader, int port)
{
    static const char *const ways[][2] = {{"/events", "Host: h\r\n"},
                                          {"/ws", UPGRADE},
                                          {"/wait", "Host: h\r\nConnection: close\r\n"}};
    reader->fd = say(port, "GET %s?since=%ld HTTP/1.1\r\n%s\r\n", ways[reader->way][0],
                     reader->seen, ways[reader->way][1]);
    net_set_nonblocking(reader->fd);
    event_stream_cut(&reader->stream);
    reader->length = 0;
}

static void storm_cut(struct storm_reader *reader, uint64_t *random)
{
    struct linger reset = {1, 0};
    if (next_random(random) % 2)
        setsockopt(reader->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(reader->fd);
    reader->fd = -1;
}

static void storm_saw(struct storm_reader *reader, long id)
{
    if (id != reader->seen + 1)
        FAIL("reader %td saw %ld after %ld", reader - storm, id, reader->seen);
    reader->seen = id;
    reader->events++;
}

// Finds whole events among JSON texts, each of which ends with a quote and a brace.
static void storm_take_json(struct storm_reader *reader)
{
    char *at = reader->bytes, *end = at + reader->length, *begin, *stop;
    while ((begin = memmem(at, (size_t)(end - at), "{\"id\":", 6)) &&
           (stop = memmem(begin, (size_t)(end - begin), "\"}", 2))) {
        if (memmem(begin, (size_t)(stop - begin), "\"event\":\"message\"", 17))
            storm_saw(reader, atol(begin + 6));
        at = stop + 2;
    }
    reader->length = (size_t)(end - at);
    memmove(reader->bytes, at, reader->length);
    if (reader->length > sizeof reader->bytes / 2) // the head of an answer, say
        reader->length = 0;
}

// Reads what is there. False: the server has closed.
static bool storm_read(struct storm_reader *reader)
{
    char *to = reader->bytes;
    if (reader->way != BY_EVENTS)
        to += reader->length;
    size_t room = sizeof reader->bytes - (size_t)(to - reader->bytes);
    ssize_t got = read(reader->fd, to, room);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    if (reader->way != BY_EVENTS) {
        reader->length += (size_t)got;
        storm_take_json(reader);
        return true;
    }
    // The head of the answer, read as if it were events, is none.
    struct stream_event event;
    for (ssize_t used = 0, part; used < got; used += part) {
        part = event_stream_read(&reader->stream, to + used, (size_t)(got - used), &event);
        if (part < 0)
            FAIL("not a stream of events");
        if (part <= 0)
            return false;
        if (event.name && *event.id)
            storm_saw(reader, atol(event.id));
    }
    return true;
}

// 500 readers come, read, are cut at any moment by themselves and by the server, and come back,
// while events are published. In the end each has seen each event once.
static void run_storm(const char *command, int events, int readers)
{
    pid_t pid;
    uint64_t random = 11;
    signal(SIGPIPE, SIG_IGN);
    int port = test_start(&pid, command), publisher = net_connect_or_die("127.0.0.1", port);
    for (int i = 0; i < readers; i++)
        storm[i] = (struct storm_reader){.fd = -1, .way = i % 3};
    for (int published = 0, complete = 0; complete < readers;) {
        if (published < events) {
            char text[100];
            int length =
                snprintf(text, sizeof text,
                         "POST /publish HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nevent");
            CHECK(write_all(publisher, text, (size_t)length));
            published++;
            read_until(publisher, "}\n");
            if (published % 500 == 0)
                post(port, "/cut", "");
        }
        for (int i = 0; i < 50; i++) { // some of them go, or come back
            struct storm_reader *reader = &storm[next_random(&random) % (unsigned)readers];
            if (reader->fd < 0)
                storm_connect(reader, port);
            else if (published < events && next_random(&random) % 8 == 0)
                storm_cut(reader, &random);
        }
        complete = 0;
        for (int i = 0; i < readers; i++) {
            if (storm[i].fd >= 0 && !storm_read(&storm[i])) {
                close(storm[i].fd);
                storm[i].fd = -1;
            }
            complete += storm[i].seen == events;
        }
        if (test_failures > 10)
            break;
    }
    for (int i = 0; i < readers; i++) {
        CHECK_INT(storm[i].events, events);
        if (storm[i].fd >= 0)
            close(storm[i].fd);
        event_stream_cut(&storm[i].stream);
    }
    close(publisher);
    await_figure(port, "\"sse\"", "clients", 0);
    await_figure(port, "\"websocket\"", "clients", 0);
    CHECK_INT(figure(port, "{", "users"), 0);
    CHECK(exchange(port));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_storm_of_readers_loses_nothing)
{
    const char *longer = getenv("STORM"); // STORM=20000 build/test a_storm_...
    int events = 1500;
    if (longer)
        events = atoi(longer);
    run_storm("./server --quiet --port 0 --rate 0 --first-id 1 --ring 100000", events,
              STORM_READERS);
}

TEST(a_storm_under_valgrind)
{
    if (has_valgrind())
        run_storm(VALGRIND "./server --quiet --port 0 --rate 0 --first-id 1 --ring 100000", 300,
                  60);
}

#endif
