// accounts.h: who may connect: lines of NAME:PASSWORD in a file. (In production passwords are
// kept as salted hashes, and come over TLS: here both are plain, as MQTT sends them.)
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include "mqtt.h"

// Reads the file; dies if that cannot be done. NULL: everybody may connect.
void accounts_begin(const char *path);

// What a CONNACK has to say to a client with this name and password.
enum mqtt_code accounts_check(const struct mqtt_connect *connect);

void accounts_end(void);

#endif
