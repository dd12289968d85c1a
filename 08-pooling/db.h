// db.h: a client's session with the server of this lesson: connect, log in, ask, close. What
// every driver of a database is underneath.
//
//     struct db_config config = {.user = "app", .password = "workbench"};
//     config.address_length = net_address(host, port, SOCK_STREAM, &config.address);
//     struct db_error error;
//     struct db *db = db_open(&config, 2000, &error); // a round trip of TCP, one of the login
//     if (db && db_query(db, "get user 7", 1000))  // one round trip
//         puts(db_value(db, 0, 1));                // the first row's second column
//     else
//         puts(db ? db->error.text : error.text);
//     db_close(db);
//
// Nothing here blocks for longer than the time that it is given, and nothing dies: an error is
// an answer. After an error that leaves unknown what the next bytes on the socket are, the
// session is `broken`, and good for nothing but db_close().
//
// A session is for one thread at a time. To see to that is the job of a pool (pool.h).
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
    void (*prepare)(int fd);     // called before connect(): options of the socket; or NULL
};

struct db_error {
    char code[CODE_BYTES + 1]; // see protocol.h; "": there was none
    char text[DB_ERROR_BYTES];
    int system; // errno, if a call of the system has failed; else 0
};

struct db {
    int fd;
    bool broken;
    char session[12];      // the server's number for it
    struct db_error error; // of the last query
    uint32_t last_id;      // of the queries that were sent
    int pending;           // queries whose answer has not been read
    uint64_t queries;      // answered
    // The last answer: texts behind each other, '\0'-terminated, and where each begins.
    int rows, columns, values;        // values = rows * columns
    size_t text_bytes, in_at, in_end; // what has come and is not used yet is between the two
    uint16_t value_at[DB_VALUES_MAX];
    char text[DB_ANSWER_BYTES];
    char in[2 * FRAME_MAX_BYTES];
};

// Connects and logs in. Returns NULL, and says why, if that failed or took longer than
// timeout_ms: what was opened is closed again.
struct db *db_open(const struct db_config *config, int timeout_ms, struct db_error *error);

// Says goodbye to the server and frees the session; NULL is allowed. It does not wait.
void db_close(struct db *db);

// Asks, and reads the answer. False: db->error says why not; the session is still good unless
// db->broken.
bool db_query(struct db *db, const char *text, int timeout_ms);

// The two halves of it, to send several queries before the first answer, or to
// see what comes of sharing a session. db_send() returns the id of the query, 0 if it failed.
// db_receive() reads the next answer, whatever query it answers, and sets *id to that one's id;
// false as above (an error is an answer too: *id is set unless the session is broken).
uint32_t db_send(struct db *db, const char *text, int timeout_ms);
bool db_receive(struct db *db, uint32_t *id, int timeout_ms);

// A value of the last answer, until the next one; "" where there is none.
const char *db_value(const struct db *db, int row, int column);

// True as long as nothing has come that was not asked for: no farewell, no end of the
// connection. It costs a system call and no round trip, and knows less than a query does: a
// server that vanished without a word still looks well.
bool db_is_quiet(const struct db *db);

// A number of the server's own ("show stats"): "sessions", "queries", ...; -1 if it cannot be
// had.
long db_stat(struct db *db, const char *name, int timeout_ms);

#endif
