// db.h: a client's session with the server of this lesson: connect, log in, ask, close. Every
// database driver has these four functions.
//
//     struct db_config config = {.user = "app", .password = "workbench"};
//     config.address_length = net_address(host, port, SOCK_STREAM, &config.address);
//     struct db_error error;
//     struct db *db = db_open(&config, 2000, &error); // a round trip of TCP, one of the login
//     if (!db)
//         die("%s", error.text);
//     if (db_query(db, "get user 7", 1000)) // one round trip
//         puts(db_value(db, 0, 1));         // the first row's second column
//     else
//         puts(db->error.text);
//     db_close(db);
//
// No function blocks for longer than its timeout, and none ends the program: each reports its
// error to the caller. After some errors the client cannot know what the next bytes on the
// socket mean. Then the session is `broken`: only db_close() may follow.
//
// Only one thread may use a session at a time. A pool (pool.h) makes sure of that.
#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "protocol.h"

#define DB_ANSWER_BYTES 32768 // of the texts of one answer
#define DB_VALUES_MAX   2048  // rows times columns
#define DB_ERROR_BYTES  160

struct db_config {
    struct sockaddr_storage address; // of the server: resolved once, at start-up
    socklen_t address_length;
    const char *user, *password; // NULL: the defaults of protocol.h
    void (*prepare)(int fd);     // sets options of the socket before connect(); may be NULL
};

struct db_error {
    char code[CODE_BYTES + 1]; // see protocol.h; "": there was no error
    char text[DB_ERROR_BYTES];
    int system; // errno if a system call has failed; else 0
};

struct db {
    int fd;
    bool broken;
    char session[12];      // the server's number for this session
    struct db_error error; // the error of the last query
    uint32_t last_id;      // the id of the last query that was sent
    int pending;           // queries whose answers have not been read
    uint64_t queries;      // queries that were answered
    // The last answer. Its values stand behind each other in text[], each ends with '\0', and
    // value_at[] says where each begins.
    int rows, columns;
    int values; // rows * columns
    uint16_t value_at[DB_VALUES_MAX];
    size_t text_bytes; // used bytes of text[]
    char text[DB_ANSWER_BYTES];
    // Bytes of the server that no frame has used yet: in[in_at] to in[in_end - 1].
    size_t in_at, in_end;
    char in[2 * FRAME_MAX_BYTES];
};

// Connects and logs in. On failure, or after timeout_ms, closes the socket again, writes the
// reason to *error, and returns NULL.
struct db *db_open(const struct db_config *config, int timeout_ms, struct db_error *error);

// Sends TERMINATE to the server and frees the session; NULL is allowed. It does not wait.
void db_close(struct db *db);

// Sends a query and reads its answer. False: db->error says why; the session is still good
// unless db->broken.
bool db_query(struct db *db, const char *text, int timeout_ms);

// The two halves of db_query(): a client can send several queries before the first answer
// comes. db_send() returns the id of the query; 0: it failed. db_receive() reads the next
// answer and sets *id to the id of the query that it answers. It returns false as db_query()
// does (an error is an answer too: *id is set unless the session is broken).
uint32_t db_send(struct db *db, const char *text, int timeout_ms);
bool db_receive(struct db *db, uint32_t *id, int timeout_ms);

// A value of the last answer; "" where there is none. The next answer overwrites it.
const char *db_value(const struct db *db, int row, int column);

// True if the server has sent nothing that the client did not ask for, and has not closed the
// connection. This costs a system call and no round trip. It knows less than a query: a server
// that vanished without a FIN still looks well.
bool db_is_quiet(const struct db *db);

// One of the server's own numbers ("show stats"): "sessions", "queries", ...; -1: the server
// did not answer, or has no such number.
long db_stat(struct db *db, const char *name, int timeout_ms);

#endif
