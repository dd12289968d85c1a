// fuzz.c: hostile bytes for the readers of messages and of descriptions, and for an agent, made
// by clang's libFuzzer.
//
// Run:    make fuzz        (FUZZ_SECONDS=600 for longer; needs clang)
// Watch:  "cov:" grow. Bytes that break a rule of rules.h, or that make a reader touch memory
//         of others, are kept as build/crash-...
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// An agent between a server and a peer, none of which is there.
static struct ice_agent *agent_once(struct sockaddr_storage *server,
                                    struct sockaddr_storage *peer)
{
    static struct ice_agent agent;
    static int fd = -1;
    struct description theirs;
    address_read("127.0.0.1", 9, server);
    address_read("127.0.0.1", 4000, peer);
    if (fd < 0)
        fd = socket(AF_INET, SOCK_DGRAM, 0);
    agent = (struct ice_agent){0};
    agent.set.relay = true;
    ice_begin(&agent, true, &fd, 1, server);
    agent.state = ICE_GATHERED;
    if (!description_read("a=ice-ufrag:them\na=ice-pwd:themthemthemthemthemthem\n"
                          "a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\n",
                          &theirs))
        ice_start(&agent, &theirs);
    return &agent;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_storage server, peer;
    const char *fault = NULL;
    if (size < 1)
        return 0;
    if (data[0] % 2 == 0) {
        fault = message_fault(data + 1, size - 1);
        agent_takes(agent_once(&server, &peer), data + 1, size - 1, &server, &peer);
    } else {
        fault = description_fault((const char *)data + 1, size - 1);
    }
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        abort();
    }
    return 0;
}
