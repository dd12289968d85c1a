// crowd.c: many subscribers and a publisher, for bench.sh: how much CPU time and memory does a
// broker need for them?
//
// Run:    build/crowd --port 8105 --pid PID --subscribers 1000 --burst 100 --messages 2000
// Watch:  the broker's CPU time for each delivery, as the kernel counts it
//         (/proc/PID/schedstat); with --messages 0 the broker's memory for each subscriber.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "measure.h"
#include "mqtt.h"
#include "net.h"
#include "options.h"

#define PAYLOAD   100
#define PACKET    (2 + 2 + 1 + PAYLOAD) // of QoS 0; two bytes more of an id
#define EVENTS    256
#define PATIENCE  20000 // ms
#define BURST_MAX 1000

struct subscriber {
    int fd;
    int head; // bytes of a packet that is not whole yet
    char part[PACKET + 2];
};

static struct subscriber *subscribers;
static int count = 1000, qos, burst = 1, messages, port = 8105, pid;
static int epoll;

static long long cpu_ns(void)
{
    char path[60];
    long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%lld", &ns) != 1)
        die("cannot read %s", path);
    fclose(file);
    return ns;
}

static long memory(void)
{
    char path[60], line[200];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "VmRSS:", 6))
            kb = atol(line + 6);
    if (file)
        fclose(file);
    return kb * 1024;
}

// Connects as client `number`; a subscriber subscribes.
static int enter(int number, bool subscribes)
{
    char out[100], id[20], answer[4 + 5];
    snprintf(id, sizeof id, "%07d", number);
    size_t length = mqtt_write_head(out, MQTT_CONNECT, 0, 10 + 2 + strlen(id));
    length += mqtt_write_text(out + length, mqtt_text("MQTT"));
    memcpy(out + length, "\4\2\0\0", 4);
    length += 4 + mqtt_write_text(out + length + 4, mqtt_text(id));
    size_t expected = 4;
    if (subscribes) {
        memcpy(out + length, "\x82\6\0\1\0\1t", 7);
        out[length + 7] = (char)qos;
        length += 8;
        expected += 5;
    }
    int fd = net_connect_or_die("127.0.0.1", port);
    if (!write_all(fd, out, length) || !read_exactly(fd, answer, expected) || answer[3])
        die("client %d is refused", number);
    return fd;
}

// Counts the whole packets among what has come, and acknowledges those of QoS 1 together.
static int take(struct subscriber *one)
{
    static char bytes[1 << 16], acks[4 * sizeof bytes / PACKET + 4];
    int size = PACKET, whole = 0;
    if (qos)
        size += 2;
    size_t acks_length = 0;
    memcpy(bytes, one->part, (size_t)one->head);
    ssize_t got = read(one->fd, bytes + one->head, sizeof bytes - (size_t)one->head);
    if (got <= 0)
        die("the broker closes a connection");
    int length = one->head + (int)got, at = 0;
    for (; at + size <= length; at += size, whole++)
        if (qos) {
            uint16_t id = (uint16_t)((uint8_t)bytes[at + 5] << 8 | (uint8_t)bytes[at + 6]);
            acks_length += mqtt_write_id(acks + acks_length, MQTT_PUBACK, id);
        }
    one->head = length - at;
    memcpy(one->part, bytes + at, (size_t)one->head);
    if (acks_length && !write_all(one->fd, acks, acks_length))
        die("the broker closes a connection");
    return whole;
}

// Publishes `burst` messages with one write(), and waits until all subscribers have them.
static void publish(int publisher)
{
    static char out[BURST_MAX * (PACKET + 2)], payload[PAYLOAD], answers[4 * BURST_MAX];
    struct epoll_event events[EVENTS];
    size_t length = 0;
    struct mqtt_packet packet = {.topic = {"t", 1}, .payload = {payload, PAYLOAD}};
    packet.qos = (uint8_t)qos;
    for (int i = 0; i < burst; i++) {
        packet.id = (uint16_t)(i + 1); // not written at QoS 0
        length += mqtt_write_publish(out + length, &packet);
        memcpy(out + length, payload, PAYLOAD);
        length += PAYLOAD;
    }
    if (!write_all(publisher, out, length))
        die("the broker closes the publisher's connection");
    for (long wanted = (long)burst * count; wanted > 0;) {
        int ready = epoll_wait(epoll, events, EVENTS, PATIENCE);
        if (ready <= 0)
            die("%ld deliveries are missing", wanted);
        for (int i = 0; i < ready; i++)
            wanted -= take(events[i].data.ptr);
    }
    if (qos && !read_exactly(publisher, answers, 4 * (size_t)burst))
        die("the publisher gets no answer");
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {"port", OPTION_INT, &port, 1, 65535, "of the broker"},
        {"pid", OPTION_INT, &pid, 0, 1 << 30, "of the broker"},
        {"subscribers", OPTION_INT, &count, 1, 20000, "how many"},
        {"qos", OPTION_INT, &qos, 0, 1, "of the messages"},
        {"burst", OPTION_INT, &burst, 1, BURST_MAX, "messages that are published at once"},
        {"messages", OPTION_INT, &messages, 0, 1000000, "in all; 0: prints the memory"},
        {0}};
    options_parse(argc, argv, &(struct command){"", "A crowd for bench.sh.", options});
    raise_file_limit(count + 50);
    epoll = epoll_create1(0);
    subscribers = calloc((size_t)count, sizeof *subscribers);
    long before = memory();
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {EPOLLIN, {.ptr = &subscribers[i]}};
        subscribers[i].fd = enter(i, true);
        epoll_ctl(epoll, EPOLL_CTL_ADD, subscribers[i].fd, &event);
    }
    if (messages == 0) {
        printf("%ld\n", (memory() - before) / count);
        return 0;
    }
    int publisher = enter(count, false);
    publish(publisher); // once, to warm up
    long long began_ns = cpu_ns();
    for (int i = 0; i < messages; i += burst)
        publish(publisher);
    printf("%.3f\n", (double)(cpu_ns() - began_ns) / 1e3 / messages / count);
    return 0;
}
