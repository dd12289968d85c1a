// speed.c: the same list of to-dos, in the same language on the same loop, over gRPC and as
// JSON over HTTP/1.1 with keep-alive: CPU time, bytes, parsing alone, and latency.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "fetch.h"
#include "json_todo.h"
#include "measure.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "spawn.h"
#include "stage.h"
#include "story.h"

#define CALLS    2000
#define ROUNDS   5
#define AT_ONCE  50
#define ITEMS    1000
#define PARSINGS 100
#define PINGS    15

static struct channel channel;
static struct fetch rest;

static const struct claim times_faster = {
    "3.13", "guide §4.4", "gRPC is often 5 to 10 times faster than REST", NOT_HERE,
    "Same work, same language, both kept alive: protobuf and HTTP/2 change little."};
static const struct claim parsing = {"3.25", "guide §4.4, §11",
                                     "protobuf is faster to parse (60 % less, says §11)", HOLDS,
                                     NULL};
static const struct claim latency = {
    "3.28", "ch. 18.1", "latency: REST medium, gRPC low", NOT_HERE,
    "Over a distance both take one round trip, on a connection that is there."};

// ---- one call ------------------------------------------------------------------------------

static void call_grpc(void)
{
    struct reply reply = {0};
    stage_ask(&channel, "/toDo.ToDo/createToDo", stage_item("Do laundry"), &reply);
    reply_free(&reply);
}

static void call_rest(void)
{
    fetch_or_die(&rest, fetch_ask(&rest, "POST", "/todos", "Content-Type: application/json\r\n",
                                  "{\"text\":\"Do laundry\"}"));
    if (rest.head.status != 201)
        die("the REST server has answered with %d", rest.head.status);
}

static void open_rest(struct fetch *f, const char *host, int port)
{
    struct sockaddr_storage address;
    net_address(host, port, SOCK_STREAM, &address);
    if (fetch_open(f, &address, 0))
        die("cannot connect to the REST server");
}

// ---- the measurement -----------------------------------------------------------------------

struct cost {
    double server_us, call_us; // of CPU at the server, and until the answer is here
    double up, down;           // bytes a call
};

// What is measured of one of the two, in rounds.
struct side {
    void (*call)(void);
    const uint64_t *up, *down;
    pid_t pid;
    double server_us[ROUNDS], call_us[ROUNDS];
};

static void measure_round(struct side *side, int round)
{
    double before_us = process_cpu_us(side->pid);
    int64_t began_ns = now_ns();
    for (int i = 0; i < CALLS / ROUNDS; i++)
        side->call();
    side->call_us[round] = ms_since(began_ns) * 1000 / (CALLS / ROUNDS);
    side->server_us[round] = (process_cpu_us(side->pid) - before_us) / (CALLS / ROUNDS);
}

// Measures both, in turn: what slows the machine down slows down both.
static void measure(struct side *grpc, struct side *json, struct cost costs[2])
{
    struct side *const sides[] = {grpc, json};
    uint64_t up[] = {*grpc->up, *json->up}, down[] = {*grpc->down, *json->down};
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 2; i++)
            measure_round(sides[i], round);
    for (int i = 0; i < 2; i++)
        costs[i] = (struct cost){median_of(sides[i]->server_us, ROUNDS),
                                 median_of(sides[i]->call_us, ROUNDS),
                                 (double)(*sides[i]->up - up[i]) / CALLS,
                                 (double)(*sides[i]->down - down[i]) / CALLS};
}

// Makes AT_ONCE calls that are on their way together: on one connection.
static void call_grpc_at_once(void)
{
    static struct reply replies[AT_ONCE];
    struct handler handler = reply_handler("/toDo.ToDo/createToDo");
    struct protobuf_writer item = stage_item("Do laundry");
    for (int i = 0; i < AT_ONCE; i++)
        channel_send(&channel, &handler, item.out, item.length, 0, &replies[i]);
    for (int i = 0; i < AT_ONCE; i++) {
        channel_await(&channel, &replies[i].done, CHANNEL_PATIENCE_MS);
        reply_free(&replies[i]);
    }
}

// The same with HTTP/1.1, which needs a connection for each.
static struct fetch crowd[AT_ONCE];

static void call_rest_at_once(void)
{
    for (int i = 0; i < AT_ONCE; i++)
        fetch_or_die(&crowd[i],
                     fetch_send(&crowd[i],
                                "POST /todos HTTP/1.1\r\n" FETCH_HOST
                                "Content-Type: application/json\r\n"
                                "Content-Length: 21\r\n\r\n{\"text\":\"Do laundry\"}"));
    for (int i = 0; i < AT_ONCE; i++)
        fetch_or_die(&crowd[i], fetch_answer(&crowd[i]));
}

// The server's CPU time for a call.
static double measure_at_once(pid_t pid, void (*call)(void))
{
    double server[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double before_us = process_cpu_us(pid);
        for (int i = 0; i < CALLS / ROUNDS; i += AT_ONCE)
            call();
        server[round] = (process_cpu_us(pid) - before_us) / (CALLS / ROUNDS);
    }
    return median_of(server, ROUNDS);
}

// ---- parsing alone -------------------------------------------------------------------------

static long parsed;

static void count(const struct todo_item *item)
{
    parsed += item->id + (long)item->length;
}

static struct {
    uint8_t protobuf[ITEMS * 64];
    char json[ITEMS * 96];
    size_t protobuf_length, json_length;
} list;

static void write_lists(void)
{
    static char text[40];
    struct protobuf_writer writer = {list.protobuf, 0, sizeof list.protobuf, false};
    list.json[list.json_length++] = '[';
    for (int32_t id = 1; id <= ITEMS; id++) {
        int length = snprintf(text, sizeof text, "Do the laundry of day %d", id);
        struct todo_item item = {id, (const uint8_t *)text, (size_t)length};
        size_t begun = protobuf_begin(&writer, 1);
        todo_put_item(&writer, &item);
        protobuf_end(&writer, begun);
        if (id > 1)
            list.json[list.json_length++] = ',';
        list.json_length += json_put_item(list.json + list.json_length, &item);
    }
    list.json[list.json_length++] = ']';
    list.protobuf_length = writer.length;
}

static double parse_protobuf(void)
{
    double before_ms = cpu_ms();
    for (int i = 0; i < PARSINGS; i++)
        if (todo_read_items(list.protobuf, list.protobuf_length, count))
            die("a list that is no protobuf");
    return (cpu_ms() - before_ms) * 1000 / PARSINGS;
}

static double parse_json(void)
{
    double before_ms = cpu_ms();
    static struct json_reader reader;
    for (int i = 0; i < PARSINGS; i++) {
        reader.at = list.json;
        reader.end = list.json + list.json_length;
        reader.wrong = NULL;
        if (json_read_items(&reader, count))
            die("a list that is no JSON: %s", reader.wrong);
    }
    return (cpu_ms() - before_ms) * 1000 / PARSINGS;
}

// ---- near and far --------------------------------------------------------------------------

static double call_ms(void (*call)(void))
{
    int64_t began_ns = now_ns();
    call();
    return ms_since(began_ns);
}

// The servers at the other end of the wire. False: there is no wire.
static bool measure_far(double *grpc_ms, double *rest_ms)
{
    const char *host = getenv("REST_HOST"), *port = getenv("REST_PORT");
    if (!packet_log()->tunnel || !host || !port)
        return false;
    stage_open(&channel);
    open_rest(&rest, host, atoi(port));
    call_grpc();
    call_rest();
    double grpc[PINGS], json[PINGS];
    for (int i = 0; i < PINGS; i++) {
        grpc[i] = call_ms(call_grpc);
        json[i] = call_ms(call_rest);
    }
    *grpc_ms = median_of(grpc, PINGS);
    *rest_ms = median_of(json, PINGS);
    channel_close(&channel);
    fetch_close(&rest);
    return true;
}

static void cost_row(const char *title, struct cost cost)
{
    story_row("%s|%.1f us|%.0f us|%.0f|%.0f", title, cost.server_us, cost.call_us, cost.up,
              cost.down);
}

void scene_speed(void)
{
    static const char *const grpc_server[] = {"./server", "--quiet", "--port", "0", NULL};
    static const char *const rest_server[] = {"./rest", "--port", "0", NULL};
    pid_t grpc_pid, rest_pid;
    double far_grpc_ms = 0, far_rest_ms = 0;
    bool far = measure_far(&far_grpc_ms, &far_rest_ms);
    share_one_core();
    int grpc_port = spawn_server(&grpc_pid, grpc_server);
    int rest_port = spawn_server(&rest_pid, rest_server);
    if (!grpc_port || !rest_port)
        die("the servers of this scene do not start");
    story_say("createToDo, %d times one after the other, on a connection that stays open. Both "
              "servers are in C, on the same loop, and share one core with this program.",
              CALLS);
    channel_connect(&channel, "127.0.0.1", grpc_port);
    open_rest(&rest, "127.0.0.1", rest_port);
    for (int i = 0; i < AT_ONCE; i++)
        open_rest(&crowd[i], "127.0.0.1", rest_port);
    struct cost costs[2];
    struct side grpc_side = {call_grpc, &channel.socket.up, &channel.socket.down, grpc_pid, {0},
                             {0}};
    struct side rest_side = {call_rest, &rest.up, &rest.down, rest_pid, {0}, {0}};
    measure(&grpc_side, &rest_side, costs);
    struct cost grpc = costs[0], json = costs[1];
    double grpc_us = measure_at_once(grpc_pid, call_grpc_at_once);
    double rest_us = measure_at_once(rest_pid, call_rest_at_once);
    channel_close(&channel);
    fetch_close(&rest);
    for (int i = 0; i < AT_ONCE; i++)
        fetch_close(&crowd[i]);
    spawn_stop(grpc_pid);
    spawn_stop(rest_pid);
    share_cores();
    story_head("|server's CPU|one call|bytes to it|back");
    cost_row("gRPC", grpc);
    cost_row("JSON over HTTP/1.1", json);
    story_row("gRPC, %d calls at once|%.1f us|||", AT_ONCE, grpc_us);
    story_row("HTTP/1.1, %d connections|%.1f us|||", AT_ONCE, rest_us);

    write_lists();
    double protobuf_us[ROUNDS], json_us[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        protobuf_us[i] = parse_protobuf();
        json_us[i] = parse_json();
    }
    double protobuf_one = least_of(protobuf_us, ROUNDS), json_one = least_of(json_us, ROUNDS);
    story_head("a list of 1,000 to-dos|bytes|parsing alone");
    story_row("protobuf|%zu|%.0f us", list.protobuf_length, protobuf_one);
    story_row("JSON|%zu|%.0f us", list.json_length, json_one);
    if (far) {
        story_say("");
        story_say("And over a distance, a call on a connection that is there:");
        story_bar("gRPC", far_grpc_ms, far_rest_ms * 1.5, "%.1f ms", far_grpc_ms);
        story_bar("JSON over HTTP/1.1", far_rest_ms, far_rest_ms * 1.5, "%.1f ms", far_rest_ms);
    }
    double times = json.call_us / grpc.call_us, cpu_times = json.server_us / grpc.server_us;
    enum verdict seen = UNCLEAR;
    if (times < 3 && cpu_times < 3)
        seen = NOT_HERE;
    claim_report(
        &times_faster, seen,
        "one after the other a call takes %.2f times as long with JSON, and %.2f times "
        "the server's CPU. %d at once: %.1f times, since calls that share a connection "
        "share packets, and the kernel's work is most of it all",
        times, cpu_times, AT_ONCE, rest_us / grpc_us);
    claim_report(&parsing, holds_if(parsed > 0 && protobuf_one < 0.8 * json_one),
                 "%.0f %% less time here, and %.0f %% fewer bytes",
                 100 * (1 - protobuf_one / json_one),
                 100 * (1 - (double)list.protobuf_length / (double)list.json_length));
    if (!far) {
        claim_skip(&latency);
        return;
    }
    seen = UNCLEAR;
    if (far_grpc_ms > 0.6 * far_rest_ms && far_grpc_ms < 1.6 * far_rest_ms)
        seen = NOT_HERE;
    claim_report(&latency, seen, "%.1f ms and %.1f ms, with a round trip of %.0f ms",
                 far_grpc_ms, far_rest_ms, packet_log()->rtt_ms);
}
