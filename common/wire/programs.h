// programs.h: the programs that wire runs: started, awaited until they are ready, stopped.
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "node.h"

#define PROGRAMS_MAX     32
#define READY_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS  5000

struct program {
    const char *name; // for messages: "the server"
    char **command;
    struct node *node; // NULL: the program runs in wire's own network
    pid_t pid;
    bool ended;
    int status; // as from waitpid(2)
};

// In the order in which they are started; the last one is the client, all others are servers.
extern struct program programs[PROGRAMS_MAX];
extern int program_count;

// Finds "-- PROGRAM ... -- PROGRAM ..." in what follows the options; ends each with NULL. With
// nodes each begins with "NODE:". Exits 2 where it is not so.
void programs_find(char **arguments);

// Begins to watch for the programs' ends, and for signals that ask wire to stop. Returns a
// descriptor that is readable when programs_note_signals() has something to do.
int programs_watch(void);
void programs_note_signals(void);

// Starts the servers, each one when the one before it is ready, then the client; waits until
// the client ends, and stops them all. Returns the exit status of wire.
int programs_run(void);

// wire.c's loop. Sleeps until something happens, at most until `until_ns`, and handles it. True
// if the descriptor `also` (-1: none) has become readable.
bool shovel(int also, int64_t until_ns);

#endif
