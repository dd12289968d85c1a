// service_file.c: see service_file.h. Read service_file_read() first.
#include "service_file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

#define BLANKS " \t"

bool service_name_is_good(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < SERVICE_NAME && name[0] != '-' && name[length - 1] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

bool service_address_read(const char *text, struct sockaddr_storage *address)
{
    char host[INET6_ADDRSTRLEN + 2] = "";
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    const char *colon = strrchr(text, ':');
    uint64_t port;
    memset(address, 0, sizeof *address);
    if (!colon || colon - text >= (int)sizeof host ||
        !http_number((struct http_text){colon + 1, strlen(colon + 1)}, 65535, &port) ||
        port == 0)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    if (host[0] == '[' && colon[-1] == ']') {
        host[colon - text - 1] = '\0';
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1;
    }
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

// Reads "NAME ADDRESS:PORT ...". NULL: it is good; else what is wrong with it.
static const char *read_line(char *line, struct service_file *file)
{
    struct service_line *service = &file->services[file->count];
    char *word = strtok_r(line, BLANKS, &line);
    if (!word)
        return NULL;
    if (!service_name_is_good(word))
        return "a name has a-z, 0-9 and '-', and at most 63 of them";
    for (int i = 0; i < file->count; i++)
        if (!strcmp(word, file->services[i].name))
            return "this service is here a second time";
    if (file->count == SERVICES_MAX)
        return "more than 64 services";
    memset(service, 0, sizeof *service);
    strcpy(service->name, word);
    while ((word = strtok_r(NULL, BLANKS, &line))) {
        if (service->count == INSTANCES_MAX)
            return "more than 16 addresses";
        if (!service_address_read(word, &service->addresses[service->count++]))
            return "an address is 10.0.0.1:8114 or [::1]:8114";
    }
    file->count++;
    return NULL;
}

// True for the line "end", which ends the file.
static bool is_end(const char *line)
{
    return http_is(http_trim(line, line + strlen(line)), "end");
}

// Reads the lines, and changes them. What follows the last '\n' may be the first half of a
// line.
static bool read_lines(char *text, struct service_file *file, char why[SERVICE_FILE_WHY])
{
    bool whole = false;
    for (int number = 1; strchr(text, '\n'); number++) {
        char *line = strsep(&text, "\n");
        const char *wrong = NULL;
        line[strcspn(line, "#")] = '\0';
        if (whole && line[strspn(line, BLANKS)])
            wrong = "there is more behind the line \"end\"";
        else if (!whole && is_end(line))
            whole = true;
        else
            wrong = read_line(line, file);
        if (wrong) {
            snprintf(why, SERVICE_FILE_WHY, "line %d: %s", number, wrong);
            return false;
        }
    }
    if (!whole || *text)
        snprintf(why, SERVICE_FILE_WHY, "it is not whole: its last line is not \"end\"");
    return whole && !*text;
}

bool service_file_read(const char *text, size_t length, struct service_file *file,
                       char why[SERVICE_FILE_WHY])
{
    char *copy = strndup(text, length);
    file->count = 0;
    snprintf(why, SERVICE_FILE_WHY, "it has a byte 0, or there is no memory for it");
    bool good = copy && strlen(copy) == length && read_lines(copy, file, why);
    free(copy);
    return good;
}
