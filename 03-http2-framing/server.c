// server.c: serves a few pages over HTTP/2 (RFC 9113) on plain TCP, and over HTTP/1.1 to a
// client that speaks that, so that the lesson can compare the two on one server.
//
// Run:    ./server, then ./client or curl --http2-prior-knowledge http://127.0.0.1:8003/
// Watch:  take_frame(): all that happens on a connection is a frame, and nine bytes say which.
//
// Read received() first, then take_one_frame(), take_headers() and take_frame(); produce()
// sends the answers. `conn` is the loop's part of a connection (its socket, and what is left
// over), and `c` is the whole of it: see struct connection in connection.h. What a request is,
// and how it is answered: request.c and response.c; how the answers share the connection:
// stream.c.
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "log.h"
#include "net.h"
#include "options.h"
#include "request.h"
#include "response.h"

// Some further limits: HPACK_LIST_MAX (hpack.h), HEADER_BLOCK_MAX (frame.h), ECHO_MAX
// (pages.h), BODIES_MAX (body_budget.h), BUDGET_MAX (abuse_budget.h), LOOP_OUT_BYTES (loop.h).
#define CONNECTIONS_MAX 10000
#define BACKLOG         1024
#define FIRST_BYTES_MS  10000 // within this time a client has to show which protocol it speaks
#define METHOD_BYTES    3     // the length of "PRI": no method of HTTP/1.1 begins so
#define ROOM            (2 * RESPONSE_ROOM) // with less room for output no frame is taken

static void opened(struct conn *conn);
static size_t received(struct conn *conn, const char *bytes, size_t length);
static bool produce(struct conn *conn);
static void timeout(struct conn *conn);
static void woken(struct conn *conn);
static void stop(struct conn *conn);
static void closed(struct conn *conn);

// What the loop (common/loop.h) calls, each time about one connection.
static const struct loop_server server = {
    .conn_bytes = sizeof(struct connection),
    .conns_max = CONNECTIONS_MAX,
    .opened = opened,     // a client was accepted
    .received = received, // bytes have come; returns how many it has used, 0: wait for more
    .produce = produce,   // no older output waits: writes more; returns true if it has
    .timeout = timeout,   // the time that conn_deadline() was told has come
    .woken = woken,       // a body of this connection had to give way: see body_budget.h
    .stop = stop,         // the server stops: finish soon
    .closed = closed,     // the connection is gone: free what belongs to it
};

static struct service service = {
    .streams_max = 100, .table_bytes = TABLE_SIZE_DEFAULT, .idle_ms = 60000, .stall_ms = 30000};

// ---- frames --------------------------------------------------------------------------------
//
// Each of these functions takes a frame of the client. It returns what is wrong with the frame,
// or fault_none(), whose `scope` is 0.

// Takes a frame that is not HEADERS. A frame that brings no request nearer to its end costs the
// client 1 from its budget, so it cannot send such frames without end (parts/abuse_budget.h).
static struct fault take_frame(struct connection *c, const struct frame *frame)
{
    struct stream *stream = stream_find(&c->streams, frame->stream);
    if (!budget_spend_frame(&c->budget, conn_now(&c->conn), frame, stream))
        return connection_fault(ENHANCE_YOUR_CALM, "too many frames that lead to nothing");
    switch (frame->type) {
    case FRAME_DATA:
        return request_data(c, stream, frame);
    case FRAME_RST_STREAM:
        if (stream_is_idle(&c->streams, frame->stream))
            return connection_fault(PROTOCOL_ERROR, "RST_STREAM on an idle stream");
        return request_cancel(c, stream);
    case FRAME_SETTINGS:
        return connection_settings(c, frame);
    case FRAME_PUSH_PROMISE:
        return connection_fault(PROTOCOL_ERROR, "a client cannot push");
    case FRAME_PING:
        return connection_ping(c, frame);
    case FRAME_WINDOW_UPDATE:
        if (stream_is_idle(&c->streams, frame->stream))
            return connection_fault(PROTOCOL_ERROR, "WINDOW_UPDATE on an idle stream");
        return connection_widen(c, stream, frame);
    case FRAME_CONTINUATION:
        return connection_fault(PROTOCOL_ERROR, "CONTINUATION without HEADERS");
    default: // PRIORITY is deprecated (§5.3.2); GOAWAY of a client changes nothing for a server
             // that pushes nothing; frames of an unknown type are ignored (§5.5)
        return fault_none();
    }
}

// Takes HEADERS and the CONTINUATION frames behind it. *used: their bytes; 0: wait for more.
static struct fault take_headers(struct connection *c, const uint8_t *bytes, size_t length,
                                 struct frame *frame, size_t *used)
{
    static struct hpack_list list; // one for all connections: no list is kept
    int cost;                      // of the block: at first its CONTINUATION frames, 1 each
    struct fault fault = frame_join_block(bytes, length, frame, used, &cost);
    if (fault.scope || *used == 0)
        return fault;
    // The block is decoded whatever state its stream is in: the dynamic table depends on it.
    if (!hpack_decode(&c->decoder, frame->content, frame->content_length, &list))
        return connection_fault(COMPRESSION_ERROR, "a header block that is no HPACK");
    if (list.too_long)
        cost += COST_OF_TOO_LONG;
    if (!budget_spend(&c->budget, conn_now(&c->conn), cost))
        return connection_fault(ENHANCE_YOUR_CALM, "too many costly header blocks");
    return request_headers(c, frame, &list);
}

// Takes one frame at the start of `bytes`. Returns how many bytes it took; 0: wait for more.
static size_t take_one_frame(struct connection *c, const uint8_t *bytes, size_t length)
{
    struct frame frame;
    if (length < FRAME_HEADER_BYTES)
        return 0;
    frame_read_header(bytes, &frame);
    size_t used = FRAME_HEADER_BYTES + frame.length;
    struct fault fault = frame_check_length(&frame, FRAME_SIZE_DEFAULT);
    if (!fault.scope && length < used)
        return 0;
    if (!fault.scope)
        fault = frame_check(&frame);
    if (!fault.scope && c->state == CONNECTION_SETTINGS) { // §3.4
        if (frame.type != FRAME_SETTINGS || (frame.flags & FLAG_ACK))
            fault = connection_fault(PROTOCOL_ERROR, "the first frame is not SETTINGS");
        c->state = CONNECTION_OPEN;
    }
    if (!fault.scope && frame.type == FRAME_HEADERS)
        fault = take_headers(c, bytes, length, &frame, &used);
    else if (!fault.scope)
        fault = take_frame(c, &frame);
    if (fault.scope == FAULT_CONNECTION)
        connection_fail(c, fault);
    else if (fault.scope == FAULT_STREAM)
        connection_reset(c, frame.stream, fault);
    if (c->conn.closing) // what follows is thrown away
        return length;
    return used;
}

// ---- what the loop calls -------------------------------------------------------------------

static void opened(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    c->service = &service;
    conn_deadline(conn, FIRST_BYTES_MS);
}

// Finds out which protocol the client speaks. HTTP/2 begins with the preface "PRI * ..."
// (§3.4), and HTTP/1.1 has no method PRI. With fewer than METHOD_BYTES the server waits for
// more.
static void choose_protocol(struct connection *c, const char *bytes, size_t length)
{
    if (memcmp(bytes, PREFACE, length < METHOD_BYTES ? length : METHOD_BYTES)) {
        c->state = CONNECTION_HTTP_1;
        http1_begin(&c->http1, &c->conn, service.idle_ms, &service.requests);
    } else if (length >= METHOD_BYTES) {
        connection_begin(c);
    }
}

static size_t take_preface(struct connection *c, const char *bytes, size_t length)
{
    if (memcmp(bytes, PREFACE, length < PREFACE_BYTES ? length : PREFACE_BYTES))
        connection_fail(c, connection_fault(PROTOCOL_ERROR, "this is not HTTP/2"));
    if (length < PREFACE_BYTES || c->conn.closing)
        return 0;
    c->state = CONNECTION_SETTINGS;
    return PREFACE_BYTES;
}

// A connection of HTTP/2 goes through the states in connection.h, one after the other. While
// there is room for output, takes all frames that are whole.
static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct connection *c = connection_of(conn);
    size_t used = 0;
    if (c->state == CONNECTION_NEW)
        choose_protocol(c, bytes, length);
    if (c->state == CONNECTION_HTTP_1)
        return http1_received(&c->http1, bytes, length);
    if (c->state == CONNECTION_PREFACE)
        used = take_preface(c, bytes, length);
    while (c->state >= CONNECTION_SETTINGS && !conn->closing && conn_room(conn) >= ROOM) {
        size_t taken = take_one_frame(c, (const uint8_t *)bytes + used, length - used);
        if (taken == 0)
            break;
        used += taken;
    }
    return used;
}

// Writes DATA of the answers, and sets the connection's next deadline.
static bool produce(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->state == CONNECTION_HTTP_1)
        return http1_produce(&c->http1);
    if (c->state < CONNECTION_SETTINGS)
        return false;
    bool sent = response_send(c);
    connection_update(c);
    return sent;
}

static void timeout(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->state == CONNECTION_HTTP_1) {
        http1_timeout(&c->http1);
    } else if (c->state == CONNECTION_NEW) {
        conn_close(conn);
    } else {
        response_due(c);
        connection_expire(c);
    }
}

static void woken(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->state != CONNECTION_HTTP_1)
        response_due(c);
}

static void stop(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->state == CONNECTION_HTTP_1)
        http1_stop(&c->http1);
    else if (c->state < CONNECTION_SETTINGS)
        conn_close(conn); // the client has not asked for anything yet
    else
        connection_stop(c);
}

static void closed(struct conn *conn)
{
    struct connection *c = connection_of(conn);
    if (c->state == CONNECTION_HTTP_1)
        http1_closed(&c->http1);
    else if (c->state != CONNECTION_NEW)
        connection_free(c);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1";
    static int port = 8003;
    static bool quiet;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {"streams", OPTION_INT, &service.streams_max, 1, 1000, "requests at once"},
        {"table", OPTION_INT, &service.table_bytes, 0, HPACK_TABLE_MAX,
         "bytes of HPACK's table"},
        {"idle-ms", OPTION_INT, &service.idle_ms, 1, 3600000, "ms without a request"},
        {"stall-ms", OPTION_INT, &service.stall_ms, 1, 3600000,
         "ms that a request may wait for its client"},
        {"quiet", OPTION_FLAG, &quiet, .help = "no line for each answer"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "Lesson 03: a few pages over HTTP/2.", options});
    log_begin(quiet);
    long accepted = loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: connections %ld, requests %ld\n", accepted, service.requests);
    return 0;
}
