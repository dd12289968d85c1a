// test_files.h: /file/NAME: ranges, conditions, and names that lead out of the folder.
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <sys/stat.h>

#include "ranges.h"
#include "test_talk.h"

// ---- the field Range -----------------------------------------------------------------------

// Of a file of 10 bytes. "-": the field is ignored; "!": 416.
static const struct {
    const char *value, *expected;
} range_fields[] = {
    {"bytes=0-3", "0+4"},
    {"bytes=0-0", "0+1"},
    {"bytes=0-", "0+10"},
    {"bytes=9-", "9+1"},
    {"bytes=9-99", "9+1"},
    {"bytes=0-18446744073709551614", "0+10"},
    {"bytes=-1", "9+1"},
    {"bytes=-10", "0+10"},
    {"bytes=-11", "0+10"},
    {"BYTES=1-2", "1+2"},
    {"bytes=0-1,4-5", "0+2 4+2"},
    {"bytes= 0-1 ,, 4-5 ,", "0+2 4+2"},
    {"bytes=4-5,0-1", "4+2 0+2"},
    {"bytes=0-1,50-60,8-", "0+2 8+2"},
    {"bytes=0-3,2-5", "0+4 2+4"},
    {"bytes=10-", "!"},
    {"bytes=10-20,-0", "!"},
    {"bytes=-0", "!"},
    {"bytes=0-9,0-0", "-"}, // more than the file
    {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9",
     "0+1 1+1 2+1 3+1 4+1 5+1 6+1 7+1 8+1 9+1"},
    {"bytes=3-2", "-"},
    {"bytes=", "-"},
    {"bytes=,", "-"},
    {"bytes=-", "-"},
    {"bytes=a-b", "-"},
    {"bytes=1-2x", "-"},
    {"bytes=1-2,x", "-"},
    {"bytes=1", "-"},
    {"bytes=--1", "-"},
    {"bytes=1-18446744073709551616", "-"},
    {"bytes", "-"},
    {"lines=0-1", "-"},
    {"", "-"},
};

TEST(range_fields_are_read)
{
    for (size_t i = 0; i < sizeof range_fields / sizeof *range_fields; i++) {
        struct ranges ranges;
        char seen[100] = "-";
        const char *value = range_fields[i].value;
        struct http_text text = {value, strlen(value)};
        enum ranges_result result = ranges_read(text, 10, &ranges);
        if (result == RANGES_OUTSIDE)
            strcpy(seen, "!");
        for (int r = 0; result == RANGES_FOUND && r < ranges.count; r++)
            snprintf(seen + (r ? strlen(seen) : 0), 12, "%s%d+%d", r ? " " : "",
                     (int)ranges.range[r].from, (int)ranges.range[r].length);
        if (strcmp(seen, range_fields[i].expected))
            FAIL("%s: expected %s, got %s", value, range_fields[i].expected, seen);
    }
}

TEST(there_may_be_sixteen_ranges)
{
    char value[200] = "bytes=";
    struct ranges ranges;
    for (int count = 1; count <= RANGES_MAX + 1; count++) {
        snprintf(value + strlen(value), 12, "%d-%d,", count * 10, count * 10);
        struct http_text text = {value, strlen(value)};
        enum ranges_result result = ranges_read(text, 1000, &ranges);
        CHECK_INT(result, count <= RANGES_MAX ? RANGES_FOUND : RANGES_IGNORED);
    }
    struct http_text empty = {"bytes=0-", 8};
    CHECK_INT(ranges_read(empty, 0, &ranges), RANGES_OUTSIDE);
}

// ---- a server ------------------------------------------------------------------------------

#define FOLDER     "build/files"
#define LONG_BYTES 1000000

static int serve_files(pid_t *pid)
{
    signal(SIGPIPE, SIG_IGN);
    CHECK_INT(test_run("rm -rf " FOLDER " && mkdir -p " FOLDER "/sub " FOLDER
                       "/dir && cd " FOLDER
                       " && printf 0123456789 >ten.txt && cp ten.txt sub/in && : >empty && "
                       "seq 1000000 | head -c 1000000 >long && ln -s ten.txt near && "
                       "ln -s /etc/passwd far && ln -s ../../Makefile up && mkfifo fifo && "
                       "touch -d @1700000000 ten.txt"),
              0);
    return test_start(pid, "./server --quiet --port 0 --files " FOLDER);
}

static const char *ask_file(int port, const char *name, const char *fields)
{
    return ask(port, "GET /file/%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n", name,
               fields);
}

static const struct {
    const char *name;
    int status;
} file_names[] = {{"ten.txt", 200},
                  {"ten%2Etxt", 200},
                  {"ten%2etxt?x=y", 200},
                  {"near", 200},
                  {"sub/in", 200},
                  {"sub/../ten.txt", 200},
                  {"empty", 200},
                  {"far", 404},
                  {"up", 404},
                  {"fifo", 404},
                  {"dir", 404},
                  {"sub/", 404},
                  {"", 404},
                  {"nothing", 404},
                  {"../files/ten.txt", 404},
                  {"sub/../../files/ten.txt", 404},
                  {"%2e%2e/files/ten.txt", 404},
                  {"/etc/passwd", 404},
                  {"%2fetc%2fpasswd", 404},
                  {"ten.txt%00", 404},
                  {"ten%", 404},
                  {"ten%2", 404},
                  {"ten%zz", 404},
                  {"ten.txt/", 404},
                  {"ten.txt/x", 404}};

TEST(no_name_leads_out_of_the_folder)
{
    pid_t pid;
    char status[20];
    int port = serve_files(&pid);
    for (size_t i = 0; i < sizeof file_names / sizeof *file_names; i++) {
        snprintf(status, sizeof status, "HTTP/1.1 %d ", file_names[i].status);
        if (strncmp(ask_file(port, file_names[i].name, ""), status, strlen(status)) != 0)
            FAIL("%s: expected %d, got %.12s", file_names[i].name, file_names[i].status,
                 answers);
    }
    CHECK_INT(test_stop(pid), 0);
}

TEST(one_range_and_several)
{
    pid_t pid;
    int port = serve_files(&pid);
    ask_file(port, "ten.txt", "Range: bytes=2-5\r\n");
    CHECK_HAS(answers, "HTTP/1.1 206 Partial Content\r\n");
    CHECK_HAS(answers, "\r\nContent-Range: bytes 2-5/10\r\n");
    CHECK_HAS(answers, "\r\nContent-Length: 4\r\n");
    CHECK_HAS(answers, "\r\n\r\n2345");
    ask_file(port, "ten.txt", "Range: bytes=0-0,-2\r\n");
    CHECK_HAS(answers, "HTTP/1.1 206 Partial Content\r\n");
    CHECK(!strstr(strstr(answers, "HTTP/1.1"),
                  "\r\nContent-Range: bytes 0-0/10\r\nContent-Length"));
    CHECK_HAS(answers, "\r\nContent-Type: multipart/byteranges; boundary=");
    CHECK_HAS(answers, "\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--");
    CHECK_HAS(answers, "\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--");
    const char *content = strstr(answers, "\r\n\r\n") + 4;
    const char *length = strstr(answers, "\r\nContent-Length: ");
    CHECK(length && atol(length + 18) == (long)strlen(content));
    ask_file(port, "ten.txt", "Range: bytes=10-\r\n");
    CHECK_HAS(answers, "HTTP/1.1 416 Range Not Satisfiable\r\n");
    CHECK_HAS(answers, "\r\nContent-Range: bytes */10\r\n");
    // Two fields, or a HEAD: no range.
    CHECK_HAS(ask_file(port, "ten.txt", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n"), " 200 OK");
    CHECK_HAS(ask(port, "HEAD /file/ten.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n"
                        "Connection: close\r\n\r\n"),
              " 200 OK");
    CHECK_INT(test_stop(pid), 0);
}

// Long parts are sent by sendfile(), short ones are not: the bytes are the same.
TEST(long_files_come_whole)
{
    pid_t pid;
    int port = serve_files(&pid);
    static const char command[] =
        "curl -sS -m 20 %s http://127.0.0.1:%d/file/long | cmp - " FOLDER "/long";
    char text[200];
    if (test_run("command -v curl") != 0)
        SKIP("needs curl");
    snprintf(text, sizeof text, command, "", port);
    CHECK_INT(test_run(text), 0);
    for (int from = 0; from < 3; from++) {
        snprintf(text, sizeof text,
                 "curl -sS -m 20 -r %d-900000 http://127.0.0.1:%d/file/long >" FOLDER
                 "/got && tail -c +%d " FOLDER "/long | head -c %d | cmp - " FOLDER "/got",
                 from * 300000, port, from * 300000 + 1, 900001 - from * 300000);
        CHECK_INT(test_run(text), 0);
    }
    ask_file(port, "long", "Range: bytes=100-499999,500100-999999\r\n");
    const char *second = strstr(answers, "Content-Range: bytes 500100-999999/1000000\r\n\r\n");
    CHECK(second && strlen(second) > 499900 + 46);
    CHECK_INT(test_stop(pid), 0);
}

TEST(conditions_and_ranges)
{
    pid_t pid;
    int port = serve_files(&pid);
    char tag[100], fields[300];
    ask_file(port, "ten.txt", "");
    const char *at = strstr(answers, "\r\nETag: ");
    CHECK(at);
    snprintf(tag, sizeof tag, "%.*s", at ? (int)strcspn(at + 8, "\r") : 0, at ? at + 8 : "");
    CHECK_HAS(answers, "\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n");
    CHECK_HAS(answers, "\r\nAccept-Ranges: bytes\r\n");
    static const struct {
        const char *fields; // %s: the tag
        int status;
    } requests[] = {{"If-None-Match: %s\r\n", 304},
                    {"If-None-Match: W/%s\r\n", 304},
                    {"If-None-Match: \"x\"\r\n", 200},
                    {"If-Match: \"x\"\r\n", 412},
                    {"If-Match: W/%s\r\n", 412},
                    {"If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 304},
                    {"If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT\r\n", 412},
                    {"Range: bytes=0-1\r\nIf-None-Match: %s\r\n", 304},
                    {"Range: bytes=0-1\r\nIf-Range: %s\r\n", 206},
                    {"Range: bytes=0-1\r\nIf-Range: W/%s\r\n", 200},
                    {"Range: bytes=0-1\r\nIf-Range: \"x\"\r\n", 200},
                    {"Range: bytes=90-\r\nIf-Range: \"x\"\r\n", 200},
                    {"Range: bytes=90-\r\nIf-Range: %s\r\n", 416},
                    {"Range: bytes=0-1\r\nIf-Range: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 206},
                    {"Range: bytes=0-1\r\nIf-Range: Tue, 14 Nov 2023 22:13:21 GMT\r\n", 200},
                    {"Range: bytes=0-1\r\nIf-Range: nonsense\r\n", 200},
                    {"If-Range: %s\r\n", 200}};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char status[20], *to = fields;
        const char *mark = strstr(requests[i].fields, "%s");
        snprintf(to, sizeof fields, "%s", requests[i].fields);
        if (mark)
            snprintf(fields, sizeof fields, "%.*s%s%s", (int)(mark - requests[i].fields),
                     requests[i].fields, tag, mark + 2);
        snprintf(status, sizeof status, "HTTP/1.1 %d ", requests[i].status);
        if (strncmp(ask_file(port, "ten.txt", fields), status, strlen(status)) != 0)
            FAIL("%s: expected %d, got %.12s", fields, requests[i].status, answers);
    }
    // A file that has changed in this second may change once more: its date does not tell.
    CHECK_INT(test_run("touch " FOLDER "/ten.txt"), 0);
    ask_file(port, "ten.txt", "");
    at = strstr(answers, "\r\nLast-Modified: ");
    CHECK(at);
    snprintf(fields, sizeof fields, "Range: bytes=0-1\r\nIf-Range: %.29s\r\n",
             at ? at + 17 : "");
    ask_file(port, "ten.txt", fields);
    CHECK_HAS(answers, "HTTP/1.1 200 ");
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_file_that_becomes_shorter_is_cut)
{
    pid_t pid;
    int port = serve_files(&pid);
    int fd = net_connect_or_die("127.0.0.1", port), small = 20000;
    static const char request[] = "GET /file/huge HTTP/1.1\r\nHost: h\r\n\r\n";
    CHECK_INT(test_run("head -c 30000000 /dev/zero >" FOLDER "/huge"), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    CHECK(write_all(fd, request, sizeof request - 1));
    CHECK(read_until(fd, "\r\n\r\n"));
    CHECK_INT(truncate(FOLDER "/huge", 1000), 0);
    size_t got = 0;
    for (ssize_t part; (part = read(fd, answers, sizeof answers)) > 0;)
        got += (size_t)part;
    CHECK(got < 30000000);
    close(fd);
    CHECK_HAS(ask_file(port, "ten.txt", ""), "0123456789");
    CHECK_INT(test_stop(pid), 0);
}

#endif
