// http1.c: see http1.h.
#include "http1.h"

#include <stdio.h>

#include "log.h"

#define HEAD_BYTES 1024 // room that the head of a response needs
#define NS_PER_MS  INT64_C(1000000)

static struct http_out output(const struct http1 *http1)
{
    return (struct http_out){.bytes = conn_space(http1->conn), .size = conn_room(http1->conn)};
}

void http1_begin(struct http1 *http1, struct conn *conn, int idle_ms, long *requests)
{
    *http1 = (struct http1){.conn = conn,
                            .http.content_max = HTTP1_CONTENT_MAX,
                            .idle_ms = idle_ms,
                            .requests = requests};
    conn_deadline(conn, idle_ms);
}

// ---- the request ---------------------------------------------------------------------------

// The request is answered: the next one may come, if the connection stays open.
static void finish(struct http1 *http1)
{
    ++*http1->requests;
    http1->answering = http1->began = http1->conn->paused = false;
    answer_free(&http1->answer);
    http_server_done(&http1->http);
    if (http1->http.keep_alive)
        conn_deadline(http1->conn, http1->idle_ms);
    else
        conn_close(http1->conn);
}

static void refuse(struct http1 *http1, int status)
{
    struct http_out out = output(http1);
    log_line("HTTP/1.1, refused: %d", status);
    http_server_refuse(&http1->http, &out, status, "", NULL);
    conn_wrote(http1->conn, out.length);
    finish(http1);
}

static void begin_answer(struct http1 *http1, const struct http_request *request)
{
    struct answer *answer = &http1->answer;
    struct http_text content = request->content;
    snprintf(http1->request, sizeof http1->request, "%.*s %.*s",
             (int)request->head.method.length, request->head.method.at,
             (int)request->head.target.length, request->head.target.at);
    page(request->head.method, request->head.target, conn_now(http1->conn), answer);
    if (answer->kind == ANSWER_ECHO && content.length) {
        if (body_append(&answer->body, 0, (const uint8_t *)content.at, content.length,
                        http1->conn, &http1->body_bytes))
            answer->length = (int64_t)content.length;
        else
            page_error(503, answer);
    }
    http1->answering = true;
    http1->head_sent = false;
    http1->conn->paused = true; // the next request waits, even if no other will come
}

size_t http1_received(struct http1 *http1, const char *bytes, size_t length)
{
    struct http_request request;
    if (http1->answering || conn_room(http1->conn) < HEAD_BYTES)
        return 0;
    struct http_out out = output(http1);
    size_t used = http_server_take(&http1->http, bytes, length, &request, &out);
    conn_wrote(http1->conn, out.length); // "100 Continue"
    if (request.status == HTTP_WHOLE) {
        begin_answer(http1, &request);
    } else if (request.status != HTTP_MORE) {
        refuse(http1, request.status);
    } else if (http1->http.began && !http1->began) {
        http1->began = true;
        conn_deadline(http1->conn, HTTP1_REQUEST_MS);
    }
    return used;
}

// ---- the answer ----------------------------------------------------------------------------

static void send_head(struct http1 *http1)
{
    const struct answer *answer = &http1->answer;
    struct http_out out = output(http1);
    http_server_head(&http1->http, &out, answer->status, answer->length);
    if (answer->type)
        http_put_field(&out, "Content-Type", answer->type);
    if (answer->allow)
        http_put_field(&out, "Allow", answer->allow);
    http_put_text(&out, "\r\n");
    conn_wrote(http1->conn, out.length);
}

// Asks to be called when the rest of the answer is due.
static bool wait_for_time(struct http1 *http1)
{
    int64_t due_ns = answer_due_ns(&http1->answer) - conn_now(http1->conn);
    conn_deadline(http1->conn, due_ns / NS_PER_MS + 1);
    return false;
}

bool http1_produce(struct http1 *http1)
{
    struct answer *answer = &http1->answer;
    int64_t now_ns = conn_now(http1->conn);
    if (!http1->answering)
        return false;
    if (answer->body.evicted) {
        finish(http1);
        conn_close(http1->conn); // in the middle of its content: the client sees that
        return false;
    }
    if (!http1->head_sent) {
        if (now_ns < answer->due_ns)
            return wait_for_time(http1);
        send_head(http1);
        http1->head_sent = true;
        if (http1->http.head_only)
            answer->done = answer->length;
    }
    size_t length =
        answer_read(answer, (uint8_t *)conn_space(http1->conn), conn_room(http1->conn), now_ns);
    conn_wrote(http1->conn, length);
    if (answer->done < answer->length)
        return length > 0 || wait_for_time(http1);
    log_line("HTTP/1.1, %s: %d, %lld bytes", http1->request, answer->status,
             http1->http.head_only ? 0LL : (long long)answer->done);
    finish(http1);
    return true;
}

// ---- the ends ------------------------------------------------------------------------------

void http1_timeout(struct http1 *http1)
{
    if (http1->answering)
        return; // produce() goes on
    if (http1->began)
        refuse(http1, 408);
    conn_close(http1->conn);
}

void http1_stop(struct http1 *http1)
{
    http1->http.stopping = true; // after the request that is under way
    if (!http1->answering && !http1->began)
        conn_close(http1->conn);
}

void http1_closed(struct http1 *http1)
{
    answer_free(&http1->answer);
    http_server_done(&http1->http);
}
