// cast.c: see cast.h.
#include "cast.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "net.h"
#include "spawn.h"
#include "text.h"

#define OPTIONS_MAX 24

static const char *pair_host;
static int pair_port;
static char folder[64];

void cast_pair(const char *host, int port)
{
    pair_host = host;
    pair_port = port;
}

const char *cast_host(void)
{
    return pair_host;
}

int cast_port(void)
{
    return pair_port;
}

struct agent cast_user(void)
{
    return (struct agent){.host = pair_host, .port = pair_port};
}

struct agent cast_user_of(const struct server *server)
{
    return (struct agent){.host = "127.0.0.1", .port = server->port};
}

struct server cast_start(const char *const options[])
{
    const char *argv[OPTIONS_MAX] = {"./server", "--quiet",    "--port",     "0",
                                     "--keys",   ask_folder(), "--scrypt-n", "2"};
    struct server server;
    int count = 8;
    for (; *options && count < OPTIONS_MAX - 1; options++)
        argv[count++] = *options;
    server.port = spawn_server(&server.pid, argv);
    if (!server.port)
        die("no server starts here");
    return server;
}

struct server cast_start_store(void)
{
    static const char *const argv[] = {"./store", "--quiet", "--port", "0", NULL};
    struct server store;
    store.port = spawn_server(&store.pid, argv);
    if (!store.port)
        die("no store starts here");
    return store;
}

void cast_stop(struct server *server)
{
    if (spawn_stop(server->pid))
        die("the server on port %d did not end as it should", server->port);
}

void cast_kill(struct server *server)
{
    kill(server->pid, SIGKILL);
    spawn_wait(server->pid);
}

void cast_log_in(struct agent *user)
{
    int status = agent_log_in(user, USER, USER_PASSWORD);
    if (status != 200)
        die("POST /login: %d: %s", status, user->reply.content);
}

int cast_me(struct agent *user)
{
    return agent_ask(user, "GET", "/me", NULL);
}

long cast_figure(struct agent *user, const char *name)
{
    struct json object;
    int64_t number = -1;
    agent_ask(user, "GET", "/stats", NULL);
    struct http_text text = {user->reply.content, strlen(user->reply.content)};
    if (!json_read(text, &object) || !json_member_integer(&object, name, &number))
        die("GET /stats has no %s", name);
    return (long)number;
}

static void remove_folder(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command))
        fprintf(stderr, "%s is left\n", folder);
}

const char *cast_file(const char *name)
{
    static char path[CAST_PATH];
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/login.XXXXXX");
        if (!mkdtemp(folder))
            die("cannot make a folder in /tmp: %s", strerror(errno));
        atexit(remove_folder);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

const char *cast_write_file(const char *name, const char *text)
{
    const char *path = cast_file(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || !write_all(fd, text, strlen(text)) || close(fd))
        die("cannot write %s: %s", path, strerror(errno));
    return path;
}

void cast_print(const char *text, size_t length)
{
    size_t width = (size_t)text_width() - 4;
    while (length) {
        size_t part = length;
        if (part > width)
            part = width;
        printf("    %.*s\n", (int)part, text);
        text += part;
        length -= part;
    }
}

const char *cast_yes(bool answer)
{
    if (answer)
        return "yes";
    return "no";
}
