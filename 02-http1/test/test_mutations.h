// test_mutations.h: checks the rules of test_parser.h with requests that are changed at random.
#ifndef TEST_MUTATIONS_H
#define TEST_MUTATIONS_H

#include "test_parser.h"
#include "test_requests.h"
#include "test_talk.h"

#define MUTATIONS    100000
#define MUTANT_BYTES 1000

// clang-format off
static const char *const words[] = {
    "\r\n", "\n", "\r", " ", "\t", ":", ",", ";", "\r\n ", "\r\n\r\n", "0", "5\r\n", "0\r\n\r\n",
    "\xff", "\x7f", "-1", "+1", "0x1", "99999999999999999999", "HTTP/1.0", "HTTP/1.1", "http://h",
    "[::1]", "chunked", "Host: h\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
    "Expect: 100-continue\r\n", "Connection: close\r\n"};
// clang-format on

// Makes one random change to the bytes. Returns their new length, at most MUTANT_BYTES.
static size_t mutate(char *bytes, size_t length, uint64_t *random)
{
    size_t at = next_random(random) % (length + 1), rest = length - at;
    const char *word = words[next_random(random) % (sizeof words / sizeof *words)];
    size_t less = smaller(rest, next_random(random) % 9), more = strlen(word);
    size_t place = smaller(at, length - 1);
    switch (next_random(random) % 4) {
    case 0: // one bit
        bytes[place] ^= (char)(1 << next_random(random) % 8);
        return length;
    case 1: // another byte
        bytes[place] = (char)next_random(random);
        return length;
    case 2: // some less
        memmove(bytes + at, bytes + at + less, rest - less);
        return length - less;
    default: // a word more
        if (length + more > MUTANT_BYTES)
            return length;
        memmove(bytes + at + more, bytes + at, rest);
        memcpy(bytes + at, word, more);
        return length + more;
    }
}

static void show_bytes(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] >= ' ' && bytes[i] < 127)
            putchar(bytes[i]);
        else
            printf("\\x%02x", (uint8_t)bytes[i]);
    putchar('\n');
}

TEST(mutations_keep_the_rules)
{
    char bytes[MUTANT_BYTES];
    uint64_t random = 3;
    int accepted = 0;
    struct http_head head;
    for (int i = 0; i < MUTATIONS; i++) {
        const struct odd_request *odd = odd_request(next_random(&random) % ODD_REQUESTS);
        size_t length = odd->length + sizeof MARKER - 1;
        memcpy(bytes, odd->bytes, odd->length);
        memcpy(bytes + odd->length, MARKER, sizeof MARKER - 1);
        for (unsigned long n = next_random(&random) % 4; n > 0; n--)
            length = mutate(bytes, length, &random);
        size_t cut = next_random(&random) % (length + 1);
        const char *fault = reading_fault(bytes, length, cut);
        accepted += read_copy(http_read_request, bytes, length, &head) > 0;
        if (fault) {
            FAIL("mutation %d, cut at %zu: %s", i, cut, fault);
            show_bytes(bytes, length);
        }
    }
    CHECK_BETWEEN(accepted, MUTATIONS / 10 + 1, MUTATIONS * 9 / 10 - 1); // both kinds are there
}

TEST(mutated_responses_keep_the_rules)
{
    static const char *const good[] = {
        "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 \r\n" CODING "chunked\r\n\r\n5;a\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\nnothing",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"};
    char bytes[MUTANT_BYTES];
    uint64_t random = 4;
    for (int i = 0; i < MUTATIONS; i++) {
        const char *base = good[next_random(&random) % 4];
        size_t length = strlen(base);
        memcpy(bytes, base, length);
        for (unsigned long n = next_random(&random) % 4; n > 0; n--)
            length = mutate(bytes, length, &random);
        size_t cut = next_random(&random) % (length + 1);
        const char *fault = response_fault(bytes, length, cut);
        if (fault) {
            FAIL("mutation %d, cut at %zu: %s", i, cut, fault);
            show_bytes(bytes, length);
        }
    }
}

#endif
