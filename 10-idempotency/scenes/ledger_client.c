// ledger_client.c: see ledger_client.h.
#include "ledger_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "story.h"

#define PAGE_LENGTH 100   // charges that are asked for at once
#define LINE_LENGTH 72    // of an answer's content
#define MARGIN_MS   60000 // that the server's clock may be behind ours

static struct service server;

void ledger_at(const char *host, int port)
{
    service_at(&server, host, port);
}

const struct service *the_server(void)
{
    return &server;
}

char *new_key(char text[UUID_LENGTH + 1])
{
    uint8_t uuid[UUID_BYTES];
    if (!uuid_new(uuid))
        die("the kernel has no random bits");
    return uuid_write(uuid, text);
}

void customer_new(struct customer *customer)
{
    struct ulid_source source = {0};
    struct ulid ulid;
    char key[UUID_LENGTH + 1], text[ULID_LENGTH + 1];
    if (!ulid_next(&source, ulid_now_ms() - MARGIN_MS, &ulid))
        die("the kernel has no random bits");
    snprintf(customer->since, sizeof customer->since, "ch_%s", ulid_write(&ulid, text));
    snprintf(customer->source, sizeof customer->source, "tok_%.13s", new_key(key));
    snprintf(customer->charge, sizeof customer->charge,
             "{\"amount\": %d, \"currency\": \"eur\", \"source\": \"%s\"}", AMOUNT,
             customer->source);
}

void must_call(const struct service *service, const char *method, const char *target,
               const char *content, struct call *call)
{
    char text[CALL_FIELD_BYTES], name[NET_NAME];
    call_make(service, &(struct call_request){method, target, NULL, content, PATIENCE_MS},
              call);
    if (call->outcome == CALL_REFUSED)
        die("cannot connect to %s (is the server running?)", net_name(&service->address, name));
    if (call->outcome != CALL_ANSWERED)
        die("%s %s: %s", method, target, call_text(call, text));
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

int charges_of(const struct service *service, const struct customer *customer)
{
    static const char id[] = "\"id\":";
    static struct call call;
    char target[100], after[CUSTOMER_SIZE], quoted[CUSTOMER_SIZE + 2];
    int count = 0;
    strcpy(after, customer->since);
    snprintf(quoted, sizeof quoted, "\"%s\"", customer->source);
    for (;;) {
        snprintf(target, sizeof target, "/charges?limit=%d&after=%s", PAGE_LENGTH, after);
        must_call(service, "GET", target, NULL, &call);
        if (call.status != 200)
            die("GET %s: %s", target, call.content);
        count += count_of(call.content, quoted);
        if (count_of(call.content, id) < PAGE_LENGTH)
            return count;
        const char *last = call.content;
        for (const char *at = last; (at = strstr(at, id)); at++)
            last = at;
        last += strlen(id) + strspn(last + strlen(id), " \"");
        snprintf(after, sizeof after, "%.*s", (int)strcspn(last, "\""), last);
    }
}

long figure_of(const struct service *service, const char *name)
{
    static struct call call;
    char text[CALL_FIELD_BYTES];
    must_call(service, "GET", "/stats", NULL, &call);
    if (!*call_member(&call, name, text, sizeof text))
        die("GET /stats says nothing of %s", name);
    return atol(text);
}

void fail_for(const struct service *service, int ms)
{
    static struct call call;
    char content[40];
    snprintf(content, sizeof content, "{\"ms\": %d}", ms);
    must_call(service, "PUT", "/outage", content, &call);
    if (call.status != 204)
        die("PUT /outage: %s", call.content);
}

void say_answer(const struct call *call)
{
    char text[CALL_FIELD_BYTES];
    story_say("    %s", call_text(call, text));
    for (const char *at = call->content; *at && *at != '\n';) {
        size_t length = strcspn(at, "\n"), cut = 0;
        for (size_t i = 0; i < length && i < LINE_LENGTH; i++)
            if (at[i] == ',')
                cut = i + 1;
        if (length > LINE_LENGTH && cut)
            length = cut;
        else if (length > LINE_LENGTH)
            length = LINE_LENGTH;
        story_say("      %.*s", (int)length, at);
        at += length;
    }
}

// ---- an operation on the timeline ----------------------------------------------------------

static const struct retry_policy careful = {100, 50, 1000, PATIENCE_MS, true};

static void show_call(const struct operation *operation)
{
    char text[CALL_FIELD_BYTES];
    story_event("%s", call_text(&operation->last, text));
}

static void show_wait(const struct operation *operation, int64_t ms)
{
    story_event("waits %lld ms; then call %d", (long long)ms, operation->attempts + 1);
}

struct operation charge_operation(const struct service *service, struct customer *customer,
                                  char key[UUID_LENGTH + 1])
{
    customer_new(customer);
    return (struct operation){
        .service = service,
        .request = {"POST", "/charges", new_key(key), customer->charge, PATIENCE_MS},
        .policy = careful,
        .made = show_call,
        .waits = show_wait,
        .random = (uint64_t)now_ns()};
}
