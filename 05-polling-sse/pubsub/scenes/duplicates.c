// duplicates.c: a message comes again. Four handlers, and what each of them does when its
// acknowledgement is lost, and when it is killed at the worst moment.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define VIDEO  1 // what the message is about
#define MARKER 2 // the next message

enum handler { BLIND, SET_IN_MEMORY, MARKS_AFTER, MARKS_BEFORE, HANDLERS };
enum mishap { ACK_LOST, KILLED, MISHAPS };

static const char *const handler_name[HANDLERS] = {"keeps no ids", "a Set of ids, in memory",
                                                   "ids in a file, marked after",
                                                   "ids in a file, marked before"};

static enum handler handler;
static enum mishap mishap;
static bool first_life; // the handler has not had its mishap yet
static char path[] = "/tmp/handled.XXXXXX";

// ---- the handler, in a process of its own --------------------------------------------------

static bool in_memory[MARKER + 1], cut_off;

static FILE *open_marks(const char *mode)
{
    FILE *file = fopen(path, mode);
    if (!file)
        die("cannot open %s", path);
    return file;
}

static bool is_marked(int number)
{
    int one;
    bool marked = false;
    if (handler < MARKS_AFTER)
        return handler == SET_IN_MEMORY && in_memory[number];
    FILE *file = open_marks("r");
    while (fscanf(file, "%d", &one) == 1)
        marked = marked || one == number;
    fclose(file);
    return marked;
}

static void mark(int number)
{
    in_memory[number] = true;
    if (handler < MARKS_AFTER)
        return;
    FILE *file = open_marks("a");
    fprintf(file, "%d\n", number);
    fclose(file);
}

// The worst moment: the handler says that it has come, and waits for the kill.
static void be_killed(struct player *player)
{
    player_send(player, "handler/at-the-worst", "0", 1, 0);
    for (;;)
        pause();
}

static bool handle(struct player *player, const struct mqtt_packet *packet)
{
    char text[16];
    int number = message_number(packet);
    bool worst = first_life && number == VIDEO;
    if (number < 1 || number > MARKER || is_marked(number))
        return true;
    if (handler == MARKS_BEFORE)
        mark(number);
    if (worst && mishap == KILLED && handler == MARKS_BEFORE)
        be_killed(player);
    snprintf(text, sizeof text, "%d", number);
    player_send(player, "notifications", text, 1, 0);
    if (worst && mishap == KILLED)
        be_killed(player);
    if (handler != MARKS_BEFORE)
        mark(number);
    cut_off = worst && mishap == ACK_LOST;
    return !cut_off;
}

static void run_handler(void)
{
    static struct player player = {.client.fd = -1, .asked = handle};
    player_enter(&player, "handler", false);
    player_subscribe(&player, "videos", 1);
    player_publish(&player, "handler/ready", "0", 1);
    while (client_step(&player.client, CLIENT_PATIENCE_MS) >= 0) {
        if (!cut_off)
            continue;
        cut_off = first_life = false;
        player_cut(&player);
        player_enter(&player, "handler", false);
    }
}

// ---- the scene -----------------------------------------------------------------------------

static struct player scene = {.client.fd = -1};
static struct player *const one[] = {&scene};
static int notified;
static bool ready, at_the_worst, over;

static void take(struct player *player, const struct mqtt_packet *packet)
{
    const char *topic = message_string(packet->topic);
    (void)player;
    if (!strcmp(topic, "handler/ready"))
        ready = true;
    else if (!strcmp(topic, "handler/at-the-worst"))
        at_the_worst = true;
    else if (message_number(packet) == VIDEO)
        notified++;
    else
        over = true;
}

static bool is_ready(void)
{
    return ready;
}

static bool is_at_the_worst(void)
{
    return at_the_worst;
}

static bool is_over(void)
{
    return over;
}

static void await(bool (*until)(void), const char *what)
{
    if (!cast_play(one, 1, until, CLIENT_PATIENCE_MS))
        die("the handler does not say %s", what);
}

static pid_t start_handler(void)
{
    ready = false;
    pid_t pid = cast_start(run_handler);
    await(is_ready, "that it is ready");
    return pid;
}

// Publishes one message. Returns how many notifications the handler has sent for it.
static int handle_one(enum handler which, enum mishap what)
{
    static struct player old = {.client.fd = -1};
    handler = which;
    mishap = what;
    first_life = true;
    notified = 0;
    over = at_the_worst = false;
    player_enter(&old, "handler", true); // the session of the handler before
    player_leave(&old);
    if (truncate(path, 0))
        die("cannot empty %s", path);
    pid_t pid = start_handler();
    player_publish(&scene, "videos", "1", 1);
    if (mishap == KILLED) {
        await(is_at_the_worst, "that it is at its worst moment");
        cast_kill(pid);
        first_life = false;
        pid = start_handler();
    }
    player_publish(&scene, "videos", "2", 1);
    await(is_over, "that it has the next message");
    cast_kill(pid);
    return notified;
}

static const struct claim one_notification = {
    "5.27", "guide §5",
    "a handler that keeps a Set of the ids that it has processed sends one notification",
    NOT_HERE,
    "The Set is marked after the work, and is lost with the process: a handler that is killed "
    "in between works again (as in 10.3). Only work that can be repeated, or is stored "
    "together with the mark, is done once."};

void scene_duplicates(void)
{
    static int times[HANDLERS][MISHAPS];
    int file = mkstemp(path);
    if (file < 0)
        die("cannot make %s", path);
    close(file);
    player_enter(&scene, "scene", true);
    scene.told = take;
    player_subscribe(&scene, "notifications", 1);
    player_subscribe(&scene, "handler/+", 1);
    story_say(
        "One message of QoS 1 for a handler that is to send one notification. How many does it "
        "send, when its acknowledgement is lost, and when it is killed between sending and "
        "marking (or marking and sending)?");
    for (enum handler i = BLIND; i < HANDLERS; i++)
        for (enum mishap j = ACK_LOST; j < MISHAPS; j++)
            times[i][j] = handle_one(i, j);
    unlink(path);
    player_leave(&scene);
    story_head("the handler|ack lost|killed");
    for (enum handler i = BLIND; i < HANDLERS; i++)
        story_row("%s|%d|%d", handler_name[i], times[i][ACK_LOST], times[i][KILLED]);
    const int *set = times[SET_IN_MEMORY], *before = times[MARKS_BEFORE];
    enum verdict verdict = UNCLEAR;
    if (times[BLIND][ACK_LOST] == 2 && set[ACK_LOST] == 1 && set[KILLED] == 2 &&
        times[MARKS_AFTER][KILLED] == 2 && before[KILLED] == 0)
        verdict = NOT_HERE;
    claim_report(
        &one_notification, verdict,
        "%d when only the acknowledgement is lost, %d when it is killed; with the mark in a "
        "file and before the work, %d",
        set[ACK_LOST], set[KILLED], before[KILLED]);
}
