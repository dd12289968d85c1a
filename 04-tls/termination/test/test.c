// test.c: tests of the proxy. `make test` runs them, the scenes, real peers, and the patches in
// break/.
#define SERVER     "proxy"
#define PROBE_KEYS "../keys"
#include "contract.h"

#include "probe.h"

// The proxy that the contract starts has no upstream behind it.
static bool exchange(int port)
{
    return probe_once(port, &(struct probe){0}, GET_FACTS) == 502;
}

#include "test_proxy.h"
