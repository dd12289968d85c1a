// asker.c: questions for a STUN server over UDP, as fast as it answers, for bench.sh. Prints
// the CPU time that the server has needed for one of them, in microseconds.
//
// Run:    build/asker --port PORT --pid PID [--questions 100000] [--at-once 32]
#include <poll.h>
#include <stdio.h>

#include "datagram.h"
#include "measure.h"
#include "net.h"
#include "options.h"
#include "stun.h"

#define PATIENCE_MS 200 // after that what is missing is asked again

static void send_questions(int fd, int count)
{
    uint8_t bytes[STUN_HEADER + 8], transaction[STUN_TRANSACTION];
    struct stun_writer writer;
    stun_new_transaction(transaction);
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, transaction);
    for (int i = 0; i < count; i++)
        send(fd, bytes, writer.length, 0);
}

int main(int argc, char **argv)
{
    static int port = 8101, pid = 0, questions = 100000, at_once = 32;
    static const struct option_spec options[] = {
        {"port", OPTION_INT, &port, 1, 65535, "of the server"},
        {"pid", OPTION_INT, &pid, 1, 1 << 30, "of the server"},
        {"questions", OPTION_INT, &questions, 1, 10000000, "to ask"},
        {"at-once", OPTION_INT, &at_once, 1, 1000, "questions on their way"},
        {0}};
    struct sockaddr_storage server;
    uint8_t bytes[STUN_MAX];
    int answered = 0, open = 0;
    options_parse(argc, argv, &(struct command){"", "Asks a STUN server.", options});
    net_address("127.0.0.1", port, SOCK_DGRAM, &server);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, address_size(&server)))
        die("cannot open a socket");
    double before = process_cpu_us(pid);
    while (answered < questions) {
        struct pollfd readable = {fd, POLLIN, 0};
        send_questions(fd, at_once - open);
        open = at_once;
        if (poll(&readable, 1, PATIENCE_MS) == 0)
            open = 0; // lost
        while (open > 0 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
            open--;
            answered++;
        }
    }
    printf("%.3f\n", (process_cpu_us(pid) - before) / answered);
    return 0;
}
