// nginx.c: see nginx.h.
#include "nginx.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "servers.h"

#define FIRST_PORT 27000 // below those that the kernel gives to clients
#define PORTS      5000
#define TRIES      500 // to reach it
#define RETRY_MS   10
#define PATH_BYTES 120

// A port that is free.
static int free_port(void)
{
    for (int i = 0; i < PORTS; i++) {
        struct sockaddr_in address = {
            .sin_family = AF_INET,
            .sin_addr = {htonl(INADDR_LOOPBACK)},
            .sin_port = htons((in_port_t)(FIRST_PORT + (getpid() + i) % PORTS))};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
        if (fd >= 0)
            close(fd);
        if (free)
            return ntohs(address.sin_port);
    }
    die("no port is free for nginx");
}

// All that it needs is in a folder of its own.
static void write_configuration(const char *folder, int port, int workers, const char *word)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/conf", folder);
    FILE *file = fopen(path, "we");
    if (!file)
        die("cannot write %s: %s", path, strerror(errno));
    if (geteuid() == 0)
        fprintf(file, "user root; ");
    fprintf(file,
            "daemon off; worker_processes %d; pid %s/pid; events {}\nhttp { access_log off;",
            workers, folder);
    static const char *const parts[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    for (int i = 0; i < 5; i++)
        fprintf(file, " %s_temp_path %s/%d;", parts[i], folder, i);
    fprintf(file, "\nserver { listen 127.0.0.1:%d %s; location / { return 200 here; } } }\n",
            port, word);
    if (fclose(file))
        die("cannot write %s: %s", path, strerror(errno));
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"conf", "pid", "0", "1", "2", "3", "4", "logs"};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    if (rmdir(folder))
        fprintf(stderr, "cannot remove %s: %s\n", folder, strerror(errno));
}

static pid_t start(const char *folder)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/conf", folder);
    pid_t pid = fork();
    if (pid)
        return pid;
    int silence = open("/dev/null", O_WRONLY);
    if (silence >= 0 && (dup2(silence, STDOUT_FILENO) < 0 || dup2(silence, STDERR_FILENO) < 0))
        _exit(127);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execlp("nginx", "nginx", "-p", folder, "-c", path, "-e", "/dev/null", NULL);
    execl("/usr/sbin/nginx", "nginx", "-p", folder, "-c", path, "-e", "/dev/null", NULL);
    _exit(127);
}

// Waits until a worker answers: then all sockets are there. False if it has ended.
static bool await_answer(pid_t pid, int port)
{
    struct peer peer = {"127.0.0.1", port, pid};
    char byte;
    for (int i = 0; i < TRIES; i++, sleep_ms(RETRY_MS)) {
        int fd = connect_to(&peer);
        bool answered = say_on(fd, GET_ROOT) && recv(fd, &byte, 1, 0) == 1;
        if (fd >= 0)
            close(fd);
        if (answered)
            return true;
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return false;
    }
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return false;
}

// proc(5): one line for each socket, its state in hexadecimal. Those that listen come first,
// and the others may be many.
static int listening_on(int port)
{
    char line[300];
    unsigned local_port, state = TCP_LISTEN;
    int count = 0;
    FILE *file = fopen("/proc/net/tcp", "re");
    while (file && state == TCP_LISTEN && fgets(line, sizeof line, file))
        count += sscanf(line, " %*d: %*x:%x %*x:%*x %x", &local_port, &state) == 2 &&
                 state == TCP_LISTEN && (int)local_port == port;
    if (file)
        fclose(file);
    return count;
}

int nginx_sockets(int workers, const char *word)
{
    char folder[] = "/tmp/sharding-nginx-XXXXXX";
    int count = -1, port = free_port();
    if (!mkdtemp(folder))
        die("cannot make a folder: %s", strerror(errno));
    write_configuration(folder, port, workers, word);
    pid_t pid = start(folder);
    if (pid > 0 && await_answer(pid, port)) {
        count = listening_on(port);
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
    }
    remove_folder(folder);
    return count;
}
