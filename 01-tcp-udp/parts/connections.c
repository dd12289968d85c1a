// connections.c: see connections.h.
#include "connections.h"

struct connection *connections[CONNECTIONS_MAX];
int connection_count;
static int64_t retry_at_ns; // 0: there may be a free descriptor

// The connection that has waited longest since its last answer.
static int longest_unserved(void)
{
    int longest = 0;
    for (int i = 1; i < connection_count; i++)
        if (connections[i]->served_at_ns < connections[longest]->served_at_ns)
            longest = i;
    return longest;
}

bool connections_add(int fd, const struct sockaddr_storage *client)
{
    if (connection_count == CONNECTIONS_MAX)
        connections_close(longest_unserved());
    struct connection *c = connection_open(fd, client);
    if (c)
        connections[connection_count++] = c;
    return c;
}

void connections_close(int index)
{
    connection_close(connections[index]);
    connections[index] = connections[--connection_count];
    retry_at_ns = 0; // there is a free descriptor again
}

void connections_pause(void)
{
    retry_at_ns = now_ns() + RETRY_NS;
}

int64_t connections_room_at_ns(void)
{
    if (connection_count < CONNECTIONS_MAX)
        return retry_at_ns;
    return connections[longest_unserved()]->served_at_ns + GRACE_NS;
}

int64_t connections_due_ns(void)
{
    int64_t due_ns = INT64_MAX;
    for (int i = 0; i < connection_count; i++)
        if (connection_due_ns(connections[i]) < due_ns)
            due_ns = connection_due_ns(connections[i]);
    return due_ns;
}
