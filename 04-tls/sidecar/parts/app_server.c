// app_server.c: see app_server.h. Read serve() first.
#include "app_server.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

#define BACKLOG  1024
#define RETRY_MS 100 // after accept() found no free descriptor

static app_handler *handle;

// Answers the requests in `in`. Returns how many bytes are used; *open: the connection stays.
static size_t answer_all(struct http_server *http, int fd, const char *in, size_t length,
                         char *answer, bool *open)
{
    struct http_request request;
    size_t at = 0, used = 1;
    while (*open && used && at < length) {
        struct http_out out = {answer, APP_ANSWER_BYTES, 0, false};
        used = http_server_take(http, in + at, length - at, &request, &out);
        at += used;
        if (request.status == HTTP_WHOLE)
            handle(http, &request, &out);
        else if (request.status > 0)
            http_server_refuse(http, &out, request.status, "", NULL);
        *open = write_all(fd, answer, out.length);
        if (request.status != HTTP_MORE) {
            *open = *open && http->keep_alive;
            http_server_done(http);
        }
    }
    return at;
}

static void *serve(void *argument)
{
    struct http_server http = {.content_max = APP_REQUEST_BYTES / 2};
    int fd = (int)(intptr_t)argument;
    char *in = malloc(APP_REQUEST_BYTES), *answer = malloc(APP_ANSWER_BYTES);
    size_t length = 0;
    bool open = in && answer;
    while (open) {
        ssize_t got = read(fd, in + length, APP_REQUEST_BYTES - length);
        if (got <= 0)
            break;
        length += (size_t)got;
        size_t used = answer_all(&http, fd, in, length, answer, &open);
        memmove(in, in + used, length -= used);
    }
    http_server_done(&http);
    free(in);
    free(answer);
    close(fd);
    return NULL;
}

static void start_thread(int fd)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
        close(fd);
    else
        pthread_detach(thread);
}

void app_serve(const char *host, int port, app_handler *handler)
{
    int stop_fd = net_stop_fd(), listener = net_listen(host, port, BACKLOG);
    struct pollfd both[] = {{stop_fd, POLLIN, 0}, {listener, POLLIN, 0}};
    handle = handler;
    net_ready(listener);
    while (poll(both, 2, -1) < 0 || !both[0].revents) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            start_thread(fd);
        else
            sleep_ms(RETRY_MS);
    }
    close(listener);
}
