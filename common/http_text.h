// http_text.h: the texts that an HTTP message is made of. They point into its bytes: nothing is
// copied.
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct http_text {
    const char *at; // not '\0'-terminated
    size_t length;
};

// Compares a text, exactly or, as for field names and tokens, whatever the case of its letters.
// Inline: the compiler knows how long a literal word is.
static inline bool http_is(struct http_text text, const char *word)
{
    return text.length == strlen(word) && !memcmp(text.at, word, text.length);
}

static inline bool http_is_token(struct http_text text, const char *word)
{
    return text.length == strlen(word) && !strncasecmp(text.at, word, text.length);
}

static inline bool http_is_space(char c)
{
    return c == ' ' || c == '\t';
}

// What stands between two places, without the spaces and tabs around it.
static inline struct http_text http_trim(const char *at, const char *end)
{
    while (at < end && http_is_space(*at))
        at++;
    while (at < end && http_is_space(end[-1]))
        end--;
    return (struct http_text){at, (size_t)(end - at)};
}

// Takes the next item off a list "a, b,, c" (RFC 9110 §5.6.1). False: there is none.
bool http_next_item(struct http_text *list, struct http_text *item);

// A whole number up to `max`, digits and nothing else. False: it is not one.
bool http_number(struct http_text text, uint64_t max, uint64_t *value);

// Splits a target into what stands before the '?' ("/" if that is nothing), and behind it.
void http_split_target(struct http_text target, struct http_text *path,
                       struct http_text *query);

// The text called `name` in a query "a=1&b=2"; at NULL if there is none.
struct http_text http_parameter(struct http_text query, const char *name);

#endif
