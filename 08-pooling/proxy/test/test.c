// test.c: tests of the proxy. `make test` runs them, the scenes, real peers, and the patches in
// break/.
#define SERVER "proxy"
#include "contract.h"

#include "answer_rules.h"
#include "fetch.h"
#include "guard.h"
#include "settings.h"
#include "upstream.h"

struct settings settings = {.self = {"workbench", false}};

// The contract starts a forward proxy, which refuses to connect to loopback.
static bool exchange(int port)
{
    static struct fetch f;
    struct sockaddr_storage address;
    net_address("127.0.0.1", port, SOCK_STREAM, &address);
    bool answered = fetch_open(&f, &address, 0) == FETCH_OK &&
                    fetch_ask(&f, "GET", "http://127.0.0.1:1/", "", NULL) == FETCH_OK &&
                    f.head.status == 403;
    fetch_close(&f);
    return answered;
}

#include "test_rules.h"
#include "test_live.h"
