// correlate.c: questions and answers over a broker. The answers come in another order than the
// questions: a number in each answer says which question it belongs to.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cast.h"
#include "claim.h"
#include "net.h"
#include "scenes.h"
#include "story.h"

#define QUESTIONS 4

// A message: "ID REPLY-TOPIC QUESTION", and "ID ANSWER". (MQTT 5.0 has properties for the two.)
static struct player asker = {.client.fd = -1}, service = {.client.fd = -1};
static struct player *const both[] = {&asker, &service};
static struct {
    int id, number, answer;
} asked[QUESTIONS];
static char waiting[QUESTIONS][100]; // answers that the service gives in its own order
static int questions, answers, in_order, right;

static void take_question(struct player *player, const struct mqtt_packet *packet)
{
    int id, number;
    char topic[40];
    if (sscanf(message_string(packet->payload), "%d %39s %d", &id, topic, &number) != 3)
        die("this is no question");
    snprintf(waiting[questions++], sizeof waiting[0], "%d %d", id, number * number);
    if (questions < QUESTIONS)
        return;
    while (questions > 0) { // the last one first
        story_event("service answers %s", waiting[--questions]);
        player_send(player, topic, waiting[questions], 1, 0);
    }
}

static void take_answer(struct player *player, const struct mqtt_packet *packet)
{
    int id, answer;
    (void)player;
    if (sscanf(message_string(packet->payload), "%d %d", &id, &answer) != 2)
        die("this is no answer");
    in_order += asked[answers].id == id;
    answers++;
    for (int i = 0; i < QUESTIONS; i++)
        if (asked[i].id == id) {
            asked[i].answer = answer;
            right += answer == asked[i].number * asked[i].number;
            story_event("asker: %d * %d = %d", asked[i].number, asked[i].number, answer);
        }
}

static bool all_answered(void)
{
    return answers == QUESTIONS;
}

static const struct claim correlated = {
    "5.24", "ch. 18.1", "replies are matched to requests by a correlation id", HOLDS, NULL};

void scene_correlate(void)
{
    player_enter(&asker, "asker", true);
    player_enter(&service, "service", true);
    asker.told = take_answer;
    service.told = take_question;
    player_subscribe(&service, "squares", 1);
    player_subscribe(&asker, "replies/asker", 1);
    story_timeline();
    for (int i = 0; i < QUESTIONS; i++) {
        char text[100];
        asked[i].id = 100 + i;
        asked[i].number = 3 + 4 * i;
        snprintf(text, sizeof text, "%d replies/asker %d", asked[i].id, asked[i].number);
        story_event("asker asks %s", text);
        player_send(&asker, "squares", text, 1, 0);
    }
    if (!cast_play(both, 2, all_answered, CLIENT_PATIENCE_MS))
        die("not all questions are answered");
    player_leave(&asker);
    player_leave(&service);
    claim_report(&correlated, holds_if(right == QUESTIONS && in_order == 0),
                 "%d answers, %d of them in the order of the questions, and %d matched to "
                 "their question",
                 answers, in_order, right);
}
