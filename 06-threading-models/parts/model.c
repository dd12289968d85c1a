// model.c: the models as an array, made from the table in model.h.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "ring.h"

#define ENTRY(name, workers, serves, kind, about)                                              \
    {#name, run_##name, workers, serves, kind, about},

const struct model models[] = {MODELS(ENTRY)};

const char *model_left_out(void)
{
    static char reason[120];
    static bool tried;
    struct ring ring;
    if (!tried) {
        tried = true;
        bool opened = ring_open(&ring);
        if (!opened || !ring_add_pieces(&ring))
            snprintf(reason, sizeof reason,
                     "this machine refuses io_uring (%s): see kernel.io_uring_disabled, or the "
                     "container",
                     strerror(errno));
        if (opened)
            ring_close(&ring);
    }
    if (!reason[0])
        return NULL;
    return reason;
}

int model_count(void)
{
    int count = sizeof models / sizeof *models;
    if (model_left_out())
        count--;
    return count;
}

int model_find(const char *name)
{
    for (int i = 0; i < model_count(); i++)
        if (!strcmp(models[i].name, name))
            return i;
    return -1;
}
