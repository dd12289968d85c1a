// series.c: requests sent one after the other, and how long they took. See scenes.h.
#include <stdio.h>
#include <unistd.h>

#include "measure.h"
#include "scenes.h"
#include "story.h"

#define DELAYED_ACK_MS 30 // most of TCP_DELACK_MIN, which is 40 ms

static const char *const way_title[WAYS] = {"two write()s", "two write()s, TCP_NODELAY",
                                            "one writev()", "two write()s, TCP_CORK"};

struct series run_series(enum way way, int count, uint32_t flags)
{
    double times[SERIES_MAX], sum = 0;
    int fd = open_connection(host, port);
    // Linux acknowledges the first request on a connection at once, so it is not counted.
    time_request(fd, way, (uint32_t)body_bytes, flags);
    for (int i = 0; i < count; i++) {
        times[i] = time_request(fd, way, (uint32_t)body_bytes, flags);
        sum += times[i];
    }
    double segments = (double)segments_sent(fd) / (count + 1);
    close(fd);
    double median = median_of(times, (size_t)count); // sorts them
    return (struct series){sum / count, median, times[count - 1], times[0], segments};
}

void show_series(const struct series series[WAYS])
{
    char titles[80];
    double longest_ms = 0;
    snprintf(titles, sizeof titles, "a request of 4 + %d bytes|mean|median|longest|segments",
             body_bytes);
    story_head(titles);
    for (int way = 0; way < WAYS; way++) {
        const struct series *s = &series[way];
        story_row("%s|%.2f ms|%.2f ms|%.2f ms|%.1f", way_title[way], s->mean_ms, s->median_ms,
                  s->longest_ms, s->segments);
        if (s->median_ms > longest_ms)
            longest_ms = s->median_ms;
    }
    story_say("");
    for (int way = 0; way < WAYS; way++)
        story_bar(way_title[way], series[way].median_ms, longest_ms, "%.2f ms",
                  series[way].median_ms);
}

bool stalls(double with_ms, double without_ms)
{
    return with_ms >= without_ms + DELAYED_ACK_MS && with_ms >= 1.7 * without_ms;
}
