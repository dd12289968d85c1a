// smaller.h: the smaller and the larger of two numbers, and the earlier of two moments.
#ifndef SMALLER_H
#define SMALLER_H

#include <stddef.h>
#include <stdint.h>

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

static inline int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    if (a_ns < b_ns)
        return a_ns;
    return b_ns;
}

#endif
