// test.c: tests of lesson 02. `make test` runs them, the scenes, real peers, and the patches in
// break/. Here: one request after another, and its answer. Further tests, by topic:
//
//     test_answers.h   what the answers say
//     test_uploads.h   files that come whole, in parts, and from two at once
//     test_client.h    ./client
//     test_clients.h   clients that are slow, silent, gone, or many
//     test_files.h     files of a folder, whole and in ranges
//     test_mutations.h good requests with a random change
//
// Requests and what is expected of them: test_requests.h. How they are sent: test_talk.h.
#define SUMMARY "connections 4, requests 3\n"
#define LOGGED  "answer: 200, 13 bytes of content\n"
#include "contract.h"

#include "test_answers.h"
#include "test_client.h"
#include "test_clients.h"
#include "test_files.h"
#include "test_mutations.h"
#include "test_requests.h"
#include "test_talk.h"
#include "test_uploads.h"

#define MEGABYTE      (1 << 20)
#define REQUEST_BYTES (2 * MEGABYTE) // of the longest one that is sent at once

static char request[REQUEST_BYTES];

static bool exchange(int port)
{
    return strstr(ask(port, GET HOST END), "HTTP/1.1 200 OK\r\n");
}

// ---- one request after another -------------------------------------------------------------

static bool is_head(const char *bytes)
{
    return !strncmp(bytes + strspn(bytes, "\r\n"), "HEAD ", 5);
}

// Sends a request with the marker behind it, cut as in send_cut(), and checks the answer.
static void expect(int port, const struct odd_request *odd, int fence_fd, size_t cut)
{
    char seen[100];
    memcpy(request, odd->bytes, odd->length);
    memcpy(request + odd->length, MARKER, sizeof MARKER - 1);
    size_t length = odd->length + sizeof MARKER - 1;
    size_t got = talk(port, fence_fd, request, length, cut, answers);
    describe(answers, got, is_head(odd->bytes), seen);
    if (strcmp(seen, odd->expected))
        FAIL("%s: expected %s, got %s", odd->name, odd->expected, seen);
}

TEST(odd_requests)
{
    pid_t pid;
    int port = serve(&pid);
    for (size_t i = 0; i < ODD_REQUESTS; i++)
        expect(port, odd_request(i), -1, WHOLE);
    CHECK_INT(test_stop(pid), 0);
}

TEST(odd_requests_byte_by_byte)
{
    pid_t pid;
    int port = serve(&pid), fence_fd = net_connect_or_die("127.0.0.1", port);
    for (size_t i = 0; i < ODD_REQUESTS; i++)
        expect(port, odd_request(i), fence_fd, EACH);
    close(fence_fd);
    CHECK_INT(test_stop(pid), 0);
}

// Sends the pattern with `length` bytes in the place of its '@', and checks the answer.
static void expect_filled(int port, const char *pattern, const char *bytes, size_t length,
                          const char *expected)
{
    static char text[REQUEST_BYTES];
    char name[200];
    size_t before = strcspn(pattern, "@"), behind = strlen(pattern + before + 1);
    memcpy(text, pattern, before);
    memcpy(text + before, bytes, length);
    memcpy(text + before + length, pattern + before + 1, behind + 1);
    snprintf(name, sizeof name, "%s of \"%.20s\" (%#x)", pattern, bytes, (uint8_t)*bytes);
    struct odd_request odd = {name, expected, text, before + length + behind};
    expect(port, &odd, -1, WHOLE);
}

// The answer to a request with the byte `c` in a place where text stands, or content. A control
// byte is wrong in any text, but a tab is right where a space is.
static const char *expected_of(int c, bool is_content, const char *with_tab,
                               const char *with_other)
{
    if (c == '\t')
        return with_tab;
    if (c > 127)
        return with_other;
    if (is_content)
        return "200";
    return "400 close";
}

TEST(every_control_byte_in_every_place)
{
    static const struct {
        const char *pattern;
        const char *with_tab, *with_other; // bytes that are not ASCII: 0x80 and above
    } places[] = {
        {"@GET / HTTP/1.1\r\n" HOST END, "400 close", "400 close"},
        {"G@T / HTTP/1.1\r\n" HOST END, "400 close", "400 close"},
        {"GET@/ HTTP/1.1\r\n" HOST END, "400 close", "400 close"},
        {"GET /@ HTTP/1.1\r\n" HOST END, "400 close", "400 close"},
        {"GET /?a=@b HTTP/1.1\r\n" HOST END, "400 close", "400 close"},
        {"GET http://h@/ HTTP/1.1\r\n" HOST END, "400 close", "400 close"},
        {"GET / @HTTP/1.1\r\n" HOST END, "400 close", "400 close"},
        {"GET / HTTP/@.1\r\n" HOST END, "400 close", "400 close"},
        {"GET / HTTP/1.1@\r\n" HOST END, "400 close", "400 close"},
        {"GET / HTTP/1.1\r@\n" HOST END, "400 close", "400 close"},
        {GET "@Host: h\r\n\r\n", "400 close", "400 close"},
        {GET "Ho@st: h\r\n\r\n", "400 close", "400 close"},
        {GET "Host@: h\r\n\r\n", "400 close", "400 close"},
        {GET "Host:@h\r\n\r\n", "200", "400 close"},
        {GET "Host: h@i\r\n\r\n", "400 close", "400 close"},
        {GET "Host: h@\r\n\r\n", "200", "400 close"},
        {GET HOST "X:@y\r\n\r\n", "200", "200"},
        {GET HOST "X: y@z\r\n\r\n", "200", "200"},
        {GET HOST "X: y@\r\n\r\n", "200", "200"},
        {GET HOST "X: y\r@\n\r\n", "400 close", "400 close"},
        {GET HOST "X: y\r\n@\r\n", "400 close", "400 close"},
        {POST LENGTH "@5\r\n\r\nhello", "200", "400 close"},
        {POST LENGTH "5@\r\n\r\nhello", "200", "400 close"},
        {POST CODING "@chunked\r\n\r\n" LAST, "200", "400 close"},
        {POST CODING "chunk@ed\r\n\r\n" LAST, "400 close", "400 close"},
        {CHUNKS "@5\r\nhello\r\n" LAST, "400 close", "400 close"},
        {CHUNKS "5@\r\nhello\r\n" LAST, "400 close", "400 close"},
        {CHUNKS "5;@\r\nhello\r\n" LAST, "200", "200"},
        {CHUNKS "5;a=@b\r\nhello\r\n" LAST, "200", "200"},
        {CHUNKS "5\r@\nhello\r\n" LAST, "400 close", "400 close"},
        {CHUNKS "5\r\nhello@\r\n" LAST, "400 close", "400 close"},
        {CHUNKS "5\r\nhell@\r\n" LAST, "200", "200"}, // content is anything
        {CHUNKS "0\r\n@X: y\r\n\r\n", "400 close", "400 close"},
        {CHUNKS "0\r\nX@: y\r\n\r\n", "400 close", "400 close"},
        {CHUNKS "0\r\nX: @y\r\n\r\n", "200", "200"},
        {CHUNKS "0\r\nX: y\r\n@\r\n", "400 close", "400 close"},
    };
    pid_t pid;
    int port = serve(&pid);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool is_content = strstr(places[i].pattern, "hell@\r");
        for (int c = 0; c < 256; c++) {
            char byte[2] = {(char)c, '\0'};
            if (c >= ' ' && c < 127)
                continue;
            expect_filled(port, places[i].pattern, byte, 1,
                          expected_of(c, is_content, places[i].with_tab, places[i].with_other));
        }
    }
    CHECK_INT(test_stop(pid), 0);
}

// Zeros may stand in front of the digits of a length, and in a field also spaces around them.
// All other bytes there are wrong.
TEST(every_form_of_a_length)
{
    static const char *const before[] = {"",  "0",  "00", " ",  "\t", "+", "-",    "0x", "0X",
                                         "x", "&b", "0o", "$",  "#",  "'", "\"",   "=",  ",",
                                         ";", ".",  "(",  "5,", "5 ", "_", "\xa0", "%",  "~",
                                         "!", "1.", "\\", "/",  "*",  "<", "[",    "{",  "?"};
    static const char *const behind[] = {"",   " ",    "\t", "+",   "-",  "h",   "x", "L",
                                         "u",  ".",    ".0", "e+0", ",",  ",5",  ";", ", 5",
                                         " 5", "\xa0", "_",  "%",   "\"", "'",   ")", "=",
                                         ":",  "/",    "g",  "0x",  "--", "\\n", "^", "!"};
    static const char size_pattern[] = CHUNKS "@\r\nhello\r\n" LAST;
    static const char *const expected[] = {"400 close", "200"}; // of a bad form, of a good one
    pid_t pid;
    char form[20];
    int port = serve(&pid);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        for (size_t j = 0; j < sizeof behind / sizeof *behind; j++) {
            bool zeros = strspn(before[i], "0") == strlen(before[i]);
            bool spaces = strspn(before[i], " \t") == strlen(before[i]);
            bool good = (zeros || spaces) && strspn(behind[j], " \t") == strlen(behind[j]);
            bool extension = zeros && *behind[j] == ';';
            snprintf(form, sizeof form, "%s5%s", before[i], behind[j]);
            expect_filled(port, POST LENGTH "@\r\n\r\nhello", form, strlen(form),
                          expected[good]);
            good = zeros && (!*behind[j] || extension);
            expect_filled(port, size_pattern, form, strlen(form), expected[good]);
        }
    CHECK_INT(test_stop(pid), 0);
}

// Lengths of 1 to 40 digits: a content that is too long gets 413 if a 64-bit number can hold
// its length, and 400 if not. No number wraps around.
TEST(lengths_that_overflow)
{
    pid_t pid;
    char digits[41];
    int port = serve(&pid);
    for (int count = 1; count <= 40; count++) {
        const char *refusal = "413 close";
        if (count > 18)
            refusal = "400 close";
        memset(digits, '9', sizeof digits);
        if (count >= 7)
            expect_filled(port, POST LENGTH "@\r\n\r\nhello", digits, (size_t)count, refusal);
        memset(digits, '0', sizeof digits);
        digits[count - 1] = '5';
        expect_filled(port, POST LENGTH "@\r\n\r\nhello", digits, (size_t)count, "200");
        expect_filled(port, CHUNKS "@\r\nhello\r\n" LAST, digits, (size_t)count, "200");
        // The digit 1, zeros, and a 5: a reader that wraps around might take this for 5.
        digits[0] = '1';
        if (count > 16)
            expect_filled(port, CHUNKS "@\r\nhello\r\n" LAST, digits, (size_t)count,
                          "400 close");
    }
    CHECK_INT(test_stop(pid), 0);
}

// ---- limits --------------------------------------------------------------------------------

// The same with `length` letters.
static void expect_letters(int port, const char *pattern, size_t count, const char *expected)
{
    static char letters[REQUEST_BYTES];
    memset(letters, 'a', count);
    expect_filled(port, pattern, letters, count, expected);
}

TEST(limits)
{
    static char lines[REQUEST_BYTES / 2];
    pid_t pid;
    int port = serve(&pid);
    // "GET /", a space before: 8192 bytes of method, target and the space between them.
    expect_letters(port, "GET /@ HTTP/1.1\r\n" HOST END, 8192 - 5, "404");
    expect_letters(port, "GET /@ HTTP/1.1\r\n" HOST END, 8192 - 4, "414 close");
    expect_letters(port, "GET /@ HTTP/1.1\r\n" HOST END, 60000, "414 close");
    expect_letters(port, "GET /?@ HTTP/1.1\r\n" HOST END, 100000, "414 close");
    expect_letters(port, "GET http://h/@ HTTP/1.1\r\n" HOST END, 9000, "414 close");
    expect_letters(port, "@ / HTTP/1.1\r\n" HOST END, 33, "501 close");
    expect_letters(port, "@", 60000, "501 close");
    // "Host: h\r\n" and "X: \r\n": 14 bytes of 16384.
    expect_letters(port, GET HOST "X: @\r\n\r\n", 16384 - 14, "200");
    expect_letters(port, GET HOST "X: @\r\n\r\n", 16384 - 13, "431 close");
    expect_letters(port, GET HOST "X: @\r\n\r\n", 100000, "431 close");
    expect_letters(port, GET HOST "@: x\r\n\r\n", 100000, "431 close");
    expect_letters(port, GET HOST "@", 100000, "431 close");
    expect_letters(port, CHUNKS "0\r\nX: @\r\n\r\n", 16384 - 5, "200");
    expect_letters(port, CHUNKS "0\r\nX: @\r\n\r\n", 16384 - 4, "431 close");
    expect_letters(port, CHUNKS "0\r\nX: @\r\n\r\n", 100000, "431 close");
    expect_letters(port, CHUNKS "5;@\r\nhello\r\n" LAST, 256 - 2, "200");
    expect_letters(port, CHUNKS "5;@\r\nhello\r\n" LAST, 256 - 1, "400 close");
    // 100 fields, one of them Host; one more; very many.
    for (size_t i = 0; i < 10000; i++)
        memcpy(lines + 4 * i, "a:\r\n", 4);
    expect_filled(port, GET HOST "@\r\n", lines, 4 * 99, "200");
    expect_filled(port, GET HOST "@\r\n", lines, 4 * 100, "431 close");
    expect_filled(port, GET HOST "@\r\n", lines, 4 * 10000, "431 close");
    // A megabyte of content, as such and in a chunk; one byte more.
    expect_letters(port, POST LENGTH "1048576\r\n\r\n@", MEGABYTE, "200");
    expect_letters(port, CHUNKS "100000\r\n@\r\n" LAST, MEGABYTE, "200");
    expect_letters(port, CHUNKS "100000\r\n@\r\n1\r\nx\r\n" LAST, MEGABYTE, "413 close");
    expect_letters(port, CHUNKS "100001\r\n@", MEGABYTE + 1, "413 close");
    expect_letters(port, CHUNKS "fffffffffffffff\r\n@", MEGABYTE + 1, "413 close");
    // A request that is refused for another reason brings more than the server reads: its
    // client is still told the reason.
    expect_letters(port, "POST /nothing HTTP/1.1\r\n" HOST CODING "chunked\r\n\r\n200000\r\n@",
                   MEGABYTE + 1, "404 close");
    expect_letters(port, "POST /nothing HTTP/1.1\r\n" HOST LENGTH "2000000\r\n\r\n@", 10,
                   "404 close");
    CHECK_INT(test_stop(pid), 0);
}

// ---- in pieces, and all at once ------------------------------------------------------------

// The request with this name in the table.
static const struct odd_request *named(const char *name)
{
    for (size_t i = 0; i < ODD_REQUESTS; i++)
        if (!strcmp(odd_request(i)->name, name))
            return odd_request(i);
    FAIL("there is no request '%s'", name);
    return odd_request(0);
}

TEST(requests_cut_at_every_byte_get_the_same_answers)
{
    static const char *const names[] = {
        "as it should be",
        "HEAD of an image",
        "OPTIONS *",
        "1.0 with keep-alive",
        "a URI with an IPv6 address",
        "many spaces around a value",
        "two Hosts",
        "a folded value",
        "a length with spaces around",
        "the same length twice",
        "chunks and a length",
        "extensions, one in quotes",
        "a trailer",
        "a bare newline behind a chunk",
        "expects to go on",
        "a stream",
        "2.0",
    };
    static char whole[ANSWERS_BYTES];
    pid_t pid;
    int port = serve(&pid), fence_fd = net_connect_or_die("127.0.0.1", port);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct odd_request *odd = named(names[i]);
        size_t length = odd->length + sizeof MARKER - 1;
        memcpy(request, odd->bytes, odd->length);
        memcpy(request + odd->length, MARKER, sizeof MARKER - 1);
        size_t expected = talk(port, fence_fd, request, length, WHOLE, whole);
        mask_dates(whole, expected);
        for (size_t cut = 1; cut < length; cut++) {
            size_t got = talk(port, fence_fd, request, length, cut, answers);
            mask_dates(answers, got);
            if (got != expected || memcmp(answers, whole, got))
                FAIL("%s, cut at %zu, has other answers", odd->name, cut);
        }
    }
    close(fence_fd);
    CHECK_INT(test_stop(pid), 0);
}

// All requests of the table that keep the connection go out at once on one connection. Their
// answers must be those that each request got alone, in the same order. A bad request at the
// end closes the connection.
TEST(pipelined_requests_get_the_same_answers)
{
    static char expected[2 * ANSWERS_BYTES]; // room for talk(), wherever it begins
    pid_t pid;
    size_t length = 0, sum = 0;
    int port = serve(&pid), fence_fd = net_connect_or_die("127.0.0.1", port);
    for (size_t i = 0; i < ODD_REQUESTS; i++) {
        const struct odd_request *odd = odd_request(i);
        if (strchr(odd->expected, ' '))
            continue;
        memcpy(request + length, odd->bytes, odd->length);
        length += odd->length;
        sum += talk(port, -1, odd->bytes, odd->length, WHOLE, expected + sum);
    }
    const struct odd_request *bad = named("a bare newline behind a field");
    memcpy(request + length, bad->bytes, bad->length);
    length += bad->length;
    sum += talk(port, -1, bad->bytes, bad->length, WHOLE, expected + sum);
    memcpy(request + length, MARKER, sizeof MARKER - 1); // to which there is no answer
    length += sizeof MARKER - 1;
    CHECK(sum > 10000);
    mask_dates(expected, sum);
    for (size_t cut = 1; cut < length; cut += 997) {
        size_t got = talk(port, fence_fd, request, length, cut, answers);
        mask_dates(answers, got);
        CHECK_INT((long)got, (long)sum);
        CHECK(!memcmp(answers, expected, sum));
    }
    close(fence_fd);
    CHECK_INT(test_stop(pid), 0);
}

TEST(answers_keep_their_order)
{
    pid_t pid;
    int port = serve(&pid);
    const char *text = ask(port, "GET /slow?ms=50 HTTP/1.1\r\n" HOST END
                                 "GET /stream?n=3&ms=5 HTTP/1.1\r\n" HOST END
                                 "GET /img/1?size=100000 HTTP/1.1\r\n" HOST END
                                 "POST /echo HTTP/1.1\r\n" HOST LENGTH "4\r\n\r\nfour"
                                 "GET /slow?ms=1 HTTP/1.0\r\n\r\n" GET HOST END);
    static const char *const parts[] = {"that took", "piece 1", "piece 3",  "\r\n0\r\n\r\nHTTP",
                                        "image/png", "four",    "that took"};
    const char *end = text + ANSWERS_BYTES, *at = text;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        at = memmem(at, (size_t)(end - at), parts[i], strlen(parts[i]));
        if (!at) {
            FAIL("\"%s\" is not in its place", parts[i]);
            break;
        }
    }
    CHECK(at && !strcmp(at, "that took a while\n")); // HTTP/1.0: nothing comes behind it
    CHECK_INT(test_stop(pid), 0);
}
