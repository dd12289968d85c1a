// http1.c: see http1.h.
#include "http1.h"

#include "http.h"

#define HEAD_BYTES 1024 // room that the head of a response needs
#define NS_PER_MS  INT64_C(1000000)

static void wait_for_request(struct http1 *http1)
{
    conn_deadline(http1->conn, http1->idle_ms);
}

void http1_begin(struct http1 *http1, struct conn *conn, int idle_ms, long *requests)
{
    *http1 = (struct http1){.conn = conn, .idle_ms = idle_ms, .requests = requests};
    wait_for_request(http1);
}

static void send_head(struct http1 *http1)
{
    const struct answer *answer = &http1->answer;
    struct http_out out = {.bytes = conn_space(http1->conn), .size = conn_room(http1->conn)};
    http_put_status(&out, answer->status);
    if (answer->type)
        http_put_field(&out, "Content-Type", answer->type);
    if (answer->allow)
        http_put_field(&out, "Allow", answer->allow);
    if (answer->status != 204)
        http_put_length(&out, (uint64_t)answer->length);
    if (!http1->keep_alive)
        http_put_field(&out, "Connection", "close");
    else if (http1->minor == 0) // HTTP/1.0 has to be told
        http_put_field(&out, "Connection", "keep-alive");
    http_put_text(&out, "\r\n");
    conn_wrote(http1->conn, out.length);
}

// Decides what to answer. A body is not taken here: the connection closes instead.
static void begin_answer(struct http1 *http1, const struct http_head *head)
{
    bool body = head->content_length > 0 || head->chunked;
    http1->keep_alive = head->keep_alive && !body;
    http1->to_head = http_is(head->method, "HEAD");
    http1->minor = head->minor;
    if (body)
        page_error(501, &http1->answer);
    else
        page(head->method, head->target, conn_now(http1->conn), &http1->answer);
}

size_t http1_received(struct http1 *http1, const char *bytes, size_t length)
{
    struct http_head head;
    if (http1->answering || conn_room(http1->conn) < HEAD_BYTES)
        return 0;
    int status = http_read_request(bytes, length, &head);
    if (status == 0)
        return 0;
    http1->answering = true;
    http1->conn->paused = true; // the next request waits, even if no other will come
    http1->head_sent = false;
    if (status == 1) {
        begin_answer(http1, &head);
        return head.length;
    }
    http1->keep_alive = http1->to_head = false;
    page_error(-status, &http1->answer);
    return length; // nobody knows where the next request begins
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
    if (!http1->head_sent) {
        if (now_ns < answer->due_ns)
            return wait_for_time(http1);
        send_head(http1);
        http1->head_sent = true;
        answer->done = http1->to_head ? answer->length : 0;
    }
    size_t length =
        answer_read(answer, (uint8_t *)conn_space(http1->conn), conn_room(http1->conn), now_ns);
    conn_wrote(http1->conn, length);
    if (answer->done < answer->length)
        return length > 0 || wait_for_time(http1);
    ++*http1->requests;
    http1->answering = http1->conn->paused = false;
    if (http1->keep_alive)
        wait_for_request(http1);
    else
        conn_close(http1->conn);
    return true;
}

void http1_timeout(struct http1 *http1)
{
    if (!http1->answering)
        conn_close(http1->conn); // nobody asks; else produce() goes on
}

void http1_stop(struct http1 *http1)
{
    http1->keep_alive = false; // after the answer that is under way
    if (!http1->answering)
        conn_close(http1->conn);
}
