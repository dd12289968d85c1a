// model.c: the models as an array, made from the table in model.h.
#include <string.h>

#include "model.h"

#define ENTRY(name, workers, serves, kind, about)                                              \
    {#name, run_##name, workers, serves, kind, about},

const struct model models[] = {MODELS(ENTRY)};

const int model_count = sizeof models / sizeof *models;

int model_find(const char *name)
{
    for (int i = 0; i < model_count; i++)
        if (!strcmp(models[i].name, name))
            return i;
    return -1;
}
