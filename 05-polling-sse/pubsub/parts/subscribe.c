// subscribe.c: see subscribe.h.
#include "subscribe.h"

#include <string.h>

#include "connect.h"
#include "retained.h"
#include "sys_topics.h"
#include "topics.h"

struct retained_for {
    struct session *session;
    uint8_t qos;
};

static void give_retained(struct message *message, void *data)
{
    const struct retained_for *to = data;
    uint8_t qos = to->qos;
    if (message->qos < qos)
        qos = message->qos;
    session_queue(to->session, message, qos, true);
}

bool take_subscribe(struct client *client, const struct mqtt_packet *packet)
{
    uint8_t codes[FILTERS_MAX], qos;
    size_t count = 0;
    struct mqtt_text filters = packet->payload, filter;
    while (mqtt_next_filter(&filters, &filter, &qos)) {
        if (count == FILTERS_MAX)
            return reject(client, "a SUBSCRIBE with too many filters");
        if (!topics_subscribe(client->session, filter, qos))
            qos = MQTT_FILTER_REFUSED;
        codes[count++] = qos;
    }
    char *answer = conn_space(&client->conn);
    size_t length = mqtt_write_head(answer, MQTT_SUBACK, 0, 2 + count);
    answer[length++] = (char)(packet->id >> 8);
    answer[length++] = (char)packet->id;
    memcpy(answer + length, codes, count);
    conn_wrote(&client->conn, length + count);
    filters = packet->payload;
    for (size_t i = 0; mqtt_next_filter(&filters, &filter, &qos); i++) {
        struct mqtt_text share, bare;
        struct retained_for to = {client->session, qos};
        if (codes[i] == MQTT_FILTER_REFUSED || !filter_split(filter, &share, &bare) ||
            share.length > 0) // a shared subscription gets no retained messages
            continue;
        sys_topics_refresh(bare);
        retained_match(bare, give_retained, &to);
    }
    return true;
}

void take_unsubscribe(struct client *client, const struct mqtt_packet *packet)
{
    struct mqtt_text filters = packet->payload, filter;
    while (mqtt_next_filter(&filters, &filter, NULL))
        topics_unsubscribe(client->session, filter);
    answer_id(client, MQTT_UNSUBACK, packet->id);
}
