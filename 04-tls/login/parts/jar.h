// jar.h: a client's cookies and tokens: what a browser keeps, and when it gives it back
// (RFC 6265bis).
#ifndef JAR_H
#define JAR_H

#include "http.h"
#include "jwt.h"

#define JAR_COOKIES 8
#define JAR_NAME    64
#define JAR_VALUE   256
#define JAR_HOST    256

struct jar_cookie {
    char name[JAR_NAME], value[JAR_VALUE]; // a cookie without a name is no cookie
    bool secure;                           // for https only
    bool http_only;                        // no script may read it
    int64_t expires_s;                     // 0: when the program ends
};

// What was got from one host; it goes back to that host only, whatever its port.
struct jar {
    char host[JAR_HOST];
    struct jar_cookie cookies[JAR_COOKIES];
    char access[JWT_BYTES], refresh[100]; // tokens; "": none
};

// Reads and writes a file that only its owner can read. A file that is not there is an empty
// jar, and one of another host as well. Dies if it cannot be read or written.
void jar_load(struct jar *jar, const char *path, const char *host);
void jar_save(const struct jar *jar, const char *path);

// Takes a Set-Cookie field. Returns NULL, or why the cookie is refused.
const char *jar_set_cookie(struct jar *jar, struct http_text field, bool secure, int64_t now_s);

// Takes the tokens of an answer in JSON, if there are any.
void jar_take_tokens(struct jar *jar, const char *content);

// Writes the fields that the next request has: Cookie, and Authorization if there is a token.
void jar_write_fields(const struct jar *jar, bool secure, int64_t now_s, struct http_out *out);

#endif
