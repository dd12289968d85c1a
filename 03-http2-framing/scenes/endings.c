// endings.c: scene endings: a server that stops (GOAWAY), and a download that is not wanted any
// more (RST_STREAM).
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "frame_names.h"
#include "h2_client.h"
#include "net.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define UNDER_WAY 5   // answers that the server has not sent yet when it is told to stop
#define SLOW_MS   200 // that each of them takes
#define DOWNLOADS 3
#define SIZE      1000000 // bytes of a download
#define ENOUGH    100000  // bytes of the second one, after which the client gives it up

static struct h2_client client; // too large for the stack

// ---- GOAWAY --------------------------------------------------------------------------------

static struct {
    uint32_t last[2];  // the last stream that the first GOAWAY names, and the second
    int count;         // of GOAWAY
    uint32_t crossing; // the request that meets the first one on the way
} away;

static void see_end(struct h2_client *t, bool to_server, const struct frame *frame)
{
    char text[200];
    if (frame->type == FRAME_DATA || frame->type == FRAME_SETTINGS ||
        frame->type == FRAME_WINDOW_UPDATE)
        return;
    story_event("%s %s", to_server ? "->" : "<-", frame_describe(frame, text, sizeof text));
    if (to_server || frame->type != FRAME_GOAWAY)
        return;
    if (away.count == 0)
        away.crossing = h2_get(t, "/");
    if (away.count < 2)
        away.last[away.count] = frame_read_u32(frame->payload) & STREAM_ID_MAX;
    away.count++;
}

// A server of this scene's own is told to stop while it owes answers. Returns how many of them
// come; *status: the server's exit status.
static int stop_a_server(int *status)
{
    static const struct h2_listener listener = {.frame = see_end};
    static const char *const argv[] = {"./server", "--port", "0", "--quiet", NULL};
    uint32_t streams[UNDER_WAY];
    char path[40];
    pid_t pid;
    int answered = 0, port = spawn_server(&pid, argv);
    if (!port)
        die("cannot start a ./server of this scene's own (is this the lesson's folder?)");
    snprintf(path, sizeof path, "/slow?ms=%d", SLOW_MS);
    h2_begin(&client, net_connect_or_die("127.0.0.1", port), H2_WINDOW, NULL);
    for (int i = 0; i < UNDER_WAY; i++)
        streams[i] = h2_get(&client, path);
    h2_ping(&client); // the server has taken them when it answers
    client.listener = &listener;
    story_event("SIGTERM to the server");
    kill(pid, SIGTERM);
    h2_await_end(&client);
    for (int i = 0; i < UNDER_WAY; i++)
        answered += h2_answer(&client, streams[i])->status == 200;
    h2_close(&client);
    *status = spawn_wait(pid);
    return answered;
}

// ---- RST_STREAM ----------------------------------------------------------------------------

static uint32_t given_up; // the stream
static uint64_t its_bytes, late_bytes;
static bool ponged; // the server has answered the PING that followed RST_STREAM

static void see_data(struct h2_client *t, bool to_server, const struct frame *frame)
{
    if (to_server || frame->type != FRAME_DATA || frame->stream != given_up)
        return;
    its_bytes += frame->length;
    if (t->receiver.pings_acked)
        late_bytes += frame->length;
}

// Downloads over one connection of HTTP/2, and cancels the second. Returns how many are whole;
// 0 if the connection does not serve another request.
static int cancel_one(void)
{
    static const struct h2_listener listener = {.frame = see_data};
    uint32_t streams[DOWNLOADS];
    int whole = 0;
    h2_open(&client, WINDOW_DEFAULT, &listener);
    for (int i = 0; i < DOWNLOADS; i++) {
        char path[40];
        snprintf(path, sizeof path, "/img/%d?size=%d", i + 1, SIZE);
        streams[i] = h2_get(&client, path);
    }
    given_up = streams[1];
    struct response *response = h2_response(&client.receiver, given_up);
    while (response->content_bytes < ENOUGH && h2_step(&client))
        ;
    h2_wrote(&client, frame_put_rst_stream(h2_space(&client), given_up, CANCEL));
    h2_give_up(&client.receiver, response, CANCEL, "the client has cancelled it");
    h2_ping(&client);
    ponged = client.receiver.pings_acked == 1;
    h2_await_all(&client);
    for (int i = 0; i < DOWNLOADS; i++)
        whole += h2_answer(&client, streams[i])->content_bytes == SIZE;
    uint32_t next = h2_get(&client, "/");
    h2_await(&client, next);
    bool serves = h2_answer(&client, next)->status == 200;
    h2_close(&client);
    return serves ? whole : 0;
}

// Asks for the downloads from number `first` on over one connection of HTTP/1.1, reads up to
// `bytes`, and closes. Returns the bytes that it has read.
static uint64_t read_and_close(int first, uint64_t bytes)
{
    char request[200], answer[16384];
    uint64_t length = 0;
    int fd = h2_connect();
    for (int i = first; i <= DOWNLOADS; i++) {
        int written = snprintf(request, sizeof request,
                               "GET /img/%d?size=%d HTTP/1.1\r\nHost: %s\r\n%s\r\n", i, SIZE,
                               h2_authority(), i == DOWNLOADS ? "Connection: close\r\n" : "");
        if (!write_all(fd, request, (size_t)written))
            die("the server takes no request");
    }
    for (ssize_t got; length < bytes && (got = read(fd, answer, sizeof answer)) > 0;)
        length += (uint64_t)got;
    close(fd);
    return length;
}

static const struct claim goaway = {"3.46", "ch. 18.2", "GOAWAY is a graceful shutdown", HOLDS,
                                    NULL};

static const struct claim rst_stream = {"3.47", "ch. 18.2", "RST_STREAM cancels a stream",
                                        HOLDS, NULL};

void scene_endings(void)
{
    int status;
    story_say(
        "A server that owes %d answers is told to stop, and a sixth request is on its way.",
        UNDER_WAY);
    story_timeline();
    int answered = stop_a_server(&status);
    story_quiet(true);
    bool crossed = h2_answer(&client, away.crossing)->status == 200;
    story_say("");
    story_say("%d downloads of %d bytes; the client gives up the second after %d bytes.",
              DOWNLOADS, SIZE, ENOUGH);
    int whole = cancel_one();
    uint64_t first = read_and_close(1, SIZE + ENOUGH),
             second = read_and_close(DOWNLOADS, 2 * SIZE);
    story_head("how|whole|bytes of the second|connections|requests");
    story_row("HTTP/2: RST_STREAM|%d|%llu|1|%d", whole, (unsigned long long)its_bytes,
              DOWNLOADS);
    story_row("HTTP/1.1: it closes|%d|%llu|2|%d", (first >= SIZE) + (second >= SIZE),
              (unsigned long long)(first - SIZE), DOWNLOADS + 1);
    claim_report(&goaway,
                 holds_if(answered == UNDER_WAY && crossed && away.count == 2 &&
                          away.last[0] == STREAM_ID_MAX && away.last[1] == away.crossing &&
                          status == 0),
                 "%d of %d answers came, and that of the request on its way; the first GOAWAY "
                 "allows all streams, the second names %u as the last",
                 answered, UNDER_WAY, away.last[1]);
    claim_report(
        &rst_stream,
        holds_if(whole == DOWNLOADS - 1 && its_bytes < SIZE / 2 && ponged && late_bytes == 0),
        "%.0f %% of its bytes were never sent, and %llu came after the server had read "
        "RST_STREAM; the others are whole, and the connection goes on. HTTP/1.1 can only "
        "close: one more connection, one request again",
        100 - 100.0 * (double)its_bytes / SIZE, (unsigned long long)late_bytes);
}
