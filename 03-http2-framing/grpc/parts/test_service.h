// test_service.h: grpc.testing.TestService, with which the libraries of gRPC test each other
// (./server --interop). Its messages, by their published descriptions, are in test_service.c.
#ifndef TEST_SERVICE_H
#define TEST_SERVICE_H

#include "call.h"

extern const struct handler test_service[];

#endif
