// stage.h: what the scenes have in common: the server, to-dos as messages, and frames in words.
#ifndef STAGE_H
#define STAGE_H

#include "reply.h"
#include "todo.h"

// Where the server is, from play's command line; stage_open() connects to it.
extern const char *stage_host;
extern int stage_port;
void stage_open(struct channel *channel);

// A ToDoItem; a Work. Valid until the next call.
struct protobuf_writer stage_item(const char *text);
struct protobuf_writer stage_work(int32_t steps, int32_t step_ms);

// Asks, and dies if the answer is not OK.
void stage_ask(struct channel *channel, const char *path, struct protobuf_writer message,
               struct reply *reply);

// What work has been done on the server since its start.
struct todo_work_done stage_read_work(struct channel *channel);

// For seen() of the channel's socket: prints each frame, with its header fields or its
// messages' bytes.
void stage_print_frames(bool to_server, const uint8_t *bytes, size_t length);
void stage_print_from_here(void); // a new connection

// Bytes as text: "08 01 12 0a". Returns text.
char *stage_hex(const uint8_t *bytes, size_t length, char *text, size_t size);

#endif
