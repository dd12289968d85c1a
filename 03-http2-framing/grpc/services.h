// services.h: the services of the server: lists of handlers (call.h), each ended by one without
// a path.
#ifndef SERVICES_H
#define SERVICES_H

#include "call.h"

extern const struct handler todo_service[];   // of todo.proto
extern const struct handler health_service[]; // grpc.health.v1.Health: parts/health.c
extern const struct handler test_service[];   // grpc.testing.TestService: parts/test_service.c

#endif
