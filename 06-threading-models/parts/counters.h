// counters.h: three ways for several threads to count together. One of them is wrong.
// Each process has counters of its own: processes share nothing that they were not told to.
#ifndef COUNTERS_H
#define COUNTERS_H

// Adds one, `times` times, and returns what the counter then is.
unsigned long count_plain(int times);  // read, add, write: loses what others write in between
unsigned long count_mutex(int times);  // the same, one thread at a time
unsigned long count_atomic(int times); // one instruction that the processor does not divide

#endif
