// ask.h: sends an HTTP/1.1 request on a connection of connect.h, and reads its answer. It also
// knows the name and the certificates of the lesson's own server.
#ifndef ASK_H
#define ASK_H

#include "certificates.h"
#include "connect.h"

#define ASK_BYTES   1024             // bytes of a request
#define ANSWER_KEPT 4096             // bytes of an answer's content that are kept
#define WORKBENCH   "workbench.test" // the name of the lesson's server

struct reply {
    int status;                    // 0: no answer has come
    bool whole;                    // the answer has come to its end
    int64_t first_ns;              // when its first byte was decrypted
    size_t first_at;               // how many encrypted bytes had come by then
    uint64_t length;               // bytes of content
    char content[ANSWER_KEPT + 1]; // the first bytes of the content, as a text
    // Called with the head, then with each part of the content. NULL: nothing to do.
    void (*show)(const char *bytes, size_t length);
};

// ask_keys() sets the folder of the lesson's certificates, ask_folder() returns it. ask_files()
// says where one certificate is.
void ask_keys(const char *folder);
const char *ask_folder(void);
struct certificate_files ask_files(enum certificate which);

// The settings of a scene: it connects to WORKBENCH, and trusts the lesson's CA. A scene
// changes what it needs.
struct connect_settings ask_settings(void);

// Writes a request with this content (NULL: none) into `text`; returns it.
const char *ask_text(char text[ASK_BYTES], const char *method, const char *host,
                     const char *path, const char *content);

// Reads an answer. False: it is not whole, and c->why has the reason: the connection is broken,
// or the bytes are no HTTP/1.1. *reply has the part that has come.
bool ask_read(struct connection *c, struct reply *reply);

// Sends a request to the lesson's server, and reads its answer.
bool ask(struct connection *c, const char *method, const char *path, const char *content,
         struct reply *reply);

// Finds the line "name: value" in the answer to "GET /". Returns the value, valid until the
// next call; "" if there is no such line.
const char *ask_fact(const struct reply *reply, const char *name);

#endif
