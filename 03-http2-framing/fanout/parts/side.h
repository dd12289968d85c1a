// side.h: which of the two a connection of the proxy is. The kind stands at the same place in
// struct frontend and in struct upstream, behind the loop's part.
#ifndef SIDE_H
#define SIDE_H

#include "loop.h"

enum side_kind { FRONTEND, UPSTREAM };

struct side {
    struct conn conn;
    enum side_kind kind;
};

#endif
