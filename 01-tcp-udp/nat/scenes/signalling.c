// signalling.c: scene signal: the offer and the answer are texts. Three ways to carry them, and
// nothing else changes. Here two real ./peer talk, each on its node.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cast.h"
#include "claim.h"
#include "lend.h"
#include "net.h"
#include "packet_log.h"
#include "scenes.h"
#include "story.h"

#define OUTPUT_BYTES 8192
#define WAYS         3

static const struct claim any_way = {"1.23", "guide §4.5",
                                     "SDP is a format, not a protocol; signalling may go any "
                                     "way: WebSockets, HTTP, a chat, copy "
                                     "and paste",
                                     HOLDS, NULL};

// A ./peer that runs: what it reads, what it writes, and what it has written so far.
struct process {
    int in, out;
    char text[OUTPUT_BYTES];
    size_t length;
};

static struct process alice, bob;

static void start(struct process *process, const char *node, const char *role,
                  const char *folder)
{
    int in[2], out[2];
    const char *argv[] = {"./peer", "--host",   cast_host(), "--port", cast_port(),
                          role,     "--folder", folder,      NULL};
    if (!folder)
        argv[6] = NULL;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        die("cannot make a pipe: %s", strerror(errno));
    *process = (struct process){.in = in[1], .out = out[0]};
    lend_run(node, argv, in[0], out[1]);
    close(in[0]);
    close(out[1]);
}

static void end(struct process *process)
{
    close(process->in);
    close(process->out);
}

// Waits until the process has written this. False: it does not.
static bool await(struct process *process, const char *words)
{
    int64_t end_ns = now_ns() + 2 * PATIENCE_MS * INT64_C(1000000);
    while (!strstr(process->text, words)) {
        struct pollfd readable = {process->out, POLLIN, 0};
        int left_ms = (int)((end_ns - now_ns()) / 1000000);
        if (left_ms <= 0 || process->length + 1 >= OUTPUT_BYTES ||
            poll(&readable, 1, left_ms) < 1)
            return false;
        ssize_t got = read(process->out, process->text + process->length,
                           OUTPUT_BYTES - 1 - process->length);
        if (got <= 0)
            return false;
        process->length += (size_t)got;
        process->text[process->length] = '\0';
    }
    return true;
}

// Takes what `from` has written and gives it to `to`. A person's mail program may do with line
// ends what it likes, and put words in front.
static bool carry(struct process *from, struct process *to, bool by_person)
{
    if (!await(from, DESCRIPTION_END "\n"))
        return false;
    char copy[2 * OUTPUT_BYTES];
    size_t length = 0;
    if (by_person)
        length = (size_t)sprintf(copy, "Hello, here it is:\r\n\r\n");
    for (size_t i = 0; i < from->length; i++) {
        if (by_person && from->text[i] == '\n')
            copy[length++] = '\r';
        copy[length++] = from->text[i];
    }
    return write_all(to->in, copy, length);
}

// They chat. True if each has read the other's line.
static bool chat(void)
{
    return await(&alice, "connected:") && await(&bob, "connected:") &&
           write_all(alice.in, "hello Bob\n", 10) && await(&bob, "< hello Bob\n") &&
           write_all(bob.in, "hello Alice\n", 12) && await(&alice, "< hello Alice\n");
}

static bool by_files(void)
{
    char folder[] = "/tmp/natXXXXXX", path[40];
    if (!mkdtemp(folder))
        die("cannot make a folder: %s", strerror(errno));
    start(&alice, "alice", "offer", folder);
    start(&bob, "bob", "answer", folder);
    bool works = chat();
    static const char *const files[] = {"offer", "answer"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    return works;
}

static bool by_pipe(bool by_person)
{
    start(&alice, "alice", "offer", NULL);
    start(&bob, "bob", "answer", NULL);
    return carry(&alice, &bob, by_person) && carry(&bob, &alice, by_person) && chat();
}

void scene_signal(void)
{
    static const char *const names[WAYS] = {"two files in a folder", "two pipes",
                                            "copy and paste"};
    int worked = 0;
    bool ok[WAYS];
    story_say("The path that is looked for needs an offer and an answer first. They are text:");
    ok[1] = by_pipe(false);
    for (char *line = alice.text, *stop; (stop = strchr(line, '\n')); line = stop + 1) {
        *stop = '\0';
        story_say("%s", line);
        if (!strcmp(line, DESCRIPTION_END))
            break;
    }
    end(&alice);
    end(&bob);
    ok[0] = by_files();
    end(&alice);
    end(&bob);
    ok[2] = by_pipe(true);
    end(&alice);
    end(&bob);
    story_head("the texts travel by|alice and bob");
    for (int i = 0; i < WAYS; i++) {
        story_row("%s|%s", names[i], ok[i] ? "chat" : "-");
        worked += ok[i];
    }
    claim_report(&any_way, holds_if(worked == WAYS),
                 "%d of %d ways end in a chat; the STUN server has no part in it, and does not "
                 "know who wants to talk to whom",
                 worked, WAYS);
}
