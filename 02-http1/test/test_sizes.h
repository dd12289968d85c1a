// test_sizes.h: what the tests of lesson 02 compute with sizes.
#ifndef TEST_SIZES_H
#define TEST_SIZES_H

#include <stddef.h>

static inline size_t smaller(size_t a, size_t b)
{
    if (a < b)
        return a;
    return b;
}

#endif
