// test.c: tests of the balancer. `make test` runs them, the scenes, real peers, and the patches
// in break/.
#define SERVER "balancer"
#include "contract.h"

#include <poll.h>

#include "fetch.h"

static struct fetch f;

// Asks on a connection of its own. Returns the status; 0: there is no whole answer.
static int ask(int port, const char *method, const char *target, const char *fields,
               const char *content)
{
    struct sockaddr_storage address;
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    enum fetch_result result = fetch_open(&f, &address, 0);
    if (result == FETCH_OK)
        result = fetch_ask(&f, method, target, fields, content);
    fetch_close(&f);
    if (result != FETCH_OK)
        return 0;
    return f.head.status;
}

// The balancer that the contract starts has no backend behind it.
static bool exchange(int port)
{
    return ask(port, "GET", "/", "", NULL) >= 400; // 502, or 503
}

#include "test_forwarding.h"
#include "test_backends.h"
#include "test_faults.h"
#include "test_pick.h"
