// test.c: tests of the sidecar. `make test` runs them, the scenes, real peers, and the patches
// in break/.
#define SERVER "sidecar"
#include "contract.h"

#include "fetch.h"

// The sidecar that the contract starts has no app: it is asked for a service, and says so.
static bool exchange(int port)
{
    static struct fetch f;
    struct sockaddr_storage address;
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    bool answered = fetch_open(&f, &address, 0) == FETCH_OK &&
                    fetch_send(&f, "GET / HTTP/1.1\r\nHost: hello\r\n\r\n") == FETCH_OK &&
                    fetch_answer(&f) == FETCH_OK && f.head.status == 503;
    fetch_close(&f);
    return answered;
}

#include "test_rules.h"
#include "test_pass.h"
#include "test_identity.h"
#include "test_requests.h"
#include "test_hostile.h"
