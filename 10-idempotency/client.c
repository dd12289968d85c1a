// client.c: makes a charge that may be repeated: one Idempotency-Key, many calls.
//
// Run:    ./client                              a charge of 12.50; the same request again
//         ./client --amount 700 --key order-16  the same charge, however often this is run
//         ./client --balance                    and --list: what the server has charged
// Watch:  the word "replayed", and that the balance does not move. Then start the server with
//         --drop 1 (one answer is lost), or with --process-ms 3000 and the client with
//         --timeout-ms 1000, and watch the client ask again.
//
// Read main() first, then make_charge() and charge(). parts/call.c makes one call;
// parts/retry.c decides what may be asked again, and when.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "json.h"
#include "net.h"
#include "measure.h"
#include "options.h"
#include "output.h"
#include "retry.h"
#include "text.h"
#include "uuid.h"

#define AMOUNT     1250 // cents, without --amount
#define CONTENT    "{\"amount\": %d, \"currency\": \"eur\", \"source\": \"tok_visa\"}"
#define TEXT_BYTES 200 // of a text from the server, as it is printed

static const struct retry_policy policy = {
    .attempts_max = 100, .base_ms = 50, .cap_ms = 1000, .deadline_ms = 10000, .jitter = true};

static struct service server;
static int timeout_ms = 5000;
static struct call call; // the last call, and its answer
static struct json json; // the content of that answer

// ---- what the server has sent --------------------------------------------------------------

// A member of an object, as text that is safe to print; "?" if there is none.
static const char *member(int object, const char *name, char text[TEXT_BYTES])
{
    const struct json_value *value = json_member_of(&json, object, name);
    struct http_text found = {"?", 1};
    if (value && (value->type == JSON_STRING || value->type == JSON_NUMBER))
        found = value->text;
    snprintf(text, TEXT_BYTES, "%.*s", (int)found.length, found.at);
    make_printable(text);
    return text;
}

static long long integer(int object, const char *name)
{
    int64_t number;
    const struct json_value *value = json_member_of(&json, object, name);
    if (!value || !json_integer(value, 0, INT64_MAX, &number))
        die("the server's answer has no integer \"%s\"", name);
    return number;
}

// Reads the content of the last call's answer. Ends the program if there is no answer, if it is
// a refusal, or if its content is no JSON.
static void read_answer(const char *path)
{
    char text[CALL_TEXT_BYTES], detail[TEXT_BYTES];
    call_describe(&call, text);
    if (call.outcome == CALL_REFUSED)
        die("cannot connect to %s: %s (is the server running?)", server.host, call.why);
    if (call.outcome != CALL_ANSWERED)
        die("%s%s: %s", server.host, path, text);
    if (!json_read(&json, call.content, call.content_length))
        die("%s%s: %s, but no JSON: %s", server.host, path, text, json.error);
    if (call.status != 200 && call.status != 201)
        die("%s%s: %s: %s", server.host, path, text, member(0, "detail", detail));
}

static void get(const char *path)
{
    call_make(&server, &(struct call_request){"GET", path, NULL, NULL, timeout_ms}, &call);
    read_answer(path);
}

static void print_charge(int object)
{
    char id[TEXT_BYTES], status[TEXT_BYTES], source[TEXT_BYTES], currency[TEXT_BYTES];
    printf("%s  %lld cents (%s) from %s: %s\n", member(object, "id", id),
           integer(object, "amount"), member(object, "currency", currency),
           member(object, "source", source), member(object, "status", status));
}

// ---- one charge ----------------------------------------------------------------------------

// Calls until it is certain whether the charge was made, or until the policy ends it. Each
// call carries the same key: another key would be another charge.
static void charge(const struct call_request *request)
{
    char text[CALL_TEXT_BYTES];
    int64_t began_ns = now_ns();
    uint64_t random = (uint64_t)began_ns;
    for (int calls = 1;; calls++) {
        call_make(&server, request, &call);
        if (calls == 1 && call.outcome == CALL_REFUSED)
            return; // the server has seen nothing: there is no doubt
        printf("call %d: %s (%.0f ms)\n", calls, call_describe(&call, text),
               (double)(call.ended_ns - call.began_ns) * 1e-6);
        if (!retry_may(call.outcome, call.status, true))
            return;
        int64_t asked_ms = retry_after_ms(call.retry_after, time(NULL));
        int64_t wait_ms = retry_wait_ms(&policy, calls, (call.ended_ns - began_ns) / 1000000,
                                        asked_ms, random_next(&random));
        if (wait_ms == RETRY_GIVE_UP)
            die("the outcome is not known: ask again with --key '%s'", request->key);
        printf("waits %lld ms, then calls again with the same key\n", (long long)wait_ms);
        output_flush();
        sleep_ms((double)wait_ms);
    }
}

// Makes a charge and prints it. `twice`: then sends the same request again.
static void make_charge(const char *key, int amount, bool twice)
{
    char content[100], first[TEXT_BYTES], id[TEXT_BYTES];
    struct call_request request = {"POST", "/charges", key, content, timeout_ms};
    snprintf(content, sizeof content, CONTENT, amount);
    printf("POST /charges  %s\nIdempotency-Key: %s\n", content, key);
    for (int i = 0; i < 1 + twice; i++) { // `twice` counts as 0 or 1
        if (i > 0)
            printf("\nThe same request once more, as if that answer had been lost:\n");
        charge(&request);
        read_answer("/charges");
        print_charge(0);
        member(0, "id", id);
        if (integer(0, "amount") != amount || (i > 0 && strcmp(first, id) != 0))
            die("that is not the charge that was asked for");
        strcpy(first, id);
        output_flush();
    }
}

// Prints all charges, page after page: each page begins behind the last id of the page before.
static void print_list(void)
{
    char path[TEXT_BYTES + 40] = "/charges?limit=25", id[TEXT_BYTES] = "", last[TEXT_BYTES];
    const struct json_value *more;
    do {
        get(path);
        strcpy(last, id);
        for (int i = 1; i < json.count; i++)
            if (json.values[i].type == JSON_OBJECT) {
                print_charge(i);
                member(i, "id", id);
            }
        more = json_member(&json, "has_more");
        if (!more || (more->type == JSON_TRUE && strcmp(id, last) <= 0))
            die("%s: the list does not say how it goes on", path);
        snprintf(path, sizeof path, "/charges?limit=25&after=%s", id);
    } while (more->type == JSON_TRUE);
}

int main(int argc, char **argv)
{
    static const char *host = "127.0.0.1", *key;
    static int port = 8010, amount;
    static bool balance, list;
    static const struct option_spec options[] = {
        {"host", OPTION_TEXT, &host, .help = "address of the server"},
        {"port", OPTION_INT, &port, 1, 65535, "port of the server"},
        {"amount", OPTION_INT, &amount, 1, 99999999, "charge so many cents"},
        {"key", OPTION_TEXT, &key, .help = "the Idempotency-Key of the charge, else a new one"},
        {"timeout-ms", OPTION_INT, &timeout_ms, 1, 60000, "ms until a call is given up"},
        {"balance", OPTION_FLAG, &balance, .help = "charge nothing: print the balance"},
        {"list", OPTION_FLAG, &list, .help = "charge nothing: print all charges"},
        {0}};
    static const struct command command = {
        "", "Charges once. Without options: 12.50, and the same request once more.", options};
    char new_key[UUID_LENGTH + 1];
    uint8_t uuid[UUID_BYTES];
    options_parse(argc, argv, &command);
    if (key && !call_key_is_good(key))
        options_reject("--key takes 1 to %d printable ASCII characters", CALL_KEY_BYTES);
    output_begin();
    service_at(&server, host, port);
    if (!key && !uuid_new(uuid))
        die("the kernel has no random bits");
    bool twice = !amount && !key;
    if (!amount)
        amount = AMOUNT;
    if (!key)
        key = uuid_write(uuid, new_key);
    if (list)
        print_list();
    else if (!balance)
        make_charge(key, amount, twice);
    if (balance || twice) {
        get("/balance?currency=eur");
        printf("balance: %lld cents in %lld charges\n", integer(0, "sum"), integer(0, "count"));
    }
    output_flush();
    return 0;
}
