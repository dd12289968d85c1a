// response.c: see response.h. Read send_answer() first.
#include "response.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "folder.h"
#include "log.h"

static struct http_out out_of(struct connection *c)
{
    return (struct http_out){.bytes = conn_space(&c->conn), .size = conn_room(&c->conn)};
}

void end_exchange(struct connection *c)
{
    if (c->answer.file)
        close(c->answer.file);
    c->answer.file = 0;
    free(c->answer.ranges);
    c->answer.ranges = NULL;
    if (c->upload.fd)
        upload_end(&c->upload, false); // not whole: the bytes that have come stay on the disk
    kept_free(&c->kept);
}

// All of the answer is written, or as much of it as possible: the next request may come.
static void end_answer(struct connection *c)
{
    log_line("answer: %d, %llu bytes of content", c->answer.status,
             (unsigned long long)c->answer.sent);
    end_exchange(c);
    c->phase = READ_HEAD;
    c->head_only = false; // nothing is known yet of the next request
    c->conn.paused = false;
    if (!c->keep_alive)
        conn_close(&c->conn);
}

static void put_head(struct connection *c)
{
    struct answer *answer = &c->answer;
    struct http_out out = out_of(c);
    // HTTP/1.0 has no chunks: there, the end of the connection ends content of unknown length.
    c->chunked = answer->pieces > 0 && c->minor > 0;
    if (answer->pieces > 0 && c->minor == 0)
        c->keep_alive = false;
    http_put_status(&out, answer->status);
    if (answer->type)
        http_put_field(&out, "Content-Type", answer->type);
    http_put_text(&out, answer->fields);
    if (c->chunked)
        http_put_text(&out, "Transfer-Encoding: chunked\r\n");
    else if (!answer->pieces && answer->status != 204 && answer->status != 304)
        http_put_length(&out, answer->length);
    if (!c->keep_alive)
        http_put_text(&out, "Connection: close\r\n");
    else if (c->minor == 0) // in HTTP/1.0 both sides have to say so
        http_put_text(&out, "Connection: keep-alive\r\n");
    http_put_text(&out, "\r\n");
    conn_wrote(&c->conn, out.length);
}

// Has the kernel send a long part of a file (sendfile(2)). It goes straight into the socket, so
// all output has to be sent before. False: the kernel cannot.
static bool send_from_file(struct connection *c)
{
    ssize_t sent = file_send(&c->answer, c->conn.fd);
    if (sent > 0) {
        c->answer.sent += (uint64_t)sent;
        c->conn.sent_bytes += (uint64_t)sent; // the loop measures how fast the client takes it
    }
    return sent > 0 || (sent < 0 && errno == EAGAIN);
}

bool send_content(struct connection *c)
{
    size_t length = 0;
    bool long_file = file_is_long(&c->answer);
    if (long_file && conn_room(&c->conn) < LOOP_OUT_BYTES)
        return true; // first the output that is there
    if (long_file && send_from_file(c)) {
        if (c->answer.sent == c->answer.length)
            end_answer(c);
        return true;
    }
    if (!c->kept.lost)
        length = answer_content(&c->answer, conn_space(&c->conn), conn_room(&c->conn));
    conn_wrote(&c->conn, length);
    c->kept.moved += length;
    if (c->answer.sent == c->answer.length) {
        end_answer(c);
    } else if (!length && conn_room(&c->conn)) {
        // A file has become shorter, or the content to echo was taken away. The head has
        // promised more bytes, so the server closes the connection: the client sees the cut.
        c->keep_alive = false;
        end_answer(c);
    }
    return length > 0;
}

// One line of /stream, as a chunk of its own; after the last one, the chunk of size 0.
static void send_piece(struct connection *c)
{
    struct answer *answer = &c->answer;
    struct http_out out = out_of(c);
    char piece[40];
    int length =
        snprintf(piece, sizeof piece, "piece %d of %d\n", ++answer->piece, answer->pieces);
    if (c->chunked) {
        http_put_number(&out, (uint64_t)length, 16);
        http_put_text(&out, "\r\n");
    }
    http_put_text(&out, piece);
    answer->sent += (size_t)length;
    if (c->chunked)
        http_put_text(&out, "\r\n");
    if (c->chunked && answer->piece == answer->pieces)
        http_put_text(&out, "0\r\n\r\n");
    conn_wrote(&c->conn, out.length);
    if (answer->piece == answer->pieces)
        end_answer(c);
    else
        conn_deadline(&c->conn, answer->delay_ms);
}

static void send_now(struct connection *c)
{
    put_head(c);
    c->conn.paused = false;
    if (c->head_only || (!c->answer.pieces && !c->answer.length)) {
        end_answer(c);
    } else if (c->answer.pieces) {
        c->phase = WAIT;
        c->conn.paused = true;
        send_piece(c);
    } else {
        c->phase = SEND;
        conn_deadline(&c->conn, NEVER); // the loop drops a client that takes nothing
        send_content(c);
    }
}

void send_answer(struct connection *c)
{
    if (c->answer.delay_ms && !c->answer.pieces) {
        c->phase = WAIT;
        c->conn.paused = true; // further bytes of the client wait in the kernel
        conn_deadline(&c->conn, c->answer.delay_ms);
        return;
    }
    send_now(c);
}

void send_refusal(struct connection *c, int status, const char *why)
{
    log_line("refused: %s", why);
    end_exchange(c);
    c->answer = (struct answer){0};
    answer_error(&c->answer, status, why);
    c->keep_alive = false;
    send_now(c);
}

void send_delayed(struct connection *c)
{
    if (c->answer.piece)
        send_piece(c);
    else
        send_now(c);
}
