// smaller.h: the smaller and the larger of two numbers.
#ifndef SMALLER_H
#define SMALLER_H

#include <stddef.h>

static inline size_t smaller(size_t a, size_t b)
{
    if (a < b)
        return a;
    return b;
}

static inline size_t larger(size_t a, size_t b)
{
    if (a > b)
        return a;
    return b;
}

#endif
