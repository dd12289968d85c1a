// list.h: a list with neighbours on both sides: to append and to remove cost the same, however
// long it is. The list itself is a link, too: the one before the first and behind the last.
#ifndef LIST_H
#define LIST_H

struct link {
    struct link *next, *before;
    void *owner; // what stands in the list; NULL: this is the list itself
};

// An empty list.
static inline void list_begin(struct link *list)
{
    list->next = list->before = list;
}

// Puts the owner's link at the end of the list; takes it out of its list.
static inline void list_append(struct link *list, struct link *link, void *owner)
{
    *link = (struct link){list, list->before, owner};
    list->before->next = link;
    list->before = link;
}

static inline void list_remove(struct link *link)
{
    link->before->next = link->next;
    link->next->before = link->before;
}

#endif
