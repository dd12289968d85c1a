// median.h: the middle of what was measured: one slow moment of the machine does not move it.
#ifndef MEDIAN_H
#define MEDIAN_H

#include <stddef.h>

// Sorts the values, the smallest first, and returns the one in the middle; 0 if there is none.
double median_of(double *values, size_t count);

#endif
