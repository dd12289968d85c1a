// silent.c: one descriptor has something to read, and many are silent. What does it cost to
// find that one with select(), poll() and epoll? Read the three find_by functions beside the
// table.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

#include "claim.h"
#include "host.h"
#include "measure.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define SIZES       4
#define MOST        10000
#define SPARE_FILES 100
#define BATCH       20 // events; the quickest batch counts
#define BATCHES     5
#define GROWS       20.0 // a cost that is so many times as high has grown
#define STAYS       5.0  // and one that is less than so many times as high has not

enum way { SELECT, POLL, EPOLL, WAYS };

static const int sizes[SIZES] = {10, 100, 1000, MOST};
static const char *const name[WAYS] = {"select()", "poll()", "epoll_wait()"};

static int descriptors[MOST]; // the first `count` of them are watched
static int count, highest;    // the largest number among them
static struct pollfd polls[MOST];
static int epoll;

// Each returns the descriptor that can be read.

static int find_by_select(void)
{
    fd_set readable;
    FD_ZERO(&readable);
    for (int i = 0; i < count; i++)
        FD_SET(descriptors[i], &readable);
    if (select(highest + 1, &readable, NULL, NULL, NULL) < 1)
        die("select: %s", strerror(errno));
    int i = 0;
    while (!FD_ISSET(descriptors[i], &readable))
        i++;
    return descriptors[i];
}

static int find_by_poll(void)
{
    if (poll(polls, (nfds_t)count, -1) < 1)
        die("poll: %s", strerror(errno));
    int i = 0;
    while (!polls[i].revents)
        i++;
    return polls[i].fd;
}

static int find_by_epoll(void)
{
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, -1) < 1)
        die("epoll_wait: %s", strerror(errno));
    return event.data.fd;
}

// ---- measuring -----------------------------------------------------------------------------

static void open_all(void)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    highest = 0;
    for (int i = 0; i < count; i++) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
            die("cannot watch %d descriptors: %s", count, strerror(errno));
        descriptors[i] = fd;
        polls[i] = (struct pollfd){fd, POLLIN, 0};
        if (fd > highest)
            highest = fd;
    }
}

static void close_all(void)
{
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
    close(epoll);
}

// Microseconds of CPU time to find the last of the descriptors, and to read it. INFINITY: this
// call cannot watch them.
static double cost_of(enum way way)
{
    static int (*const find[WAYS])(void) = {find_by_select, find_by_poll, find_by_epoll};
    int last = descriptors[count - 1];
    eventfd_t value;
    double us[BATCHES];
    if (way == SELECT && highest >= FD_SETSIZE)
        return INFINITY;
    for (int batch = 0; batch < BATCHES; batch++) {
        int64_t began_ns = thread_cpu_ns();
        for (int i = 0; i < BATCH; i++)
            if (eventfd_write(last, 1) || find[way]() != last || eventfd_read(last, &value))
                die("%s has found another descriptor", name[way]);
        us[batch] = (double)(thread_cpu_ns() - began_ns) / 1e3 / BATCH;
    }
    return least_of(us, BATCHES);
}

// ---- a file --------------------------------------------------------------------------------

static const struct claim file_ready = {
    "6.40", "design patterns",
    "asynchronous I/O: the caller checks by epoll if the response is ready", NOT_HERE,
    "Of sockets and pipes, not of files: epoll_ctl() refuses them (epoll_ctl(2), EPERM), and "
    "poll() calls them always ready. A read from a disk waits in a thread, or in io_uring."};

// Whether epoll takes this descriptor: 0, or errno.
static int add_to_epoll(int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(EPOLL_CLOEXEC), error = 0;
    if (fd < 0 || set < 0)
        die("no descriptor: %s", strerror(errno));
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
        error = errno;
    close(set);
    return error;
}

static void watch_a_file(void)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); // this program
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC))
        die("no pipe: %s", strerror(errno));
    int of_pipe = add_to_epoll(pipes[0]), of_file = add_to_epoll(file);
    struct pollfd ready = {file, POLLIN, 0};
    int polled = poll(&ready, 1, 0);
    story_say("");
    story_say("epoll_ctl(EPOLL_CTL_ADD): a pipe: %s; a file: %s", strerror(of_pipe),
              strerror(of_file));
    enum verdict verdict = holds_if(of_pipe == 0 && of_file == 0);
    if (of_pipe == 0 && of_file == EPERM && polled == 1)
        verdict = NOT_HERE;
    claim_report(&file_ready, verdict, "epoll_ctl() takes a pipe, and of a file it says: %s",
                 strerror(of_file));
    close(pipes[0]);
    close(pipes[1]);
    close(file);
}

// ---- the scene -----------------------------------------------------------------------------

static const struct claim any = {
    "6.20", "guide §8.1", "use select(), poll() or epoll to monitor many sockets", NOT_HERE,
    "Any of them for a few. select() has no room for descriptor 1024 and above (FD_SETSIZE, "
    "select(2)); in each call it and poll() look at all, epoll_wait() only at those that are "
    "ready (epoll(7))."};

static void show(double us[SIZES][WAYS])
{
    story_head("descriptors|select()|poll()|epoll_wait()");
    for (int s = 0; s < SIZES; s++)
        if (us[s][SELECT] < INFINITY)
            story_row("%d|%.1f us|%.1f us|%.1f us", sizes[s], us[s][SELECT], us[s][POLL],
                      us[s][EPOLL]);
        else
            story_row("%d|cannot|%.1f us|%.1f us", sizes[s], us[s][POLL], us[s][EPOLL]);
}

void scene_silent(void)
{
    double us[SIZES][WAYS];
    if (!host_files(MOST + SPARE_FILES)) {
        claim_report(&any, SKIPPED, "more descriptors are needed than ulimit -Hn allows: %d",
                     MOST + SPARE_FILES);
        watch_a_file();
        return;
    }
    story_say("One of many descriptors can be read. CPU time to find it, and to read it:");
    for (int s = 0; s < SIZES; s++) {
        count = sizes[s];
        open_all();
        for (int way = 0; way < WAYS; way++)
            us[s][way] = cost_of((enum way)way);
        close_all();
    }
    show(us);
    const double *few = us[0], *many = us[SIZES - 1];
    bool grows = many[POLL] > GROWS * few[POLL], stays = many[EPOLL] < STAYS * few[EPOLL];
    enum verdict verdict = UNCLEAR;
    if (grows && stays && many[SELECT] == INFINITY)
        verdict = NOT_HERE;
    else if (!grows)
        verdict = HOLDS;
    claim_report(&any, verdict,
                 "of %d descriptors poll() finds one in %.0f us, of %d in %.1f; epoll in %.1f "
                 "and %.1f; select() cannot watch so many",
                 MOST, many[POLL], sizes[0], few[POLL], many[EPOLL], few[EPOLL]);
    watch_a_file();
}
