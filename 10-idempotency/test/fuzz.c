// fuzz.c: hostile bytes for the readers of JSON, of keys and of journals, made by clang's
// libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that make a reader touch what is not its own, or take what is
//         wrong for good, are kept as build/crash-...
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crc32c.h"
#include "journal.h"
#include "json.h"
#include "key.h"
#include "record.h"
#include "recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not true: %s\n", what);
    abort();
}

// What is read as a string can be written, and read again as the same.
static void try_json(const char *bytes, size_t length)
{
    static struct json json, again;
    static char text[6 * JSON_BYTES];
    if (!json_read(&json, bytes, length)) {
        insist(json.error && json.error_at <= length, "an error has a place");
        return;
    }
    for (int i = 0; i < json.count; i++) {
        const struct json_value *value = &json.values[i];
        struct http_out out = {text, sizeof text, 0, false};
        insist(value->parent < i, "a parent comes first");
        if (value->type != JSON_STRING)
            continue;
        insist(json_is_utf8(value->text.at, value->text.length), "a string is UTF-8");
        json_put(&out, value->text);
        if (out.length > JSON_BYTES)
            continue;
        insist(json_read(&again, text, out.length), "what is written can be read");
        insist(again.values[0].text.length == value->text.length &&
                   !memcmp(again.values[0].text.at, value->text.at, value->text.length),
               "it is the same");
    }
}

static void try_key(const char *bytes, size_t length)
{
    char key[KEY_MAX + 1];
    int got = key_parse((struct http_text){bytes, length}, key);
    insist(got >= -1 && got <= KEY_MAX && (size_t)(got + 1) <= length + 1,
           "a key has a length");
}

static bool take_record(void *context, const char *line, size_t length)
{
    static struct json json;
    static char text[RECORD_BYTES];
    (void)context;
    struct record *record = record_read(&json, line, length), *again = NULL;
    size_t written = 0;
    if (record)
        written = record_write(record, text);
    if (written) {
        again = record_read(&json, text, written);
        insist(again, "a record can be read again");
        insist(again->line_length == written, "and is as long");
    }
    free(record);
    free(again);
    return true;
}

// As it stands; and with checksums that are right, so that what is behind them is reached.
static void try_journal(const char *bytes, size_t length)
{
    static int fd = -1;
    struct recovery recovery = {.take = take_record};
    char header[JOURNAL_HEAD];
    if (fd < 0)
        fd = memfd_create("journal", MFD_CLOEXEC);
    journal_header(header);
    insist(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, header, sizeof header, 0) > 0 &&
               pwrite(fd, bytes, length, JOURNAL_HEAD) == (ssize_t)length,
           "the file is written");
    bool good = recovery_read(&recovery, fd);
    insist(good == !*recovery.error, "a refusal has a reason");
    insist(recovery.end <= recovery.size, "the end is within the file");
}

static void try_group(const char *bytes, size_t length)
{
    static char group[1 << 16];
    size_t padded = journal_padded(length);
    struct journal_head head = {(uint32_t)length, 0, 0, 0};
    if (!length || padded + 3 * JOURNAL_HEAD > sizeof group)
        return;
    memset(group, 0, padded + 2 * JOURNAL_HEAD);
    memcpy(group + JOURNAL_HEAD, bytes, length);
    head.checksum = crc32c(0, group + JOURNAL_HEAD, padded);
    head.own = journal_head_checksum(&head, JOURNAL_HEAD);
    memcpy(group, &head, sizeof head);
    try_journal(group, padded + 2 * JOURNAL_HEAD);
}

// The first byte chooses the reader of the others.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const char *, size_t) = {try_json, try_key, try_journal,
                                                            try_group};
    if (size)
        readers[data[0] % 4]((const char *)data + 1, size - 1);
    return 0;
}
