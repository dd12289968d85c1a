// replies.c: see replies.h.
#include "replies.h"

#include <stdio.h>

#include "log.h"

// Returns the frame's bytes; 0 if there is no room for it.
static size_t send_frame(struct conn *conn, enum kind kind, uint32_t id,
                         const char *const fields[], int count)
{
    size_t bytes = frame_write(conn_space(conn), conn_room(conn), kind, id, fields, count);
    conn_wrote(conn, bytes);
    return bytes;
}

void reply_ready(struct conn *conn, long number, uint32_t id)
{
    char text[24];
    snprintf(text, sizeof text, "%ld", number);
    size_t bytes = send_frame(conn, READY, id, (const char *const[]){text}, 1);
    log_line("session %ld: ready, %zu bytes", number, bytes);
}

void reply_fatal(struct conn *conn, long number, uint32_t id, const char *code,
                 const char *text)
{
    size_t bytes = send_frame(conn, FATAL, id, (const char *const[]){code, text}, 2);
    if (number)
        log_line("session %ld ends: fatal %s, %s, %zu bytes", number, code, text, bytes);
    else
        log_line("refused: fatal %s, %s, %zu bytes", code, text, bytes);
}

void reply_error(struct conn *conn, long number, uint32_t id, const char *asked,
                 const struct query_error *error)
{
    const char *const fields[] = {error->code, error->text};
    size_t bytes = send_frame(conn, ERROR, id, fields, 2);
    log_line("session %ld: %s: error %s, %zu bytes", number, asked, error->code, bytes);
}

void reply_answer(struct conn *conn, long number, uint32_t id, const char *asked,
                  struct query *query, const struct tables *tables,
                  const struct figure *figures)
{
    size_t bytes = query_answer(query, tables, figures, id, conn_space(conn), conn_room(conn));
    conn_wrote(conn, bytes);
    log_line("session %ld: %s: complete, rows %d, %zu bytes", number, asked, query->rows,
             bytes);
}
