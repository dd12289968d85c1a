// accounts.h: the users that may connect: lines of NAME:PASSWORD in a file. (In production a
// broker keeps salted hashes of the passwords, and the client sends its password over TLS. Here
// both are plain, as MQTT sends them.)
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include "mqtt.h"

// Reads the file; dies if that cannot be done. NULL: any client may connect.
void accounts_begin(const char *path);

// What a CONNACK has to say to a client with this name and password.
enum mqtt_code accounts_check(const struct mqtt_connect *connect);

void accounts_end(void);

#endif
