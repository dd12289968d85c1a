// http1_loader.c: see http1_loader.h.
#include "http1_loader.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "browser_request.h"
#include "http.h"
#include "net.h"
#include "h2_client.h"

#define IN_BYTES 65536

struct connection {
    int fd, port;
    bool asked, in_content;
    uint64_t position; // bytes that have come
    size_t length;     // of those that are not used yet
    int status;
    uint64_t content_bytes;
    struct http_body body;
    char bytes[IN_BYTES];
};

static struct connection connections[HTTP1_CONNECTIONS];

int http1_port(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length))
        die("a socket without a name: %s", strerror(errno));
    return ntohs(address.sin_port);
}

static void ask(struct connection *c, int image, int size)
{
    char path[40], text[BROWSER_TEXT_BYTES];
    snprintf(path, sizeof path, "/img/%d?size=%d", image, size);
    size_t length = browser_text(text, path);
    if (!write_all(c->fd, text, length))
        die("cannot send a request: %s", strerror(errno));
    c->asked = true;
}

static void use(struct connection *c, size_t length)
{
    c->length -= length;
    memmove(c->bytes, c->bytes + length, c->length);
}

// Goes on with the answer as far as its bytes have come. True: it is whole.
static bool take(struct connection *c)
{
    struct http_text content;
    ssize_t used = 1;
    if (!c->in_content) {
        struct http_head head;
        int whole = http_read_response(c->bytes, c->length, &head);
        if (whole < 0)
            die("what the server sends is no HTTP/1.1 response");
        if (whole == 0)
            return false;
        c->status = head.status;
        c->content_bytes = 0;
        c->in_content = true;
        http_body_of_response(&c->body, &head, false);
        use(c, head.length);
    }
    while (!c->body.done && c->length && used > 0) {
        used = http_body_take(&c->body, c->bytes, c->length, &content);
        if (used < 0)
            die("the content of a response is framed wrongly");
        c->content_bytes += content.length;
        use(c, (size_t)used);
    }
    c->in_content = !c->body.done;
    return c->body.done;
}

static void read_some(struct connection *c)
{
    ssize_t got = read(c->fd, c->bytes + c->length, IN_BYTES - c->length);
    if (got == 0)
        die("the server closed a connection before an image was complete");
    if (got < 0)
        die("cannot read an image: %s", strerror(errno));
    c->length += (size_t)got;
    c->position += (size_t)got;
}

void http1_load(struct http1_loader *loader)
{
    struct pollfd polls[HTTP1_CONNECTIONS];
    int asked = 0, here = 0;
    loader->answered = loader->waited = 0;
    for (int i = 0; i < loader->connections; i++) { // a browser opens them all at once
        struct connection *c = &connections[i];
        c->fd = h2_connect();
        c->asked = c->in_content = false;
        c->position = c->length = 0;
        loader->ports[i] = http1_port(c->fd);
        polls[i] = (struct pollfd){c->fd, POLLIN, 0};
    }
    int64_t start_ns = now_ns();
    while (here < loader->images) {
        for (int i = 0; i < loader->connections && asked < loader->images; i++) {
            if (connections[i].asked)
                continue;
            ask(&connections[i], ++asked, loader->size);
            loader->waited += here > 0;
        }
        if (poll(polls, (nfds_t)loader->connections, ANSWER_MS) <= 0)
            die("nothing has come for %d seconds", ANSWER_MS / 1000);
        for (int i = 0; i < loader->connections; i++) {
            struct connection *c = &connections[i];
            if (!polls[i].revents)
                continue;
            read_some(c);
            if (loader->read)
                loader->read(loader->ports[i], c->position, now_ns());
            if (!c->asked || !take(c))
                continue;
            c->asked = false;
            here++;
            loader->answered += c->status == 200 && c->content_bytes == (uint64_t)loader->size;
        }
    }
    loader->took_ms = (double)(now_ns() - start_ns) / 1e6;
    for (int i = 0; i < loader->connections; i++)
        close(connections[i].fd);
}
