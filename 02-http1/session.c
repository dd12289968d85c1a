// session.c: see session.h. Read session_answer() first.
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define KEPT_MAX  (64 << 20) // bytes of requests' content in memory, for all connections
#define KEPT_STEP 4096

static size_t kept_bytes; // of all connections

bool session_keep(struct session *s, struct http_text content)
{
    size_t needed = s->kept_length + content.length,
           size = s->kept_size ? s->kept_size : KEPT_STEP;
    while (size < needed)
        size *= 2;
    if (size > s->kept_size) {
        char *kept = kept_bytes + size > KEPT_MAX ? NULL : realloc(s->kept, size);
        if (!kept)
            return false;
        kept_bytes += size - s->kept_size;
        s->kept = kept;
        s->kept_size = size;
    }
    memcpy(s->kept + s->kept_length, content.at, content.length);
    s->kept_length = needed;
    return true;
}

static struct http_out out_of(struct session *s)
{
    return (struct http_out){conn_space(&s->conn), conn_room(&s->conn), 0, false};
}

void session_forget(struct session *s)
{
    if (s->answer.file)
        close(s->answer.file);
    if (s->upload.fd)
        upload_end(&s->upload, false); // broken off: what has come stays
    kept_bytes -= s->kept_size;
    free(s->kept);
    s->kept = NULL;
    s->kept_length = s->kept_size = 0;
    s->answer.file = 0;
}

static void end_exchange(struct session *s)
{
    session_forget(s);
    s->phase = READ_HEAD;
    s->head_only = false; // of the next request nothing is known yet
    s->conn.paused = false;
    if (!s->keep_alive)
        conn_close(&s->conn);
}

static void put_head(struct session *s)
{
    struct answer *answer = &s->answer;
    struct http_out out = out_of(s);
    // A client of HTTP/1.0 knows no chunks: there the content ends with the connection.
    s->chunked = answer->pieces > 0 && s->minor > 0;
    if (answer->pieces > 0 && s->minor == 0)
        s->keep_alive = false;
    http_put_status(&out, answer->status);
    if (answer->type)
        http_put_field(&out, "Content-Type", answer->type);
    http_put_text(&out, answer->fields);
    if (s->chunked)
        http_put_text(&out, "Transfer-Encoding: chunked\r\n");
    else if (!answer->pieces && answer->status != 204 && answer->status != 304)
        http_put_length(&out, answer->length);
    if (!s->keep_alive)
        http_put_text(&out, "Connection: close\r\n");
    else if (s->minor == 0) // HTTP/1.0 has to be asked, and to be told
        http_put_text(&out, "Connection: keep-alive\r\n");
    http_put_text(&out, "\r\n");
    conn_wrote(&s->conn, out.length);
}

bool session_send_content(struct session *s)
{
    size_t length = answer_content(&s->answer, conn_space(&s->conn), conn_room(&s->conn));
    conn_wrote(&s->conn, length);
    if (s->answer.sent == s->answer.length) {
        end_exchange(s);
    } else if (!length && conn_room(&s->conn)) { // a file that was cut: the promise is broken
        s->keep_alive = false;
        end_exchange(s);
    }
    return length > 0;
}

// One line of /stream, as a chunk of its own; after the last, the chunk of size 0.
static void send_piece(struct session *s)
{
    struct answer *answer = &s->answer;
    struct http_out out = out_of(s);
    char piece[40];
    int length =
        snprintf(piece, sizeof piece, "piece %d of %d\n", ++answer->piece, answer->pieces);
    if (s->chunked) {
        http_put_number(&out, (uint64_t)length, 16);
        http_put_text(&out, "\r\n");
    }
    http_put_text(&out, piece);
    if (s->chunked)
        http_put_text(&out, answer->piece < answer->pieces ? "\r\n" : "\r\n0\r\n\r\n");
    conn_wrote(&s->conn, out.length);
    if (answer->piece == answer->pieces)
        end_exchange(s);
    else
        conn_deadline(&s->conn, answer->delay_ms);
}

static void send_answer(struct session *s)
{
    put_head(s);
    s->conn.paused = false;
    if (s->head_only || (!s->answer.pieces && !s->answer.length)) {
        end_exchange(s);
    } else if (s->answer.pieces) {
        s->phase = WAIT;
        s->conn.paused = true;
        send_piece(s);
    } else {
        s->phase = SEND;
        conn_deadline(&s->conn, NEVER); // the loop sees to clients that take nothing
        session_send_content(s);
    }
}

void session_answer(struct session *s)
{
    if (s->answer.delay_ms && !s->answer.pieces) {
        s->phase = WAIT;
        // What the client sends meanwhile waits: answers keep their order.
        s->conn.paused = true;
        conn_deadline(&s->conn, s->answer.delay_ms);
        return;
    }
    send_answer(s);
}

void session_refuse(struct session *s, int status)
{
    log_line("refused: %d %s", status, http_reason(status));
    session_forget(s);
    s->answer = (struct answer){0};
    answer_error(&s->answer, status);
    s->keep_alive = false;
    send_answer(s);
}

void session_go_on(struct session *s)
{
    if (s->answer.piece)
        send_piece(s);
    else
        send_answer(s);
}
