// pages.c: see pages.h. Read answer_request() first. Each route has a function of its own.
#include "pages.h"

#include "conditions.h"
#include "folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CACHED_TAG  "\"workbench-1\""
#define CACHED_DATE 1735689600 // seconds since 1970: 2025-01-01
#define CACHED_SIZE 20000

// One bit for each method, so that a route can say which methods it takes.
enum method { GET = 1, HEAD = 2, POST = 4, PUT = 8, PATCH = 16, DELETE = 32, OPTIONS = 64 };

static const char *const methods[] = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                      "DELETE", "OPTIONS", "CONNECT", "TRACE"};

#define READING (GET | HEAD | OPTIONS)
#define ALL     (READING | POST | PUT | PATCH | DELETE)

// Several sites have one address; the Host field says which site is meant (RFC 9110 §7.2).
static const struct {
    const char *host, *text;
} sites[] = {{"cats.example", "meow\n"}, {"dogs.example", "woof\n"}};

static const char image_begin[] = "\x89PNG\r\n\x1a\n"; // the bytes behind it are made up

void answer_field(struct answer *answer, const char *name, const char *value)
{
    size_t length = strlen(answer->fields);
    snprintf(answer->fields + length, FIELDS_BYTES - length, "%s: %s\r\n", name, value);
}

static void say(struct answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->type = "text/plain";
    answer->text = text;
    answer->length = strlen(text);
}

void answer_error(struct answer *answer, int status, const char *why)
{
    snprintf(answer->line, LINE_BYTES, "%s: %s\n", http_reason(status), why);
    say(answer, status, answer->line);
    answer->echo = false;
    answer->delay_ms = answer->pieces = 0; // an error is sent at once
}

// ---- the target ----------------------------------------------------------------------------

struct request {
    const struct http_head *head;
    unsigned method;
    struct http_text path, query;
    struct http_text rest; // of the path, behind the route's own part: "7" of /img/7
    struct upload *upload;
};

// True if the path is `route`. With `prefix` it is enough that the path begins with `route`;
// then *rest is the rest of the path.
static bool is_under(struct http_text path, const char *route, bool prefix,
                     struct http_text *rest)
{
    size_t length = strlen(route);
    if (path.length < length || (!prefix && path.length > length) ||
        memcmp(path.at, route, length))
        return false;
    *rest = (struct http_text){path.at + length, path.length - length};
    return true;
}

// Sets *value to the number called `name` in the query; without such a number *value stays as
// it is. False: the number is out of range.
static bool parameter(struct http_text query, const char *name, int max, int *value)
{
    struct http_text text = http_parameter(query, name);
    uint64_t number = (uint64_t)*value;
    bool good = !text.at || http_number(text, (uint64_t)max, &number);
    *value = (int)number;
    return good;
}

// ---- the routes ----------------------------------------------------------------------------

static void answer_echo(const struct request *request, struct answer *answer)
{
    (void)request;
    answer->echo = true;
    answer->type = "application/octet-stream";
}

static void answer_nothing(const struct request *request, struct answer *answer)
{
    (void)request;
    answer_error(answer, 404, "there is nothing at this path");
}

static void answer_site(const struct request *request, struct answer *answer)
{
    struct http_text host = request->head->host;
    if (request->method == POST) {
        answer_echo(request, answer);
        return;
    }
    if (host.length) {
        const char *colon = memrchr(host.at, ':', host.length);
        if (colon)
            host.length = (size_t)(colon - host.at); // the port is no part of the name
    }
    say(answer, 200, "hello, world\n");
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++)
        if (http_is_token(host, sites[i].host))
            say(answer, 200, sites[i].text);
}

static void answer_image(const struct request *request, struct answer *answer)
{
    uint64_t image;
    int size = 4096;
    if (!http_number(request->rest, 1 << 30, &image)) {
        answer_error(answer, 404, "an image has a number");
        return;
    }
    answer->image = (unsigned)image;
    answer->type = "image/png";
    if (!parameter(request->query, "size", IMAGE_MAX, &size))
        answer_error(answer, 400, "size is a number up to 67108864");
    else
        answer->length = (uint64_t)size;
}

static void answer_slowly(const struct request *request, struct answer *answer)
{
    answer->delay_ms = 300;
    say(answer, 200, "that took a while\n");
    if (!parameter(request->query, "ms", DELAY_MAX, &answer->delay_ms))
        answer_error(answer, 400, "ms is a number up to 60000");
}

static void answer_in_pieces(const struct request *request, struct answer *answer)
{
    answer->type = "text/plain";
    answer->delay_ms = 200;
    answer->pieces = 5;
    if (!parameter(request->query, "n", PIECES_MAX, &answer->pieces) ||
        !parameter(request->query, "ms", DELAY_MAX, &answer->delay_ms) || !answer->pieces)
        answer_error(answer, 400, "n is a number from 1 to 10000, ms one up to 60000");
}

static void answer_cached(const struct request *request, struct answer *answer)
{
    enum condition condition = conditions_test(request->head, CACHED_TAG, CACHED_DATE);
    answer->type = "image/png";
    answer->length = CACHED_SIZE;
    answer_field(answer, "ETag", CACHED_TAG);
    answer_field(answer, "Last-Modified", http_date(CACHED_DATE));
    answer_field(answer, "Cache-Control", "max-age=60");
    if (condition == CONDITION_CHANGED) {
        answer_error(answer, 412, "the image is another one than the request names");
    } else if (condition == CONDITION_KNOWN) {
        answer->status = 304;
        answer->type = NULL;
        answer->length = 0;
    }
}

// A file of the folder that --files names.
static void answer_from_folder(const struct request *request, struct answer *answer)
{
    folder_answer(request->head, request->method == GET, request->rest, answer);
}

static void answer_file(const struct request *request, struct answer *answer)
{
    int64_t length = 0, offset = -1;
    int fd = -1, status = 404;
    const char *why = "there is no such file";
    if (request->method & (PUT | PATCH)) {
        status = upload_begin(request->upload, request->rest, request->head, &offset);
        why = request->upload->why;
    } else {
        fd = files_open(request->rest, &length);
        if (fd < 0 && errno != ENOENT) {
            status = 503;
            why = "too many files are open; try again later";
        }
    }
    if (request->method == HEAD)
        offset = files_offset(request->rest);
    if (fd >= 0) {
        answer->file = fd;
        answer->type = "application/octet-stream";
        answer->length = (uint64_t)length;
    } else if (request->method == HEAD && offset >= 0) {
        answer->status = 204; // a part of the file is here; it cannot be read yet
    } else if (status) {
        answer_error(answer, status, why);
    }
    if (offset >= 0) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)offset);
        answer_field(answer, "Upload-Offset", text);
    }
}

// ---- the right route ------------------------------------------------------------------------

// The method's bit. CONNECT and TRACE are known, but no route takes their bits. 0: the method
// is not known.
static unsigned find_method(struct http_text name)
{
    for (unsigned i = 0; i < sizeof methods / sizeof *methods; i++)
        if (http_is(name, methods[i]))
            return 1U << i;
    return 0;
}

static void put_methods(struct answer *answer, unsigned taken)
{
    char list[80] = "";
    for (unsigned i = 0; 1U << i <= OPTIONS; i++) {
        if (!(taken & 1U << i))
            continue;
        if (*list)
            strcat(list, ", ");
        strcat(list, methods[i]);
    }
    answer_field(answer, "Allow", list);
}

static const struct route {
    const char *path;
    bool prefix; // true: the route has all paths that begin with `path`
    unsigned methods;
    void (*answer)(const struct request *, struct answer *);
} routes[] = {{"/", false, READING | POST, answer_site},
              {"/img/", true, READING, answer_image},
              {"/slow", false, READING, answer_slowly},
              {"/stream", false, READING, answer_in_pieces},
              {"/cached", false, READING, answer_cached},
              {"/echo", false, ALL, answer_echo},
              {"/files/", true, READING | PUT | PATCH, answer_file},
              {"/file/", true, READING, answer_from_folder},
              {"*", false, ALL, NULL}, // OPTIONS * asks about the whole server
              {"", true, ALL, answer_nothing}};

void answer_request(const struct http_head *head, struct answer *answer, struct upload *upload)
{
    struct request request = {
        .head = head, .method = find_method(head->method), .upload = upload};
    const struct route *route = routes;
    http_split_target(head->target, &request.path, &request.query);
    while (!is_under(request.path, route->path, route->prefix, &request.rest))
        route++;
    answer->status = 200;
    if (!request.method) {
        answer_error(answer, 501, "no path here has this method");
    } else if (!(request.method & route->methods)) {
        answer_error(answer, 405, "Allow lists what this path takes");
        put_methods(answer, route->methods);
    } else if (request.method == OPTIONS && route->answer != answer_nothing) {
        answer->status = 204;
        put_methods(answer, route->methods);
    } else {
        route->answer(&request, answer);
    }
}

size_t answer_content(struct answer *answer, char *to, size_t room)
{
    size_t length = room;
    if (answer->length - answer->sent < room)
        length = (size_t)(answer->length - answer->sent);
    if (answer->text) {
        memcpy(to, answer->text + answer->sent, length);
    } else if (answer->file) {
        length = file_content(answer, to, length);
    } else {
        for (size_t i = 0; i < length; i++)
            to[i] = (char)((answer->sent + i) * 7 + answer->image);
        if (answer->sent < sizeof image_begin - 1 && length >= sizeof image_begin - 1)
            memcpy(to, image_begin, sizeof image_begin - 1);
    }
    answer->sent += length;
    return length;
}
