// rest.c: the same list of to-dos as JSON over HTTP/1.1, for comparison: what guide §4.4 calls
// REST. Scene speed measures both.
//
// Run:    ./rest, and then
//         curl -d '{"text":"Do laundry"}' http://127.0.0.1:8113/todos
//         curl http://127.0.0.1:8113/todos
#include <stdio.h>

#include "http_server.h"
#include "json_todo.h"
#include "log.h"
#include "loop.h"
#include "net.h"
#include "options.h"

#define CONNECTIONS_MAX 1000
#define BACKLOG         100
#define CONTENT_MAX     16384 // bytes of a request
#define LIST_MAX        32768 // bytes of the list: the newest items that find room
#define ROOM            (LIST_MAX + 1024)
#define IDLE_MS         60000

struct connection {
    struct conn conn; // the loop's part
    struct http_server http;
};

static long requests;

static struct http_server *http_of(struct conn *conn)
{
    return &((struct connection *)conn)->http;
}

// Creates an item. Returns the answer's content; *status: its status.
static struct http_text create(struct http_text content, int *status)
{
    static struct json_reader reader;
    static char json[JSON_ITEM_BYTES];
    struct todo_item item;
    reader.at = content.at;
    reader.end = content.at + content.length;
    reader.wrong = NULL;
    const char *wrong = json_read_item(&reader, &item);
    if (!wrong && (item.length == 0 || item.length > TODO_TEXT_MAX))
        wrong = "text takes 1 to 1000 bytes";
    const struct todo_item *created = NULL;
    if (!wrong)
        created = todo_create(&item);
    if (!created) {
        *status = 400;
        return (struct http_text){json, (size_t)sprintf(json, "{\"error\":\"%s\"}", wrong)};
    }
    *status = 201;
    return (struct http_text){json, json_put_item(json, created)};
}

static struct http_text list(void)
{
    static char json[LIST_MAX];
    size_t at = 0;
    const struct todo_item *item;
    json[at++] = '[';
    for (int32_t id = 1; (item = todo_from(id)); id = item->id + 1) {
        if (at + JSON_ITEM_BYTES + 2 > sizeof json)
            break;
        if (at > 1)
            json[at++] = ',';
        at += json_put_item(json + at, item);
    }
    json[at++] = ']';
    return (struct http_text){json, at};
}

static void answer(const struct http_server *http, const struct http_request *request,
                   struct http_out *out)
{
    struct http_text content = {"", 0};
    int status = 200;
    if (!http_is(request->path, "/todos"))
        status = 404;
    else if (http_is(request->head.method, "POST"))
        content = create(request->content, &status);
    else if (http_is(request->head.method, "GET"))
        content = list();
    else
        status = 405;
    requests++;
    http_server_answer(http, out, status, "application/json", "", content);
}

static void opened(struct conn *conn)
{
    http_of(conn)->content_max = CONTENT_MAX;
    conn_deadline(conn, IDLE_MS);
}

static size_t received(struct conn *conn, const char *bytes, size_t length)
{
    struct http_server *http = http_of(conn);
    struct http_request request;
    if (conn_room(conn) < ROOM)
        return 0;
    struct http_out out = {.bytes = conn_space(conn), .size = conn_room(conn)};
    size_t used = http_server_take(http, bytes, length, &request, &out);
    if (request.status == HTTP_WHOLE)
        answer(http, &request, &out);
    else if (request.status > 0)
        http_server_refuse(http, &out, request.status, "", NULL);
    conn_wrote(conn, out.length);
    if (request.status == HTTP_MORE)
        return used;
    http_server_done(http);
    conn_deadline(conn, IDLE_MS);
    if (!http->keep_alive)
        conn_close(conn);
    return used;
}

static void closed(struct conn *conn)
{
    http_server_done(http_of(conn));
}

int main(int argc, char **argv)
{
    static const struct loop_server server = {
        .conn_bytes = sizeof(struct connection),
        .conns_max = CONNECTIONS_MAX,
        .opened = opened,      // a request may have CONTENT_MAX bytes of content
        .received = received,  // creates or lists items, if a request is whole
        .timeout = conn_close, // no request in IDLE_MS
        .closed = closed,      // frees a request that is not whole
    };
    static const char *host = "127.0.0.1";
    static int port = 8113;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address to listen on"},
        {"port", OPTION_INT, &port, 0, 65535, "TCP port; 0: the kernel chooses"},
        {0}};
    options_parse(argc, argv,
                  &(struct command){"", "The same to-dos as JSON over HTTP/1.1.", options});
    log_begin(true);
    long accepted = loop_run(net_listen(host, port, BACKLOG), &server);
    log_end();
    printf("stopped: connections %ld, requests %ld\n", accepted, requests);
    todo_free_all();
    return 0;
}
