// test_lines.h: the form of the table of odd requests, and those requests whose first line is
// odd. test_requests.h has the other requests, and says what the table is for.
#ifndef TEST_LINES_H
#define TEST_LINES_H

#include <stddef.h>

struct odd_request {
    const char *name, *expected, *bytes;
    size_t length; // there are NULs in some
};

// A macro, because only the literal itself knows its length.
#define CASE(name, expected, bytes)                                                            \
    {                                                                                          \
        name, expected, bytes, sizeof bytes - 1                                                \
    }

#define GET    "GET / HTTP/1.1\r\n"
#define HOST   "Host: h\r\n"
#define POST   "POST /echo HTTP/1.1\r\nHost: h\r\n"
#define LENGTH "Content-Length: "
#define CODING "Transfer-Encoding: "
#define CHUNKS POST CODING "chunked\r\n\r\n"
#define LAST   "0\r\n\r\n"
#define END    "\r\n"
#define ZEROS                                                                                  \
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
    "000000000000"
#define GO_AHEAD "Expect: 100-continue\r\n"

// clang-format off
static const struct odd_request odd_lines[] = {
    // ---- the request line (RFC 9112 §2.2, §3)
    CASE("as it should be", "200", GET HOST END),
    CASE("an empty line before it", "200", "\r\n" GET HOST END),
    CASE("two empty lines before it", "200", "\r\n\r\n" GET HOST END),
    CASE("three empty lines before it", "400 close", "\r\n\r\n\r\n" GET HOST END),
    CASE("a bare newline before it", "400 close", "\n" GET HOST END),
    CASE("a CR before it", "400 close", "\r" GET HOST END),
    CASE("a space before it", "400 close", " " GET HOST END),
    CASE("a tab before it", "400 close", "\t" GET HOST END),
    CASE("a NUL before it", "400 close", "\0" GET HOST END),
    CASE("a byte order mark before it", "400 close", "\xef\xbb\xbf" GET HOST END),
    CASE("two spaces behind the method", "400 close", "GET  / HTTP/1.1\r\n" HOST END),
    CASE("a tab behind the method", "400 close", "GET\t/ HTTP/1.1\r\n" HOST END),
    CASE("two spaces before the version", "400 close", "GET /  HTTP/1.1\r\n" HOST END),
    CASE("a tab before the version", "400 close", "GET /\tHTTP/1.1\r\n" HOST END),
    CASE("a form feed before the version", "400 close", "GET /\fHTTP/1.1\r\n" HOST END),
    CASE("a space behind the version", "400 close", "GET / HTTP/1.1 \r\n" HOST END),
    CASE("a tab behind the version", "400 close", "GET / HTTP/1.1\t\r\n" HOST END),
    CASE("a word behind the version", "400 close", "GET / HTTP/1.1 please\r\n" HOST END),
    CASE("no target", "400 close", "GET HTTP/1.1\r\n" HOST END),
    CASE("an empty target", "400 close", "GET  HTTP/1.1\r\n" HOST END),
    CASE("no version, as in HTTP/0.9", "400 close", "GET /\r\n" HOST END),
    CASE("no version but its space", "400 close", "GET / \r\n" HOST END),
    CASE("no method", "400 close", " / HTTP/1.1\r\n" HOST END),
    CASE("one word", "400 close", "hello\r\n\r\n"),
    CASE("two request lines", "400 close", GET GET HOST END),
    CASE("a bare newline behind it", "400 close", "GET / HTTP/1.1\n" HOST END),
    CASE("a bare CR behind it", "400 close", "GET / HTTP/1.1\r" HOST END),
    CASE("CR CR LF behind it", "400 close", "GET / HTTP/1.1\r\r\n" HOST END),
    CASE("LF CR behind it", "400 close", "GET / HTTP/1.1\n\r" HOST END),
    CASE("bare newlines everywhere", "400 close", "GET / HTTP/1.1\nHost: h\n\n"),

    // ---- the method (RFC 9110 §9.1): case-sensitive; 501 if no path has it, 405 if this path has it not
    CASE("a method in lower case", "501", "get / HTTP/1.1\r\n" HOST END),
    CASE("a method that is not known", "501", "BREW / HTTP/1.1\r\n" HOST END),
    CASE("a longer GET", "501", "GETT / HTTP/1.1\r\n" HOST END),
    CASE("all that may stand in a method", "501", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n" HOST END),
    CASE("an unknown method with content", "501", "BREW / HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\npot"),
    CASE("a method of 32 letters", "501", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n" HOST END),
    CASE("a method of 33 letters", "501 close", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" HOST END),
    CASE("a colon in the method", "400 close", "GE:T / HTTP/1.1\r\n" HOST END),
    CASE("a slash in the method", "400 close", "GE/T / HTTP/1.1\r\n" HOST END),
    CASE("a comma in the method", "400 close", "GET,HEAD / HTTP/1.1\r\n" HOST END),
    CASE("a method in quotes", "400 close", "\"GET\" / HTTP/1.1\r\n" HOST END),
    CASE("a method in brackets", "400 close", "[GET] / HTTP/1.1\r\n" HOST END),
    CASE("a method that is not ASCII", "400 close", "G\xc3\x8bT / HTTP/1.1\r\n" HOST END),
    CASE("HEAD", "200", "HEAD / HTTP/1.1\r\n" HOST END),
    CASE("HEAD of an image", "200", "HEAD /img/1?size=1000000 HTTP/1.1\r\n" HOST END),
    CASE("HEAD of a stream", "200", "HEAD /stream HTTP/1.1\r\n" HOST END),
    CASE("HEAD of nothing", "404", "HEAD /nothing HTTP/1.1\r\n" HOST END),
    CASE("HEAD with content", "200", "HEAD / HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\nabc"),
    CASE("HEAD with content, echoed", "200", "HEAD /echo HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\nabc"),
    CASE("HEAD refused", "400 close", "HEAD / HTTP/1.1\r\n\r\n"),
    CASE("OPTIONS", "204", "OPTIONS / HTTP/1.1\r\n" HOST END),
    CASE("OPTIONS of nothing", "404", "OPTIONS /nothing HTTP/1.1\r\n" HOST END),
    CASE("OPTIONS with content", "204", "OPTIONS / HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\nabc"),
    CASE("PUT where it is not taken", "405", "PUT / HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\nabc"),
    CASE("DELETE where it is not taken", "405", "DELETE /cached HTTP/1.1\r\n" HOST END),
    CASE("DELETE of a file", "405", "DELETE /files/x HTTP/1.1\r\n" HOST END),
    CASE("POST where it is not taken", "405", "POST /img/1 HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\nabc"),
    CASE("POST in chunks where it is not taken", "405", "POST /slow HTTP/1.1\r\n" HOST CODING "chunked\r\n\r\n3\r\nabc\r\n" LAST),
    CASE("PATCH where it is not taken", "405", "PATCH /stream HTTP/1.1\r\n" HOST LENGTH "0\r\n\r\n"),
    CASE("TRACE", "405", "TRACE / HTTP/1.1\r\n" HOST END),
    CASE("DELETE with content, echoed", "200", "DELETE /echo HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\nabc"),
    CASE("GET with content, echoed", "200", "GET /echo HTTP/1.1\r\n" HOST LENGTH "3\r\n\r\nabc"),
    CASE("GET with content that is not wanted", "200", GET HOST LENGTH "3\r\n\r\nabc"),
    CASE("GET with chunks that are not wanted", "200", GET HOST CODING "chunked\r\n\r\n3\r\nabc\r\n" LAST),

    // ---- the version (RFC 9112 §2.3): 1.x is taken, another major version gets 505
    CASE("1.0 closes", "200 close", "GET / HTTP/1.0\r\n\r\n"),
    CASE("1.0 with a Host", "200 close", "GET / HTTP/1.0\r\n" HOST END),
    CASE("1.0 with keep-alive", "200", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    CASE("1.0 with Keep-Alive", "200", "GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n"),
    CASE("1.0 with keep-alive and close", "200 close", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
    CASE("1.0 with content", "200", "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n" LENGTH "3\r\n\r\nabc"),
    CASE("a stream for 1.0 ends with the connection", "200 close", "GET /stream?n=2&ms=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    CASE("HEAD of a stream in 1.0", "200 close", "HEAD /stream?n=2&ms=1 HTTP/1.0\r\n\r\n"),
    CASE("1.2", "200", "GET / HTTP/1.2\r\n" HOST END),
    CASE("1.9", "200", "GET / HTTP/1.9\r\n" HOST END),
    CASE("2.0", "505 close", "GET / HTTP/2.0\r\n" HOST END),
    CASE("3.1", "505 close", "GET / HTTP/3.1\r\n" HOST END),
    CASE("0.9", "505 close", "GET / HTTP/0.9\r\n" HOST END),
    CASE("HTTP/2's preface", "505 close", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    CASE("no minor version", "400 close", "GET / HTTP/1\r\n" HOST END),
    CASE("a point without a minor version", "400 close", "GET / HTTP/1.\r\n" HOST END),
    CASE("two digits behind the point", "400 close", "GET / HTTP/1.10\r\n" HOST END),
    CASE("two digits before the point", "400 close", "GET / HTTP/01.1\r\n" HOST END),
    CASE("three numbers", "400 close", "GET / HTTP/1.1.1\r\n" HOST END),
    CASE("a comma in the version", "400 close", "GET / HTTP/1,1\r\n" HOST END),
    CASE("a version in lower case", "400 close", "GET / http/1.1\r\n" HOST END),
    CASE("a space in the version", "400 close", "GET / HTTP/ 1.1\r\n" HOST END),
    CASE("a space instead of the slash", "400 close", "GET / HTTP 1.1\r\n" HOST END),
    CASE("a sign in the version", "400 close", "GET / HTTP/+1.1\r\n" HOST END),
    CASE("letters in the version", "400 close", "GET / HTTP/1.x\r\n" HOST END),
    CASE("another protocol's name", "400 close", "GET / HTTPS/1.1\r\n" HOST END),
    CASE("a shorter name", "400 close", "GET / HTP/1.1\r\n" HOST END),
    CASE("a TLS hello", "400 close", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
    CASE("an SSH hello", "400 close", "SSH-2.0-OpenSSH_9.6\r\n"),
    CASE("an SMTP hello", "400 close", "EHLO example.org\r\n"),
    CASE("a PROXY line", "400 close", "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n" GET HOST END),
    CASE("a response", "400 close", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),

    // ---- the target as a path (RFC 9112 §3.2.1)
    CASE("a query", "200", "GET /?a=b&c HTTP/1.1\r\n" HOST END),
    CASE("an empty query", "200", "GET /? HTTP/1.1\r\n" HOST END),
    CASE("a query with question marks and slashes", "200", "GET /?a?b/c:d@e HTTP/1.1\r\n" HOST END),
    CASE("all that may stand in a path", "404", "GET /-._~!$&'()*+,;=:@%20 HTTP/1.1\r\n" HOST END),
    CASE("two slashes", "404", "GET // HTTP/1.1\r\n" HOST END),
    CASE("an authority without a scheme is a path", "404", "GET //h/ HTTP/1.1\r\n" HOST END),
    CASE("out of the tree", "404", "GET /../../etc/passwd HTTP/1.1\r\n" HOST END),
    CASE("out of the tree, encoded", "404", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" HOST END),
    CASE("an encoded NUL", "404", "GET /files/a%00b HTTP/1.1\r\n" HOST END),
    CASE("a route in other letters", "404", "GET /ECHO HTTP/1.1\r\n" HOST END),
    CASE("a route and more", "404", "GET /echo/ HTTP/1.1\r\n" HOST END),
    CASE("no slash", "400 close", "GET index.html HTTP/1.1\r\n" HOST END),
    CASE("a query alone", "400 close", "GET ?a=b HTTP/1.1\r\n" HOST END),
    CASE("an encoded slash alone", "400 close", "GET %2f HTTP/1.1\r\n" HOST END),
    CASE("a fragment", "400 close", "GET /#top HTTP/1.1\r\n" HOST END),
    CASE("a space in the path", "400 close", "GET /a b HTTP/1.1\r\n" HOST END),
    CASE("a backslash", "400 close", "GET /a\\b HTTP/1.1\r\n" HOST END),
    CASE("a quote", "400 close", "GET /\"a\" HTTP/1.1\r\n" HOST END),
    CASE("angle brackets", "400 close", "GET /<a> HTTP/1.1\r\n" HOST END),
    CASE("braces", "400 close", "GET /{a} HTTP/1.1\r\n" HOST END),
    CASE("a bar", "400 close", "GET /a|b HTTP/1.1\r\n" HOST END),
    CASE("a caret", "400 close", "GET /a^b HTTP/1.1\r\n" HOST END),
    CASE("a backtick", "400 close", "GET /a`b HTTP/1.1\r\n" HOST END),
    CASE("a path that is not ASCII", "400 close", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST END),

    // ---- the target as a URI (§3.2.2), as a host (§3.2.3), as "*" (§3.2.4)
    CASE("a URI", "200", "GET http://h/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with a query", "200", "GET http://h/?a=b HTTP/1.1\r\n" HOST END),
    CASE("a URI without a path", "200", "GET http://h HTTP/1.1\r\n" HOST END),
    CASE("a URI without a path but a query", "200", "GET http://h?a=b HTTP/1.1\r\n" HOST END),
    CASE("a URI in capitals", "200", "GET HTTP://H/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with a port", "200", "GET http://h:8002/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with an empty port", "200", "GET http://h:/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with an IPv6 address", "200", "GET http://[::1]:8002/ HTTP/1.1\r\n" HOST END),
    CASE("a URI and another Host", "200", "GET http://h/ HTTP/1.1\r\nHost: i\r\n\r\n"),
    CASE("a URI in 1.0", "200 close", "GET http://h/ HTTP/1.0\r\n\r\n"),
    CASE("a URI, but no Host", "400 close", "GET http://h/ HTTP/1.1\r\n\r\n"),
    CASE("a URI, and two Hosts", "400 close", "GET http://h/ HTTP/1.1\r\n" HOST HOST END),
    CASE("a URI, and a bad Host", "400 close", "GET http://h/ HTTP/1.1\r\nHost: h/\r\n\r\n"),
    CASE("a URI without a host", "400 close", "GET http:///a HTTP/1.1\r\n" HOST END),
    CASE("a URI with a port, but no host", "400 close", "GET http://:80/ HTTP/1.1\r\n" HOST END),
    CASE("a scheme alone", "400 close", "GET http:// HTTP/1.1\r\n" HOST END),
    CASE("a URI with one slash", "400 close", "GET http:/h HTTP/1.1\r\n" HOST END),
    CASE("a URI with a user", "400 close", "GET http://u@h/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with a password", "400 close", "GET http://u:p@h/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with two ports", "400 close", "GET http://h:1:2/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with a port of letters", "400 close", "GET http://h:http/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with half a bracket", "400 close", "GET http://[::1/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with empty brackets", "400 close", "GET http://[]/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with letters behind the brackets", "400 close", "GET http://[::1]a/ HTTP/1.1\r\n" HOST END),
    CASE("a URI with a fragment", "400 close", "GET http://h/#a HTTP/1.1\r\n" HOST END),
    CASE("a URI that wants TLS", "421 close", "GET https://h/ HTTP/1.1\r\n" HOST END),
    CASE("another scheme", "400 close", "GET ftp://h/ HTTP/1.1\r\n" HOST END),
    CASE("a file", "400 close", "GET file:///etc/passwd HTTP/1.1\r\n" HOST END),
    CASE("OPTIONS *", "204", "OPTIONS * HTTP/1.1\r\n" HOST END),
    CASE("OPTIONS of a URI without a path", "204", "OPTIONS http://h HTTP/1.1\r\n" HOST END),
    CASE("OPTIONS ** ", "400 close", "OPTIONS ** HTTP/1.1\r\n" HOST END),
    CASE("GET *", "400 close", "GET * HTTP/1.1\r\n" HOST END),
    CASE("CONNECT", "405", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
    CASE("CONNECT to a port without a host", "400 close", "CONNECT :80 HTTP/1.1\r\n" HOST END),
    CASE("CONNECT to a path", "400 close", "CONNECT / HTTP/1.1\r\n" HOST END),
    CASE("CONNECT to a URI", "400 close", "CONNECT http://h/ HTTP/1.1\r\n" HOST END),
    CASE("a host, but not for CONNECT", "400 close", "GET h:80 HTTP/1.1\r\n" HOST END),
};
// clang-format on

#endif
