// test_hostile.h: slow and hostile apps and peers, and many of them.
#ifndef TEST_HOSTILE_H
#define TEST_HOSTILE_H

#include <stdatomic.h>
#include <sys/mman.h>

#include "stranger.h"

// How the answer of stock's app, which is these bytes, arrives at shop's app.
static enum fetch_result result_of(const char *answer, bool keep, int *status)
{
    static struct fetch f;
    start_two(answer, keep);
    send_raw(&f, "POST / HTTP/1.1\r\nHost: stock\r\nContent-Length: 0\r\n\r\n");
    enum fetch_result result = fetch_answer(&f);
    *status = f.head.status;
    fetch_close(&f);
    mesh_end();
    return result;
}

TEST(answers_that_are_wrong)
{
    int status;
    static const char *const malformed[] = {
        "nonsense\r\n\r\n",
        "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 101 Other\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: 1", // cut in the head
        ""};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        CHECK_INT(result_of(malformed[i], false, &status), FETCH_OK);
        CHECK_INT(status, 502);
    }
    // Cut in the content: the client can tell.
    CHECK_INT(result_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false, &status),
              FETCH_CUT);
    CHECK_INT(result_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", false,
                        &status),
              FETCH_CUT);
    CHECK_INT(result_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalfx\r\n",
                        false, &status),
              FETCH_CUT);
    // Without a length its end is the end.
    CHECK_INT(result_of("HTTP/1.0 200 OK\r\n\r\nwhole", false, &status), FETCH_OK);
}

TEST(an_app_that_says_nothing)
{
    static struct fetch f;
    start_two_for("", true, "400");
    int64_t began_ns = now_ns();
    send_raw(&f, "GET / HTTP/1.1\r\nHost: stock\r\n\r\n");
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT(f.head.status, 504); // of stock's sidecar, which is not tried again
    CHECK_AT_LEAST(ms_since(began_ns), 390);
    fetch_close(&f);
    mesh_end();
}

// --timeout-ms is for all tries together, whatever each of them may take.
TEST(all_tries_have_one_deadline)
{
    static struct fetch f;
    skip_if_alone();
    mesh_begin();
    shop = pod_new("shop");
    stock = pod_new("stock");
    mesh_start_answering(stock, "", true, NULL); // it says nothing
    pod_start_sidecar(stock, "--answer-ms", "60000", NULL);
    pod_start_sidecar(shop, "--timeout-ms", "400", "--answer-ms", "60000", NULL);
    mesh_write_services();
    int64_t began_ns = now_ns();
    send_raw(&f, "GET / HTTP/1.1\r\nHost: stock\r\n\r\n");
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT(f.head.status, 504);
    CHECK_BETWEEN(ms_since(began_ns), 390, 20000);
    fetch_close(&f);
    mesh_end();
}

// A head that comes a byte at a time has one deadline.
TEST(a_slow_head)
{
    static struct fetch f;
    static const char head[] =
        "GET / HTTP/1.1\r\nHost: stock\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    start_two(NULL, false);
    send_raw(&f, "G");
    int64_t began_ns = now_ns();
    for (size_t i = 1; i < sizeof head - 1 && ms_since(began_ns) < 20000; i++) {
        if (fetch_send_bytes(&f, head + i, 1) != FETCH_OK || fetch_take(&f) == FETCH_OK)
            break;
        sleep_ms(120);
    }
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT(f.head.status, 408);
    fetch_close(&f);
    mesh_end();
}

// An app that sends without end, and one that does not take it: the sidecars do not fill their
// memory.
TEST(a_client_that_takes_nothing)
{
    enum { BYTES = 64 << 20 };
    skip_if_alone();
    mesh_begin();
    shop = pod_new("shop");
    stock = pod_new("stock");
    int listener = net_listen(stock->address, MESH_APP, 10);
    stock->app = mesh_fork(listener);
    if (stock->app == 0) {
        static char bytes[65536];
        char head[200];
        int fd = accept(listener, NULL, NULL);
        while (read(fd, bytes, sizeof bytes) <= 0) // its sidecar looks whether it is there
            fd = accept(listener, NULL, NULL);
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BYTES);
        if (write_all(fd, head, strlen(head)))
            for (int sent = 0; sent < BYTES; sent += (int)sizeof bytes)
                if (!write_all(fd, bytes, sizeof bytes))
                    break;
        _exit(0);
    }
    pod_start_sidecar(stock, NULL);
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    static struct fetch f;
    long before_kb = process_private_kb(shop->sidecar) + process_private_kb(stock->sidecar);
    send_raw(&f, "GET / HTTP/1.1\r\nHost: stock\r\n\r\n");
    sleep_ms(500);
    long grown_kb = process_private_kb(shop->sidecar) + process_private_kb(stock->sidecar);
    if (!SANITIZED)
        CHECK_AT_MOST(grown_kb - before_kb, 4000);
    // Now it is taken: all of it arrives.
    uint64_t content = 0;
    f.read_max = 16384;
    f.head_only = true; // reads on by itself
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    content = f.rest.length;
    fetch_use(&f, f.rest.length);
    while (content < BYTES && fetch_read(&f) == FETCH_OK) {
        content += f.rest.length;
        fetch_use(&f, f.rest.length);
    }
    CHECK_INT((long)content, BYTES);
    fetch_close(&f);
    mesh_end();
}

// Starts an app that reads so many bytes of each request, waits, answers, and closes.
static void start_reader(size_t bytes, int wait_ms, const char *answer)
{
    int listener = net_listen(stock->address, MESH_APP, 10);
    stock->app = mesh_fork(listener);
    if (stock->app != 0)
        return;
    for (;;) {
        static char part[65536];
        int fd = accept(listener, NULL, NULL);
        ssize_t got = 1;
        for (size_t read_bytes = 0; read_bytes < bytes && got > 0; read_bytes += (size_t)got)
            got = read(fd, part, sizeof part);
        sleep_ms(wait_ms);
        if (got > 0)
            write_all(fd, answer, strlen(answer));
        close(fd);
    }
}

// Much content for an app that reads slowly at first: none of it is kept, all of it arrives.
TEST(much_content_goes_up)
{
    enum { BYTES = 20 << 20 };
    static char part[65536];
    static struct fetch f;
    char head[200];
    skip_if_alone();
    mesh_begin();
    shop = pod_new("shop");
    stock = pod_new("stock");
    start_reader(BYTES, 0, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nall");
    pod_start_sidecar(stock, NULL);
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    long before_kb = process_private_kb(shop->sidecar) + process_private_kb(stock->sidecar);
    snprintf(head, sizeof head, "PUT / HTTP/1.1\r\nHost: stock\r\nContent-Length: %d\r\n\r\n",
             BYTES);
    send_raw(&f, head);
    for (int sent = 0; sent < BYTES; sent += (int)sizeof part)
        CHECK_INT(fetch_send_bytes(&f, part, sizeof part), FETCH_OK);
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT(f.head.status, 200);
    CHECK_INT((long)f.content.length, 3);
    fetch_close(&f);
    long after_kb = process_private_kb(shop->sidecar) + process_private_kb(stock->sidecar);
    if (!SANITIZED)
        CHECK_AT_MOST(after_kb - before_kb, 4000);
    mesh_end();
}

// An app that has its answer before it has the content: the client gets it.
TEST(an_answer_that_comes_early)
{
    static struct fetch f;
    skip_if_alone();
    mesh_begin();
    shop = pod_new("shop");
    stock = pod_new("stock");
    start_reader(1, 0, "HTTP/1.1 413 Too Much\r\nContent-Length: 4\r\n\r\nmuch");
    pod_start_sidecar(stock, NULL);
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    send_raw(&f, "POST / HTTP/1.1\r\nHost: stock\r\nContent-Length: 1000000\r\n\r\nfirst");
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT(f.head.status, 413);
    CHECK(!f.head.keep_alive); // where another request would begin is not known
    fetch_close(&f);
    mesh_end();
}

// Starts an app that reads the beginning of each request and closes. *others counts requests
// that are no PUT.
static void start_closer(atomic_int *others)
{
    int listener = net_listen(stock->address, MESH_APP, 10);
    stock->app = mesh_fork(listener);
    while (stock->app == 0) {
        static char bytes[20000];
        int fd = accept(listener, NULL, NULL);
        if (read_exactly(fd, bytes, 4) && memcmp(bytes, "PUT ", 4) != 0)
            atomic_fetch_add(others, 1);
        read_exactly(fd, bytes, sizeof bytes);
        close(fd);
    }
}

// A try has failed, and while the sidecar waits for the next one, so much content comes that it
// cannot keep all of it. Content never becomes a request (RFC 9112 section 11.2).
TEST(content_that_comes_between_two_tries)
{
    enum { CLIENTS = 8, WAIT_MS = 5000 };
    static const char more[9000] = "GET /smuggled HTTP/1.1\r\nHost: stock\r\n\r\n";
    static const char retries[] = "sidecar_retries_total{peer=\"stock\",verdict=\"sent\"}";
    static char first[25000];
    static struct fetch clients[CLIENTS];
    skip_if_alone();
    atomic_int *others =
        mmap(NULL, sizeof *others, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mesh_begin();
    shop = pod_new("shop");
    stock = pod_new("stock");
    start_closer(others);
    pod_start_sidecar(stock, NULL);
    pod_start_sidecar(shop, "--backoff-ms", "1000", "--breaker", "0", NULL);
    mesh_write_services();
    for (int i = 0; i < CLIENTS; i++) {
        send_raw(&clients[i], "PUT / HTTP/1.1\r\nHost: stock\r\nContent-Length: 60000\r\n\r\n");
        fetch_send_bytes(&clients[i], first, sizeof first);
        sleep_ms(10 * i); // most of the first tries have failed by now
        fetch_send_bytes(&clients[i], more, sizeof more);
        sleep_ms(5);
        fetch_send_bytes(&clients[i], more, 1000);
    }
    int64_t end_ns = now_ns() + WAIT_MS * INT64_C(1000000);
    while (mesh_metric(shop, retries) < 3 && now_ns() < end_ns)
        sleep_ms(50);
    CHECK_AT_LEAST(mesh_metric(shop, retries), 1);
    sleep_ms(100); // what is sent has come
    CHECK_INT(*others, 0);
    for (int i = 0; i < CLIENTS; i++)
        fetch_close(&clients[i]);
    mesh_end();
}

// Two thousand connections without a request, from an app and from a peer; then good ones.
TEST(two_thousand_connections)
{
    enum { MANY = 2000 };
    static int fds[MANY];
    if (raise_file_limit(MANY + 100) < MANY + 100)
        SKIP("this needs more descriptors than ulimit -Hn allows");
    start_two(NULL, false);
    int open = 0;
    for (int i = 0; i < MANY; i++)
        open += (fds[i] = net_connect(i % 2 ? shop->address : stock->address,
                                      i % 2 ? MESH_PORT : MESH_INBOUND)) >= 0;
    CHECK_INT(open, MANY);
    for (int i = 0; i < 20; i++)
        CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    CHECK_INT(pod_stop_sidecar(shop), 0);
    mesh_end();
}

#define LONG_HEAD "GET / HTTP/1.1\r\nHost: stock\r\nX: "

// A peer with a good certificate is still not trusted in what it says.
TEST(a_peer_that_is_hostile)
{
    static char long_head[40000];
    static const struct {
        const char *bytes;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: stock\r\nConnection: close\r\n\r\n", 200},
        {"nonsense\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: stock\r\nX: cut", 408}, // by --head-ms
        {"POST / HTTP/1.1\r\nHost: stock\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
         400},
        {"POST / HTTP/1.1\r\nHost: stock\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
         501},
        {"POST / HTTP/1.1\r\nHost: stock\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"GET http://stock/ HTTP/1.1\r\nHost: stock\r\n\r\n", 421}, // not over TLS
        {long_head, 431},
    };
    memset(long_head, 'a', sizeof long_head - 1);
    memcpy(long_head, LONG_HEAD, strlen(LONG_HEAD));
    start_two(NULL, false);
    char keys[MESH_PATH];
    snprintf(keys, sizeof keys, "%s", mesh_path("keys"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stranger stranger =
            stranger_say(stock->address, MESH_INBOUND, keys, keys, "shop", rows[i].bytes);
        if (stranger.status != rows[i].status)
            FAIL("%d, not %d: %.60s", stranger.status, rows[i].status, rows[i].bytes);
    }
    CHECK_INT(mesh_count(stock), 1);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    mesh_end();
}

#define INBOUND  "sidecar_handshakes_total{direction=\"inbound\",result="
#define OUTBOUND "sidecar_handshakes_total{direction=\"outbound\",result="

static bool all_are_refused(const struct pod *pod)
{
    return mesh_metric(pod, INBOUND "\"refused\"}") == 60;
}

// The port for other sidecars gets no TLS, half a handshake, and random bytes.
TEST(garbage_in_place_of_a_handshake)
{
    start_two(NULL, false);
    uint64_t random = 7;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 60; i++) {
        char bytes[600];
        int fd = net_connect(stock->address, MESH_INBOUND);
        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = (char)random_next(&random);
        if (i % 3 == 0)
            memcpy(bytes, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
        if (i % 3 == 1)
            memcpy(bytes, "GET / HTTP/1.1\r\n\r\n", 18);
        CHECK(write_all(fd, bytes, sizeof bytes));
        close(fd);
    }
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    CHECK(mesh_await(stock, all_are_refused));
    CHECK_INT((long)mesh_metric(stock, INBOUND "\"done\"}"), 1);
    CHECK_INT((long)mesh_metric(shop, OUTBOUND "\"done\"}"), 1);
    CHECK_INT((long)mesh_metric(shop, OUTBOUND "\"refused\"}"), 0);
    mesh_end();
}

#endif
