// histogram.c: see histogram.h.
//
// Values up to 255 have a bucket each. Larger ones lose their last bits until they are between
// 128 and 255; how many that were (the shift) is the row, what is left the place in it.
#include "histogram.h"

static unsigned bucket_of(uint64_t value)
{
    unsigned bits = value ? 64 - (unsigned)__builtin_clzll(value) : 0;
    unsigned shift = bits > 8 ? bits - 8 : 0;
    return shift * HISTOGRAM_CUTS + (unsigned)(value >> shift);
}

// The largest value that bucket_of() puts there.
static uint64_t top_of(unsigned bucket)
{
    unsigned shift = bucket < 2 * HISTOGRAM_CUTS ? 0 : bucket / HISTOGRAM_CUTS - 1;
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
        if (passed && (double)passed >= wanted)
            return top_of(i) < histogram->max ? top_of(i) : histogram->max;
    }
    return histogram->max;
}
