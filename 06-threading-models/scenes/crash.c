// crash.c: one request crashes the process that serves it: one process of many, or the whole
// server.
#include <signal.h>
#include <sys/resource.h>

#include "claim.h"
#include "fetch.h"
#include "lab.h"
#include "scenes.h"
#include "spawn.h"
#include "story.h"

#define BYSTANDERS 3
#define WORKERS    (1 + BYSTANDERS) // just enough where each connection takes one

struct result {
    int served;   // bystanders that had an answer after the crash, on the same connection
    bool new_one; // a new client is served
    int status;   // of the server in the end; 128 + the signal that it died of
};

static const struct claim isolation = {
    "6.1", "guide §6", "processes isolate a crash, threads share it", HOLDS, NULL};

static bool isolates(const struct result *r)
{
    return r->served == BYSTANDERS && r->new_one && r->status == 0;
}

static bool shares(const struct result *r)
{
    return r->served == 0 && !r->new_one && r->status == 128 + SIGSEGV;
}

static bool is_served(struct fetch *client, const char *target)
{
    return fetch_ask(client, "GET", target, "", NULL) == FETCH_OK && client->head.status == 200;
}

static void crash_one(const char *model, struct result *result)
{
    static struct fetch victim, bystanders[BYSTANDERS], new_one;
    struct sockaddr_storage server;
    struct lab lab;
    *result = (struct result){0};
    lab_start(&lab, model, "--workers %d --allow-crash", WORKERS);
    net_address("127.0.0.1", lab.port, SOCK_STREAM, &server);
    fetch_open(&victim, &server, 0); // first: if only one client is served, it is the victim
    for (int i = 0; i < BYSTANDERS; i++)
        fetch_open(&bystanders[i], &server, 0);
    is_served(&victim, "/crash");
    for (int i = 0; i < BYSTANDERS; i++)
        result->served += is_served(&bystanders[i], "/cheap");
    fetch_open(&new_one, &server, 0);
    result->new_one = is_served(&new_one, "/cheap");
    fetch_close(&new_one);
    for (int i = 0; i < BYSTANDERS; i++)
        fetch_close(&bystanders[i]);
    fetch_close(&victim);
    result->status = spawn_stop(lab.pid);
}

static const char *what_became_of(const struct result *r)
{
    if (r->status == 128 + SIGSEGV)
        return "is gone";
    if (r->status == 0)
        return "goes on";
    return "failed";
}

void scene_crash(void)
{
    static const struct rlimit no_core = {0, 0};
    struct result results[LAB_MODELS_MAX];
    int isolated = 0, shared = 0, in_processes = 0;
    setrlimit(RLIMIT_CORE, &no_core); // the servers inherit it: no core files
    story_say(
        "One client asks for /crash, a null pointer. %d others are connected, and then ask.",
        BYSTANDERS);
    story_head("|the others|new client|the server");
    for (int i = 0; i < model_count(); i++) {
        struct result *r = &results[i];
        const char *new_one = "is refused";
        crash_one(models[i].name, r);
        if (r->new_one)
            new_one = "is served";
        story_row("%s|%d of %d|%s|%s", models[i].name, r->served, BYSTANDERS, new_one,
                  what_became_of(r));
        bool processes = models[i].kind == PROCESSES;
        in_processes += processes;
        isolated += processes && isolates(r);
        shared += !processes && shares(r);
    }
    claim_report(
        &isolation,
        holds_if(isolated == in_processes && shared == model_count() - in_processes),
        "%d of %d models with processes lose one of them, and no other client notices; "
        "of the %d that are one process %d are gone, with all clients",
        isolated, in_processes, model_count() - in_processes, shared);
}
