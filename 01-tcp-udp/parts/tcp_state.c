// tcp_state.c: see tcp_state.h.
#include "tcp_state.h"

#include <stdio.h>

#define TIME_WAIT      6     // as in the kernel's include/net/tcp_states.h
#define TICKS_A_SECOND 100.0 // of the times in /proc, whatever HZ the kernel has (time(7))

// One line of the list.
struct entry {
    unsigned local, remote; // ports
    unsigned state;
    unsigned timer_ticks; // until its timer expires
};

// Finds the connection between the two ports. Returns 1; 0 if there is none; -1 without /proc.
static int find(int local_port, int remote_port, struct entry *found)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    int result = -1;
    for (int i = 0; i < 2; i++) {
        char line[256];
        FILE *table = fopen(tables[i], "re");
        if (!table)
            continue;
        if (result < 0)
            result = 0;
        while (fgets(line, sizeof line, table)) {
            struct entry e;
            if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x %*x:%*x %*x:%x", &e.local,
                       &e.remote, &e.state, &e.timer_ticks) == 4 &&
                e.local == (unsigned)local_port && e.remote == (unsigned)remote_port) {
                *found = e;
                result = 1;
            }
        }
        fclose(table);
    }
    return result;
}

const char *tcp_state(int local_port, int remote_port)
{
    // Numbered as in the kernel's include/net/tcp_states.h.
    static const char *const names[] = {
        "unknown",   "ESTABLISHED", "SYN_SENT",    "SYN_RECEIVED", "FIN_WAIT1",
        "FIN_WAIT2", "TIME_WAIT",   "CLOSED",      "CLOSE_WAIT",   "LAST_ACK",
        "LISTEN",    "CLOSING",     "SYN_RECEIVED"};
    struct entry entry;
    int found = find(local_port, remote_port, &entry);
    if (found == 0)
        return "gone";
    if (found < 0 || entry.state >= sizeof names / sizeof *names)
        return "unknown";
    return names[entry.state];
}

double tcp_time_wait_s(int local_port, int remote_port)
{
    struct entry entry;
    if (find(local_port, remote_port, &entry) != 1 || entry.state != TIME_WAIT)
        return 0;
    return entry.timer_ticks / TICKS_A_SECOND;
}
