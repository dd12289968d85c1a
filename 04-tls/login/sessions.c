// sessions.c: see sessions.h. Read sessions_do() first. How operations are written is in
// parts/session_text.c.
#include "sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "log.h"

struct session {
    struct session_request put; // that has begun it; its `secret` is the good one now
    int64_t expires_s, used_s, written_s;
    struct session *next;          // in its list of the table
    struct session *older, *newer; // by last use
};

struct sessions {
    struct session *lists[SESSION_LISTS];
    struct session order; // in a ring: behind it stands the oldest one, in front the newest one
    int count;
    long lookups;
    int fd; // of the file; -1: none
};

static struct session **list_of(struct sessions *s, const uint8_t key[SESSION_KEY])
{
    // A key is a SHA-256: its first bytes are as good as random.
    return &s->lists[(key[0] | (unsigned)key[1] << 8) % SESSION_LISTS];
}

// The link that leads to a session; *link is NULL if there is none.
static struct session **find(struct sessions *s, const uint8_t key[SESSION_KEY])
{
    struct session **link = list_of(s, key);
    while (*link && memcmp((*link)->put.key, key, SESSION_KEY))
        link = &(*link)->next;
    return link;
}

static void leave_order(struct session *session)
{
    session->older->newer = session->newer;
    session->newer->older = session->older;
}

static void join_order(struct sessions *s, struct session *session)
{
    session->older = s->order.older;
    session->newer = &s->order;
    session->older->newer = s->order.older = session;
}

static void forget(struct sessions *s, struct session **link)
{
    struct session *session = *link;
    *link = session->next;
    leave_order(session);
    OPENSSL_cleanse(session, sizeof *session);
    free(session);
    s->count--;
}

static bool has_expired(const struct session *session, int64_t now_s)
{
    int idle_s = session->put.idle_s; // 0: it may be idle
    return now_s >= session->expires_s || (idle_s && now_s >= session->used_s + idle_s);
}

static enum session_result put(struct sessions *s, const struct session_request *request,
                               int64_t now_s)
{
    struct session **link = find(s, request->key);
    if (*link)
        forget(s, link);
    while (s->count && (s->count >= SESSIONS_KEPT || has_expired(s->order.newer, now_s)))
        forget(s, find(s, s->order.newer->put.key));
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return SESSION_FAILED;
    session->put = *request;
    session->expires_s = now_s + request->lifetime_s;
    session->used_s = session->written_s = now_s;
    link = list_of(s, request->key);
    session->next = *link;
    *link = session;
    join_order(s, session);
    s->count++;
    return SESSION_OK;
}

// A refresh token is used once; then the next one is the good one. If an older one comes, two
// have it: the user and a thief. Nobody knows which of the two this is, so neither gets more.
static enum session_result rotate(struct session *session,
                                  const struct session_request *request)
{
    if (CRYPTO_memcmp(session->put.secret, request->secret, SESSION_KEY))
        return SESSION_REUSED;
    memcpy(session->put.secret, request->next_secret, SESSION_KEY);
    return SESSION_OK;
}

// Adds an operation to the file, so that a restart does it again. A GET only counts for the
// time of the last use; that is written now and then.
static void record(struct sessions *s, struct session *session,
                   const struct session_request *request, int64_t now_s)
{
    char text[SESSION_LINE + 32], line[SESSION_LINE];
    if (s->fd < 0)
        return;
    if (request->operation == SESSION_GET) {
        int idle_s = session->put.idle_s;
        if (!idle_s || now_s <= session->written_s + idle_s / 10)
            return;
        session->written_s = now_s;
    }
    session_write_request(request, line);
    int length = snprintf(text, sizeof text, "%lld %s\n", (long long)now_s, line);
    if (!write_all(s->fd, text, (size_t)length))
        log_line("cannot write the file of sessions: %s", strerror(errno));
    OPENSSL_cleanse(text, sizeof text);
}

void sessions_do(struct sessions *s, const struct session_request *request,
                 struct session_reply *reply, int64_t now_s)
{
    struct session **link = find(s, request->key);
    *reply = (struct session_reply){.result = SESSION_NONE};
    if (request->operation == SESSION_GET || request->operation == SESSION_ROTATE)
        s->lookups++;
    if (*link && has_expired(*link, now_s))
        forget(s, link);
    if (request->operation == SESSION_PUT) {
        reply->result = put(s, request, now_s);
    } else if (*link) {
        struct session *session = *link;
        reply->result = SESSION_OK;
        memcpy(reply->user, session->put.user, sizeof reply->user);
        memcpy(reply->role, session->put.role, sizeof reply->role);
        if (request->operation == SESSION_ROTATE)
            reply->result = rotate(session, request);
        if (request->operation == SESSION_GET) {
            session->used_s = now_s;
            leave_order(session);
            join_order(s, session);
        }
    }
    if (reply->result == SESSION_NONE || reply->result == SESSION_FAILED)
        return;
    record(s, *find(s, request->key), request, now_s);
    if (request->operation == SESSION_DELETE || reply->result == SESSION_REUSED)
        forget(s, find(s, request->key));
}

int sessions_count(const struct sessions *sessions)
{
    return sessions->count;
}

long sessions_lookups(const struct sessions *sessions)
{
    return sessions->lookups;
}

// ---- the file ------------------------------------------------------------------------------

// Does again what the file says. A last line that was cut off by a crash is left out.
static void read_file(struct sessions *s, const char *path)
{
    char line[SESSION_LINE + 32];
    struct session_request request;
    struct session_reply reply;
    FILE *file = fopen(path, "re");
    if (!file && errno != ENOENT)
        die("cannot open %s: %s", path, strerror(errno));
    while (file && fgets(line, sizeof line, file)) {
        char *text, *end = strchr(line, '\n');
        long long at_s = strtoll(line, &text, 10);
        if (!end)
            break;
        *end = '\0';
        if (*text != ' ' || !session_read_request(text + 1, &request))
            die("%s has a line that is no operation of this program", path);
        sessions_do(s, &request, &reply, at_s);
    }
    if (file)
        fclose(file);
}

// Writes the file anew, with what is still alive: else it would only grow.
static void write_file(struct sessions *s, const char *path, int64_t now_s)
{
    char other[512];
    snprintf(other, sizeof other, "%s.new", path);
    s->fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (s->fd < 0)
        die("cannot write %s: %s", other, strerror(errno));
    for (struct session *session = s->order.newer; session != &s->order;
         session = session->newer) {
        struct session_request request = session->put;
        request.lifetime_s = (int)(session->expires_s - session->used_s);
        if (!has_expired(session, now_s))
            record(s, session, &request, session->used_s);
    }
    if (fsync(s->fd) || rename(other, path))
        die("cannot write %s: %s", path, strerror(errno));
}

struct sessions *sessions_open(const char *path, int64_t now_s)
{
    struct sessions *s = calloc(1, sizeof *s);
    if (!s)
        die("no memory for the sessions");
    s->order.older = s->order.newer = &s->order;
    s->fd = -1;
    if (path) {
        read_file(s, path);
        write_file(s, path, now_s);
    }
    return s;
}

void sessions_close(struct sessions *s)
{
    while (s->count)
        forget(s, find(s, s->order.newer->put.key));
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}
