// test.c: tests of lesson 04, login. `make test` runs them, the scenes, real peers, and the
// patches in break/. Here: the server, over TLS.
#define PROBE_KEYS "../keys"
#include "contract.h"

#include "probe.h"

static bool exchange(int port)
{
    return probe_once(port, &(struct probe){0}, GET_FACTS) == 200;
}

#include "test_account.h"
#include "test_stores.h"
#include "test_table.h"
#include "test_tokens.h"
