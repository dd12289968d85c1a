// todo_service.h: what the methods of todo.proto do.
#ifndef TODO_SERVICE_H
#define TODO_SERVICE_H

#include "call.h"

extern const struct handler todo_service[];

// The server stops: calls that would not end by themselves do when they go on.
void todo_service_stop(void);

#endif
