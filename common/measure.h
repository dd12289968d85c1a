// measure.h: the small instruments that scenes and servers need: the middle of many times,
// milliseconds, CPU time, numbers of proc(5), cores, descriptors, random numbers that come
// again.
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Sorts the values, the smallest first, and returns the one in the middle, which one slow
// moment of the machine does not move; 0 if there is none.
double median_of(double *values, size_t count);

// The least of `count` values, at least one. Of times that were measured again and again it is
// the one that this machine's other work has disturbed least: such work only adds.
double least_of(const double *values, size_t count);

// Milliseconds between two moments of now_ns(); since one of them.
double ms_between(int64_t from_ns, int64_t to_ns);
double ms_since(int64_t from_ns);

// Milliseconds of CPU time that this process has used, all its threads together.
double cpu_ms(void);

// Nanoseconds of CPU time that this thread has used: in the program, and in the kernel for it.
int64_t thread_cpu_ns(void);

// Microseconds of CPU time that another process has used, all its threads together. Dies if
// there is none.
double process_cpu_us(pid_t pid);

// The number behind `key` in the first line of a file that begins with `start`: proc(5) has
// many such files, "/proc/meminfo" with "Slab:    65312 kB". 0: there is no such line.
long number_in_file(const char *path, const char *start, const char *key);

// How many cores this process may use: at least 1.
int usable_cores(void);

// From now on this process, and the processes that it starts, share one core: what they cost
// does not depend on where the kernel puts them. To wake a core that sleeps costs a virtual
// machine more than a small request does. share_cores() gives back the others, to this process.
void share_one_core(void);
void share_cores(void);

// Raises the limit of open descriptors to `wanted`, or as near to it as this process may
// (getrlimit(2), RLIMIT_NOFILE); never lowers it. Returns the limit.
long raise_file_limit(long wanted);

// The next of a sequence of random numbers. *state may begin as any number: the same one gives
// the same sequence (SplitMix64: Steele, Lea, Flood 2014). Not for secrets.
uint64_t random_next(uint64_t *state);

#endif
