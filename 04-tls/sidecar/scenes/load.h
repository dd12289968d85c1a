// load.h: questions without a pause, in a process of its own, while a scene changes something.
#ifndef LOAD_H
#define LOAD_H

#include "mesh.h"

struct load_result {
    int asked, failed;
    double slowest_ms;
};

void load_start(const struct pod *pod, const char *service);

// Waits until so many questions more have been answered.
void load_await(int questions);

struct load_result load_stop(void);

#endif
