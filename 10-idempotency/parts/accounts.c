// accounts.c: see accounts.h.
#include "accounts.h"

#include <stdlib.h>

#include "charges.h"
#include "problem.h"

#define ACCOUNT_BYTES 1024 // of one in an answer

static bool is_account(struct connection *c, struct http_text name)
{
    if (record_is_word(name, ACCOUNT_MAX))
        return true;
    problem(c, 400, "", NULL, "An account's name has 1 to 64 letters, digits, '_', '-', '.'.");
    return false;
}

// An owner's name: any letters, but nothing that would command a terminal.
static bool is_owner(const struct json_value *value)
{
    bool good = value && value->type == JSON_STRING && value->text.length &&
                value->text.length <= OWNER_MAX;
    for (size_t i = 0; good && i < value->text.length; i++)
        good = (uint8_t)value->text.at[i] >= ' ' && value->text.at[i] != 0x7f;
    return good;
}

// The account that the content describes; NULL: the request is answered.
static struct record *read_account(struct connection *c, const struct request *request)
{
    struct json *json = &c->api->json;
    int64_t limit;
    bool good = json_read(json, request->content.at, request->content.length) &&
                json->values[0].type == JSON_OBJECT;
    const struct json_value *owner = NULL, *most = NULL;
    if (good) {
        owner = json_member(json, "owner");
        most = json_member(json, "limit");
    }
    if (!good) {
        problem(c, 400, "", NULL, "The content must be a JSON object.");
    } else if (!is_owner(owner)) {
        problem(c, 400, "", "owner", "It must be a string of 1 to 100 bytes.");
    } else if (!most || !json_integer(most, 0, AMOUNT_MAX, &limit)) {
        problem(c, 400, "", "limit", "It must be an integer from 0 to 99999999.");
    } else {
        struct record *account = record_new(ACCOUNT, request->rest, owner->text);
        if (account)
            account->amount = limit;
        else
            charge_not_kept(c);
        return account;
    }
    return NULL;
}

static void when_put(struct connection *c)
{
    struct http_text nothing = {"", 0};
    int status = 201;
    if (c->existed)
        status = 204;
    if (!c->durable)
        charge_not_kept(c);
    else
        connection_answer(c, status, "", nothing);
}

static void when_deleted(struct connection *c)
{
    if (c->durable && !c->existed) // another client was faster
        problem(c, 404, "", NULL, "There is no such account.");
    else
        when_put(c);
}

static void keep(struct connection *c, struct record *record,
                 void (*then)(struct connection *c))
{
    if (record && !connection_write_record(c, record, then)) {
        free(record);
        problem(c, 507, "", NULL, "There is no room for a further one.");
    }
}

void answer_put_account(struct connection *c, const struct request *request)
{
    if (is_account(c, request->rest))
        keep(c, read_account(c, request), when_put);
}

void answer_delete_account(struct connection *c, const struct request *request)
{
    struct http_text none = {NULL, 0};
    if (!table_find(&c->api->store.accounts, request->rest)) {
        problem(c, 404, "", NULL, "There is no such account.");
        return;
    }
    struct record *gone = record_new(ACCOUNT_GONE, request->rest, none);
    if (gone)
        keep(c, gone, when_deleted);
    else
        charge_not_kept(c);
}

void answer_account(struct connection *c, const struct request *request)
{
    char text[ACCOUNT_BYTES];
    struct http_out out = {text, sizeof text, 0, false};
    const struct record *account = table_find(&c->api->store.accounts, request->rest);
    if (!account) {
        problem(c, 404, "", NULL, "There is no such account.");
        return;
    }
    http_put_text(&out, "{\"object\":\"account\",\"name\":");
    json_put(&out, record_name(account));
    http_put_text(&out, ",\"owner\":");
    json_put(&out, record_text(account));
    http_put_text(&out, ",\"limit\":");
    http_put_number(&out, (uint64_t)account->amount, 10);
    http_put_text(&out, "}\n");
    connection_answer(c, 200, "", (struct http_text){text, out.length});
}
