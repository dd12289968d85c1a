// http_out.c: writing the head of a message, see http.h.
#include "http.h"

void http_put(struct http_out *out, const void *bytes, size_t length)
{
    if (length > out->size - out->length) {
        out->overflow = true;
        return;
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

void http_put_text(struct http_out *out, const char *text)
{
    http_put(out, text, strlen(text));
}

void http_put_number(struct http_out *out, uint64_t number, unsigned base)
{
    char digits[64], *at = digits + sizeof digits;
    do
        *--at = "0123456789abcdef"[number % base];
    while (number /= base);
    http_put(out, at, (size_t)(digits + sizeof digits - at));
}

void http_put_field(struct http_out *out, const char *name, const char *value)
{
    http_put_text(out, name);
    http_put(out, ": ", 2);
    http_put_text(out, value);
    http_put(out, "\r\n", 2);
}

void http_put_length(struct http_out *out, uint64_t content_length)
{
    http_put_text(out, "Content-Length: ");
    http_put_number(out, content_length, 10);
    http_put(out, "\r\n", 2);
}

void http_put_status(struct http_out *out, int status)
{
    http_put_text(out, "HTTP/1.1 ");
    http_put_number(out, (uint64_t)status, 10);
    http_put(out, " ", 1);
    http_put_text(out, http_reason(status));
    http_put_text(out, "\r\nServer: workbench\r\nDate: ");
    http_put_text(out, http_date(time(NULL)));
    http_put(out, "\r\n", 2);
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{100, "Continue"},
                   {101, "Switching Protocols"},
                   {200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {206, "Partial Content"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {402, "Payment Required"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {411, "Length Required"},
                   {412, "Precondition Failed"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {416, "Range Not Satisfiable"},
                   {417, "Expectation Failed"},
                   {421, "Misdirected Request"},
                   {422, "Unprocessable Content"},
                   {425, "Too Early"},
                   {426, "Upgrade Required"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {505, "HTTP Version Not Supported"},
                   {507, "Insufficient Storage"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}
