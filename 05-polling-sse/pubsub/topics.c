// topics.c: see topics.h. Read match() first: how a topic finds its subscribers.
#include "topics.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "sessions.h"

// One level of one or more filters.
struct node {
    struct mqtt_text level; // first: mqtt_order() compares nodes by it
    struct node *parent;
    void *children; // a tree of tsearch(3)
    struct group *groups;
    char bytes[]; // of the level
};

static struct node root;

// ---- topics and filters --------------------------------------------------------------------

// Takes the next level from *rest; *rest is then the text behind the slash. rest->at is NULL
// when there was no slash.
static struct mqtt_text next_level(struct mqtt_text *rest)
{
    const char *slash = NULL;
    if (rest->length)
        slash = memchr(rest->at, '/', rest->length);
    struct mqtt_text level = *rest;
    if (!slash) {
        *rest = (struct mqtt_text){NULL, 0};
        return level;
    }
    level.length = (uint32_t)(slash - rest->at);
    *rest = (struct mqtt_text){slash + 1, rest->length - level.length - 1};
    return level;
}

static bool is_one(struct mqtt_text level, char wildcard)
{
    return level.length == 1 && level.at[0] == wildcard;
}

static bool has(struct mqtt_text text, char wildcard)
{
    return text.length && memchr(text.at, wildcard, text.length);
}

bool topic_is_valid(struct mqtt_text topic)
{
    return topic.length > 0 && !has(topic, '+') && !has(topic, '#');
}

bool filter_is_valid(struct mqtt_text filter)
{
    if (filter.length == 0)
        return false;
    while (filter.at) {
        struct mqtt_text level = next_level(&filter);
        if (has(level, '+') && level.length > 1)
            return false;
        if (has(level, '#') && (level.length > 1 || filter.at))
            return false;
    }
    return true;
}

// A wildcard at the beginning matches no topic that begins with "$" (§4.7.2): those are the
// broker's own.
static bool is_hidden(struct mqtt_text topic)
{
    return topic.length > 0 && topic.at[0] == '$';
}

bool filter_matches(struct mqtt_text filter, struct mqtt_text topic)
{
    if (is_hidden(topic) && (filter.at[0] == '+' || filter.at[0] == '#'))
        return false;
    while (filter.at) {
        struct mqtt_text wanted = next_level(&filter);
        if (is_one(wanted, '#'))
            return true;
        if (!topic.at)
            return false;
        struct mqtt_text level = next_level(&topic);
        if (!is_one(wanted, '+') && !mqtt_same(wanted, level))
            return false;
    }
    return !topic.at;
}

bool filter_split(struct mqtt_text filter, struct mqtt_text *name, struct mqtt_text *bare)
{
    *name = (struct mqtt_text){"", 0};
    *bare = filter;
    if (!mqtt_same(next_level(bare), mqtt_text("$share"))) {
        *bare = filter;
        return true;
    }
    *name = next_level(bare);
    return name->length > 0 && bare->length > 0 && !has(*name, '+') && !has(*name, '#');
}

// ---- the tree ------------------------------------------------------------------------------

static struct node *child_of(const struct node *parent, struct mqtt_text level)
{
    struct node **found = tfind(&level, &parent->children, mqtt_order);
    if (!found)
        return NULL;
    return *found;
}

static struct node *add_child(struct node *parent, struct mqtt_text level)
{
    struct node *node = calloc(1, sizeof *node + level.length);
    if (!node)
        return NULL;
    node->level = mqtt_copy(node->bytes, level);
    node->parent = parent;
    if (tsearch(node, &parent->children, mqtt_order))
        return node;
    free(node);
    return NULL;
}

// Frees a node without groups and children, and then its parents that have none either.
static void prune(struct node *node)
{
    while (node != &root && !node->groups && !node->children) {
        struct node *parent = node->parent;
        tdelete(node, &parent->children, mqtt_order);
        free(node);
        node = parent;
    }
}

// The node of a filter; NULL: there is none. With `add` a missing node is made; NULL: there is
// no memory, or the filter has too many levels.
static struct node *find_node(struct mqtt_text filter, bool add)
{
    struct node *node = &root;
    for (int levels = 0; filter.at; levels++) {
        struct mqtt_text level = next_level(&filter);
        struct node *child = child_of(node, level);
        if (!child && add && levels < FILTER_LEVELS_MAX)
            child = add_child(node, level);
        if (!child) {
            if (add)
                prune(node);
            return NULL;
        }
        node = child;
    }
    return node;
}

// ---- groups and their members --------------------------------------------------------------

static struct group *find_group(const struct node *node, struct mqtt_text name)
{
    struct group *group = node->groups;
    while (group && !mqtt_same(group->name, name))
        group = group->next;
    return group;
}

static struct group *add_group(struct node *node, struct mqtt_text name)
{
    struct group *group = calloc(1, sizeof *group + name.length);
    if (!group)
        return NULL;
    list_begin(&group->members);
    group->name = mqtt_copy(group->bytes, name);
    group->node = node;
    group->next = node->groups;
    node->groups = group;
    return group;
}

// Frees a group without members.
static void drop_group(struct group *group)
{
    struct node *node = group->node;
    struct group **at = &node->groups;
    if (group->members.next != &group->members)
        return;
    while (*at != group)
        at = &(*at)->next;
    *at = group->next;
    free(group);
    prune(node);
}

static bool add_member(struct group *group, struct session *session, uint8_t qos)
{
    struct subscription *new = calloc(1, sizeof *new);
    if (!new)
        return false;
    *new = (struct subscription){
        .next = session->subscriptions, .session = session, .group = group, .qos = qos};
    list_append(&group->members, &new->member, new);
    session->subscriptions = new;
    session->subscription_count++;
    return true;
}

// Removes the subscription that *at points to; `at` is a link in the list of its session.
static void remove_member(struct subscription **at)
{
    struct subscription *old = *at;
    struct group *group = old->group;
    *at = old->next;
    list_remove(&old->member);
    old->session->subscription_count--;
    free(old);
    drop_group(group);
}

// The link in the session's list that points to its subscription in this group, or the NULL at
// the end of this list.
static struct subscription **find_subscription(struct session *session,
                                               const struct group *group)
{
    struct subscription **at = &session->subscriptions;
    while (*at && (*at)->group != group)
        at = &(*at)->next;
    return at;
}

bool topics_subscribe(struct session *session, struct mqtt_text filter, uint8_t qos)
{
    struct mqtt_text name, bare;
    if (!filter_split(filter, &name, &bare))
        return false;
    struct node *node = find_node(bare, true);
    if (!node)
        return false;
    struct group *group = find_group(node, name);
    struct subscription **old = find_subscription(session, group);
    if (*old) {
        (*old)->qos = qos;
        return true;
    }
    bool full = session->subscription_count >= SESSION_SUBSCRIPTIONS_MAX;
    if (!full && !group)
        group = add_group(node, name);
    if (!full && group && add_member(group, session, qos))
        return true;
    if (group)
        drop_group(group);
    else
        prune(node);
    return false;
}

void topics_unsubscribe(struct session *session, struct mqtt_text filter)
{
    struct mqtt_text name, bare;
    if (!filter_split(filter, &name, &bare))
        return;
    struct node *node = find_node(bare, false);
    if (!node)
        return;
    struct subscription **old = find_subscription(session, find_group(node, name));
    if (*old)
        remove_member(old);
}

void topics_unsubscribe_all(struct session *session)
{
    while (session->subscriptions)
        remove_member(&session->subscriptions);
}

// ---- publishing ----------------------------------------------------------------------------

static void tell(const struct node *node, void (*found)(struct group *))
{
    if (!node)
        return;
    for (struct group *group = node->groups; group; group = group->next)
        found(group);
}

// `node` stands for the levels of the topic before `rest`; NULL: no filter has them. The
// recursion goes no deeper than the filters do.
static void match(const struct node *node, struct mqtt_text rest, void (*found)(struct group *))
{
    if (!node)
        return;
    bool wildcards = node != &root || !is_hidden(rest);
    if (wildcards)
        tell(child_of(node, mqtt_text("#")), found); // "a/#" also matches "a"
    if (!rest.at) {
        tell(node, found);
        return;
    }
    struct mqtt_text level = next_level(&rest);
    match(child_of(node, level), rest, found);
    if (wildcards)
        match(child_of(node, mqtt_text("+")), rest, found);
}

void topics_match(struct mqtt_text topic, void (*found)(struct group *group))
{
    match(&root, topic, found);
}
