// accounts.c: see accounts.h.
#include "accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

static char **lines;
static size_t count;
static bool asked; // there is a file: the broker asks for a name and a password

void accounts_begin(const char *path)
{
    char *line = NULL;
    size_t size = 0;
    if (!path)
        return;
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot read %s: %s", path, strerror(errno));
    asked = true;
    while (getline(&line, &size, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        char **more = realloc(lines, (count + 1) * sizeof *lines);
        if (!more)
            die("no memory for the users in %s", path);
        lines = more;
        lines[count++] = line;
        line = NULL;
        size = 0;
    }
    free(line);
    fclose(file);
}

enum mqtt_code accounts_check(const struct mqtt_connect *connect)
{
    if (!asked)
        return MQTT_ACCEPTED;
    if (!connect->has_user)
        return MQTT_NOT_AUTHORIZED;
    for (size_t i = 0; i < count; i++) {
        const char *colon = strchr(lines[i], ':');
        if (colon && connect->has_password &&
            mqtt_same((struct mqtt_text){lines[i], (uint32_t)(colon - lines[i])},
                      connect->user) &&
            mqtt_same(mqtt_text(colon + 1), connect->password))
            return MQTT_ACCEPTED;
    }
    return MQTT_BAD_PASSWORD;
}

void accounts_end(void)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
}
