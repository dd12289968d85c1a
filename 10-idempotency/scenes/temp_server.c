// temp_server.c: see temp_server.h.
#include "temp_server.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger_client.h"
#include "net.h"
#include "spawn.h"
#include "story.h"

#define OPEN_MAX_HERE     8
#define TEMP_SERVER_TRIES 3 // on a machine that may stand still for a moment

// The folders that are there, for die() in the middle of a scene.
static char folders[OPEN_MAX_HERE][TEMP_SERVER_PATH_BYTES];

static void remove_folder(const char *folder)
{
    char path[TEMP_SERVER_PATH_BYTES + 300];
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files));) {
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        if (strcmp(file->d_name, ".") && strcmp(file->d_name, ".."))
            unlink(path);
    }
    if (files)
        closedir(files);
    if (rmdir(folder))
        fprintf(stderr, "cannot remove %s: %s\n", folder, strerror(errno));
}

// Ctrl-C in the middle of a scene: what the server may have written is removed, and then this
// program ends as it would have. Only calls that signal-safety(7) lists.
static void remove_and_end(int signal_number)
{
    for (int i = 0; i < OPEN_MAX_HERE; i++)
        if (*folders[i] && chdir(folders[i]) == 0) {
            unlink("journal");
            unlink("journal.new");

            rmdir(folders[i]);
        }
    raise(signal_number); // its handler is gone: SA_RESETHAND
}

static void remove_all(void)
{
    for (int i = 0; i < OPEN_MAX_HERE; i++)
        if (*folders[i])
            remove_folder(folders[i]);
}

static char *find_folder(const char *name)
{
    for (int i = 0; i < OPEN_MAX_HERE; i++)
        if (!strcmp(folders[i], name))
            return folders[i];
    die("a scene with more than %d servers", OPEN_MAX_HERE);
}

void temp_server_start(struct temp_server *own, const char *const options[])
{
    const char *argv[TEMP_SERVER_OPTIONS_MAX + 6] = {"./server", "--port", "0", "--journal",
                                                     own->journal};
    for (int i = 0; options[i] && i < TEMP_SERVER_OPTIONS_MAX; i++)
        argv[5 + i] = options[i];
    int port = spawn_server(&own->pid, argv);
    if (!port)
        die("cannot start a ./server of this scene's own (is this the lesson's folder?)");
    service_at(&own->service, "127.0.0.1", port);
}

void temp_server_begin(struct temp_server *own, const char *const options[])
{
    static bool registered;
    const char *where = getenv("TMPDIR");
    struct sigaction end = {.sa_handler = remove_and_end, .sa_flags = (int)SA_RESETHAND};
    if (!registered &&
        (atexit(remove_all) || sigaction(SIGINT, &end, NULL) || sigaction(SIGTERM, &end, NULL)))
        die("cannot register what is to be done at the end");
    registered = true;
    snprintf(own->folder, sizeof own->folder, "%s/charges.XXXXXX", where ? where : "/tmp");
    char *folder = find_folder("");
    if (!mkdtemp(own->folder))
        die("cannot make the folder %s: %s", own->folder, strerror(errno));
    strcpy(folder, own->folder);
    snprintf(own->journal, sizeof own->journal, "%s/journal", own->folder);
    temp_server_start(own, options);
}

bool temp_server_unless(bool (*play)(const struct service *service),
                        const char *const options[])
{
    static struct temp_server own;
    figure_of(the_server(), "charges"); // dies if there is no server
    if (play(the_server()))
        return true;
    temp_server_begin(&own, options);
    story_say("That went well. Now a server that is started with %s %s:", options[0],
              options[1]);
    bool played = false;
    for (int tries = 0; tries < TEMP_SERVER_TRIES && !played; tries++)
        played = play(&own.service);
    temp_server_end(&own);
    return played;
}

int temp_server_wait(struct temp_server *own)
{
    int status = spawn_wait(own->pid);
    own->pid = 0;
    return status;
}

void temp_server_end(struct temp_server *own)
{
    if (own->pid)
        spawn_stop(own->pid);
    own->pid = 0;
    remove_folder(own->folder);
    *find_folder(own->folder) = '\0';
}
