// box.c: see box.h.
#include "box.h"

#include <string.h>

#include "node.h"

struct box boxes[BOXES_MAX];
int box_count;

struct box *box_new(const char *name, const struct box_kind *kind)
{
    if (box_count == BOXES_MAX)
        return NULL;
    boxes[box_count] = (struct box){.name = name, .kind = kind};
    return &boxes[box_count++];
}

struct box *box_named(const char *name)
{
    for (int i = 0; i < box_count; i++)
        if (!strcmp(boxes[i].name, name))
            return &boxes[i];
    return NULL;
}

struct box *box_next(const struct transit *transit, bool *outward)
{
    *outward = true;
    for (int i = 0; i < box_count; i++)
        if (boxes[i].kind->serves(&boxes[i], transit))
            return &boxes[i];
    *outward = false;
    for (int i = 0; i < box_count && !transit->inside; i++)
        if (boxes[i].address == headers_address(&transit->headers, DESTINATION))
            return &boxes[i];
    return NULL;
}

enum fate box_pass(struct box *box, struct transit *transit, bool outward)
{
    if (!headers_count_down(transit->bytes))
        return TTL_EXPIRED;
    if (!headers_find(transit->bytes, transit->length, &transit->headers))
        return UNTRANSLATABLE;
    if (outward)
        return box->kind->outward(box, transit);
    return box->kind->inward(box, transit);
}

uint8_t box_end(const struct box *box)
{
    return (uint8_t)(NODES_MAX + (box - boxes));
}
