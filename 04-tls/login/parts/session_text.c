// session_text.c: operations on sessions as lines of text: what `store` speaks, and what the
// file of sessions holds. Two hashes, a name: nothing that has to be escaped.
//
//     put KEY SECRET USER ROLE IDLE_S LIFETIME_S      ok USER ROLE
//     get KEY                                         none
//     rotate KEY SECRET NEXT_SECRET                   reused
//     delete KEY                                      failed
#include <stdio.h>
#include <string.h>

#include "sessions.h"

#define HEX (2 * SESSION_KEY + 1)

const char *const session_operations[] = {"put", "get", "rotate", "delete"};
const char *const session_results[] = {"ok", "none", "reused", "failed"};

static void write_hex(const uint8_t bytes[SESSION_KEY], char text[HEX])
{
    for (int i = 0; i < SESSION_KEY; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static bool read_hex(const char *text, uint8_t bytes[SESSION_KEY])
{
    if (strlen(text) != HEX - 1 || strspn(text, "0123456789abcdef") != HEX - 1)
        return false;
    for (int i = 0; i < SESSION_KEY; i++)
        sscanf(text + 2 * i, "%2hhx", &bytes[i]);
    return true;
}

static int find(const char *word, const char *const words[4])
{
    for (int i = 0; i < 4; i++)
        if (!strcmp(word, words[i]))
            return i;
    return -1;
}

int session_write_request(const struct session_request *request, char line[SESSION_LINE])
{
    char key[HEX], secret[HEX], next[HEX];
    const char *word = session_operations[request->operation];
    write_hex(request->key, key);
    write_hex(request->secret, secret);
    write_hex(request->next_secret, next);
    if (request->operation == SESSION_PUT)
        return snprintf(line, SESSION_LINE, "%s %s %s %s %s %d %d", word, key, secret,
                        request->user, request->role, request->idle_s, request->lifetime_s);
    if (request->operation == SESSION_ROTATE)
        return snprintf(line, SESSION_LINE, "%s %s %s %s", word, key, secret, next);
    return snprintf(line, SESSION_LINE, "%s %s", word, key);
}

bool session_read_request(const char *line, struct session_request *request)
{
    char word[8], key[HEX], secret[HEX] = "", third[HEX] = "", extra;
    *request = (struct session_request){0};
    if (strlen(line) >= SESSION_LINE || sscanf(line, "%7s %64s", word, key) != 2)
        return false;
    int operation = find(word, session_operations);
    if (operation < 0 || !read_hex(key, request->key))
        return false;
    request->operation = (enum session_operation)operation;
    if (request->operation == SESSION_PUT)
        return sscanf(line, "%*s %*s %64s %32s %16s %9d %9d %c", secret, request->user,
                      request->role, &request->idle_s, &request->lifetime_s, &extra) == 5 &&
               read_hex(secret, request->secret) && request->idle_s >= 0 &&
               request->lifetime_s >= 0;
    if (request->operation == SESSION_ROTATE)
        return sscanf(line, "%*s %*s %64s %64s %c", secret, third, &extra) == 2 &&
               read_hex(secret, request->secret) && read_hex(third, request->next_secret);
    return sscanf(line, "%*s %*s %c", &extra) != 1;
}

int session_write_reply(const struct session_reply *reply, char line[SESSION_LINE])
{
    const char *user = "-", *role = "-";
    if (*reply->user)
        user = reply->user;
    if (*reply->role)
        role = reply->role;
    return snprintf(line, SESSION_LINE, "%s %s %s", session_results[reply->result], user, role);
}

bool session_read_reply(const char *line, struct session_reply *reply)
{
    char word[8], extra;
    *reply = (struct session_reply){0};
    if (strlen(line) >= SESSION_LINE ||
        sscanf(line, "%7s %32s %16s %c", word, reply->user, reply->role, &extra) != 3)
        return false;
    int result = find(word, session_results);
    reply->result = (enum session_result)result;
    return result >= 0;
}
