// freshness.h: what RFC 9111 says about storing an answer and using it again. These functions
// read heads and numbers; they know no store, no socket and no clock.
//
// The three questions of a shared cache:
//   freshness_refusal()  may this answer be stored at all?                        (RFC 9111 §3)
//   freshness_read()     how old is it now, and how long is it fresh?           (§4.2, §4.2.3)
//   freshness_use()      may this request be answered with it, or is the server to be asked?
#ifndef FRESHNESS_H
#define FRESHNESS_H

#include "http.h"

#define SECONDS_MAX   INT32_MAX   // larger numbers of seconds count as this one (§1.2.2)
#define HEURISTIC_MAX (24 * 3600) // seconds that an answer is fresh at most if it does not say

// What the Cache-Control fields of a request or an answer say (§5.2). Seconds are -1 where the
// directive is not there.
struct directives {
    bool no_store, no_cache, private, public, must_revalidate, proxy_revalidate, only_if_cached;
    int64_t max_age, s_maxage, min_fresh, max_stale, stale_if_error;
};

void directives_read(const struct http_head *head, struct directives *directives);

// What is kept of an answer to answer the three questions later.
struct freshness {
    int64_t age;      // in seconds, when it came (corrected_initial_age of §4.2.3)
    int64_t lifetime; // in seconds: up to this age it is fresh
    int64_t stale_if_error;
    bool no_cache;    // the server is to be asked each time
    bool never_stale; // must-revalidate and its like
};

// NULL if a shared cache may store the answer to this request; else why not, in a word or two.
// The request's method is GET.
const char *freshness_refusal(const struct http_head *request, const struct http_head *answer);

// The request was sent at request_s and the answer came at answer_s, both in seconds since
// 1970.
struct freshness freshness_read(const struct http_head *answer, int64_t request_s,
                                int64_t answer_s);

enum cache_use {
    USE_FRESH,    // answer with it
    USE_STALE,    // answer with it, because the request allows it although it is stale
    USE_VALIDATED // ask the server first whether it is still good
};

// `age` is in seconds, now.
enum cache_use freshness_use(const struct freshness *stored, const struct directives *request,
                             int64_t age);

// The server cannot be reached, or, with `server_error`, has answered 500, 502, 503 or 504: may
// the stale answer be used instead (§4.2.4, RFC 5861 §4)?
bool freshness_may_serve_stale(const struct freshness *stored, const struct directives *request,
                               int64_t age, bool server_error);

// True if the validator in a request's If-None-Match or If-Modified-Since is that of the stored
// answer: the client has it already, and 304 is enough (RFC 9110 §13.2.2).
bool freshness_client_has_it(const struct http_head *request, const struct http_head *stored);

// Compares two entity tags, and ignores whether they are weak (RFC 9110 §8.8.3.2).
bool freshness_same_tag(struct http_text a, struct http_text b);

#endif
