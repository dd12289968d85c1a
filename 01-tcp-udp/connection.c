// connection.c: see connection.h.
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define IDLE_NS INT64_C(60000000000) // how long a connection may rest between lines
#define LINE_NS INT64_C(20000000000) // how long a whole line may take
#define BYTE_NS INT64_C(100000)      // and each byte for "swallow": 10,000 bytes a second

#define HALF_OPEN "the other half was still open\n"

static struct reply reply; // too large for the stack

// The client has got its answer: now it may rest for a while.
static void may_rest(struct connection *c)
{
    c->served_at_ns = now_ns();
    c->due_ns = c->served_at_ns + IDLE_NS;
    c->line_begun = false;
}

struct connection *connection_open(int fd, const struct sockaddr_storage *client)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->fd = fd;
    may_rest(c);
    net_name(client, c->name);
    log_line("accept() = %d, from %s", fd, c->name);
    return c;
}

void connection_close(struct connection *c)
{
    log_line("close(%d)", c->fd);
    close(c->fd);
    free(c);
}

short connection_events(const struct connection *c)
{
    if (c->out_length)
        return POLLOUT;
    if (c->paused_until_ns || c->ended || c->more_lines)
        return 0;
    return POLLIN;
}

int64_t connection_due_ns(const struct connection *c)
{
    if (c->paused_until_ns && c->resumes == service_resumes())
        return c->paused_until_ns;
    if (c->paused_until_ns || (c->more_lines && !c->out_length))
        return 0; // at once: a client has ended the pause, or there are lines to answer
    return c->due_ns;
}

static void pause_for(struct connection *c, int pause_ms)
{
    c->paused_until_ns = now_ns() + pause_ms * INT64_C(1000000);
    c->resumes = service_resumes();
}

// Sends these bytes, and keeps those that the socket does not take now. False: the connection
// is broken.
static bool send_or_keep(struct connection *c, const char *bytes, size_t length)
{
    size_t taken = 0;
    if (c->out_length == 0) { // else the new bytes stand behind those that wait already
        ssize_t sent = send(c->fd, bytes, length, 0);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent > 0)
            taken = (size_t)sent;
    }
    memcpy(c->out + c->out_length, bytes + taken, length - taken);
    c->out_length += length - taken;
    return true;
}

// Sends bytes that were kept. False: the connection is broken.
static bool send_kept(struct connection *c)
{
    ssize_t sent = send(c->fd, c->out, c->out_length, 0);
    if (sent < 0)
        return errno == EAGAIN;
    c->out_length -= (size_t)sent;
    memmove(c->out, c->out + sent, c->out_length);
    return true;
}

// Answers one line. False: the connection is broken.
static bool answer_line(struct connection *c, char *line, size_t length)
{
    char server[NET_NAME];
    struct request request = {.transport = TCP,
                              .text = line,
                              .length = length,
                              .client = c->name,
                              .server = net_local_name(c->fd, server)};
    service_answer(&request, &reply);
    bool answered = reply.length || !length; // "note" has no answer, "swallow" a later one
    if (answered) {
        reply.text[reply.length++] = '\n';
        log_line("read() a line: \"%.24s\"; answer: %d x %zu bytes", line, reply.times,
                 reply.length);
    } else {
        log_line("read() a line: \"%.24s\"; no answer now", line);
    }
    if (reply.linger_ms)
        c->linger_ms = reply.linger_ms;
    c->swallow_bytes = reply.swallow_bytes;
    c->swallowed = c->reads = 0;
    may_rest(c);
    c->due_ns += c->swallow_bytes * BYTE_NS;
    if (reply.pause_ms)
        pause_for(c, reply.pause_ms);
    for (int i = 0; answered && i < reply.times; i++)
        if (!send_or_keep(c, reply.text, reply.length))
            return false;
    return true;
}

// Takes bytes that follow the command "swallow", and answers when the last of them is here.
// False: the connection is broken.
static bool swallow(struct connection *c, size_t length, size_t *used)
{
    size_t part = length;
    if (part > (size_t)c->swallow_bytes)
        part = (size_t)c->swallow_bytes;
    *used += part;
    c->swallowed += (long)part;
    c->swallow_bytes -= (long)part;
    if (c->swallow_bytes > 0)
        return true;
    char text[80];
    int bytes = snprintf(text, sizeof text, "swallowed %ld bytes in %ld reads\n", c->swallowed,
                         c->reads);
    log_line("swallowed %ld bytes; answer: 1 x %d bytes", c->swallowed, bytes);
    may_rest(c);
    return send_or_keep(c, text, (size_t)bytes);
}

// The rest of a line is still on its way. Its deadline counts from the first byte of the line:
// further bytes do not move it.
static void await_rest(struct connection *c)
{
    if (!c->line_begun)
        c->due_ns = now_ns() + LINE_NS;
    c->line_begun = true;
}

// Finds the messages in the bytes that were read, and answers them: TCP does not mark where a
// message ends. Stops while an answer waits to be sent, and after LINES_A_TURN lines. False:
// the connection is broken.
static bool process(struct connection *c)
{
    size_t used = 0;
    bool good = true;
    int lines = 0;
    c->more_lines = false;
    while (good && !c->ended && used < c->in_length && !c->out_length && !c->paused_until_ns) {
        char *rest = c->in + used;
        size_t length = c->in_length - used;
        char *newline = memchr(rest, '\n', length);
        if (c->swallow_bytes) {
            good = swallow(c, length, &used);
        } else if (!newline && length < LINE_MAX_BYTES) {
            await_rest(c);
            break;
        } else if (!newline) {
            good = send_or_keep(c, "line too long\n", 14);
            c->ended = true;
        } else if (lines++ == LINES_A_TURN) {
            c->more_lines = true;
            break;
        } else {
            used += (size_t)(newline - rest) + 1;
            if (newline > rest && newline[-1] == '\r') // telnet ends a line with \r\n
                newline--;
            *newline = '\0';
            good = answer_line(c, rest, (size_t)(newline - rest));
        }
    }
    c->in_length -= used;
    memmove(c->in, c->in + used, c->in_length);
    return good;
}

// Reads once. False: the connection is broken.
static bool read_more(struct connection *c)
{
    ssize_t length = read(c->fd, c->in + c->in_length, LINE_MAX_BYTES - c->in_length);
    if (length < 0)
        return errno == EAGAIN;
    if (length == 0) { // the client's FIN: the client sends no more, but may still read
        log_line("read() = 0: the client has closed its side");
        c->ended = true;
        if (c->linger_ms)
            pause_for(c, c->linger_ms);
    }
    c->in_length += (size_t)length;
    c->reads++;
    return true;
}

bool connection_serve(struct connection *c, short events, int64_t now)
{
    bool good = !(events & (POLLERR | POLLHUP));
    if (good && c->paused_until_ns && now >= connection_due_ns(c)) {
        c->paused_until_ns = 0;
        if (c->ended) { // the pause was a "linger"
            log_line("lingering is over; answer: 1 x %zu bytes", strlen(HALF_OPEN));
            good = send_or_keep(c, HALF_OPEN, strlen(HALF_OPEN));
        }
        good = good && process(c);
    }
    if (good && c->more_lines && !c->out_length)
        good = process(c);
    if (good && events & POLLOUT)
        good = send_kept(c) && process(c);
    if (good && events & POLLIN)
        good = read_more(c) && process(c);
    if (!good) {
        int error = 0, reason = errno;
        socklen_t length = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error)
            reason = error;
        log_line("connection %d is broken: %s", c->fd, strerror(reason));
        return false;
    }
    bool over = c->ended && !c->out_length && !c->paused_until_ns && !c->more_lines;
    if (!over && now >= c->due_ns)
        log_line("connection %d: the time for its next line is over", c->fd);
    return !over && now < c->due_ns;
}
