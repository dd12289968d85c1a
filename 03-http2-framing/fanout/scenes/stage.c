// stage.c: see stage.h.
#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "spawn.h"

// Starts a backend whose last line goes to a file: a backend counts its requests itself.
static void start_backend(struct stage *stage, int i, const char *program)
{
    char command[120];
    snprintf(stage->files[i], sizeof stage->files[i], "/tmp/fanout-%d-%d", (int)getpid(), i);
    snprintf(command, sizeof command, "exec %s --quiet --port 0 >%s", program, stage->files[i]);
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    stage->ports[i] = spawn_server(&stage->backends[i], argv);
    if (stage->ports[i] == 0)
        die("cannot start %s (is it built? run make in the top folder)", program);
}

void stage_begin(struct stage *stage, const char *backend, const char *front,
                 const char *option)
{
    char names[STAGE_BACKENDS][32];
    const char *argv[8 + 2 * STAGE_BACKENDS] = {front, "--quiet", "--port", "0"};
    int count = 4;
    memset(stage, 0, sizeof *stage);
    for (int i = 0; i < STAGE_BACKENDS; i++) {
        start_backend(stage, i, backend);
        snprintf(names[i], sizeof names[i], "127.0.0.1:%d", stage->ports[i]);
        argv[count++] = "--backend";
        argv[count++] = names[i];
    }
    argv[count] = option;
    if (front && !(stage->port = spawn_server(&stage->front, argv)))
        die("cannot start %s", front);
}

void stage_kill(struct stage *stage, int backend)
{
    kill(stage->backends[backend], SIGKILL);
    spawn_wait(stage->backends[backend]);
    stage->backends[backend] = 0;
}

static void read_counts(struct stage *stage, int i)
{
    char line[200];
    FILE *file = fopen(stage->files[i], "r");
    stage->requests[i] = stage->connections[i] = -1;
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "stopped: connections %ld, %*s %ld", &stage->connections[i],
               &stage->requests[i]);
    if (file)
        fclose(file);
    unlink(stage->files[i]);
}

void stage_end(struct stage *stage)
{
    if (stage->front)
        spawn_stop(stage->front);
    for (int i = 0; i < STAGE_BACKENDS; i++) {
        if (stage->backends[i])
            spawn_stop(stage->backends[i]);
        read_counts(stage, i);
    }
}

const char *stage_shares(const struct stage *stage)
{
    static char text[80];
    snprintf(text, sizeof text, "%ld, %ld, %ld", stage->requests[0], stage->requests[1],
             stage->requests[2]);
    return text;
}

bool stage_is_even(const struct stage *stage)
{
    long least = stage->requests[0], most = least;
    for (int i = 1; i < STAGE_BACKENDS; i++) {
        if (stage->requests[i] < least)
            least = stage->requests[i];
        if (stage->requests[i] > most)
            most = stage->requests[i];
    }
    return least > 0 && most - least <= 1;
}
