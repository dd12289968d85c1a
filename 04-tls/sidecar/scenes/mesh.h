// mesh.h: a small mesh for a scene: pods, each an app with its sidecar, as on machines of their
// own. A pod has a loopback address of its own, so all of them use the same ports, as pods do.
// All of it ends with the scene.
#ifndef MESH_H
#define MESH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MESH_PODS     8
#define MESH_PORT     8104 // of each pod: the sidecar's, for its app,
#define MESH_INBOUND  8114 // for other sidecars,
#define MESH_ADMIN    8124 // for tools that watch,
#define MESH_APP      8134 // and the app's
#define MESH_PATH     200
#define MESH_TEXT     16384
#define MESH_AWAIT_MS 20000 // much more than a busy machine needs

struct pod {
    const char *service;
    int index;
    char address[20];
    pid_t app, sidecar; // 0: it does not run
};

// What an app has got for a question.
struct mesh_answer {
    int status; // 0: no answer
    char why[200];
    char text[MESH_TEXT]; // the content
    char fields[2000];    // the head's lines
    double ms;
};

// A folder for the files of this scene, which is empty; the path of a file in it.
void mesh_begin(void);
const char *mesh_path(const char *name);

// A new pod. Its app and its sidecar are started by the two functions below it, whose further
// arguments are options, NULL at the end.
struct pod *pod_new(const char *service);
void pod_start_app(struct pod *pod, ...);
void pod_start_sidecar(struct pod *pod, ...);
void pod_stop_app(struct pod *pod);
int pod_stop_sidecar(struct pod *pod); // returns its exit status

// Both, without options.
struct pod *pod_start(const char *service);

// Starts a process of the scene's own, which ends when the scene does; its listener is closed
// here. Returns 0 in the new process.
pid_t mesh_fork(int listener);

// An app in place of ./app: it reads each request, counts it (NULL: does not), answers with
// these bytes (NULL: not at all), and closes the connection, or leaves it open (`keep`).
void mesh_start_answering(struct pod *pod, const char *answer, bool keep, atomic_int *requests);

// Writes the file of services: all pods whose sidecar may be asked; it waits until each sidecar
// that runs has read it.
void mesh_write_services(void);

// The same with a text of the scene's own, and without waiting.
void mesh_write_file(const char *name, const char *text);

// Asks the pod's sidecar for a service, as the pod's app would: on a new connection, or on
// `*fd`, which is one that is kept (-1: not yet).
struct mesh_answer *mesh_ask(const struct pod *pod, const char *method, const char *service,
                             const char *path, const char *fields);
int mesh_status(const struct pod *pod, const char *method, const char *service,
                const char *path);

// Asks the app itself, on its own port; the admin port.
struct mesh_answer *mesh_ask_app(const struct pod *pod, const char *path);
struct mesh_answer *mesh_ask_admin(const struct pod *pod, const char *path);

// How many requests the pod's app has had.
long mesh_count(const struct pod *pod);

// The value behind `name` (with its labels) in the sidecar's metrics; 0: it has none.
double mesh_metric(const struct pod *pod, const char *name);

// Waits until condition(pod) is true, for MESH_AWAIT_MS at most. False: it is not.
bool mesh_await(const struct pod *pod, bool (*condition)(const struct pod *));

// A condition: the pod's sidecar says that it and its app are ready.
bool mesh_is_ready(const struct pod *pod);

// Resident memory of a process that no other process shares, in KB.
long process_private_kb(pid_t pid);

// Ends all pods, and removes the folder. Ends the program if a sidecar has not ended well.
void mesh_end(void);

#endif
