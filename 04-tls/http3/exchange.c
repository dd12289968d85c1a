// exchange.c: see exchange.h. Read take_request() first, then produce().
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "message.h"
#include "net.h"
#include "timers.h"

#define REQUESTS_MAX 100   // at once on a connection
#define LINGER_MS    500   // behind the answer: see linger()
#define TURN_BYTES   65536 // of one answer, before the others have their turn
#define NS_PER_MS    INT64_C(1000000)

struct exchange_limits exchange_limits = {.request_ms = 10000, .stall_ms = 30000};
long exchange_count;
int64_t exchange_next_ns;

static struct exchange *exchange_of(struct stream *s)
{
    return (struct exchange *)s;
}

// ---- the answer ----------------------------------------------------------------------------

// Sends the answer's HEADERS, and the head of its DATA frame.
static bool begin_answer(struct exchange *x)
{
    char status[8], length[24];
    const struct page *page = &x->page;
    struct qpack_entry fields[MESSAGE_FIELDS_MAX] = {
        {":status", status}, {"server", "workbench"}, {"date", http_date(time(NULL))}};
    size_t count = 3;
    snprintf(status, sizeof status, "%d", page->status);
    snprintf(length, sizeof length, "%llu", (unsigned long long)page->length);
    if (page->type) {
        fields[count++] = (struct qpack_entry){"content-type", page->type};
        fields[count++] = (struct qpack_entry){"content-length", length};
    }
    if (page->allow)
        fields[count++] = (struct qpack_entry){"allow", page->allow};
    uint64_t content = page->length;
    if (x->head)
        content = 0;
    return stream_write_message(&x->stream, fields, count, content);
}

// For the log: the method and the path of the request, if its fields have come.
static const char *line_of(const struct exchange *x)
{
    if (!*x->line)
        return "a request";
    return x->line;
}

static void end_answer(struct exchange *x)
{
    stream_end(&x->stream);
    exchange_count++;
    if (x->stream.connection->broken_off > 0)
        x->stream.connection->broken_off--;
    log_line("stream %llu: %s: %d, %llu bytes", (unsigned long long)x->stream.id, line_of(x),
             x->page.status, (unsigned long long)x->page.length);
}

// The answer is decided. The content of the request is not needed any more.
static void answer(struct exchange *x)
{
    x->answering = true;
    if (!x->page.due_ns)
        x->page.due_ns = now_ns();
    x->deadline_ns = x->page.due_ns + exchange_limits.stall_ms * NS_PER_MS;
}

static void refuse(struct exchange *x, int status, const char *why)
{
    page_error(&x->page, status, why);
    answer(x);
}

// Sends as much as QUIC takes. True: something was sent.
static bool send_content(struct exchange *x)
{
    size_t length, sent = 1, all = 0;
    while (x->page.done < x->page.length && !x->head && sent && all < TURN_BYTES) {
        const uint8_t *bytes = page_content(&x->page, &length);
        sent = stream_write(&x->stream, bytes, length);
        x->page.done += sent;
        all += sent;
    }
    if (x->stream.write_ended) { // the client does not want the rest
        x->stream.done = true;
        log_line("stream %llu: %s: stopped after %llu bytes", (unsigned long long)x->stream.id,
                 line_of(x), (unsigned long long)x->page.done);
    } else if (x->head || x->page.done == x->page.length) {
        end_answer(x);
    }
    return all > 0 || x->stream.write_ended;
}

// A deadline is over.
static bool give_up(struct exchange *x, int64_t now)
{
    if (now < x->deadline_ns)
        return false;
    if (x->answering)
        stream_reset(&x->stream, H3_REQUEST_CANCELLED);
    else
        refuse(x, 408, "the request did not come in time\n");
    return true;
}

// The answer is sent, but the request has not ended. Its content is thrown away until the
// client has the answer, and a little longer: many a client that is told to stop does not look
// at the answer.
static bool linger(struct exchange *x, int64_t now)
{
    struct stream *s = &x->stream;
    if (!x->lingering && stream_is_acknowledged(s->ssl)) {
        x->lingering = true;
        x->deadline_ns = now + LINGER_MS * NS_PER_MS;
    }
    s->done = now >= x->deadline_ns; // freeing the stream tells the client to stop
    if (!s->done && x->deadline_ns < exchange_next_ns)
        exchange_next_ns = x->deadline_ns;
    return s->done;
}

static bool produce(struct stream *s)
{
    struct exchange *x = exchange_of(s);
    int64_t now = now_ns();
    bool any = false;
    if (!x->deadline_ns)
        x->deadline_ns = now + exchange_limits.request_ms * NS_PER_MS;
    if (s->write_ended)
        return linger(x, now);
    if (x->answering && now >= x->page.due_ns) {
        if (!x->begun && !begin_answer(x)) {
            stream_reset(s, H3_INTERNAL_ERROR);
            return true;
        }
        any = send_content(x) || !x->begun;
        x->begun = true;
        if (any)
            x->deadline_ns = now + exchange_limits.stall_ms * NS_PER_MS;
    }
    any |= !s->write_ended && give_up(x, now);
    int64_t next = x->deadline_ns;
    if (x->answering && !x->begun)
        next = x->page.due_ns;
    if (!s->write_ended && next < exchange_next_ns)
        exchange_next_ns = next;
    return any;
}

// ---- the request ---------------------------------------------------------------------------

static const char *take_request(struct stream *s, const struct qpack_list *list)
{
    struct exchange *x = exchange_of(s);
    struct request request;
    const char *wrong = message_request(list, &request);
    if (wrong)
        return wrong;
    s->reader.stage = STAGE_CONTENT;
    s->expected = request.content_length;
    x->head = request.head;
    snprintf(x->line, sizeof x->line, "%.*s %.*s", (int)request.method.length,
             request.method.at, (int)request.path.length, request.path.at);
    struct http_text target = request.path;
    if (!target.at)
        target = request.authority; // of CONNECT
    page_choose(request.method, target, now_ns(), &x->page);
    if (s->expected > ECHO_MAX)
        refuse(x, 413, "the content is longer than 1 MB\n");
    else if (x->page.kind != PAGE_ECHO)
        answer(x);
    else if (request.expects_continue)
        stream_write_message(s, &(struct qpack_entry){":status", "100"}, 1, 0);
    return NULL;
}

// A field section that is too long was not read. What belongs to it is not wanted either.
static struct fault take_too_long(struct stream *s)
{
    struct exchange *x = exchange_of(s);
    if (!x->answering)
        refuse(x, 431, "the header fields are longer than 16 KB\n");
    return (struct fault){0};
}

static void take_content(struct stream *s, const uint8_t *bytes, size_t length)
{
    struct exchange *x = exchange_of(s);
    int status = 0;
    if (x->page.kind == PAGE_ECHO && !x->answering)
        status = page_take(&x->page, bytes, length);
    if (status)
        refuse(x, status, NULL);
}

static void request_ended(struct stream *s)
{
    if (!exchange_of(s)->answering)
        answer(exchange_of(s));
}

static void request_reset(struct stream *s, uint64_t code)
{
    log_line("stream %llu: %s: reset by the client, error 0x%llx", (unsigned long long)s->id,
             line_of(exchange_of(s)), (unsigned long long)code);
    stream_reset(s, H3_REQUEST_CANCELLED);
}

static void request_refused(struct stream *s, struct fault fault)
{
    log_line("stream %llu: %s: %s", (unsigned long long)s->id, http3_error_name(fault.code),
             fault.why);
}

static void exchange_freed(struct stream *s)
{
    page_free(&exchange_of(s)->page);
}

const struct role exchange_role = {
    .server = true,
    .request_bytes = sizeof(struct exchange),
    .requests_max = REQUESTS_MAX,
    .head = take_request,
    .too_long = take_too_long,
    .content = take_content,
    .ended = request_ended,
    .produce = produce,
    .reset = request_reset,
    .refused = request_refused,
    .freed = exchange_freed,
};
