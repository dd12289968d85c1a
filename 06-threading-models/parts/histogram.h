// histogram.h: how long requests took, counted so that any percentile can be read off later.
//
// Buckets of one width are too coarse for short times, or too many for long ones. These grow
// with what they count: each power of two is cut into 128 buckets, so a percentile read off is
// never too low, and less than 1/128 (0.8 %) too high. To count a value is a shift and an add.
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_CUTS    128 // buckets for each power of two
#define HISTOGRAM_BITS    40  // values are below 2^40 ns, 18 minutes; longer ones count as that
#define HISTOGRAM_BUCKETS ((HISTOGRAM_BITS - 8) * HISTOGRAM_CUTS + 2 * HISTOGRAM_CUTS)

// All zero: nothing counted yet.
struct histogram {
    uint64_t total, max; // values counted, and the largest of them, exactly
    uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

// Counts in `into` all that `from` has counted.
void histogram_merge(struct histogram *into, const struct histogram *from);

// The value that so many percent of all values do not exceed; 0 where nothing was counted.
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

#endif
