// test_requests.h: requests and answers through two sidecars, with apps that do all that HTTP
// allows.
#ifndef TEST_REQUESTS_H
#define TEST_REQUESTS_H

#include "mesh.h"

static struct pod *shop, *stock;

// A mesh of two; stock's app is ./app, or, with an answer, one that answers each request with
// these bytes and then closes (`keep`: leaves the connection open). answer_ms: how long stock's
// sidecar waits for it.
static void start_two_for(const char *answer, bool keep, const char *answer_ms)
{
    skip_if_alone();
    mesh_begin();
    shop = pod_new("shop");
    stock = pod_new("stock");
    if (answer)
        mesh_start_answering(stock, answer, keep, NULL);
    else
        pod_start_app(stock, NULL);
    pod_start_sidecar(stock, "--head-ms", "1000", "--answer-ms", answer_ms, NULL);
    pod_start_sidecar(shop, "--head-ms", "1000", "--backoff-ms", "5", NULL);
    mesh_write_services();
}

static void start_two(const char *answer, bool keep)
{
    start_two_for(answer, keep, "10000");
}

// Sends bytes to shop's sidecar, as its app.
static void send_raw(struct fetch *f, const char *bytes)
{
    struct sockaddr_storage address;
    net_address(shop->address, MESH_PORT, SOCK_STREAM, &address);
    CHECK_INT(fetch_open(f, &address, 0), FETCH_OK);
    CHECK_INT(fetch_send_bytes(f, bytes, strlen(bytes)), FETCH_OK);
}

// The status of the answer to these bytes; 0: none.
static int raw_status(const char *bytes)
{
    static struct fetch f;
    send_raw(&f, bytes);
    enum fetch_result result = fetch_answer(&f);
    fetch_close(&f);
    if (result != FETCH_OK)
        return 0;
    return f.head.status;
}

TEST(requests_that_are_good)
{
    static struct fetch f;
    start_two(NULL, false);
    // Three at once on one connection: three answers, in their order.
    send_raw(&f, "GET /?status=201 HTTP/1.1\r\nHost: stock\r\n\r\n"
                 "GET /?status=202 HTTP/1.1\r\nHost: STOCK:80\r\n\r\n"
                 "GET /?status=203 HTTP/1.1\r\nHost: stock\r\nConnection: close\r\n\r\n");
    for (int i = 201; i <= 203; i++) {
        CHECK_INT(fetch_answer(&f), FETCH_OK);
        CHECK_INT(f.head.status, i);
    }
    CHECK_INT(fetch_read(&f), FETCH_CLOSED);
    fetch_close(&f);
    // As to a proxy; content by its length and in chunks; a client that waits for a 100.
    CHECK_INT(raw_status("GET http://stock/headers HTTP/1.1\r\nHost: stock\r\n\r\n"), 200);
    CHECK_INT(raw_status("GET http://stock HTTP/1.1\r\nHost: stock\r\n\r\n"), 200);
    send_raw(&f, "POST / HTTP/1.1\r\nHost: stock\r\nTransfer-Encoding: chunked\r\n"
                 "Expect: 100-continue\r\n\r\n");
    while (fetch_take(&f) == FETCH_MORE && f.interim == 0)
        if (fetch_read(&f) != FETCH_OK)
            break;
    CHECK_INT(f.interim, 1);
    CHECK_INT(fetch_send_bytes(&f, "3\r\nabc\r\n0\r\n\r\n", 13), FETCH_OK);
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT((long)f.content.length, 3);
    fetch_close(&f);
    send_raw(&f, "HEAD / HTTP/1.1\r\nHost: stock\r\n\r\n");
    f.head_only = true;
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT(f.head.status, 200);
    fetch_close(&f);
    CHECK_INT(raw_status("OPTIONS / HTTP/1.1\r\nHost: stock\r\nMax-Forwards: 0\r\n\r\n"), 204);
    mesh_end();
}

TEST(requests_that_are_refused)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: stock\r\n\r\n", 505},
        {"nonsense\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n", 502},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 502},
        {"CONNECT stock:80 HTTP/1.1\r\nHost: stock:80\r\n\r\n", 501},
        {"TRACE / HTTP/1.1\r\nHost: stock\r\nMax-Forwards: 0\r\n\r\n", 501},
        // A length and chunks: two programs could disagree about the end (RFC 9112 §6.3).
        {"POST / HTTP/1.1\r\nHost: stock\r\nContent-Length: 4\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: stock\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
    };
    start_two(NULL, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_INT(raw_status(rows[i].request), rows[i].status);
    CHECK_INT(mesh_count(stock), 0);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    mesh_end();
}

// Fields that the sidecars own: no other program can send them.
TEST(fields_that_are_not_passed_on)
{
    start_two(NULL, false);
    struct mesh_answer *answer =
        mesh_ask(shop, "GET", "stock", "/headers",
                 "X-Forwarded-Client-Cert: URI=spiffe://workbench.test/admin\r\n"
                 "X_Forwarded_Client_Cert: a\r\nHop-Failed: not-delivered\r\n"
                 "Connection: x-hop\r\nX-Hop: 1\r\n");
    CHECK_HAS(answer->text, "X-Forwarded-Client-Cert: URI=spiffe://workbench.test/shop\n");
    CHECK(!strstr(answer->text, "admin"));
    CHECK(!strstr(answer->text, "X_For"));
    CHECK(!strstr(answer->text, "Hop-Failed"));
    CHECK(!strstr(answer->text, "X-Hop"));
    answer = mesh_ask(shop, "GET", "stock", "/headers",
                      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
                      "tracestate: a=1\r\n");
    CHECK_HAS(answer->text, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-");
    CHECK(!strstr(answer->text, "00f067aa0ba902b7"));
    CHECK_HAS(answer->text, "tracestate: a=1\n");
    mesh_end();
}

// What ./client sends with --post and --http10, as the other end sees it.
TEST(the_options_of_the_client)
{
    char command[200];
    start_two(NULL, false);
    snprintf(command, sizeof command, "./client --host %s --post 'two words' stock/",
             shop->address);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "POST / HTTP/1.1");
    const char *answer = strstr(test_output, "has got it like this");
    CHECK(answer != NULL);
    CHECK_HAS(answer, "two words"); // the app sends back what it gets
    snprintf(command, sizeof command, "./client --host %s --http10 --count 2 stock/headers",
             shop->address);
    CHECK_INT(test_run(command), 0);
    CHECK_HAS(test_output, "Via: 1.0 workbench\n"); // shop's sidecar was asked with it
    CHECK_HAS(test_output, "\n200 Host: stock\n");  // again, on a new connection
    mesh_end();
}

// An app may not claim that it has not got the request: POST would be sent again.
TEST(an_app_cannot_ask_for_a_retry)
{
    start_two("HTTP/1.1 503 No\r\nHop-Failed: not-delivered\r\nContent-Length: 0\r\n\r\n",
              false);
    CHECK_INT(mesh_status(shop, "POST", "stock", "/"), 503);
    CHECK_INT((long)mesh_metric(stock,
                                "sidecar_requests_total{direction=\"inbound\",peer=\"shop\","
                                "code=\"5xx\"}"),
              1);
    mesh_end();
}

// A POST that was not delivered is sent again, with its content.
TEST(content_is_sent_again)
{
    skip_if_alone();
    mesh_begin();
    shop = pod_new("shop");
    struct pod *bad = pod_new("stock");
    stock = pod_start("stock");
    pod_start_sidecar(bad, NULL);
    pod_start_sidecar(shop, "--backoff-ms", "5", NULL);
    mesh_write_services();
    for (int i = 0; i < 4; i++) {
        static struct fetch f;
        send_raw(&f, "POST / HTTP/1.1\r\nHost: stock\r\nContent-Length: 5\r\n\r\nhello");
        CHECK_INT(fetch_answer(&f), FETCH_OK);
        CHECK_INT(f.head.status, 200);
        CHECK(f.content.length == 5 && !memcmp(f.content.at, "hello", 5));
        fetch_close(&f);
    }
    CHECK_AT_LEAST(mesh_metric(shop, "sidecar_retries_total{peer=\"stock\",verdict=\"sent\"}"),
                   1);
    mesh_end();
}

// The file of services is replaced, is cut, is gone: only a whole one counts.
TEST(a_file_that_is_half_written)
{
    start_two(NULL, false);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    FILE *file = fopen(mesh_path("services"), "we"); // in its place, not by a new name
    CHECK(fputs("stock 127.0.0.1:1\n", file) > 0);
    fflush(file);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200); // the writer is at work
    fclose(file);
    sleep_ms(50);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200); // the writer has died: no "end"
    mesh_write_file("services", "nonsense here\nend\n");
    sleep_ms(50);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    mesh_write_file("services", "end\n");
    int tries = 0;
    while (mesh_status(shop, "GET", "stock", "/") == 200 && tries++ < 2000)
        sleep_ms(10);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 502);
    mesh_write_services();
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    mesh_end();
}

// A sidecar leaves a connection open for the next request, but not longer than --keep-ms.
TEST(a_kept_connection_ends)
{
    static const char *const keep_ms[] = {"60000", "100"};
    skip_if_alone();
    for (int i = 0; i < 2; i++) {
        mesh_begin();
        shop = pod_new("shop");
        stock = pod_start("stock");
        pod_start_sidecar(shop, "--keep-ms", keep_ms[i], NULL);
        mesh_write_services();
        CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
        sleep_ms(500);
        CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
        CHECK_INT((long)mesh_metric(
                      shop, "sidecar_handshakes_total{direction=\"outbound\",result=\"done\"}"),
                  1 + i);
        mesh_end();
    }
}

// What the metrics say of refusals, of a breaker, and of the certificate.
TEST(metrics_of_what_goes_wrong)
{
    // Of an instance's own answers only 502, 503 and 504 count as failures.
    static const int statuses[] = {502, 503, 500, 504, 503, 505, 502, 429, 504, 503, 502};
    char opened[200];
    int refused = 0;
    skip_if_alone();
    mesh_begin();
    shop = pod_new("shop");
    stock = pod_new("stock");
    struct pod *price = pod_start("price");
    pod_start_app(stock, NULL);
    pod_start_sidecar(stock, "--rate", "1", "--burst", "2", NULL);
    pod_start_sidecar(shop, "--breaker", "3", "--open-ms", "600000", "--tries", "1", NULL);
    mesh_write_services();
    for (int i = 0; i < 200 && refused < 3; i++)
        refused += mesh_status(shop, "GET", "stock", "/") == 429;
    CHECK_INT(refused, 3);
    CHECK_INT((long)mesh_metric(stock, "sidecar_rate_limited_total{peer=\"shop\"}"), 3);
    snprintf(opened, sizeof opened,
             "sidecar_breaker_opened_total{service=\"price\",instance=\"%s:%d\"}",
             price->address, MESH_INBOUND);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        char path[30];
        CHECK_INT((long)mesh_metric(shop, opened), 0); // three failures in a row open it
        snprintf(path, sizeof path, "/?status=%d", statuses[i]);
        CHECK_INT(mesh_status(shop, "GET", "price", path), statuses[i]);
    }
    CHECK_INT((long)mesh_metric(shop, opened), 1);
    CHECK_INT(mesh_count(price), sizeof statuses / sizeof *statuses);
    CHECK_INT(mesh_status(shop, "GET", "price", "/"), 503); // the sidecar says so itself
    CHECK_INT(mesh_count(price), sizeof statuses / sizeof *statuses);
    double left_s =
        mesh_metric(shop, "sidecar_certificate_expiry_timestamp_seconds") - (double)time(NULL);
    CHECK_BETWEEN(left_s, MESH_CA_DAYS * 86400 - 600, MESH_CA_DAYS * 86400);
    mesh_end();
}

// The buckets of the histogram: in each are the requests of the smaller ones, too.
TEST(the_histogram_of_the_metrics)
{
    static const char *const ends_s[] = {"0.0005", "0.001", "0.0025", "0.005", "0.01",
                                         "0.025",  "0.05",  "0.1",    "0.25",  "0.5",
                                         "1",      "2.5",   "5",      "10",    "+Inf"};
    enum { BOUNDS = sizeof ends_s / sizeof *ends_s };
    static const char labels[] = "direction=\"inbound\",peer=\"shop\"";
    char name[200];
    double in_bucket[BOUNDS];
    start_two(NULL, false);
    for (int i = 0; i < 3; i++)
        CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/?ms=60"), 200);
    for (int i = 0; i < BOUNDS; i++) {
        snprintf(name, sizeof name, "sidecar_request_duration_seconds_bucket{%s,le=\"%s\"}",
                 labels, ends_s[i]);
        in_bucket[i] = mesh_metric(stock, name);
        if (i > 0)
            CHECK_AT_LEAST(in_bucket[i], in_bucket[i - 1]);
    }
    CHECK_AT_MOST(in_bucket[6], 3); // the one with the sleep took longer
    CHECK_INT((long)in_bucket[BOUNDS - 2], 4);
    CHECK_INT((long)in_bucket[BOUNDS - 1], 4);
    snprintf(name, sizeof name, "sidecar_request_duration_seconds_count{%s}", labels);
    CHECK_INT((long)mesh_metric(stock, name), 4);
    mesh_end();
}

// What the file --access-log says; all sidecars of a mesh write into the same one.
static const char *access_log(void)
{
    static char text[20000];
    FILE *file = fopen(mesh_path("access"), "re");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = '\0';
    if (file)
        fclose(file);
    return text;
}

static bool both_have_logged(const struct pod *pod)
{
    (void)pod;
    return strstr(access_log(), "\"outbound\"") && strstr(access_log(), "\"inbound\"");
}

TEST(the_lines_of_the_access_log)
{
    static const char *const sides[] = {
        "{\"service\":\"shop\",\"direction\":\"outbound\",\"peer\":\"stock\",",
        "{\"service\":\"stock\",\"direction\":\"inbound\","
        "\"peer\":\"spiffe://workbench.test/shop\","};
    long long starts_us[2] = {0, 0};
    start_two(NULL, false);
    int64_t began_us = now_ns() / 1000;
    CHECK_INT(mesh_status(shop, "GET", "stock", "/?status=203&ms=50"), 203);
    CHECK(mesh_await(shop, both_have_logged));
    for (int i = 0; i < 2; i++) {
        long long us = 0;
        const char *line = strstr(access_log(), sides[i]);
        if (!line) {
            FAIL("no '%s' in: %s", sides[i], access_log());
            continue;
        }
        line += strlen(sides[i]);
        CHECK(sscanf(line,
                     "\"request\":\"GET /?status=203&ms=50\",\"status\":203,\"bytes\":6,"
                     "\"tries\":1,\"start_us\":%lld,\"us\":%lld,",
                     &starts_us[i], &us) == 2 ||
              FAIL("it says %s", line));
        CHECK_BETWEEN(us, 50000, 20000000);
    }
    CHECK_AT_LEAST(starts_us[0], began_us);
    CHECK_AT_LEAST(starts_us[1], starts_us[0]);
    mesh_end();
}

static bool has_a_request(const struct pod *pod)
{
    return mesh_metric(pod, "sidecar_requests_under_way") >= 1;
}

// Two instances, one of which is at work: the other one gets what comes meanwhile.
TEST(the_instance_with_less_to_do_is_asked)
{
    static struct fetch f;
    start_two(NULL, false);
    struct pod *other = pod_start("stock");
    mesh_write_services();
    send_raw(&f, "GET /?ms=3000 HTTP/1.1\r\nHost: stock\r\n\r\n");
    CHECK(mesh_await(shop, has_a_request));
    int64_t until_ns = now_ns() + MESH_AWAIT_MS * INT64_C(1000000);
    while (mesh_count(stock) + mesh_count(other) < 1 && now_ns() < until_ns)
        sleep_ms(5);
    long busy = mesh_count(stock);
    for (int i = 0; i < 4; i++)
        CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    if (busy) {
        CHECK_INT(mesh_count(stock), 1);
        CHECK_INT(mesh_count(other), 4);
    } else {
        CHECK_INT(mesh_count(stock), 4);
        CHECK_INT(mesh_count(other), 1);
    }
    fetch_close(&f);
    mesh_end();
}

// Asked to stop while a request is under way: it gets its answer, and then the program ends.
TEST(a_request_under_way_is_answered)
{
    static struct fetch f;
    start_two(NULL, false);
    send_raw(&f, "GET /?ms=1000 HTTP/1.1\r\nHost: stock\r\n\r\n");
    CHECK(mesh_await(stock, has_a_request));
    kill(stock->sidecar, SIGTERM);
    kill(shop->sidecar, SIGTERM);
    CHECK_INT(fetch_answer(&f), FETCH_OK);
    CHECK_INT(f.head.status, 200);
    fetch_close(&f);
    CHECK_INT(pod_stop_sidecar(stock), 0);
    CHECK_INT(pod_stop_sidecar(shop), 0);
    mesh_end();
}

#endif
