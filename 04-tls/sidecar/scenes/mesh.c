// mesh.c: see mesh.h.
#include "mesh.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fetch.h"
#include "measure.h"
#include "net.h"
#include "spawn.h"

#define ARGUMENTS_MAX 40
#define CONNECT_MS    "20000" // no scene is about it: a busy machine gets the time it needs

static struct pod pods[MESH_PODS];
static int pod_count;
static char folder[MESH_PATH];
static bool ends; // mesh_end() will be called

// ---- files ---------------------------------------------------------------------------------

const char *mesh_path(const char *name)
{
    static char paths[4][2 * MESH_PATH];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof *paths, "%s/%s", folder, name);
    return path;
}

void mesh_begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/sidecar-XXXXXX");
    if (!mkdtemp(folder))
        die("cannot make a folder in /tmp: %s", strerror(errno));
    if (!ends) // also if a scene dies
        atexit(mesh_end);
    ends = true;
    pod_count = 0;
    mesh_write_file("services", "end\n");
}

void mesh_write_file(const char *name, const char *text)
{
    const char *path = mesh_path(name), *new_path = mesh_path("new");
    FILE *file = fopen(new_path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) || rename(new_path, path))
        die("cannot write %s: %s", path, strerror(errno));
}

static void remove_files(const char *path)
{
    DIR *files = opendir(path);
    struct dirent *file;
    char name[2 * MESH_PATH + 300];
    while (files && (file = readdir(files))) {
        snprintf(name, sizeof name, "%s/%s", path, file->d_name);
        if (file->d_type == DT_REG)
            unlink(name);
    }
    if (files)
        closedir(files);
    rmdir(path);
}

void mesh_end(void)
{
    bool good = true;
    if (!folder[0])
        return;
    for (struct pod *pod = pods; pod < pods + pod_count; pod++) {
        if (pod->sidecar)
            kill(pod->sidecar, SIGTERM);
        if (pod->app)
            kill(pod->app, SIGTERM);
    }
    for (struct pod *pod = pods; pod < pods + pod_count; pod++) {
        int status = pod_stop_sidecar(pod);
        pod_stop_app(pod);
        if (status) {
            fprintf(stderr, "the sidecar of %s has ended with %d\n", pod->service, status);
            good = false;
        }
    }
    remove_files(mesh_path("keys"));
    remove_files(mesh_path("stranger"));
    remove_files(folder);
    folder[0] = '\0';
    pod_count = 0;
    if (!good) {
        fflush(stdout);
        _exit(1); // exit() may be what has called this
    }
}

// ---- pods ----------------------------------------------------------------------------------

// The process's id and the pod's number are in the address, so no other process has it.
struct pod *pod_new(const char *service)
{
    if (pod_count == MESH_PODS)
        die("more than %d pods", MESH_PODS);
    struct pod *pod = &pods[pod_count];
    *pod = (struct pod){.service = service, .index = pod_count};
    unsigned id = (unsigned)getpid() * MESH_PODS + (unsigned)pod_count++;
    snprintf(pod->address, sizeof pod->address, "127.%u.%u.%u", id >> 16 & 255, id >> 8 & 255,
             id & 255);
    return pod;
}

// Appends the further options of the caller.
static void add_options(const char *arguments[], int count, va_list options)
{
    const char *option;
    while ((option = va_arg(options, const char *))) {
        if (count == ARGUMENTS_MAX - 1)
            die("more than %d arguments", ARGUMENTS_MAX - 1);
        arguments[count++] = option;
    }
    arguments[count] = NULL;
}

void pod_start_app(struct pod *pod, ...)
{
    char sidecar[40];
    va_list options;
    snprintf(sidecar, sizeof sidecar, "%s:%d", pod->address, MESH_PORT);
    const char *arguments[ARGUMENTS_MAX] = {"./app",      "--host",    pod->address, "--name",
                                            pod->service, "--sidecar", sidecar};
    va_start(options, pod);
    add_options(arguments, 7, options);
    va_end(options);
    if (!spawn_server(&pod->app, arguments)) {
        pod->app = 0;
        die("./app does not start");
    }
}

void pod_start_sidecar(struct pod *pod, ...)
{
    char app[40], keys[MESH_PATH + 20], services[MESH_PATH + 20], access[MESH_PATH + 20];
    va_list options;
    snprintf(app, sizeof app, "%s:%d", pod->address, MESH_APP);
    snprintf(keys, sizeof keys, "%s/keys", folder);
    snprintf(services, sizeof services, "%s/services", folder);
    snprintf(access, sizeof access, "%s/access", folder);
    const char *arguments[ARGUMENTS_MAX] = {
        "./sidecar", "--quiet", "--host",       pod->address, "--inbound-host", pod->address,
        "--app",     app,       "--name",       pod->service, "--services",     services,
        "--keys",    keys,      "--access-log", access,       "--connect-ms",   CONNECT_MS};
    va_start(options, pod);
    add_options(arguments, 18, options);
    va_end(options);
    if (!spawn_server(&pod->sidecar, arguments)) {
        pod->sidecar = 0;
        die("./sidecar does not start");
    }
}

pid_t mesh_fork(int listener)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        die("cannot start a process: %s", strerror(errno));
    if (pid > 0) {
        close(listener);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

void mesh_start_answering(struct pod *pod, const char *answer, bool keep, atomic_int *requests)
{
    static char bytes[65536];
    int listener = net_listen(pod->address, MESH_APP, 100);
    pod->app = mesh_fork(listener);
    while (pod->app == 0) {
        int fd = accept(listener, NULL, NULL);
        bool asked = fd >= 0 && read(fd, bytes, sizeof bytes) > 0;
        if (asked && requests)
            atomic_fetch_add(requests, 1);
        if (asked && answer)
            write_all(fd, answer, strlen(answer));
        if (!keep)
            close(fd);
    }
}

struct pod *pod_start(const char *service)
{
    struct pod *pod = pod_new(service);
    pod_start_app(pod, NULL);
    pod_start_sidecar(pod, NULL);
    return pod;
}

void pod_stop_app(struct pod *pod)
{
    if (pod->app)
        spawn_stop(pod->app);
    pod->app = 0;
}

int pod_stop_sidecar(struct pod *pod)
{
    int status = 0;
    if (pod->sidecar)
        status = spawn_stop(pod->sidecar);
    pod->sidecar = 0;
    return status;
}

// True if the sidecar knows all pods: it has a line about each of them.
static bool has_read_services(const struct pod *pod)
{
    char name[200];
    const char *metrics = mesh_ask_admin(pod, "/metrics")->text;
    for (int i = 0; i < pod_count; i++) {
        snprintf(name, sizeof name, "instance=\"%s:%d\"", pods[i].address, MESH_INBOUND);
        if (!strstr(metrics, name))
            return false;
    }
    return true;
}

void mesh_write_services(void)
{
    char text[MESH_PODS * 100] = "";
    for (int i = 0; i < pod_count; i++) {
        bool first = true; // of its service: the others are in the same line
        for (int j = 0; j < i; j++)
            first = first && strcmp(pods[i].service, pods[j].service);
        if (!first)
            continue;
        strcat(text, pods[i].service);
        for (int j = i; j < pod_count; j++)
            if (!strcmp(pods[i].service, pods[j].service))
                sprintf(text + strlen(text), " %s:%d", pods[j].address, MESH_INBOUND);
        strcat(text, "\n");
    }
    strcat(text, "end\n");
    mesh_write_file("services", text);
    for (struct pod *pod = pods; pod < pods + pod_count; pod++)
        if (pod->sidecar && !mesh_await(pod, has_read_services))
            die("the sidecar of %s has not read the file of services", pod->service);
}

// ---- questions -----------------------------------------------------------------------------

static struct mesh_answer *ask(const struct pod *pod, int port, const char *request)
{
    static struct mesh_answer answers[2];
    static int next;
    static struct fetch f;
    struct mesh_answer *answer = &answers[next++ % 2];
    struct sockaddr_storage address;
    int64_t began_ns = now_ns();
    *answer = (struct mesh_answer){0};
    net_address(pod->address, port, SOCK_STREAM, &address);
    enum fetch_result result = fetch_open(&f, &address, 0);
    if (result == FETCH_OK)
        result = fetch_send_bytes(&f, request, strlen(request));
    f.head_only = !strncmp(request, "HEAD ", 5);
    if (result == FETCH_OK)
        result = fetch_answer(&f);
    answer->ms = ms_since(began_ns);
    if (result == FETCH_OK) {
        answer->status = f.head.status;
        snprintf(answer->text, sizeof answer->text, "%.*s", (int)f.content.length,
                 f.content.at);
        snprintf(answer->fields, sizeof answer->fields, "%.*s", (int)f.head.length, f.bytes);
    } else {
        fetch_why(&f, result, answer->why);
    }
    fetch_close(&f);
    return answer;
}

struct mesh_answer *mesh_ask(const struct pod *pod, const char *method, const char *service,
                             const char *path, const char *fields)
{
    char request[3000];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, path,
             service, fields);
    return ask(pod, MESH_PORT, request);
}

int mesh_status(const struct pod *pod, const char *method, const char *service,
                const char *path)
{
    const char *fields = "";
    if (!strcmp(method, "POST"))
        fields = "Content-Length: 0\r\n";
    return mesh_ask(pod, method, service, path, fields)->status;
}

static struct mesh_answer *ask_port(const struct pod *pod, int port, const char *path)
{
    char request[300];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    return ask(pod, port, request);
}

struct mesh_answer *mesh_ask_app(const struct pod *pod, const char *path)
{
    return ask_port(pod, MESH_APP, path);
}

struct mesh_answer *mesh_ask_admin(const struct pod *pod, const char *path)
{
    return ask_port(pod, MESH_ADMIN, path);
}

long mesh_count(const struct pod *pod)
{
    return atol(mesh_ask_app(pod, "/count")->text);
}

double mesh_metric(const struct pod *pod, const char *name)
{
    const char *text = mesh_ask_admin(pod, "/metrics")->text, *at = text;
    size_t length = strlen(name);
    while ((at = strstr(at, name))) {
        bool begins_line = at > text && at[-1] == '\n';
        if (begins_line && at[length] == ' ')
            return atof(at + length);
        at += length;
    }
    return 0;
}

bool mesh_is_ready(const struct pod *pod)
{
    return mesh_ask_admin(pod, "/ready")->status == 200;
}

bool mesh_await(const struct pod *pod, bool (*condition)(const struct pod *))
{
    int64_t until_ns = now_ns() + MESH_AWAIT_MS * INT64_C(1000000);
    while (!condition(pod)) {
        if (now_ns() > until_ns)
            return false;
        sleep_ms(5);
    }
    return true;
}

// ---- processes -----------------------------------------------------------------------------

long process_private_kb(pid_t pid)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    return number_in_file(path, "Private_Clean:", "") +
           number_in_file(path, "Private_Dirty:", "");
}
