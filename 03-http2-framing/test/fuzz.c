// fuzz.c: random bytes against the parts, chosen by libFuzzer so that they get far. `make fuzz`
// (clang only) builds it and runs it for half a minute; FUZZ_SECONDS=600 for longer. The first
// byte says which part gets the others.
#include "frame_names.h"
#include "h2_receive.h"
#include "huffman.h"
#include "fake_loop.h"
#include "message.h"
#include "smaller.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static void fuzz_huffman(const uint8_t *bytes, size_t length)
{
    static char text[1 << 17];
    static uint8_t code[1 << 17];
    huffman_begin();
    ssize_t decoded = huffman_decode(bytes, length, text, sizeof text);
    if (decoded >= 0 && (huffman_encode(code, text, (size_t)decoded) != code + length ||
                         memcmp(code, bytes, length)))
        fail("decoded, and encoded to something else");
}

static void fuzz_hpack(const uint8_t *bytes, size_t length)
{
    static struct hpack_list list;
    struct hpack_decoder decoder;
    struct request request;
    struct response_head head;
    hpack_decoder_begin(&decoder);
    while (length > 0) { // several blocks: each begins with its length
        length--;
        size_t part = smaller(*bytes++, length);
        if (!hpack_decode(&decoder, bytes, part, &list))
            break;
        request_read(&list, &request);
        response_read(&list, &head);
        message_check_trailers(&list);
        bytes += part;
        length -= part;
    }
    hpack_table_free(&decoder.table);
}

static void fuzz_frame(const uint8_t *bytes, size_t length)
{
    struct frame frame;
    char text[100];
    if (length < FRAME_HEADER_BYTES)
        return;
    frame_read_header(bytes, &frame);
    if (frame.length > length - FRAME_HEADER_BYTES)
        return;
    frame_check(&frame);
    frame_describe(&frame, text, sizeof text);
}

static void fuzz_server(const uint8_t *bytes, size_t length)
{
    static const uint8_t begin[] = PREFACE "\0\0\0\4\0\0\0\0";
    struct frame frame;
    fake_begin();
    fake_say(begin,
             sizeof begin); // with the zero that ends the text: the last byte of SETTINGS
    fake_say(bytes, length / 2);
    fake_wait(1000);
    fake_say(bytes + length / 2, length - length / 2);
    fake_wait(61000);
    while (fake_frame(&frame))
        ;
    fake_end();
}

// What a server says to a client that has asked on streams 1 and 3.
static void fuzz_client(const uint8_t *bytes, size_t length)
{
    static struct h2_receiver receiver;
    struct response responses[2] = {0};
    struct fault fault = fault_none();
    struct h2_news news;
    struct frame frame;
    h2_receiver_begin(&receiver, responses, 2);
    h2_asked(&receiver, 1);
    h2_asked(&receiver, 3);
    while (length >= FRAME_HEADER_BYTES && fault.scope != FAULT_CONNECTION) {
        frame_read_header(bytes, &frame);
        if (frame.length > length - FRAME_HEADER_BYTES)
            break;
        fault = h2_receive(&receiver, &frame, &news);
        bytes += FRAME_HEADER_BYTES + frame.length;
        length -= FRAME_HEADER_BYTES + frame.length;
    }
    h2_receiver_end(&receiver);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static void (*const targets[])(const uint8_t *, size_t) = {
        fuzz_server, fuzz_hpack, fuzz_frame, fuzz_huffman, fuzz_client};
    if (length > 0)
        targets[*bytes % 5](bytes + 1, length - 1);
    return 0;
}
