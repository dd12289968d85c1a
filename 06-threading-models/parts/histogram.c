// histogram.c: see histogram.h.
//
// Values up to 255 have a bucket each. A larger value is shifted to the right until it is
// between 128 and 255. The shift is the number of its row of buckets, and the rest its place in
// the row.
#include "histogram.h"

#include <stdbool.h>

static unsigned bucket_of(uint64_t value)
{
    unsigned shift = 0;
    if (value > 255) // it has more than 8 bits
        shift = 64 - (unsigned)__builtin_clzll(value) - 8;
    return shift * HISTOGRAM_CUTS + (unsigned)(value >> shift);
}

// The largest value of a bucket.
static uint64_t top_of(unsigned bucket)
{
    unsigned shift = 0;
    if (bucket >= 2 * HISTOGRAM_CUTS)
        shift = bucket / HISTOGRAM_CUTS - 1;
    uint64_t kept = bucket - shift * HISTOGRAM_CUTS;
    return ((kept + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    if (value >> HISTOGRAM_BITS)
        value = (UINT64_C(1) << HISTOGRAM_BITS) - 1;
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
    if (from->max > into->max)
        into->max = from->max;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    double wanted = percent / 100 * (double)histogram->total;
    uint64_t passed = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        passed += histogram->counts[i];
        bool found = passed > 0 && (double)passed >= wanted;
        if (found && top_of(i) < histogram->max)
            return top_of(i);
        if (found)
            break;
    }
    return histogram->max;
}
