// test.c: tests of lesson 03, grpc. `make test` runs them, the scenes, real peers, and the
// patches in break/. Here: the bytes of messages, calls without sockets, and the server over
// sockets.
#include "contract.h"

#include "test_calls.h"
#include "test_network.h"
#include "test_protobuf.h"

static bool exchange(int port)
{
    return ask_once(port, "/toDo.ToDo/createToDo", "\x12\x02hi", 4) == RPC_OK;
}
