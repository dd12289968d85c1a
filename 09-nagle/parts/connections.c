// connections.c: see connections.h.
#include "connections.h"

#include <unistd.h>

#include "net.h"

struct connection connections[CONNECTIONS_MAX];
int connection_count;

// The connection that has waited longest since its last answer.
static int longest_unserved(void)
{
    int longest = 0;
    for (int i = 1; i < connection_count; i++)
        if (connections[i].served_at_ns < connections[longest].served_at_ns)
            longest = i;
    return longest;
}

bool connections_have_room(int64_t now_ns)
{
    if (connection_count < CONNECTIONS_MAX)
        return true;
    return now_ns - connections[longest_unserved()].served_at_ns > GRACE_NS;
}

void connection_add(int fd)
{
    int64_t now = now_ns();
    if (connection_count == CONNECTIONS_MAX)
        connection_close(longest_unserved());
    connections[connection_count++] =
        (struct connection){.fd = fd, .due_ns = now + IDLE_NS, .served_at_ns = now};
}

void connection_close(int index)
{
    close(connections[index].fd);
    connections[index] = connections[--connection_count];
}
