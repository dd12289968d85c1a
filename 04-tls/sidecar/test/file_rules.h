// file_rules.h: what must be true of the readers of the file of services and of the trace
// fields, whatever they are given. Each function returns NULL, or what is wrong.
#ifndef FILE_RULES_H
#define FILE_RULES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "service_file.h"
#include "trace.h"

// A file that is taken, written again and read again, says the same.
static inline const char *service_file_fault(const char *text, size_t length)
{
    static struct service_file first, second;
    static char again[SERVICES_MAX * (SERVICE_NAME + INSTANCES_MAX * (NET_NAME + 1) + 2) + 10];
    char why[SERVICE_FILE_WHY], name[NET_NAME];
    if (!service_file_read(text, length, &first, why)) {
        if (!memchr(why, '\0', sizeof why) || !why[0])
            return "a file is refused without a reason";
        return NULL;
    }
    if (length < 4 || !memmem(text, length, "end", 3))
        return "a file without an end is taken";
    size_t used = 0;
    for (int i = 0; i < first.count; i++) {
        const struct service_line *line = &first.services[i];
        if (!service_name_is_good(line->name))
            return "a bad name is taken";
        used += (size_t)sprintf(again + used, "%s", line->name);
        for (int j = 0; j < line->count; j++)
            used += (size_t)sprintf(again + used, " %s", net_name(&line->addresses[j], name));
        used += (size_t)sprintf(again + used, "\n");
    }
    used += (size_t)sprintf(again + used, "end\n");
    if (!service_file_read(again, used, &second, why) || second.count != first.count)
        return "a file that was written again is another one";
    for (int i = 0; i < first.count; i++)
        if (memcmp(&first.services[i], &second.services[i], sizeof first.services[i]))
            return "a service that was written again is another one";
    // What is cut is not taken: a writer may have been interrupted at any byte.
    if (service_file_read(again, used - 1, &second, why) ||
        service_file_read(again, used - 4, &second, why))
        return "half of a file is taken";
    return NULL;
}

// What is read of a traceparent is what is written again.
static inline const char *trace_fault(const char *parent, size_t parent_length,
                                      const char *state, size_t state_length)
{
    struct trace trace = {0}, second = {0};
    char bytes[2000];
    struct http_out out = {bytes, sizeof bytes, 0, false};
    bool good = trace_read_parent((struct http_text){parent, parent_length}, &trace);
    if (good && (strlen(trace.id) != TRACE_ID || strlen(trace.parent) != TRACE_SPAN ||
                 memcmp(trace.id, parent + 3, TRACE_ID)))
        return "the ids are not those of the field";
    if (!good)
        return NULL;
    if (!trace_read_state((struct http_text){state, state_length}, &trace))
        trace.state[0] = '\0';
    if (memchr(trace.state, '\n', strlen(trace.state)) || strlen(trace.state) > 512)
        return "a state that could end its line";
    memcpy(trace.span, trace.parent, sizeof trace.span);
    trace_put(&trace, &out);
    if (out.overflow || out.length < 70 ||
        !trace_read_parent((struct http_text){bytes + strlen("traceparent: "), 55}, &second) ||
        strcmp(second.id, trace.id) || strcmp(second.parent, trace.span))
        return "what is written is not what was read";
    return NULL;
}

#endif
