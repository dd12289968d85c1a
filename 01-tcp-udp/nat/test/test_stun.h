// test_stun.h: tests of messages: the samples of RFC 5769, malformed ones, mutations.
#ifndef TEST_STUN_H
#define TEST_STUN_H

#include "crc32.h"
#include "rules.h"
#include "secret.h"
#include "test_server.h"

#define BYTES(text)   text, sizeof text - 1
#define MUTATIONS     100000
#define ICE_PASSWORD  "VOkJxbRl1RmTxUk/WvJxBt" // of the samples
#define COOKIE_AND_ID "\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"

static const char sample_request[] = // RFC 5769 section 2.1
    "\x00\x01\x00\x58" COOKIE_AND_ID "\x80\x22\x00\x10STUN test client"
    "\x00\x24\x00\x04\x6e\x00\x01\xff"
    "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
    "\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59   "
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5"
    "\x71\xa2"
    "\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
static const char sample_answer[] = // section 2.2
    "\x01\x01\x00\x3c" COOKIE_AND_ID "\x80\x22\x00\x0btest vector "
    "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
    "\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b"
    "\xe7\xd7"
    "\x80\x28\x00\x04\xc0\x7d\x4c\x96";
static const char sample_answer6[] = // section 2.3
    "\x01\x01\x00\x48" COOKIE_AND_ID "\x80\x22\x00\x0btest vector "
    "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2"
    "\xb9\xd9"
    "\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3"
    "\xed\x41"
    "\x80\x28\x00\x04\xc8\xfb\x0b\x4c";

TEST(checksums)
{
    uint8_t digest[SHA1_BYTES], key[80];
    CHECK_INT(crc32("123456789", 9), 0xcbf43926);
    hmac_sha1("Jefe", 4, BYTES("what do ya want for nothing?"), digest); // RFC 2202, case 2
    CHECK(!memcmp(digest,
                  "\xef\xfc\xdf\x6a\xe5\xeb\x2f\xa2\xd2\x74\x16\xd5\xf1\x84\xdf\x9c"
                  "\x25\x9a\x7c\x79",
                  20));
    memset(key, 0xaa, sizeof key); // case 6: a key that is longer than a block
    hmac_sha1(key, sizeof key, BYTES("Test Using Larger Than Block-Size Key - Hash Key First"),
              digest);
    CHECK(!memcmp(digest,
                  "\xaa\x4a\xe5\xe1\x52\x72\xd0\x0e\x95\x70\x56\x37\xce\x8a\x3b\x55"
                  "\xed\x40\x21\x12",
                  20));
}

TEST(the_samples_of_rfc_5769)
{
    struct stun_message message;
    struct sockaddr_storage mapped;
    char name[NET_NAME];
    uint32_t priority;
    CHECK(!stun_read(BYTES(sample_request), &message));
    CHECK(message.class == STUN_REQUEST && message.method == STUN_BINDING);
    CHECK(stun_is_signed(&message, ICE_PASSWORD) && !stun_is_signed(&message, "another"));
    CHECK(message.fingerprint_at > 0);
    CHECK(stun_find_u32(&message, PRIORITY, &priority) && priority == 0x6e0001ff);
    CHECK(!stun_read(BYTES(sample_answer), &message));
    CHECK(message.class == STUN_SUCCESS && stun_is_signed(&message, ICE_PASSWORD));
    CHECK(stun_find_address(&message, XOR_MAPPED_ADDRESS, &mapped));
    CHECK_TEXT(net_name(&mapped, name), "192.0.2.1:32853");
    CHECK(!stun_read(BYTES(sample_answer6), &message));
    CHECK(stun_is_signed(&message, ICE_PASSWORD));
    CHECK(stun_find_address(&message, XOR_MAPPED_ADDRESS, &mapped));
    CHECK_TEXT(net_name(&mapped, name), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

TEST(a_message_is_read_as_it_was_written)
{
    uint8_t bytes[STUN_MAX], transaction[STUN_TRANSACTION];
    struct stun_writer writer;
    struct stun_message message;
    uint64_t number;
    for (int class = STUN_REQUEST; class <= STUN_ERROR; class ++)
        for (uint16_t method = 0; method < 0x1000; method += 7) {
            stun_new_transaction(transaction);
            stun_begin(&writer, bytes, sizeof bytes, (enum stun_class) class, method,
                       transaction);
            stun_add_u64(&writer, ICE_CONTROLLED, 0x0123456789abcdef);
            stun_add_error(&writer, 487, "Role Conflict");
            stun_sign(&writer, "key");
            stun_add_fingerprint(&writer);
            CHECK(!stun_read(bytes, writer.length, &message));
            CHECK(message.class == (enum stun_class) class && message.method == method);
            CHECK(stun_is_signed(&message, "key") && !stun_is_signed(&message, "kez"));
            CHECK(stun_find_u64(&message, ICE_CONTROLLED, &number) &&
                  number == 0x0123456789abcdef);
            if (class == STUN_ERROR)
                CHECK_INT(stun_error_code(&message), 487);
        }
    stun_begin(&writer, bytes, 30, STUN_REQUEST, STUN_BINDING, transaction);
    stun_add_u64(&writer, ICE_CONTROLLED, 1); // no room
    CHECK_INT((long)writer.length, STUN_HEADER);
}

TEST(malformed_messages)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *why;
    } cases[] = {
        {BYTES(""), "it is shorter than a header"},
        {BYTES("\0\1\0\0"
               "\x21\x12\xa4\x42"
               "12345678901"),
         "it is shorter than a header"},
        {BYTES("\x40\1\0\0" COOKIE_AND_ID), "its first two bits are not 0"},
        {BYTES("\x80\1\0\0" COOKIE_AND_ID), "its first two bits are not 0"},
        {BYTES("\0\1\0\4" COOKIE_AND_ID), "its length is wrong"},
        {BYTES("\0\1\0\0" COOKIE_AND_ID "\0\0\0\0"), "its length is wrong"},
        {BYTES("\0\1\0\2" COOKIE_AND_ID "\0\0"), "its length is wrong"},
        {BYTES("\0\1\0\4" COOKIE_AND_ID "\0\6\0\1"), "an attribute is longer than the message"},
        {BYTES("\0\1\0\4" COOKIE_AND_ID "\0\6\xff\xff"),
         "an attribute is longer than the message"},
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\0\6\0\5abcd"),
         "an attribute is longer than the message"},
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\0\x8\0\4abcd"),
         "MESSAGE-INTEGRITY has not 20 bytes"},
        {BYTES("\0\1\0\x8" COOKIE_AND_ID "\x80\x28\0\4abcd"), "FINGERPRINT is wrong"},
        {BYTES("\0\1\0\x4" COOKIE_AND_ID "\x80\x28\0\0"), "FINGERPRINT has not 4 bytes"},
    };
    struct stun_message message;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *bytes = copy_exactly(cases[i].bytes, cases[i].length);
        const char *why = stun_read(bytes, cases[i].length, &message);
        CHECK_TEXT(why ? why : "it is good", cases[i].why);
        free(bytes);
    }
    char more[sizeof sample_request + 3]; // an attribute behind FINGERPRINT
    memcpy(more, sample_request, sizeof sample_request - 1);
    memcpy(more + sizeof sample_request - 1, "\0\6\0\0", 4);
    more[3] += 4;
    CHECK_TEXT(stun_read(more, sizeof more, &message),
               "an attribute stands behind FINGERPRINT");
    static uint8_t longest[STUN_MAX + 4] = {0, 1, (STUN_MAX - 16) >> 8, (STUN_MAX - 16) & 255};
    CHECK_TEXT(stun_read(longest, sizeof longest, &message), "it is too long");
}

// What stands behind MESSAGE-INTEGRITY does not count: anybody may have put it there.
TEST(attributes_behind_the_signature_do_not_count)
{
    uint8_t bytes[STUN_MAX], transaction[STUN_TRANSACTION];
    struct stun_writer writer;
    struct stun_message message;
    uint16_t length;
    stun_new_transaction(transaction);
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, transaction);
    stun_sign(&writer, "key");
    stun_add(&writer, USE_CANDIDATE, NULL, 0);
    stun_add_fingerprint(&writer);
    CHECK(!stun_read(bytes, writer.length, &message));
    CHECK(stun_is_signed(&message, "key"));
    CHECK(!stun_find(&message, USE_CANDIDATE, &length));
}

static inline void mutate(uint8_t *bytes, size_t *length, size_t size, uint64_t *random)
{
    for (int changes = 1 + (int)(random_next(random) % 4); changes > 0; changes--) {
        size_t at = random_next(random) % *length;
        if (random_next(random) % 8 == 0 && *length > 4)
            *length -= 1 + random_next(random) % 4;
        else if (random_next(random) % 8 == 0 && *length + 4 < size)
            *length += 4;
        else
            bytes[at] = (uint8_t)random_next(random);
    }
    if (random_next(random) % 2 && *length >= STUN_HEADER) { // most would fail at the length
        bytes[2] = (uint8_t)((*length - STUN_HEADER) >> 8);
        bytes[3] = (uint8_t)(*length - STUN_HEADER);
    }
}

TEST(a_hundred_thousand_mutations)
{
    static const struct {
        const char *bytes;
        size_t length;
    } seeds[] = {{BYTES(sample_request)},
                 {BYTES(sample_answer)},
                 {BYTES(sample_answer6)},
                 {BYTES("\0\1\0\x8" COOKIE_AND_ID "\0\3\0\4\0\0\0\6")},
                 {BYTES("\0\1\0\x8"
                        "rfc3489rfc3489!!"
                        "\0\3\0\4\0\0\0\6")}};
    uint8_t bytes[200];
    uint64_t random = 1;
    for (int i = 0; i < MUTATIONS && !test_failures; i++) {
        size_t which = (size_t)i % (sizeof seeds / sizeof *seeds), length = seeds[which].length;
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, seeds[which].bytes, length);
        mutate(bytes, &length, sizeof bytes, &random);
        const char *fault = message_fault(bytes, length);
        if (fault)
            FAIL("mutation %d: %s", i, fault);
    }
}

#endif
