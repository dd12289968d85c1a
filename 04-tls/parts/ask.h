// ask.h: HTTP/1.1 on a connection of connect.h: a request, and its answer; and what the scenes
// know of the lesson's own server.
#ifndef ASK_H
#define ASK_H

#include "certificates.h"
#include "connect.h"

#define ASK_BYTES   1024             // of a request
#define ANSWER_KEPT 4096             // bytes of an answer's content that are kept
#define WORKBENCH   "workbench.test" // the name of the lesson's server

struct reply {
    int status;                    // 0: none has come
    bool whole;                    // it has come to its end
    int64_t first_ns;              // when the first byte of the answer was there, decrypted,
    size_t first_at;               // and how many bytes had come until then, encrypted
    uint64_t length;               // bytes of content
    char content[ANSWER_KEPT + 1]; // the first of them, as a text
    // Shown what comes, if not NULL: the head, then the content in parts.
    void (*show)(const char *bytes, size_t length);
};

// Says where the lesson's certificates are; and where one of them is.
void ask_keys(const char *folder);
const char *ask_folder(void);
struct certificate_files ask_files(enum certificate which);

// How a scene connects: to WORKBENCH, trusting the lesson's CA. The scene adds what it wants.
struct connect_settings ask_settings(void);

// Writes a request with this content (NULL: none) into `text`; returns it.
const char *ask_text(char text[ASK_BYTES], const char *method, const char *host,
                     const char *path, const char *content);

// Reads an answer. False: it is not whole, and c->why says why: the connection has broken, or
// what has come is no HTTP/1.1. What has come of it is in *reply.
bool ask_read(struct connection *c, struct reply *reply);

// Asks the lesson's server, and reads its answer.
bool ask(struct connection *c, const char *method, const char *path, const char *content,
         struct reply *reply);

// A line "name: value" of the answer to "GET /". Returns the value, valid until the next call;
// "" if there is none.
const char *ask_fact(const struct reply *reply, const char *name);

#endif
