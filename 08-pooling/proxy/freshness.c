// freshness.c: see freshness.h. Read freshness_refusal() first, then lifetime_of() and
// freshness_use(): these three are RFC 9111.
#include "freshness.h"

#define HEURISTIC_PART 10 // of the time since it was last modified, a tenth (RFC 9111 §4.2.2)

// ---- Cache-Control -------------------------------------------------------------------------

// Reads "60" or "\"60\"". What is no number counts as 0: then the answer is stale (§4.2.1).
static int64_t read_seconds(struct http_text value)
{
    uint64_t seconds = 0;
    if (value.length >= 2 && value.at[0] == '"' && value.at[value.length - 1] == '"') {
        value.at++;
        value.length -= 2;
    }
    for (size_t i = 0; i < value.length; i++)
        if (value.at[i] < '0' || value.at[i] > '9')
            return 0;
    if (value.length > 10)
        return SECONDS_MAX;
    if (!http_number(value, UINT64_MAX, &seconds))
        return 0;
    if (seconds > SECONDS_MAX)
        return SECONDS_MAX;
    return (int64_t)seconds;
}

// Of a directive that comes twice, the smaller number counts.
static void take_seconds(int64_t *seconds, struct http_text value)
{
    int64_t read = read_seconds(value);
    if (*seconds < 0 || read < *seconds)
        *seconds = read;
}

static void take_directive(struct directives *d, struct http_text item)
{
    struct http_text name = item, value = {NULL, 0};
    const char *equals = memchr(item.at, '=', item.length);
    if (equals) {
        name = http_trim(item.at, equals);
        value = http_trim(equals + 1, item.at + item.length);
    }
    // no-cache="field" and private="field" are about a field only. To take them for the whole
    // answer is allowed, and simpler (§5.2.2.4).
    d->no_store |= http_is_token(name, "no-store");
    d->no_cache |= http_is_token(name, "no-cache");
    d->private |= http_is_token(name, "private");
    d->public |= http_is_token(name, "public");
    d->must_revalidate |= http_is_token(name, "must-revalidate");
    d->proxy_revalidate |= http_is_token(name, "proxy-revalidate");
    d->only_if_cached |= http_is_token(name, "only-if-cached");
    if (http_is_token(name, "max-age"))
        take_seconds(&d->max_age, value);
    else if (http_is_token(name, "s-maxage"))
        take_seconds(&d->s_maxage, value);
    else if (http_is_token(name, "min-fresh"))
        take_seconds(&d->min_fresh, value);
    else if (http_is_token(name, "stale-if-error"))
        take_seconds(&d->stale_if_error, value);
    else if (http_is_token(name, "max-stale") && !equals)
        d->max_stale = SECONDS_MAX; // however stale
    else if (http_is_token(name, "max-stale"))
        take_seconds(&d->max_stale, value);
}

void directives_read(const struct http_head *head, struct directives *directives)
{
    struct http_list list = {.head = head, .name = "cache-control"};
    struct http_text item;
    bool any = false;
    *directives = (struct directives){
        .max_age = -1, .s_maxage = -1, .min_fresh = -1, .max_stale = -1, .stale_if_error = -1};
    while (http_list_next(&list, &item)) {
        take_directive(directives, item);
        any = true;
    }
    // What clients of HTTP/1.0 say (§5.4).
    if (!any && !head->status && http_list_has(head, "pragma", "no-cache"))
        directives->no_cache = true;
}

// ---- may it be stored? ---------------------------------------------------------------------

// Answers with these statuses are fresh for a while even if they do not say so (RFC 9110
// §15.1).
static bool is_heuristically_cacheable(int status)
{
    static const int statuses[] = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i] == status)
            return true;
    return false;
}

const char *freshness_refusal(const struct http_head *request, const struct http_head *answer)
{
    struct directives asked, said;
    struct http_text value;
    directives_read(request, &asked);
    directives_read(answer, &said);
    bool may_be_shared = said.public || said.must_revalidate || said.s_maxage >= 0;
    bool has_lifetime = said.max_age >= 0 || said.s_maxage >= 0 ||
                        http_single_field(answer, "expires", &value) > 0;
    if (asked.no_store)
        return "the request says no-store";
    if (said.no_store)
        return "no-store";
    if (said.private)
        return "private";
    if (answer->status == 206)
        return "a part";
    if (answer->status < 200 || answer->status == 304)
        return "not a final answer";
    if (http_field(answer, "set-cookie").at)
        return "Set-Cookie"; // stricter than RFC 9111 §7.3: the cookie is for one user
    if (http_list_has(answer, "vary", "*"))
        return "Vary: *";
    if (http_list_has(answer, "connection", "vary"))
        return "Connection: Vary"; // what is passed on would be for every request
    if (http_field(request, "authorization").at && !may_be_shared)
        return "Authorization"; // §3.5
    if (!has_lifetime && !said.public && !is_heuristically_cacheable(answer->status))
        return "the status";
    return NULL;
}

// ---- how old is it, and how long is it fresh? ----------------------------------------------

static int64_t date_of(const struct http_head *head, const char *name)
{
    struct http_text value;
    if (!http_single_field(head, name, &value))
        return -1;
    return http_read_date(value);
}

// The answer's own words, the most special ones first (§4.2.1).
static int64_t lifetime_of(const struct http_head *answer, const struct directives *said,
                           int64_t date)
{
    struct http_text value;
    int64_t modified = date_of(answer, "last-modified");
    if (said->s_maxage >= 0)
        return said->s_maxage; // for shared caches, as this one is
    if (said->max_age >= 0)
        return said->max_age;
    int expires_fields = http_single_field(answer, "expires", &value);
    if (expires_fields == 1 && http_read_date(value) > date)
        return http_read_date(value) - date;
    if (expires_fields) // in the past, two of them, or no date at all, such as "0" (§5.3)
        return 0;
    if (!is_heuristically_cacheable(answer->status) || modified < 0 || modified > date)
        return 0;
    int64_t lifetime = (date - modified) / HEURISTIC_PART;
    if (lifetime > HEURISTIC_MAX)
        return HEURISTIC_MAX;
    return lifetime;
}

struct freshness freshness_read(const struct http_head *answer, int64_t request_s,
                                int64_t answer_s)
{
    struct directives said;
    struct freshness f = {0};
    int64_t date = date_of(answer, "date"), told = 0, apparent = 0;
    directives_read(answer, &said);
    if (date < 0)
        date = answer_s;
    if (http_field(answer, "age").at)
        told = read_seconds(http_field(answer, "age"));
    if (answer_s > date)
        apparent = answer_s - date;
    f.age = told + (answer_s - request_s); // it may have been on its way all the time
    if (apparent > f.age)
        f.age = apparent;
    f.lifetime = lifetime_of(answer, &said, date);
    f.no_cache = said.no_cache;
    f.never_stale = said.must_revalidate || said.proxy_revalidate || said.s_maxage >= 0;
    f.stale_if_error = said.stale_if_error;
    return f;
}

// ---- may it be used? -----------------------------------------------------------------------

enum cache_use freshness_use(const struct freshness *stored, const struct directives *request,
                             int64_t age)
{
    int64_t left = stored->lifetime - age;
    bool too_old = request->max_age >= 0 && (age > request->max_age || !request->max_age);
    bool ends_soon = request->min_fresh >= 0 && left < request->min_fresh;
    if (stored->no_cache || request->no_cache || too_old)
        return USE_VALIDATED;
    if (left > 0 && !ends_soon)
        return USE_FRESH;
    if (left <= 0 && !stored->never_stale && request->max_stale >= -left)
        return USE_STALE;
    return USE_VALIDATED;
}

bool freshness_may_serve_stale(const struct freshness *stored, const struct directives *request,
                               int64_t age, bool server_error)
{
    int64_t stale_for = age - stored->lifetime, allowed = stored->stale_if_error;
    if (request->stale_if_error > allowed)
        allowed = request->stale_if_error;
    if (stored->no_cache || stored->never_stale || request->no_cache || request->max_age == 0)
        return false;
    return !server_error || stale_for <= allowed;
}

// ---- validators ----------------------------------------------------------------------------

bool freshness_same_tag(struct http_text a, struct http_text b)
{
    struct http_text *tags[] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        if (tags[i]->length >= 2 && !memcmp(tags[i]->at, "W/", 2)) {
            tags[i]->at += 2;
            tags[i]->length -= 2;
        }
    }
    return a.length && a.length == b.length && !memcmp(a.at, b.at, a.length);
}

bool freshness_client_has_it(const struct http_head *request, const struct http_head *stored)
{
    struct http_list list = {.head = request, .name = "if-none-match"};
    struct http_text tag = http_field(stored, "etag"), item;
    if (http_field(request, "if-none-match").at) {
        while (http_list_next(&list, &item))
            if (http_is(item, "*") || freshness_same_tag(item, tag))
                return true;
        return false; // If-Modified-Since does not count beside it
    }
    int64_t since = date_of(request, "if-modified-since");
    int64_t modified = date_of(stored, "last-modified");
    return since >= 0 && modified >= 0 && modified <= since;
}
