// service_file.c: see service_file.h. Read service_file_read() first.
#include "service_file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "http.h"

// The next word of a line; false: there is none.
static bool next_word(struct http_text *line, struct http_text *word)
{
    *word = http_trim(line->at, line->at + line->length);
    const char *end = line->at + line->length, *at = word->at;
    while (at < word->at + word->length && *at != ' ' && *at != '\t')
        at++;
    word->length = (size_t)(at - word->at);
    *line = (struct http_text){at, (size_t)(end - at)};
    return word->length > 0;
}

bool service_name_is_good(const char *name, size_t length)
{
    if (length == 0 || length >= SERVICE_NAME || name[0] == '-' || name[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

bool service_address_read(const char *text, size_t length, struct sockaddr_storage *address)
{
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = memrchr(text, ':', length);
    uint64_t port;
    if (!colon)
        return false;
    struct http_text digits = {colon + 1, (size_t)(text + length - colon - 1)};
    size_t host_length = (size_t)(colon - text);
    bool brackets = host_length > 2 && text[0] == '[' && text[host_length - 1] == ']';
    if (brackets) {
        text++;
        host_length -= 2;
    }
    if (host_length == 0 || host_length >= sizeof host || !http_number(digits, 65535, &port) ||
        port == 0)
        return false;
    memcpy(host, text, host_length);
    memset(address, 0, sizeof *address);
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    if (brackets) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
    }
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

static struct service_line *find(struct service_file *file, struct http_text name)
{
    for (int i = 0; i < file->count; i++)
        if (http_is(name, file->services[i].name))
            return &file->services[i];
    return NULL;
}

// Reads "NAME ADDRESS:PORT ...". NULL: it is good; else what is wrong with it.
static const char *read_line(struct http_text line, struct service_file *file)
{
    struct http_text word;
    if (!next_word(&line, &word))
        return NULL;
    if (!service_name_is_good(word.at, word.length))
        return "a name has a-z, 0-9 and '-', and at most 63 of them";
    if (find(file, word))
        return "this service is here a second time";
    if (file->count == SERVICES_MAX)
        return "more than 64 services";
    struct service_line *service = &file->services[file->count];
    memset(service, 0, sizeof *service);
    memcpy(service->name, word.at, word.length);
    while (next_word(&line, &word)) {
        if (service->count == INSTANCES_MAX)
            return "more than 16 addresses";
        if (!service_address_read(word.at, word.length, &service->addresses[service->count]))
            return "an address is 10.0.0.1:8114 or [::1]:8114";
        service->count++;
    }
    file->count++;
    return NULL;
}

bool service_file_read(const char *text, size_t length, struct service_file *file,
                       char why[SERVICE_FILE_WHY])
{
    const char *end = text + length;
    bool whole = false;
    file->count = 0;
    for (int number = 1; text < end; number++) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        const char *wrong = NULL;
        if (!line_end)
            break; // a line without its end may be the first half of one
        const char *comment = memchr(text, '#', (size_t)(line_end - text));
        if (!comment)
            comment = line_end;
        struct http_text line = http_trim(text, comment);
        if (whole && line.length)
            wrong = "there is more behind the line \"end\"";
        else if (http_is(line, "end"))
            whole = true;
        else
            wrong = read_line(line, file);
        if (wrong) {
            snprintf(why, SERVICE_FILE_WHY, "line %d: %s", number, wrong);
            return false;
        }
        text = line_end + 1;
    }
    if (!whole || text < end)
        snprintf(why, SERVICE_FILE_WHY, "it is not whole: its last line is not \"end\"");
    return whole && text == end;
}
