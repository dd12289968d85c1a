// raw.h: QUIC without HTTP/3: connections and streams on which a test writes any bytes, as a
// client and as a server.
#ifndef RAW_H
#define RAW_H

#include "ask.h"
#include "quic.h"
#include "test_server.h"

#define RAW_PATIENCE_NS (INT64_C(1000000000) * TEST_SECONDS / 6)
#define RAW_NONE        UINT64_MAX // no code: nothing was closed or reset
#define RAW_ANSWER      65536

static inline SSL_CTX *raw_context(void)
{
    static SSL_CTX *ctx;
    struct certificate_files ca;
    ask_keys("../keys");
    ca = ask_files(CERTIFICATE_CA);
    if (!ctx) {
        certificates_make("../keys");
        ctx = quic_client_context(ca.chain, NULL);
    }
    return ctx;
}

// One turn: waits a little for packets, and lets OpenSSL work. False: `until_ns` is over.
static inline bool raw_turn(SSL *ssl, int64_t until_ns)
{
    SSL_handle_events(ssl);
    quic_wait(ssl, -1, now_ns() + 20000000);
    SSL_handle_events(ssl);
    return now_ns() < until_ns;
}

static inline SSL *raw_open(int port)
{
    SSL *ssl = quic_connection(raw_context(), "127.0.0.1", port, WORKBENCH);
    int64_t until_ns = now_ns() + RAW_PATIENCE_NS;
    while (SSL_do_handshake(ssl) != 1 && raw_turn(ssl, until_ns))
        ;
    CHECK(SSL_is_init_finished(ssl));
    return ssl;
}

// A stream with these bytes on it. `end`: nothing comes behind them.
static inline SSL *raw_stream(SSL *ssl, bool one_way, const void *bytes, size_t length,
                              bool end)
{
    uint64_t flags = SSL_STREAM_FLAG_NO_BLOCK;
    size_t written = 0;
    if (one_way)
        flags |= SSL_STREAM_FLAG_UNI;
    SSL *stream = SSL_new_stream(ssl, flags);
    if (!stream)
        return NULL;
    quic_set_passive(stream);
    if (length)
        CHECK(SSL_write_ex(stream, bytes, length, &written) && written == length);
    if (end)
        SSL_stream_conclude(stream, 0);
    SSL_handle_events(ssl);
    return stream;
}

// Waits until the peer closes the connection. Returns its code.
static inline uint64_t raw_close_code(SSL *ssl)
{
    SSL_CONN_CLOSE_INFO info;
    int64_t until_ns = now_ns() + RAW_PATIENCE_NS;
    while (!SSL_get_conn_close_info(ssl, &info, sizeof info))
        if (!raw_turn(ssl, until_ns))
            return RAW_NONE;
    return info.error_code;
}

// Reads all that comes on a stream. *length says how much; returns the code if the peer has
// reset it, 0 at its regular end.
static inline uint64_t raw_read(SSL *ssl, SSL *stream, uint8_t answer[RAW_ANSWER],
                                size_t *length)
{
    int64_t until_ns = now_ns() + RAW_PATIENCE_NS;
    SSL_CONN_CLOSE_INFO info;
    size_t part;
    *length = 0;
    for (;;) {
        while (*length < RAW_ANSWER &&
               SSL_read_ex(stream, answer + *length, RAW_ANSWER - *length, &part))
            *length += part;
        uint64_t code = RAW_NONE;
        switch (SSL_get_stream_read_state(stream)) {
        case SSL_STREAM_STATE_FINISHED:
            return 0;
        case SSL_STREAM_STATE_RESET_REMOTE:
            SSL_get_stream_read_error_code(stream, &code);
            return code;
        case SSL_STREAM_STATE_CONN_CLOSED:
            return RAW_NONE;
        default:
            if (SSL_get_conn_close_info(ssl, &info, sizeof info) || !raw_turn(ssl, until_ns))
                return RAW_NONE;
        }
    }
}

static inline void raw_end(SSL *ssl)
{
    SSL_SHUTDOWN_EX_ARGS args = {.quic_error_code = 0x100};
    SSL_shutdown_ex(ssl, SSL_SHUTDOWN_FLAG_RAPID | SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH, &args,
                    sizeof args);
    SSL_free(ssl);
}

#endif
