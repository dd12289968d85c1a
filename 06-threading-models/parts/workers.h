// workers.h: all workers of the server: their settings, and what each has done. struct workers
// lies in memory that a process shares with its forked children, so it has the numbers of all.
#ifndef WORKERS_H
#define WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STOP_MS         5000  // that requests under way may take when the server is to stop
#define STALL_MS        15000 // a client has to take all of what is sent to it within this time
#define DISK_MS         60000 // the disk has to take a record within this time
#define LINGER_MS       1000 // after its last byte the server reads on so long, and throws away
#define RETRY_MS        100  // after accept() found no free descriptor, or fork() no process
#define WORKERS_MAX     20000
#define CONNECTIONS_MAX 20000

struct settings {
    int workers;      // --workers
    int queue;        // --queue: requests that may wait for a worker of pool
    int connections;  // --connections: at once; further ones are refused
    int stack_kb;     // --stack: of a thread; 0: what the system gives
    int idle_ms;      // --idle-ms: until a silent client is closed
    int head_ms;      // --head-ms: within this time a whole head has to come
    bool disk_thread; // --disk-thread: loop, readers: a further thread waits for the disk
    bool look;        // --look: a worker that computes looks whether its client is still there
    bool allow_crash; // --allow-crash: /crash crashes
    bool log;         // --log: a line for each answer
};

// A worker runs the handler: it is a process or a thread. Only the worker itself changes its
// numbers. Each has a cache line of its own, so that no worker slows another one down.
struct worker {
    _Alignas(64) struct workers *all; // those that it is one of
    int number;                       // its place among them
    atomic_long requests;             // that the worker has answered
    atomic_bool has_client;           // prefork: this client is lost if the worker crashes
    // For --look, pool: the loop sets it when the client of this request has gone. NULL in the
    // other models: the worker looks at the connection itself.
    const atomic_bool *client_gone;
};

struct workers {
    const char *model;
    struct settings settings;
    pid_t pid;               // of the server: the parent, where there are children
    atomic_bool stopping;    // the server stops: answer the requests under way, and close
    atomic_int running;      // threads that have not come to their end
    atomic_int open;         // connections at this moment
    atomic_long connections; // that were accepted
    atomic_long refused;     // connections and requests that were answered 503
    atomic_long crashed;     // processes that crashed
    int64_t stop_until_ns;   // when the server ends, even if workers are busy
    int count;               // the length of worker[]
    struct worker worker[];
};

// Makes the table of `count` workers; starts no thread or process. Dies if there is no memory.
struct workers *workers_open(const char *model, const struct settings *settings, int count);

// Counts a connection that was accepted. False: it is one more than --connections allows, and
// has to be refused. It counts as open until workers_release() is called, in both cases.
bool workers_admit(struct workers *workers);
void workers_release(struct workers *workers);

// The same for a client of a loop, with zeroed memory of so many bytes for it. A client that
// has to be refused does not count as open. Such loops collect their answers, so the kernel
// need not wait for more of them (TCP_NODELAY). NULL: there is no memory, and `fd` is closed.
void *workers_open_client(struct workers *workers, int fd, size_t bytes, bool *refused);

// Starts a detached thread with a stack as --stack says, and counts it in `running`. The last
// thing that the thread does is to call workers_thread_ends(). Returns 0 or an error number.
int workers_start_thread(struct workers *workers, void *(*run)(void *), void *argument);
void workers_thread_ends(struct workers *workers);

// Tells all workers that the server stops, and starts the STOP_MS.
void workers_stop(struct workers *workers);

// Sleeps for a moment while the server stops. False: STOP_MS have passed since workers_stop(),
// or a further signal has come; then the end of the program ends the workers.
bool workers_may_go_on(const struct workers *workers, int stop_fd);

// Waits until no thread is running any more, as long as workers_may_go_on() says so. True: the
// last thread has ended.
bool workers_wait(struct workers *workers, int stop_fd);

// Requests that all workers have answered together.
long workers_requests(const struct workers *workers);

// The numbers of all workers as lines "name: value" (/stats). The last line, "served: 12 13",
// has the requests of each worker that has served any. Returns the text's length.
size_t workers_report(const struct workers *workers, char *text, size_t size);

#endif
