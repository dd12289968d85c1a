// db.c: see db.h. Read db_open() first, then db_query() and its two halves.
#include "db.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

// ---- errors --------------------------------------------------------------------------------

static bool fail(struct db_error *error, const char *code, int system, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Always false, so that it can be returned.
static bool fail(struct db_error *error, const char *code, int system, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = (size_t)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (system && length < sizeof error->text)
        snprintf(error->text + length, sizeof error->text - length, ": %s", strerror(system));
    snprintf(error->code, sizeof error->code, "%s", code);
    error->system = system;
    return false;
}

// Reads the server's ERROR or FATAL frame. False: it is not well formed.
static bool take_error(struct db_error *error, const struct frame *frame)
{
    const struct field *code = &frame->fields[0], *text = &frame->fields[1];
    if (frame->count != 2 || code->length != CODE_BYTES)
        return false;
    for (int i = 0; i < CODE_BYTES; i++) // the client shows the code as it is
        if (!isalnum((unsigned char)code->at[i]))
            return false;
    *error = (struct db_error){.system = 0};
    memcpy(error->code, code->at, CODE_BYTES);
    snprintf(error->text, sizeof error->text, "%.*s", (int)text->length, text->at);
    return true;
}

static bool violation(struct db *db, const char *what)
{
    db->broken = true;
    return fail(&db->error, CODE_VIOLATION, 0, "the server breaks the protocol: %s", what);
}

// ---- bytes and deadlines -------------------------------------------------------------------

static int64_t deadline_in(int timeout_ms)
{
    return now_ns() + timeout_ms * INT64_C(1000000);
}

// Waits until the socket is ready. False, with errno: the time is up (ETIMEDOUT), or poll()
// fails.
static bool wait_for(int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        int64_t left_ns = deadline_ns - now_ns();
        struct pollfd ready = {fd, events, 0};
        if (left_ns <= 0) {
            errno = ETIMEDOUT;
            return false;
        }
        int count = poll(&ready, 1, (int)((left_ns + 999999) / 1000000));
        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR)
            return false;
    }
}

// The connection has failed in a call that was to do `what`.
static bool broken(struct db *db, const char *what)
{
    db->broken = true;
    if (errno == ETIMEDOUT)
        return fail(&db->error, CODE_TIMEOUT, 0, "%s took too long", what);
    return fail(&db->error, CODE_BROKEN, errno, "%s failed", what);
}

static bool send_bytes(struct db *db, const char *bytes, size_t length, int64_t deadline_ns)
{
    while (length > 0) {
        ssize_t sent = send(db->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && wait_for(db->fd, POLLOUT, deadline_ns))
            continue;
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return broken(db, "sending");
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

// Waits for more bytes. There is room for them: a frame that is not whole is shorter than in[].
static bool receive_bytes(struct db *db, int64_t deadline_ns)
{
    db->in_end -= db->in_at;
    memmove(db->in, db->in + db->in_at, db->in_end);
    db->in_at = 0;
    for (;;) {
        ssize_t got = recv(db->fd, db->in + db->in_end, sizeof db->in - db->in_end, 0);
        if (got > 0) {
            db->in_end += (size_t)got;
            return true;
        }
        if (got == 0) {
            db->broken = true;
            return fail(&db->error, CODE_BROKEN, 0, "the server has closed the connection");
        }
        if (errno == EINTR || (errno == EAGAIN && wait_for(db->fd, POLLIN, deadline_ns)))
            continue;
        return broken(db, "receiving");
    }
}

static bool send_frame(struct db *db, enum kind kind, uint32_t id, const char *const fields[],
                       int count, int64_t deadline_ns)
{
    char bytes[FRAME_MAX_BYTES];
    size_t length = frame_write(bytes, sizeof bytes, kind, id, fields, count);
    if (length == 0)
        return fail(&db->error, CODE_TOO_LONG, 0, "more than fits into a frame");
    return send_bytes(db, bytes, length, deadline_ns);
}

// Reads the next frame. Its texts are valid until the frame after it is read. False: an error
// has come, or the session is broken.
static bool receive_frame(struct db *db, struct frame *frame, int64_t deadline_ns)
{
    ssize_t used;
    while ((used = frame_read(db->in + db->in_at, db->in_end - db->in_at, frame)) == 0)
        if (!receive_bytes(db, deadline_ns))
            return false;
    if (used < 0 || frame->count < 0)
        return violation(db, "no frame");
    db->in_at += (size_t)used;
    if (frame->kind == ERROR || frame->kind == FATAL) {
        if (!take_error(&db->error, frame))
            return violation(db, "no error");
        db->broken = db->broken || frame->kind == FATAL;
        return frame->kind == ERROR;
    }
    return true;
}

// ---- a session begins and ends -------------------------------------------------------------

static bool connect_socket(struct db *db, const struct db_config *config, int64_t deadline_ns)
{
    int result = 0;
    socklen_t length = sizeof result;
    const struct sockaddr *address = (const struct sockaddr *)&config->address;
    db->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (db->fd < 0)
        return fail(&db->error, CODE_UNREACHABLE, errno, "cannot make a socket");
    net_send_at_once(db->fd);
    if (config->prepare)
        config->prepare(db->fd);
    if (connect(db->fd, address, config->address_length)) {
        result = errno;
        if (result == EINPROGRESS) {
            if (!wait_for(db->fd, POLLOUT, deadline_ns))
                result = errno;
            else if (getsockopt(db->fd, SOL_SOCKET, SO_ERROR, &result, &length))
                result = errno;
        }
    }
    if (result)
        return fail(&db->error, CODE_UNREACHABLE, result, "cannot connect");
    return true;
}

static bool login(struct db *db, const struct db_config *config, int64_t deadline_ns)
{
    const char *fields[] = {DEFAULT_USER, DEFAULT_PASSWORD};
    struct frame frame;
    if (config->user)
        fields[0] = config->user;
    if (config->password)
        fields[1] = config->password;
    if (!send_frame(db, LOGIN, 0, fields, 2, deadline_ns) ||
        !receive_frame(db, &frame, deadline_ns))
        return false;
    if (frame.kind == ERROR)
        return false;
    if (frame.kind != READY || frame.count != 1)
        return violation(db, "no answer to a login");
    snprintf(db->session, sizeof db->session, "%.*s", (int)frame.fields[0].length,
             frame.fields[0].at);
    return true;
}

struct db *db_open(const struct db_config *config, int timeout_ms, struct db_error *error)
{
    int64_t deadline_ns = deadline_in(timeout_ms);
    struct db *db = calloc(1, sizeof *db);
    *error = (struct db_error){.system = 0};
    if (!db) {
        fail(error, CODE_UNREACHABLE, errno, "no memory for a session");
        return NULL;
    }
    if (connect_socket(db, config, deadline_ns) && login(db, config, deadline_ns))
        return db;
    *error = db->error;
    db->broken = true;
    db_close(db);
    return NULL;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    if (!db->broken) // without a wait: where the socket has no room now, it is not sent
        send_frame(db, TERMINATE, 0, NULL, 0, now_ns());
    if (db->fd >= 0)
        close(db->fd);
    free(db);
}

// ---- queries and answers -------------------------------------------------------------------

uint32_t db_send(struct db *db, const char *text, int timeout_ms)
{
    uint32_t id = db->last_id + 1;
    if (id == 0) // after 2^32 queries; 0 is the id of no query
        id = 1;
    db->error = (struct db_error){.system = 0};
    if (db->broken) {
        fail(&db->error, CODE_BROKEN, 0, "the session is broken");
        return 0;
    }
    if (!send_frame(db, QUERY, id, &text, 1, deadline_in(timeout_ms)))
        return 0;
    db->pending++;
    return db->last_id = id;
}

static bool take_row(struct db *db, const struct frame *frame)
{
    if (frame->count == 0 || (db->rows && frame->count != db->columns))
        return violation(db, "no row");
    db->columns = frame->count;
    for (int i = 0; i < frame->count; i++) {
        size_t length = frame->fields[i].length;
        if (db->values == DB_VALUES_MAX || length >= sizeof db->text - db->text_bytes) {
            db->broken = true;
            return fail(&db->error, CODE_TOO_LONG, 0, "the answer is too long for this client");
        }
        db->value_at[db->values++] = (uint16_t)db->text_bytes;
        memcpy(db->text + db->text_bytes, frame->fields[i].at, length);
        db->text[db->text_bytes + length] = '\0';
        db->text_bytes += length + 1;
    }
    db->rows++;
    return true;
}

// Reads frames until the answer ends.
static bool receive_answer(struct db *db, uint32_t *id, int64_t deadline_ns)
{
    struct frame frame;
    for (;;) {
        if (!receive_frame(db, &frame, deadline_ns))
            return false;
        if (frame.id == 0 || (*id && frame.id != *id))
            return violation(db, "half an answer");
        *id = frame.id;
        if (frame.kind == COMPLETE || frame.kind == ERROR) {
            db->queries++;
            db->pending--;
            return frame.kind == COMPLETE;
        }
        if (frame.kind != ROW)
            return violation(db, "not an answer");
        if (!take_row(db, &frame))
            return false;
    }
}

static void forget_answer(struct db *db)
{
    db->rows = db->columns = db->values = 0;
    db->text_bytes = 0;
}

bool db_receive(struct db *db, uint32_t *id, int timeout_ms)
{
    *id = 0;
    forget_answer(db);
    db->error = (struct db_error){.system = 0};
    if (db->broken)
        return fail(&db->error, CODE_BROKEN, 0, "the session is broken");
    bool good = receive_answer(db, id, deadline_in(timeout_ms));
    if (!good)
        forget_answer(db);
    return good;
}

bool db_query(struct db *db, const char *text, int timeout_ms)
{
    int64_t deadline_ns = deadline_in(timeout_ms);
    uint32_t sent = db_send(db, text, timeout_ms), answered;
    if (!sent)
        return false;
    bool good = db_receive(db, &answered, (int)((deadline_ns - now_ns()) / 1000000));
    if (!db->broken && answered != sent)
        return violation(db, "an answer to another query");
    return good;
}

const char *db_value(const struct db *db, int row, int column)
{
    if (row < 0 || row >= db->rows || column < 0 || column >= db->columns)
        return "";
    return db->text + db->value_at[row * db->columns + column];
}

bool db_is_quiet(const struct db *db)
{
    char byte;
    return !db->broken && db->in_at == db->in_end &&
           recv(db->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

long db_stat(struct db *db, const char *name, int timeout_ms)
{
    if (db_query(db, "show stats", timeout_ms))
        for (int row = 0; row < db->rows; row++)
            if (!strcmp(db_value(db, row, 0), name))
                return atol(db_value(db, row, 1));
    return -1;
}
