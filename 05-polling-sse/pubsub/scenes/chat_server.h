// chat_server.h: a small chat server for the scene `rooms`. Each line that one of its people
// says goes to all of its people. With a broker the line goes to the broker, and each chat
// server gives its people what the broker sends.
#ifndef CHAT_SERVER_H
#define CHAT_SERVER_H

#include <stdbool.h>

#define CHAT_WELCOME "welcome" // the server's first line to a person

// Serves the people that connect to `listener`, until the process is killed. `name` is the
// server's client id at the broker; NULL: the server has no broker.
void chat_server_run(int listener, const char *name);

#endif
